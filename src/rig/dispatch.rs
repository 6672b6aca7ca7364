//! Dispatch: ready work to free polecats, priority first, then first come, first served, within the rig's capacity.
//!
//! Owns the decision who gets what next and the queue's order. Starts no process and waits for nobody.

use super::report;
use super::roster::Roster;
use super::state::RigState;
use super::tally::ready;
use crate::error::{Code, Failure, Fault, Refusal};
use crate::ids::{BeadId, ConvoyId};
use crate::rpc::model::Agent;
use crate::rpc::serve::Cx;
use crate::store::sql::query_one;
use serde::Deserialize;
use std::ops::ControlFlow;

/// A bead that may be given out.
#[derive(Deserialize)]
pub(super) struct Ready {
    pub(super) bead_id: BeadId,
    pub(super) convoy_id: Option<ConvoyId>,
}

/// Gives out ready work until nothing is ready or nobody is free, and tells the town.
pub fn dispatch(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    if next_ready(cx)?.is_none() {
        // The usual case, and cheaper to see than who is free.
        return Ok(());
    }
    let mut given = false;
    give_out(cx, rig, |_, _| {
        given = true;
        ControlFlow::Continue(())
    })?;
    if given { report::summary_changed(cx, rig) } else { Ok(()) }
}

/// Gives ready work to whoever is free, in the queue's order. `given` hears who got what, and whether to go on.
pub(super) fn give_out(cx: &Cx<'_>, rig: &RigState, mut given: impl FnMut(&Ready, Agent) -> ControlFlow<()>) -> Result<(), Failure> {
    if check_gives_out(rig).is_err() {
        return Ok(());
    }
    let mut roster = Roster::load(cx)?;
    while roster.has_room(rig)
        && let Some(ready) = next_ready(cx)?
        && let Some(agent) = roster.assign(cx, rig, &ready.bead_id)?
    {
        report::bead_given(cx, rig, &ready)?;
        if given(&ready, agent).is_break() {
            break;
        }
    }
    Ok(())
}

/// Whether work is given out just now.
///
/// # Errors
/// `Conflict` while the rig is parked, or its town drains.
pub(super) fn check_gives_out(rig: &RigState) -> Result<(), Refusal> {
    if !rig.parked && !rig.draining && !rig.breaker_open {
        return Ok(());
    }
    if rig.breaker_open && !rig.parked && !rig.draining {
        let refusal = Refusal::new(Code::Conflict, "Too many orders of this town ended without a report: nothing is given out");
        return Err(refusal.hint(
            "Call list_escalations, find out what ends them, and acknowledge the escalation of category dispatch_breaker; or wait until the failures have aged.",
        ));
    }
    let why = if rig.parked { "parked" } else { "draining" };
    let refusal = Refusal::new(Code::Conflict, format!("Rig {} is {why}: nothing is given out", rig.name));
    Err(refusal.hint("Leave the work open, or sling it without naming an agent: it queues until then."))
}

/// The bead that is next in the queue.
fn next_ready(cx: &Cx<'_>) -> Result<Option<Ready>, Fault> {
    query_one(
        cx.sql,
        concat!(
            "-- dispatch_next_ready\nSELECT bead_id, convoy_id FROM beads INDEXED BY beads_ready WHERE ",
            ready!(""),
            " ORDER BY priority_rank DESC, sequence LIMIT 1"
        ),
        (),
    )
}
