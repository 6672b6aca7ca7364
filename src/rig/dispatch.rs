//! Dispatch: ready work to free polecats, priority first, then first come, first served, within the rig's capacity.
//!
//! Owns the decision who gets what next and the queue's order. Starts no process and waits for nobody.

use super::report;
use super::roster::Roster;
use super::state::{self, RigState};
use super::tally::ready;
use crate::error::{Failure, Fault};
use crate::ids::{BeadId, ConvoyId};
use crate::rpc::serve::Cx;
use crate::store::sql::query_one;
use serde::Deserialize;

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
            ready!(""),
            " ORDER BY priority_rank DESC, sequence LIMIT 1"
        ),
        (),
    )
}
