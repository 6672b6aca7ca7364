//! The Mayor: its agent id, its session, and the check of who may speak as it.
//!
//! Owns the Mayor's columns of the town's row. `mail` and `reading` own its messages and replies.

pub mod mail;
pub mod prime;
pub mod reading;

use super::state::{self, TownState};
use super::{config, topics};
use crate::auth::principal::Role;
use crate::contract::shapes::{MayorSession, MayorStatus, TownConfig};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, scalar};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::time::Timestamp;
use serde_json::{Value, json as value};

/// Largest dashboard context, in bytes.
pub const DASHBOARD_CONTEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest name of a model, in bytes.
pub const MODEL_BYTES_MAX: usize = 200;
const IDLE: &str = "idle";
const ACTIVE: &str = "active";

/// `ensureMayor`: the Mayor's agent exists from the town's beginning; nothing is started.
pub(crate) fn ensure(cx: &Cx<'_>, _caller: &Caller, (_actor,): (Value,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    json(&value!({"agentId": town.mayor_agent_id, "sessionStatus": session_status(cx, &town)}))
}

/// `getMayorAgentId`.
pub(crate) fn get_agent_id(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&state::require(cx)?.mayor_agent_id)
}

/// `mayorWaiting(agentId, firedAt)`: the Mayor's process lives and waits for a message.
pub(crate) fn waiting(cx: &Cx<'_>, _caller: &Caller, (agent_id, fired_at): (Option<String>, Option<Timestamp>)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    check_is_mayor(&town, agent_id.as_deref().unwrap_or_default())?;
    set_status(cx, &town, "waiting", fired_at.unwrap_or(cx.now).min(cx.now))?;
    Ok(Answer::Void)
}

/// `touchAgentHeartbeat(agentId, watermark)` of the Mayor, which lives in no rig.
pub(crate) fn touch_heartbeat(cx: &Cx<'_>, _caller: &Caller, (agent_id, _watermark): (String, Value)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    check_is_mayor(&town, &agent_id)?;
    // A waiting Mayor is alive too, and goes on waiting.
    let status = if session_status(cx, &town) == IDLE { ACTIVE } else { &town.mayor_status };
    set_status(cx, &town, status, cx.now)?;
    json(&value!({"drainNonce": town.drain_nonce}))
}

/// Whether the Mayor itself calls: with its own token, or a container on its behalf.
pub(super) fn is_own_call(town: &TownState, caller: &Caller) -> bool {
    let principal = &caller.principal;
    match principal.role {
        Role::Mayor => true,
        Role::Container => principal.agent_id.as_deref() == Some(town.mayor_agent_id.as_str()),
        Role::Coordinator | Role::Polecat | Role::Refinery | Role::Internal => false,
    }
}

/// The same for calls that only the Mayor may make.
///
/// # Errors
/// `Forbidden`.
pub(super) fn require_own_call(town: &TownState, caller: &Caller) -> Result<(), Failure> {
    if is_own_call(town, caller) {
        return Ok(());
    }
    let refusal = Refusal::new(Code::Forbidden, "Forbidden: only the town's Mayor reads its messages and replies to them");
    Err(refusal.hint(format!("Read gastown://towns/{}/mayor to see the conversation.", town.town_id)).into())
}

/// The Mayor was heard of, at work.
pub(super) fn is_at_work(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    set_status(cx, town, ACTIVE, cx.now)
}

/// Empty stands for the Mayor, as in the contract.
fn check_is_mayor(town: &TownState, agent_id: &str) -> Result<(), Failure> {
    if agent_id.is_empty() || agent_id == town.mayor_agent_id.as_str() {
        return Ok(());
    }
    let refusal = Refusal::new(Code::NotFound, format!("Agent {agent_id} is not this town's Mayor"));
    Err(refusal.hint(format!("The Mayor is agent {}.", town.mayor_agent_id)).into())
}

fn set_status(cx: &Cx<'_>, town: &TownState, status: &str, at: Timestamp) -> Result<(), Failure> {
    let changes = town.mayor_status != status;
    execute(cx.sql, "-- mayor_status\nUPDATE town SET mayor_status = ?, mayor_active_at = ?", (status, at.millis()))?;
    cx.forget();
    if changes { topics::changed(cx, town, topics::MAYOR) } else { Ok(()) }
}

/// `setDashboardContext`: the dashboard's current content, for the Mayor to read.
pub(crate) fn set_dashboard_context(cx: &Cx<'_>, _caller: &Caller, (context,): (String,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    if context.len() > DASHBOARD_CONTEXT_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("context must have at most {DASHBOARD_CONTEXT_BYTES_MAX} bytes")));
    }
    execute(cx.sql, "-- mayor_dashboard_context\nUPDATE town SET dashboard_context = ?", (context,))?;
    Ok(Answer::Void)
}

/// `getDashboardContext`: or null.
pub(crate) fn get_dashboard_context(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    state::require(cx)?;
    json(&dashboard_context(cx)?)
}

/// The same for the Mayor's first call.
pub(super) fn dashboard_context(cx: &Cx<'_>) -> Result<Option<String>, Fault> {
    scalar(cx.sql, "-- mayor_get_dashboard_context\nSELECT dashboard_context FROM town", ())
}

/// `updateMayorModel(model, smallModel)`: settings of the town's configuration, checked as such.
pub(crate) fn update_model(cx: &Cx<'_>, caller: &Caller, (model, small): (String, Option<String>)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if [Some(&model), small.as_ref()].into_iter().flatten().any(|name| name.trim().is_empty() || name.len() > MODEL_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("a model's name must have 1 to {MODEL_BYTES_MAX} bytes")));
    }
    let mut models = town.config.get("role_models").and_then(Value::as_object).cloned().unwrap_or_default();
    models.insert("mayor".to_owned(), Value::from(model));
    let mut update = TownConfig::from([("role_models".to_owned(), Value::Object(models))]);
    if let Some(small) = small {
        update.insert("small_model".to_owned(), Value::from(small));
    }
    config::update_config(cx, caller, (update,))?;
    Ok(Answer::Void)
}

/// `getMayorStatus`.
pub(crate) fn get_status(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&status(cx, &*state::require(cx)?)?)
}

/// How the Mayor stands.
pub(super) fn status(cx: &Cx<'_>, town: &TownState) -> Result<MayorStatus, Fault> {
    let session = MayorSession {
        agent_id: town.mayor_agent_id.clone(),
        session_id: town.mayor_agent_id.clone(),
        status: session_status(cx, town).to_owned(),
        last_activity_at: town.mayor_active_at.unwrap_or(town.created_at),
    };
    Ok(MayorStatus { configured: true, town_id: town.town_id.clone(), session: Some(session), queued_messages: mail::unread(cx)? })
}

/// The contract's word: a Mayor that waits is active too, and one that was not heard of for a while is idle.
pub(super) fn session_status(cx: &Cx<'_>, town: &TownState) -> &'static str {
    let heard = town.mayor_active_at.is_some_and(|at| cx.now.since(at) < config::watch(town).heartbeat_seconds.saturating_mul(1_000));
    if heard && town.mayor_status != IDLE { ACTIVE } else { IDLE }
}
