//! The agents of a rig: made, listed, deregistered.
//!
//! Owns the `agents` table but for its hook columns, which are `hooks`'.

use super::state::RigState;
use super::{dispatch, hooks, names, report, state};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::{AgentId, RigId};
use crate::rpc::model::{Agent, AgentFilter, AgentRole, AgentStatus};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::sql::{execute, query, query_one, scalar};
use serde_json::Value;
use std::collections::BTreeSet;

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
    find(cx, id)?
        .ok_or_else(|| Refusal::new(Code::NotFound, format!("Agent {id} not found")).hint("Call list_agents to see who lives in the rig.").into())
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

/// A polecat that lives, is idle and holds nothing: the one that waited longest.
pub(super) fn idle_polecat(cx: &Cx<'_>) -> Result<Option<Agent>, Fault> {
    query_one(
        cx.sql,
        concat!(
            "-- agents_idle_polecat\nSELECT ",
            agent_columns!(),
            " FROM agents WHERE role = 'polecat' AND status = 'idle' AND current_hook_bead_id IS NULL ORDER BY last_activity_at, created_at LIMIT 1"
        ),
        (),
    )
}

/// How many polecats live.
pub(super) fn living_polecats(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- agents_living\nSELECT COUNT(*) FROM agents WHERE role = 'polecat' AND status <> 'dead'", ())
}

/// A new agent under the first free name.
pub(super) fn create(cx: &Cx<'_>, rig: &RigState, role: AgentRole) -> Result<Agent, Fault> {
    let name = if role == AgentRole::Polecat { names::allocate(&living_names(cx)?) } else { role.as_str().to_owned() };
    let agent = Agent {
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
    };
    execute(
        cx.sql,
        "-- agents_create\nINSERT INTO agents (id, rig_id, role, name, identity, status, last_activity_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, 'idle', ?6, ?6)",
        (&agent.id, &rig.rig_id, role, &agent.name, &agent.identity, cx.now.millis()),
    )?;
    Ok(agent)
}

fn living_names(cx: &Cx<'_>) -> Result<BTreeSet<String>, Fault> {
    let names: Vec<(String,)> = query(cx.sql, "-- agents_living_names\nSELECT name FROM agents WHERE role = 'polecat' AND status <> 'dead'", ())?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

/// `getOrCreateAgent`: the rig's refinery, or an idle polecat, or a new one while there is room.
pub(crate) fn get_or_create_agent(cx: &Cx<'_>, _caller: &Caller, (role, rig_id): (AgentRole, Option<RigId>)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if rig_id.is_some_and(|id| id != rig.rig_id) {
        return Err(refuse(Code::InvalidArgument, format!("rigId must be {}, the rig that was called", rig.rig_id)));
    }
    let known = match role {
        AgentRole::Polecat => idle_polecat(cx)?,
        AgentRole::Refinery => query_one(
            cx.sql,
            concat!("-- agents_refinery\nSELECT ", agent_columns!(), " FROM agents WHERE role = 'refinery' AND status <> 'dead'"),
            (),
        )?,
        AgentRole::Mayor => return Err(refuse(Code::InvalidArgument, "role must be polecat or refinery: the Mayor belongs to the town")),
    };
    if let Some(agent) = known {
        return json(&agent);
    }
    if role == AgentRole::Polecat && living_polecats(cx)? >= rig.capacity {
        let refusal = Refusal::new(Code::Conflict, format!("Rig {} is at capacity: {} polecats live and none is idle", rig.name, rig.capacity));
        return Err(refusal.hint("Sling the work: it queues. Or raise max_polecats_per_rig in the town's config.").into());
    }
    let agent = create(cx, &rig, role)?;
    report::summary_changed(cx, &rig)?;
    json(&agent)
}

/// `deleteAgent`: deregisters. Its name is free again, its bead goes back to the queue, and the place it leaves is
/// given to the next bead that waits.
pub(crate) fn delete_agent(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let Some(agent) = find(cx, &id)? else { return Ok(Answer::Void) };
    if let Some(bead) = &agent.current_hook_bead_id {
        hooks::reopen(cx, bead)?;
        report::bead_changed(cx, &rig, bead)?;
    }
    execute(cx.sql, "-- agents_delete\nDELETE FROM agents WHERE id = ?", (&id,))?;
    report::summary_changed(cx, &rig)?;
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}
