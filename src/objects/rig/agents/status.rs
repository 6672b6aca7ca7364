//! Reports about an agent: status, a line for people, a heartbeat; and the reset of an agent.
//!
//! Owns the moves between agent statuses. Whether a bead follows is `hooks`' business, in one place (`hooks::begin`).

use crate::contract::ids::{AgentId, RigId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Agent, AgentStatus, BeadEventType};
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::assignment::{hooks, orders};
use crate::objects::rig::beads::events;
use crate::objects::rig::{agents, outbox_letters, state, topics};
use crate::objects::store::sql::execute;
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::{Value, json};

/// Longest status message, in characters (Gastown contract 4.2).
pub const MESSAGE_CHARS_MAX: usize = 280;

/// `updateAgentStatus`. An unknown id changes nothing, as the contract has it. The bead of a working agent is in progress; a
/// dead agent holds nothing, and its name is free.
pub(crate) fn update_agent_status(cx: &Cx<'_>, caller: &Caller, (id, status): (AgentId, AgentStatus)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    let rig = state::require(cx)?;
    let Some(agent) = agents::find(cx, &id)? else { return Ok(Answer::Void) };
    if agent.status == status {
        return Ok(Answer::Void);
    }
    if status == AgentStatus::Dead
        && let Some(bead) = &agent.current_hook_bead_id
    {
        hooks::reopen(cx, &rig, bead)?;
    }
    if !(status == AgentStatus::Working && hooks::begin(cx, &rig, &agent)?) {
        set(cx, &rig, &agent, status)?;
        outbox_letters::summary_changed(cx, &rig)?;
    }
    let event = agents::happened(BeadEventType::AgentStatus, &id).values(Some(agent.status.as_str()), status.as_str());
    events::write(cx, &event)?;
    Ok(Answer::Void)
}

/// Writes a status. An agent that lives again needs its name.
fn set(cx: &Cx<'_>, rig: &RigState, agent: &Agent, status: AgentStatus) -> Result<(), Failure> {
    if agent.status == AgentStatus::Dead && status != AgentStatus::Dead {
        agents::check_free(cx, &agent.name, &agent.identity)?;
    }
    execute(
        cx.sql,
        "-- agent_status_set\nUPDATE agents SET status = ?, last_activity_at = ? WHERE id = ?",
        (status, cx.now.millis(), &agent.id),
    )?;
    if matches!(status, AgentStatus::Idle | AgentStatus::Dead) {
        // This agent, or its successor, is given the next waiting bead.
        cx.wake_at(cx.now.plus_millis(hooks::ACTIVE_TICK_MILLIS));
    }
    topics::agent_changed(cx, rig, &agent.id)
}

/// `touchAgentHeartbeat(agentId, watermark)`. An agent that holds a bead and sends a heartbeat works on it. The watermark may say when the
/// process was last active (`lastEventAt`) and where it works (`worktree`). Answers whether the caller's order goes on.
pub(crate) fn touch_heartbeat(cx: &Cx<'_>, caller: &Caller, (id, watermark): (AgentId, Value)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    let rig = state::require(cx)?;
    let agent = agents::require(cx, &id)?;
    if orders::is_of_done_work(cx, caller, &id)? {
        return answer(&json!({"drainNonce": rig.drain_nonce, "order": "done"}));
    }
    if agent.status == AgentStatus::Dead {
        let refusal = Refusal::new(Code::Conflict, format!("Agent {id} is dead"));
        return Err(refusal.hint("Stop the process; a new polecat has been given its place.").into());
    }
    orders::beat(cx, caller, &id, &watermark)?;
    execute(cx.sql, "-- agent_status_touch\nUPDATE agents SET last_activity_at = ? WHERE id = ?", (cx.now.millis(), &id))?;
    match agent.status {
        AgentStatus::Idle => drop(hooks::begin(cx, &rig, &agent)?),
        // Being there is not getting on: with work on its hook it stays stalled until it does something.
        AgentStatus::Stalled if agent.current_hook_bead_id.is_none() => {
            set(cx, &rig, &agent, AgentStatus::Idle)?;
            outbox_letters::summary_changed(cx, &rig)?;
        }
        AgentStatus::Working | AgentStatus::Waiting | AgentStatus::Stalled | AgentStatus::Dead => {}
    }
    answer(&json!({"drainNonce": rig.drain_nonce, "order": if agent.current_hook_bead_id.is_some() { "open" } else { "none" }}))
}

/// `updateAgentStatusMessage`: one line that people see.
pub(crate) fn update_status_message(cx: &Cx<'_>, caller: &Caller, (id, message): (AgentId, String)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    let rig = state::require(cx)?;
    if message.trim().is_empty() || message.chars().count() > MESSAGE_CHARS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("message must have 1 to {MESSAGE_CHARS_MAX} characters")));
    }
    agents::require(cx, &id)?;
    orders::heard(cx, caller, &id)?;
    execute(
        cx.sql,
        "-- agent_status_message\nUPDATE agents SET agent_status_message = ?1, agent_status_updated_at = ?2, last_activity_at = ?2 WHERE id = ?3",
        (&message, cx.now.millis(), &id),
    )?;
    events::write(cx, &agents::happened(BeadEventType::AgentStatus, &id).about(json!({"message": message})))?;
    topics::agent_changed(cx, &rig, &id)?;
    Ok(Answer::Void)
}

/// `resetAgent`.
pub(crate) fn reset_agent(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let agent = agents::require(cx, &id)?;
    reset(cx, &rig, &agent)?;
    Ok(Answer::Void)
}

/// Resets an agent: idle, an empty hook, attempts forgotten. Its bead is open again and is given out at the next tick, so that
/// the caller can leave a message first.
pub(in crate::objects::rig) fn reset(cx: &Cx<'_>, rig: &RigState, agent: &Agent) -> Result<(), Failure> {
    if let Some(bead) = &agent.current_hook_bead_id {
        execute(
            cx.sql,
            "-- agent_status_forget_bead\nUPDATE beads SET dispatch_attempts = 0, last_dispatch_attempt_at = NULL WHERE bead_id = ?",
            (bead,),
        )?;
        hooks::reopen(cx, rig, bead)?;
    }
    forget_attempts(cx, &agent.id)?;
    set(cx, rig, agent, AgentStatus::Idle)?;
    if agent.status != AgentStatus::Idle {
        let event = agents::happened(BeadEventType::AgentStatus, &agent.id);
        events::write(cx, &event.values(Some(agent.status.as_str()), AgentStatus::Idle.as_str()))?;
    }
    outbox_letters::summary_changed(cx, rig)
}

/// `resetAgentDispatchAttempts`.
pub(crate) fn reset_attempts(cx: &Cx<'_>, _caller: &Caller, (id, rig_id): (AgentId, RigId)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    agents::require(cx, &id)?;
    if rig_id != rig.rig_id {
        return Err(refuse(Code::Forbidden, format!("Agent {id} does not belong to rig {rig_id}")));
    }
    forget_attempts(cx, &id)?;
    Ok(Answer::Void)
}

fn forget_attempts(cx: &Cx<'_>, id: &AgentId) -> Result<(), Failure> {
    Ok(execute(cx.sql, "-- agent_status_forget\nUPDATE agents SET dispatch_attempts = 0 WHERE id = ?", (id,))?)
}
