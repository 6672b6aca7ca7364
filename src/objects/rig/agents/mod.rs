//! The agents of a rig: made, listed, deregistered.
//!
//! Owns the `agents` table but for its hook columns, which are `hooks`'.

pub mod agent_events;
pub mod checkpoints;
pub mod completion;
pub mod polecat_names;
pub mod prime;
pub mod status;

use super::{messages, state, topics};
use crate::contract::ids::{AgentId, BeadId, RigId};
use crate::contract::letters::rig::RigState;
use crate::contract::names::identity;
use crate::contract::shapes::{Agent, AgentFilter, AgentRole, AgentStatus, BeadEventType, RegisterAgentInput};
use crate::contract::tool_keys::LIST_AGENTS;
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::assignment::free_polecats::Roster;
use crate::objects::rig::assignment::{dispatch, hooks};
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::outbox_letters;
use crate::objects::store::sql::{execute, query, query_one};
use base::error::{Code, Failure, Fault, Refusal, Subject, refuse};
use base::hint;
use base::time::Timestamp;
use serde_json::{Value, json};

/// Most agents in one answer.
pub const LIST_MAX: i64 = 500;

/// Longest name, in characters.
const NAME_CHARS_MAX: usize = 40;
/// Longest identity, in bytes.
const IDENTITY_BYTES_MAX: usize = 200;

/// The rest of the columns, of the bead and the order that an agent has in hand. Orders that are over say nothing.
macro_rules! work_columns {
    () => {
        "(SELECT quality FROM beads WHERE bead_id = current_hook_bead_id) AS quality,
         (SELECT runner FROM orders WHERE orders.agent_id = agents.id AND ended_at IS NULL) AS runner,
         (SELECT worktree FROM orders WHERE orders.agent_id = agents.id AND ended_at IS NULL) AS worktree,
         (SELECT heartbeat_at FROM orders WHERE orders.agent_id = agents.id AND ended_at IS NULL) AS last_heartbeat_at"
    };
}

/// Columns of an agent in the order of `Agent`'s fields, without those of `work_columns`.
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

/// The agent of an id in the arguments, if the id is well-formed and the agent exists.
pub(super) fn find_named(cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Agent>, Fault> {
    match id.map(AgentId::parse) {
        Some(Ok(id)) => find(cx, &id),
        _ => Ok(None),
    }
}

/// An agent that must exist.
pub(super) fn require(cx: &Cx<'_>, id: &AgentId) -> Result<Agent, Failure> {
    find(cx, id)?.ok_or_else(|| {
        Refusal::not_found(Subject::Agent(id.to_string()), format!("Agent {id} not found"))
            .hint(hint!["Call ", LIST_AGENTS, " to see who lives in the rig."])
            .into()
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
            ", ",
            work_columns!(),
            " FROM agents WHERE (?1 IS NULL OR role = ?1) AND (?2 IS NULL OR status = ?2) ORDER BY created_at, id LIMIT ?3"
        ),
        (filter.role, filter.status, LIST_MAX),
    )?;
    answer(&agents)
}

/// A new agent, not yet written.
pub(super) fn new(cx: &Cx<'_>, rig: &RigState, role: AgentRole, name: String) -> Agent {
    Agent {
        id: AgentId::from_random(cx.random()),
        rig_id: Some(rig.rig_id.clone()),
        role,
        identity: identity(&name, role.as_str(), &rig.rig_id, &rig.town_id),
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
        quality: None,
        runner: None,
        worktree: None,
        last_heartbeat_at: None,
    }
}

/// Something happened to an agent.
pub(super) fn happened(kind: BeadEventType, id: &AgentId) -> Happened<'_> {
    Happened { kind, bead: id.as_str(), agent: Some(id.as_str()), old: None, new: None, metadata: Value::Null }
}

/// A new agent lives in the rig. The caller has written it.
pub(super) fn spawned(cx: &Cx<'_>, agent: &Agent) -> Result<(), Fault> {
    let event = happened(BeadEventType::AgentSpawned, &agent.id).values(None, agent.role.as_str());
    events::write(cx, &event.about(json!({"name": agent.name})))
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
                return answer(&require(cx, idle)?);
            }
            check_room(&rig, &roster)?;
            roster.free_name()
        }
        AgentRole::Refinery => {
            if let Some(known) = refinery(cx)? {
                return answer(&known);
            }
            role.as_str().to_owned()
        }
        AgentRole::Mayor => return Err(no_mayor()),
    };
    let agent = new(cx, &rig, role, name);
    settle(cx, &rig, &agent)
}

