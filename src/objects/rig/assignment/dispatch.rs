//! Dispatch: ready work to free polecats, priority first, then first come, first served, within the rig's capacity; merge
//! requests to the refinery, one at a time.
//!
//! Owns the choice of the next bead and its agent, the queue's order, and how long a bead rests after a failed attempt.
//! Starts no process and waits for none: runners follow the orders (`orders`).

use super::hooks;
use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Agent, AgentStatus};
use crate::contract::tool_keys::ESCALATIONS;
use crate::objects::handler::Cx;
use crate::objects::rig::assignment::free_polecats::Roster;
use crate::objects::rig::counters::ready;
use crate::objects::rig::{agents, outbox_letters, watchdog};
use crate::objects::store::sql::{execute, query_one, scalar};
use base::error::{Code, Failure, Fault, Refusal};
use base::hint;
use base::time::Timestamp;
use serde::Deserialize;
use std::ops::ControlFlow;

/// Factors of the first rest after an attempt (`backoff_seconds`), attempt by attempt: 30 s, 1, 2, 5, 10 minutes
/// (Gastown contract, section 10).
const BACK_OFF: [i64; 5] = [1, 2, 4, 10, 20];

/// A bead that may be given out.
#[derive(Deserialize)]
pub(in crate::objects::rig) struct Ready {
    pub(in crate::objects::rig) bead_id: BeadId,
    pub(in crate::objects::rig) convoy_id: Option<ConvoyId>,
}

/// Gives out work until no bead is ready or no polecat is free, and tells the town.
pub fn dispatch(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    let mut given = give_review(cx, rig)?;
    // Usually nothing is ready, and that is cheaper to see than which polecats are free.
    if next_ready(cx)?.is_some() {
        give_out(cx, rig, |_, _| {
            given = true;
            ControlFlow::Continue(())
        })?;
    }
    if given { outbox_letters::summary_changed(cx, rig) } else { Ok(()) }
}

/// Gives ready work to free polecats, in the queue's order. `given` is called for each assignment and says whether to go on.
pub(in crate::objects::rig) fn give_out(
    cx: &Cx<'_>,
    rig: &RigState,
    mut given: impl FnMut(&Ready, Agent) -> ControlFlow<()>,
) -> Result<(), Failure> {
    if check_gives_out(rig).is_err() {
        return Ok(());
    }
    let mut roster = Roster::load(cx)?;
    while roster.has_room(rig)
        && let Some(ready) = next_ready(cx)?
        && let Some(agent) = roster.assign(cx, rig, &ready.bead_id)?
    {
        outbox_letters::bead_given(cx, rig, &ready)?;
        if given(&ready, agent).is_break() {
            break;
        }
    }
    Ok(())
}

/// Gives the refinery the next merge request, if there is a refinery and it is free. Reviews go on while a rig is parked.
fn give_review(cx: &Cx<'_>, rig: &RigState) -> Result<bool, Failure> {
    if rig.draining || rig.breaker_open {
        return Ok(false);
    }
    let Some(request) = next_review(cx)? else { return Ok(false) };
    let Some(mut refinery) = agents::refinery(cx)? else { return Ok(false) };
    if refinery.current_hook_bead_id.is_some() || refinery.status != AgentStatus::Idle {
        return Ok(false);
    }
    hooks::attach(cx, rig, &mut refinery, &request.bead_id)?;
    outbox_letters::bead_given(cx, rig, &request)?;
    Ok(true)
}

/// Whether work is given out just now.
///
/// # Errors
/// `Conflict` while the rig is parked, or its town drains.
pub(in crate::objects::rig) fn check_gives_out(rig: &RigState) -> Result<(), Refusal> {
    if rig.gives_out() {
        return Ok(());
    }
    if !rig.is_paused() {
        let refusal = Refusal::new(Code::Conflict, "Too many orders of this town ended without a report: nothing is given out");
        return Err(refusal.hint(hint![
            "Call ",
            ESCALATIONS,
            ", find out what ends them, and acknowledge the escalation of category dispatch_breaker; or wait until the failures have aged."
        ]));
    }
    let why = if rig.parked { "parked" } else { "draining" };
    let refusal = Refusal::new(Code::Conflict, format!("Rig {} is {why}: nothing is given out", rig.name));
    Err(refusal.hint("Leave the work open, or sling it without naming an agent: it queues until then."))
}

/// A bead rests after an attempt that failed, the longer the more there were.
pub(in crate::objects::rig) fn back_off(cx: &Cx<'_>, bead: &BeadId, attempts: i64) -> Result<(), Fault> {
    let step = usize::try_from(attempts.max(1) - 1).unwrap_or_default().min(BACK_OFF.len() - 1);
    let first = watchdog::thresholds(cx)?.backoff_seconds.saturating_mul(1_000);
    let until = cx.now.plus_millis(first.saturating_mul(BACK_OFF.get(step).copied().unwrap_or(1)));
    execute(cx.sql, "-- dispatch_back_off\nUPDATE beads SET not_before = ? WHERE bead_id = ?", (until.millis(), bead))?;
    cx.wake_at(until);
    Ok(())
}

/// Asks for the alarm when the next bead has rested.
pub(in crate::objects::rig) fn wake_when_rested(cx: &Cx<'_>) -> Result<(), Fault> {
    let next: Option<i64> = scalar(
        cx.sql,
        "-- dispatch_next_rested\nSELECT min(not_before) FROM beads INDEXED BY beads_resting WHERE not_before > ? AND status = 'open'",
        (cx.now.millis(),),
    )?;
    if let Some(at) = next {
        cx.wake_at(Timestamp::from_millis(at));
    }
    Ok(())
}

/// The bead that is next in the queue.
fn next_ready(cx: &Cx<'_>) -> Result<Option<Ready>, Fault> {
    query_one(
        cx.sql,
        concat!(
            "-- dispatch_next_ready\nSELECT bead_id, convoy_id FROM beads INDEXED BY beads_ready WHERE ",
            ready!(""),
            " AND coalesce(not_before, 0) <= ? ORDER BY priority_rank DESC, sequence LIMIT 1"
        ),
        (cx.now.millis(),),
    )
}

/// The merge request that is next.
fn next_review(cx: &Cx<'_>) -> Result<Option<Ready>, Fault> {
    query_one(
        cx.sql,
        "-- dispatch_next_review\nSELECT bead_id, NULL AS convoy_id FROM beads INDEXED BY beads_reviewable CROSS JOIN merge_requests AS review USING (bead_id)
         WHERE type = 'merge_request' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0
           AND coalesce(review.not_before, beads.not_before, 0) <= ?
         ORDER BY priority_rank DESC, beads.sequence LIMIT 1",
        (cx.now.millis(),),
    )
}
