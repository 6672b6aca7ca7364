//! Dispatch: ready work to free polecats, priority first, then first come, first served, within the rig's capacity.
//!
//! Owns the decision who gets what next and the queue's order. Starts no process and waits for nobody.

use super::agents;
use super::state::{self, RigState};
use super::{hooks, report};
use crate::error::{Failure, Fault};
use crate::ids::BeadId;
use crate::rpc::model::{Agent, AgentRole};
use crate::rpc::serve::Cx;
use crate::store::sql::{query_one, scalar};

/// Work that may be given out: the condition of the index `beads_ready`.
macro_rules! ready {
    () => {
        "type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0"
    };
}

/// Gives out ready work until nothing is ready or nobody is free.
pub fn dispatch(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    let mut given = false;
    while let Some(bead) = next_ready(cx)? {
        let Some(mut agent) = free_polecat(cx, rig)? else { break };
        hooks::attach(cx, &mut agent, &bead)?;
        report::member_changed(cx, rig, &bead)?;
        given = true;
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

/// An idle polecat, or a new one while there is room.
pub(super) fn free_polecat(cx: &Cx<'_>, rig: &RigState) -> Result<Option<Agent>, Fault> {
    if let Some(idle) = agents::idle_polecat(cx)? {
        return Ok(Some(idle));
    }
    if agents::living_polecats(cx)? >= rig.capacity {
        return Ok(None);
    }
    agents::create(cx, rig, AgentRole::Polecat).map(Some)
}

/// The bead that is next in the queue.
pub(super) fn next_ready(cx: &Cx<'_>) -> Result<Option<BeadId>, Fault> {
    let next: Option<(BeadId,)> = query_one(
        cx.sql,
        concat!("-- dispatch_next_ready\nSELECT bead_id FROM beads WHERE ", ready!(), " ORDER BY priority_rank DESC, sequence LIMIT 1"),
        (),
    )?;
    Ok(next.map(|(id,)| id))
}

/// How many beads are ready and wait for a polecat.
pub(super) fn queue_depth(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, concat!("-- dispatch_queue_depth\nSELECT COUNT(*) FROM beads WHERE ", ready!()), ())
}

/// The place of a waiting bead in the queue, the first being 1; `None` when it is not in the queue.
pub(super) fn queue_position(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<i64>, Fault> {
    let ahead: i64 = scalar(
        cx.sql,
        concat!(
            "-- dispatch_queue_position\nSELECT COUNT(*) FROM beads AS queued JOIN
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
