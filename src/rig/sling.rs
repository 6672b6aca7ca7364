//! `slingBead`: a bead, its agent, name, branch, hook and fence in one transaction, and the town told by outbox.
//!
//! Owns that one command. It names the polecat and waits for no work; at capacity the bead queues and the answer says
//! where.

use super::beads::{self, NewBead};
use super::{dispatch, hooks, report, state, tally};
use crate::error::{Code, Failure, refuse};
use crate::ids::BeadId;
use crate::rpc::model::{BeadType, Priority, SlingInput, SlingResult};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use std::ops::ControlFlow;

/// `slingBead`.
pub(crate) fn sling_bead(cx: &Cx<'_>, caller: &Caller, (input,): (SlingInput,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if input.rig_id != rig.rig_id {
        return Err(refuse(Code::InvalidArgument, format!("rigId must be {}, the rig that was called", rig.rig_id)));
    }
    let new = NewBead {
        bead_id: BeadId::from_random(cx.random()),
        kind: BeadType::Issue,
        title: input.title,
        body: input.body,
        parent_bead_id: None,
        // The contract takes an unknown priority for medium.
        priority: input.priority.as_deref().and_then(Priority::parse).unwrap_or(Priority::Medium),
        labels: input.labels.unwrap_or_default(),
        metadata: input.metadata.unwrap_or_default(),
        created_by: Some(caller.actor()),
        created_at: cx.now,
        blockers_open: 0,
        held: false,
        convoy_id: None,
        quality: None,
    };
    let mut bead = beads::insert(cx, &rig, new)?;
    let mut agent = None;
    // Whoever has waited longer goes first; usually nobody has, and the bead just made is next.
    dispatch::give_out(cx, &rig, |ready, given| {
        if ready.bead_id != bead.bead_id {
            return ControlFlow::Continue(());
        }
        hooks::show_attached(cx, &mut bead, &given);
        agent = Some(given);
        ControlFlow::Break(())
    })?;
    let waits = agent.is_none() && !beads::has_held_label(&bead.labels);
    let queue_position = if waits { Some(tally::place_of_newest(cx, bead.priority)?) } else { None };
    report::summary_changed(cx, &rig)?;
    json(&SlingResult { bead, agent, queue_position })
}