/// `registerAgent`: an agent that brings its own name and identity. The name must be free among the living, the identity
/// among the living too, and there must be room.
pub(crate) fn register_agent(cx: &Cx<'_>, _caller: &Caller, (input,): (RegisterAgentInput,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if input.rig_id.is_some_and(|id| id != rig.rig_id) {
        return Err(refuse(Code::InvalidArgument, format!("rig_id must be {}, the rig that was called", rig.rig_id)));
    }
    // It becomes a part of branch names.
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if input.name.is_empty() || input.name.len() > NAME_CHARS_MAX || !input.name.chars().all(fits) {
        return Err(refuse(Code::InvalidArgument, format!("name must have 1 to {NAME_CHARS_MAX} letters, digits, - or _")));
    }
    if input.identity.trim().is_empty() || input.identity.len() > IDENTITY_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("identity must have 1 to {IDENTITY_BYTES_MAX} bytes")));
    }
    match input.role {
        AgentRole::Polecat => check_room(&rig, &Roster::load(cx)?)?,
        AgentRole::Refinery => {
            if let Some(known) = refinery(cx)? {
                return Err(refuse(Code::Conflict, format!("A rig has one refinery: agent {} ({})", known.name, known.id)));
            }
        }
        AgentRole::Mayor => return Err(no_mayor()),
    }
    check_free(cx, &input.name, &input.identity)?;
    let agent = Agent { identity: input.identity, ..new(cx, &rig, input.role, input.name) };
    settle(cx, &rig, &agent)
}

/// Writes a new agent without work.
fn settle(cx: &Cx<'_>, rig: &RigState, agent: &Agent) -> Result<Answer, Failure> {
    save(cx, rig, agent)?;
    spawned(cx, agent)?;
    outbox_letters::summary_changed(cx, rig)?;
    if agent.role == AgentRole::Refinery {
        // Waiting work may be the new agent's.
        dispatch::dispatch(cx, rig)?;
        return answer(&require(cx, &agent.id)?);
    }
    answer(agent)
}

fn no_mayor() -> Failure {
    refuse(Code::InvalidArgument, "role must be polecat or refinery: the Mayor belongs to the town")
}

/// The rig's refinery, if one lives.
pub(super) fn refinery(cx: &Cx<'_>) -> Result<Option<Agent>, Fault> {
    query_one(
        cx.sql,
        concat!("-- agents_refinery\nSELECT ", agent_columns!(), " FROM agents WHERE role = 'refinery' AND status <> 'dead'"),
        (),
    )
}

fn check_room(rig: &RigState, roster: &Roster) -> Result<(), Refusal> {
    if roster.len() < rig.capacity {
        return Ok(());
    }
    let full = format!("Rig {} is at capacity: {} polecats live and none is idle", rig.name, roster.len());
    Err(Refusal::new(Code::Conflict, full).hint("Sling the work: it queues. Or raise max_polecats_per_rig in the town's config."))
}

/// Whether no living agent has this name or identity.
pub(super) fn check_free(cx: &Cx<'_>, name: &str, identity: &str) -> Result<(), Failure> {
    let holder: Option<(AgentId, String)> = query_one(
        cx.sql,
        "-- agents_holder\nSELECT id, name FROM agents WHERE status <> 'dead' AND (name = ? OR identity = ?)",
        (name, identity),
    )?;
    let Some((id, held)) = holder else { return Ok(()) };
    let what = if held == name { "name" } else { "identity" };
    Err(Refusal::new(Code::Conflict, format!("Agent {id} has that {what} already")).hint("Choose another one.").into())
}

/// `getAgentAsync`.
pub(crate) fn get_agent(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    let agent: Option<Agent> =
        query_one(cx.sql, concat!("-- agents_get\nSELECT ", agent_columns!(), ", ", work_columns!(), " FROM agents WHERE id = ?"), (id,))?;
    answer(&agent)
}

/// `getAgentByIdentity`: the living one, else the last one that had it.
pub(crate) fn get_agent_by_identity(cx: &Cx<'_>, _caller: &Caller, (identity,): (String,)) -> Result<Answer, Failure> {
    let agent: Option<Agent> = query_one(
        cx.sql,
        concat!(
            "-- agents_by_identity\nSELECT ",
            agent_columns!(),
            " FROM agents WHERE identity = ? ORDER BY status = 'dead', created_at DESC LIMIT 1"
        ),
        (identity,),
    )?;
    answer(&agent)
}

/// `deleteAgent`: deregisters. Its name is free again, its bead goes back to the queue, and the place it leaves is
/// given to the next bead that waits.
pub(crate) fn delete_agent(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    remove(cx, &rig, &id)?;
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}

/// Deregisters an agent, if there is one of that id. Gives out no work.
pub(super) fn remove(cx: &Cx<'_>, rig: &RigState, id: &AgentId) -> Result<(), Failure> {
    let Some(agent) = find(cx, id)? else { return Ok(()) };
    if let Some(bead) = &agent.current_hook_bead_id {
        hooks::reopen(cx, rig, bead)?;
    }
    // Beads of convoys that it finished lose the name that the town shows.
    let finished: Vec<(BeadId,)> =
        query(cx.sql, "-- agents_finished\nSELECT bead_id FROM beads WHERE assignee_agent_id = ? AND convoy_id IS NOT NULL", (id,))?;
    for (bead,) in &finished {
        outbox_letters::bead_changed(cx, rig, bead)?;
    }
    execute(cx.sql, "-- agents_delete\nDELETE FROM agents WHERE id = ?", (id,))?;
    execute(cx.sql, "-- agents_delete_events\nDELETE FROM agent_events WHERE agent_id = ?", (id,))?;
    messages::recipient_gone(cx, id)?;
    let event = happened(BeadEventType::AgentExited, id).values(None, agent.role.as_str());
    events::write(cx, &event.about(json!({"name": agent.name})))?;
    topics::agent_changed(cx, rig, id)?;
    outbox_letters::summary_changed(cx, rig)
}
