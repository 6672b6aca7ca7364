//! Dispatch: ready work to free polecats, priority first, then first come, first served, within the rig's capacity.
//!
//! Owns the decision who gets what next and the queue's order. Starts no process and waits for nobody.

use super::report;
use super::roster::Roster;
use super::state::{self, RigState};
use crate::error::{Failure, Fault};
use crate::ids::{BeadId, ConvoyId};
use crate::rpc::serve::Cx;
use crate::store::sql::{query_one, scalar};
use serde::Deserialize;

/// Work that may be given out: the condition of the index `beads_ready`. Queries name that index, because the planner would
/// rather search by type, and sort.
macro_rules! ready {
    () => {
        "type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0"
    };
}

/// A bead that may be given out.
#[derive(Deserialize)]
pub(super) struct Ready {
    pub(super) bead_id: BeadId,
    pub(super) convoy_id: Option<ConvoyId>,
}

/// Gives out ready work until nothing is ready or nobody is free.
pub fn dispatch(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    let Some(mut ready) = next_ready(cx)? else { return Ok(()) };
    let mut roster = Roster::load(cx)?;
    let mut given = false;
    while roster.assign(cx, rig, &ready.bead_id)?.is_some() {
        report::bead_given(cx, rig, &ready)?;
        given = true;
        match next_ready(cx)? {
            Some(next) => ready = next,
            None => break,
        }
    }
    if given {
        report::summary_changed(cx, rig)?;
    }
    Ok(())
}

/// The alarm of a rig: whatever was left for the next tick.
pub fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    match state::load(cx)? {
        Some(rig) => dispatch(cx, &rig),
        None => Ok(()),
    }
}

/// The bead that is next in the queue.
pub(super) fn next_ready(cx: &Cx<'_>) -> Result<Option<Ready>, Fault> {
    query_one(
        cx.sql,
        concat!(
            "-- dispatch_next_ready\nSELECT bead_id, convoy_id FROM beads INDEXED BY beads_ready WHERE ",
            ready!(),
            " ORDER BY priority_rank DESC, sequence LIMIT 1"
        ),
        (),
    )
}

/// How many beads are ready and wait for a polecat.
pub(super) fn queue_depth(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, concat!("-- dispatch_queue_depth\nSELECT COUNT(*) FROM beads INDEXED BY beads_ready WHERE ", ready!()), ())
}

/// The place of a waiting bead in the queue, the first being 1; `None` when it is not in the queue.
pub(super) fn queue_position(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<i64>, Fault> {
    let ahead: i64 = scalar(
        cx.sql,
        concat!(
            "-- dispatch_queue_position\nSELECT COUNT(*) FROM beads AS queued INDEXED BY beads_ready JOIN
               (SELECT priority_rank AS rank, sequence AS arrived FROM beads WHERE bead_id = ? AND ",
            ready!(),
            ") AS mine
             WHERE ",
            ready!(),
            " AND (priority_rank > mine.rank OR (priority_rank = mine.rank AND sequence <= mine.arrived))"
        ),
        (bead,),
    )?;
    Ok((ahead > 0).then_some(ahead))
}
