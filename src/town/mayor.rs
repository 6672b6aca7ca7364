//! The Mayor: its agent id, its session, and the messages people leave for it.
//!
//! Owns the `mayor_messages` table and its tally. No Mayor connects to this town by itself, so a message waits until one asks: it is
//! `queued`, and nothing claims more.

use super::state::{self, TownState};
use super::{config, feed, topics};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::BeadId;
use crate::rpc::model::{FeedKind, MayorMessageResult, MayorSession, MayorStatus, TownConfig};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::outbox::Letter;
use crate::store::sql::{execute, query_one, scalar};
use crate::time::Timestamp;
use serde_json::{Value, json as value};

/// Longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Longest UI context, in characters (Gastown contract 4.3).
pub const UI_CONTEXT_CHARS_MAX: usize = 10_000;
/// Most messages that may wait.
pub const QUEUED_MAX: i64 = 100_000;

/// Largest dashboard context, in bytes.
pub const DASHBOARD_CONTEXT_BYTES_MAX: usize = 64 * 1024;
/// Longest name of a model, in bytes.
pub const MODEL_BYTES_MAX: usize = 200;
const IDLE: &str = "idle";
const ACTIVE: &str = "active";

/// How many messages have which status, kept by triggers: the answer to a message says how many wait, and must not cost
/// more the more there are. Part of the first migration.
pub const CREATE_MESSAGE_TALLY: [&str; 4] = [
    "-- message_tally
CREATE TABLE message_tally (
  status TEXT PRIMARY KEY,
  messages INTEGER NOT NULL                 -- how many have it
) STRICT, WITHOUT ROWID",
    "-- message_tally_insert
CREATE TRIGGER message_tally_insert AFTER INSERT ON mayor_messages BEGIN
  INSERT INTO message_tally (status, messages) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET messages = messages + 1;
END",
    "-- message_tally_update
CREATE TRIGGER message_tally_update AFTER UPDATE OF status ON mayor_messages WHEN old.status <> new.status BEGIN
  UPDATE message_tally SET messages = messages - 1 WHERE status = old.status;
  INSERT INTO message_tally (status, messages) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET messages = messages + 1;
END",
    "-- message_tally_delete
CREATE TRIGGER message_tally_delete AFTER DELETE ON mayor_messages BEGIN
  UPDATE message_tally SET messages = messages - 1 WHERE status = old.status;
END",
];

/// `sendMayorMessage(message, model, uiContext, actorUserId)`. The model is ignored, as the contract has it.
pub(crate) fn send_message(
    cx: &Cx<'_>,
    caller: &Caller,
    (message, _model, ui_context, _actor): (String, Value, Option<String>, Value),
) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if message.trim().is_empty() || message.len() > MESSAGE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("message must have 1 to {MESSAGE_BYTES_MAX} bytes")));
    }
    if ui_context.as_ref().is_some_and(|context| context.chars().count() > UI_CONTEXT_CHARS_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("uiContext must have at most {UI_CONTEXT_CHARS_MAX} characters")));
    }
    let actor = caller.actor();
    let Some(id) = leave(cx, &town, &actor, &message, ui_context.as_deref())? else { return Err(full(cx)?) };
    feed::write(cx, &town, FeedKind::MayorMessage, id.as_str(), Some(&actor), &value!({}))?;
    json(&MayorMessageResult {
        agent_id: town.mayor_agent_id.clone(),
        session_status: session_status(cx, &town).to_owned(),
        message_id: Some(id),
        delivery: Some("queued".to_owned()),
        queued_messages: Some(queued(cx)?),
    })
}

/// Leaves a message that a Mayor reads in its turn; `None` when too many wait already.
pub(super) fn leave(cx: &Cx<'_>, town: &TownState, sender: &str, message: &str, context: Option<&str>) -> Result<Option<BeadId>, Failure> {
    if queued(cx)? >= QUEUED_MAX {
        return Ok(None);
    }
    let id = BeadId::from_random(cx.random());
    write(cx, town, &id, sender, message, context)?;
    Ok(Some(id))
}

