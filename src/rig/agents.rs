//! The agents of a rig: made, listed, deregistered.
//!
//! Owns the `agents` table but for its hook columns, which are `hooks`'.

use super::roster::Roster;
use super::state::RigState;
use super::{dispatch, hooks, names, report, state, topics};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::{AgentId, BeadId, RigId};
use crate::rpc::model::{Agent, AgentFilter, AgentRole, AgentStatus};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::sql::{execute, query, query_one};
use crate::time::Timestamp;
use serde_json::Value;

/// Most agents in one answer.
pub const LIST_MAX: i64 = 500;

/// Columns of an agent in the order of `Agent`'s fields.
macro_rules! agent_columns {
    () => {
        "id, rig_id, role, name, identity, status, current_hook_bead_id, dispatch_attempts, last_activity_at, checkpoint, created_at,
         agent_status_message, agent_status_updated_at, branch, fence"
    };
}

/// An agent, if it exists.
pub(super) fn find(cx: &Cx<'_>, id: &AgentId) -> Result<Option<Agent>, Fault> {
    query_one(cx.sql, concat!("-- agents_find\nSELECT ", agent_columns!(), " FROM agents WHERE id = ?"), (id,))
}

/// An agent that must exist.
pub(super) fn require(cx: &Cx<'_>, id: &AgentId) -> Result<Agent, Failure> {
    find(cx, id)?.ok_or_else(|| {
        Refusal::new(Code::NotFound, format!("Agent {id} not found")).hint("Call list_agents to see who lives in the rig.").into()
    })
}

/// `listAgents`, oldest first.
pub(crate) fn list_agents(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<AgentFilter>,)) -> Result<Answer, Failure> {
    let filter = filter.unwrap_or_default();
    let rig = state::require(cx)?;
    if filter.rig_id.is_some_and(|id| id != rig.rig_id) {
        return Ok(Answer::Json("[]".to_owned()));
    }
    let agents: Vec<Agent> = query(
        cx.sql,
        concat!(
            "-- agents_list\nSELECT ",
            agent_columns!(),
            " FROM agents WHERE (?1 IS NULL OR role = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY created_at, id LIMIT ?3"
        ),
        (filter.role, filter.status, LIST_MAX),
    )?;
    json(&agents)
}

/// A new agent, not yet written.
pub(super) fn new(cx: &Cx<'_>, rig: &RigState, role: AgentRole, name: String) -> Agent {
    Agent {
        id: AgentId::from_random(cx.random()),
        rig_id: Some(rig.rig_id.clone()),
        role,
        identity: names::identity(&name, role.as_str(), &rig.rig_id, &rig.town_id),
        name,
        status: AgentStatus::Idle,
        current_hook_bead_id: None,
        dispatch_attempts: 0,
        last_activity_at: Some(cx.now),
        checkpoint: Value::Null,
        created_at: cx.now,
        agent_status_message: None,
        agent_status_updated_at: None,
        branch: None,
        fence: 0,
    }
}

/// Writes an agent, new or changed, with its hook.
pub(super) fn save(cx: &Cx<'_>, rig: &RigState, agent: &Agent) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- agents_save\nINSERT INTO agents (id, rig_id, role, name, identity, status, created_at, last_activity_at, current_hook_bead_id, branch, fence)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT (id) DO UPDATE SET status = ?6, last_activity_at = ?8, current_hook_bead_id = ?9, branch = ?10, fence = ?11",
        (
            &agent.id,
            &agent.rig_id,
            agent.role,
            &agent.name,
            &agent.identity,
            agent.status,
            agent.created_at.millis(),
            agent.last_activity_at.map(Timestamp::millis),
            &agent.current_hook_bead_id,
            &agent.branch,
            agent.fence,
        ),
    )?;
    topics::agent_changed(cx, rig, &agent.id)
}

/// `getOrCreateAgent`: the rig's refinery, or an idle polecat, or a new one while there is room.
pub(crate) fn get_or_create_agent(cx: &Cx<'_>, _caller: &Caller, (role, rig_id): (AgentRole, Option<RigId>)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if rig_id.is_some_and(|id| id != rig.rig_id) {
        return Err(refuse(Code::InvalidArgument, format!("rigId must be {}, the rig that was called", rig.rig_id)));
    }
    let name = match role {
        AgentRole::Polecat => {
            let roster = Roster::load(cx)?;
            if let Some(idle) = roster.idle() {
                return json(&require(cx, idle)?);
            }
            if roster.len() >= rig.capacity {
                let refusal = Refusal::new(
                    Code::Conflict,
                    format!("Rig {} is at capacity: {} polecats live and none is idle", rig.name, roster.len()),
                );
                return Err(refusal.hint("Sling the work: it queues. Or raise max_polecats_per_rig in the town's config.").into());
            }
            roster.free_name()
        }
        AgentRole::Refinery => {
            let known: Option<Agent> = query_one(
                cx.sql,
                concat!("-- agents_refinery\nSELECT ", agent_columns!(), " FROM agents WHERE role = 'refinery' AND status <> 'dead'"),
                (),
            )?;
            if let Some(known) = known {
                return json(&known);
            }
            role.as_str().to_owned()
        }
        AgentRole::Mayor => return Err(refuse(Code::InvalidArgument, "role must be polecat or refinery: the Mayor belongs to the town")),
    };
    let agent = new(cx, &rig, role, name);
    save(cx, &rig, &agent)?;
    report::summary_changed(cx, &rig)?;
    json(&agent)
}

/// `deleteAgent`: deregisters. Its name is free again, its bead goes back to the queue, and the place it leaves is
/// given to the next bead that waits.
pub(crate) fn delete_agent(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let Some(agent) = find(cx, &id)? else { return Ok(Answer::Void) };
    if let Some(bead) = &agent.current_hook_bead_id {
        hooks::reopen(cx, &rig, bead)?;
        report::bead_changed(cx, &rig, bead)?;
    }
    // Beads of convoys that it finished lose the name that the town shows.
    let finished: Vec<(BeadId,)> =
        query(cx.sql, "-- agents_finished\nSELECT bead_id FROM beads WHERE assignee_agent_id = ? AND convoy_id IS NOT NULL", (&id,))?;
    for (bead,) in &finished {
        report::bead_changed(cx, &rig, bead)?;
    }
    execute(cx.sql, "-- agents_delete\nDELETE FROM agents WHERE id = ?", (&id,))?;
    topics::agent_changed(cx, &rig, &id)?;
    report::summary_changed(cx, &rig)?;
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}
