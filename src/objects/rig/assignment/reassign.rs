//! Work that changes hands.
//!
//! Owns that one command; `hooks` owns the hook and who may take a bead.

use super::{dispatch, hooks};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::shapes::{BeadEventType, BeadStatus};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::{agents, beads, outbox_letters, state};
use base::error::{Code, Failure, Refusal};

/// `reassignBead`: from its holder to this agent, in one step. The former holder is idle then and is given waiting work.
pub(crate) fn reassign_bead(cx: &Cx<'_>, _caller: &Caller, (bead_id, agent_id): (BeadId, AgentId)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let mut agent = agents::require(cx, &agent_id)?;
    let bead = beads::require(cx, &bead_id)?;
    if agent.current_hook_bead_id.as_ref() != Some(&bead_id) {
        if !matches!(bead.status, BeadStatus::Open | BeadStatus::InProgress) {
            let refusal = Refusal::new(Code::Conflict, format!("Bead {bead_id} is {}: it cannot change hands", bead.status.as_str()));
            return Err(refusal.hint("Only open, hooked and in_progress beads are reassigned.").into());
        }
        let before = bead.assignee_agent_bead_id;
        if before.is_some() || bead.status != BeadStatus::Open {
            hooks::reopen(cx, &rig, &bead_id)?;
        }
        hooks::check_hookable(cx, &rig, &agent, &beads::require(cx, &bead_id)?)?;
        let event = Happened::to(BeadEventType::Assigned, &bead_id).agent(agent_id.as_str());
        events::write(cx, &event.values(before.as_ref().map(AgentId::as_str), agent_id.as_str()))?;
        hooks::attach(cx, &rig, &mut agent, &bead_id)?;
        outbox_letters::bead_changed(cx, &rig, &bead_id)?;
        dispatch::dispatch(cx, &rig)?;
        cx.wake_at(cx.now.plus_millis(hooks::ACTIVE_TICK_MILLIS));
    }
    json(&beads::require(cx, &bead_id)?)
}