fn write(cx: &Cx<'_>, town: &TownState, id: &BeadId, sender: &str, message: &str, context: Option<&str>) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- mayor_send\nINSERT INTO mayor_messages (id, sender, message, ui_context, status, created_at, sequence) VALUES (?, ?, ?, ?, 'queued', ?, ?)",
        (id, sender, message, context, cx.now.millis(), cx.next_number()?),
    )?;
    topics::changed(cx, town, topics::MAYOR)
}

fn full(cx: &Cx<'_>) -> Result<Failure, Failure> {
    let refusal = Refusal::new(Code::Conflict, format!("{} messages wait for this Mayor already", queued(cx)?));
    Ok(refusal.hint("Start a Mayor for the town; it reads them in order.").into())
}

/// Mail that an agent of a rig has sent to the Mayor. The same letter again is no second message.
pub(super) fn receive(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let town = state::require(cx)?;
    let id = BeadId::parse(&letter.subject).map_err(|_| Fault::new("read a message letter", "no id"))?;
    let known: Option<(i64,)> = query_one(cx.sql, "-- mayor_known\nSELECT 1 FROM mayor_messages WHERE id = ?", (&id,))?;
    if known.is_some() {
        return Ok(());
    }
    if queued(cx)? >= QUEUED_MAX {
        return Err(full(cx)?);
    }
    let text = |key: &str| letter.body.get(key).and_then(Value::as_str).unwrap_or_default();
    let about = match text("bead_id") {
        "" => String::new(),
        bead => format!("\n\nHands over bead {bead}."),
    };
    let message = format!("{}\n\n{}{about}", text("subject"), text("body"));
    write(cx, &town, &id, text("sender"), message.trim(), None)?;
    feed::write(cx, &town, FeedKind::MayorMessage, id.as_str(), Some(text("sender")), &value!({}))
}

/// `ensureMayor`: the Mayor's agent exists from the town's beginning; nothing is started.
pub(crate) fn ensure(cx: &Cx<'_>, _caller: &Caller, (_actor,): (Value,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    json(&value!({"agentId": town.mayor_agent_id, "sessionStatus": session_status(cx, &town)}))
}

/// `getMayorAgentId`.
pub(crate) fn get_agent_id(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&state::require(cx)?.mayor_agent_id)
}

/// `mayorWaiting(agentId, firedAt)`: the Mayor's process lives and waits for somebody to speak.
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
    // Who waits is alive too, and goes on waiting.
    let status = if session_status(cx, &town) == IDLE { ACTIVE } else { &town.mayor_status };
    set_status(cx, &town, status, cx.now)?;
    json(&value!({"drainNonce": town.drain_nonce}))
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

/// `setDashboardContext`: what the dashboard shows just now, for the Mayor to read.
pub(crate) fn set_dashboard_context(cx: &Cx<'_>, _caller: &Caller, (context,): (String,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    if context.len() > DASHBOARD_CONTEXT_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("context must have at most {DASHBOARD_CONTEXT_BYTES_MAX} bytes")));
    }
    execute(cx.sql, "-- mayor_dashboard_context\nUPDATE town SET dashboard_context = ?", (context,))?;
    Ok(Answer::Void)
}

/// `getDashboardContext`: null when nobody has set it.
pub(crate) fn get_dashboard_context(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    state::require(cx)?;
    json(&scalar::<Option<String>>(cx.sql, "-- mayor_get_dashboard_context\nSELECT dashboard_context FROM town", ())?)
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
    Ok(MayorStatus { configured: true, town_id: town.town_id.clone(), session: Some(session), queued_messages: queued(cx)? })
}

/// The contract's word: a Mayor that waits is active too, and one that was not heard of for a while is idle.
fn session_status(cx: &Cx<'_>, town: &TownState) -> &'static str {
    let heard = town.mayor_active_at.is_some_and(|at| cx.now.since(at) < config::watch(town).heartbeat_seconds.saturating_mul(1_000));
    if heard && town.mayor_status != IDLE { ACTIVE } else { IDLE }
}

fn queued(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- mayor_queued\nSELECT coalesce(sum(messages), 0) FROM message_tally WHERE status = 'queued'", ())
}
