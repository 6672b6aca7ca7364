//! The single writer: one process reports for an agent, and only as long as its order is the agent's.
//!
//! Owns that rule and its refusals. It is checked before every changing method that agents may call; a
//! token of an order carries the order's number (`fence`), and a process may send its id.

use super::{find, named, newest, now_held};
use crate::auth::principal::{Role, TokenKind};
use crate::objects::handler::{Caller, Cx};
use base::error::{Code, Failure, Refusal};

/// Longest name of a process, in bytes.
const PROCESS_BYTES_MAX: usize = 128;

/// The process id that the request carries.
pub(super) fn process(caller: &Caller) -> Option<&str> {
    caller.principal.process.as_deref().filter(|process| !process.is_empty() && process.len() <= PROCESS_BYTES_MAX)
}

/// The agent that a caller is, if it is one of a rig.
fn agent_of(caller: &Caller) -> Option<&str> {
    if caller.principal.role == Role::Mayor { None } else { caller.principal.agent_id.as_deref() }
}

/// Whether the caller may change anything.
///
/// # Errors
/// `Conflict` that names the holder of the work: the caller's order is over, a runner's process works on it, or another process does.
pub(crate) fn check(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    let Some(agent) = agent_of(caller) else { return Ok(()) };
    if let Some(fence) = caller.principal.fence {
        let Some(own) = find(cx, agent, fence)? else {
            return Err(over(format!("Order {fence} is not one of {}", named(cx, agent)?)));
        };
        if let Some(ending) = own.outcome.filter(|ending| *ending != super::OrderOutcome::Done) {
            return Err(over(format!("Order {fence} is {}; {}", ending.in_words(), now_held(cx, &own.bead_id)?)));
        }
        return if own.is_open() { check_process(cx, caller, agent, own.process.as_deref()) } else { Ok(()) };
    }
    let Some(order) = newest(cx, agent)?.filter(super::Order::is_open) else { return Ok(()) };
    if let Some(runner) = order.runner.as_deref().filter(|_| caller.principal.kind == TokenKind::Agent) {
        let who = named(cx, agent)?;
        let refusal = Refusal::new(Code::Conflict, format!("{who} is run by {runner}, which took order {}", order.id));
        return Err(refusal.hint("One process reports for an agent: use the token that came with the order.").into());
    }
    check_process(cx, caller, agent, order.process.as_deref())
}

/// Whether the caller's order is the newest of its agent. An older one that was done may be reported again, no more.
///
/// # Errors
/// `Conflict` that names the newest.
pub(super) fn check_newest(cx: &Cx<'_>, caller: &Caller, agent: &str) -> Result<(), Failure> {
    let own = agent_of(caller) == Some(agent);
    let (Some(fence), true) = (caller.principal.fence, own) else { return Ok(()) };
    match newest(cx, agent)? {
        Some(order) if order.id != fence => {
            Err(over(format!("Order {fence} is done; {} works on order {} now, bead {}", named(cx, agent)?, order.id, order.bead_id)))
        }
        _ => Ok(()),
    }
}

fn check_process(cx: &Cx<'_>, caller: &Caller, agent: &str, holder: Option<&str>) -> Result<(), Failure> {
    match (process(caller), holder) {
        (Some(own), Some(holder)) if own != holder => {
            let refusal = Refusal::new(Code::Conflict, format!("{} is run by process {holder} already", named(cx, agent)?));
            Err(refusal.hint("One process per agent: end this one.").into())
        }
        _ => Ok(()),
    }
}

fn over(message: String) -> Failure {
    Refusal::new(Code::Conflict, message).hint("End this process and report nothing more.").into()
}
