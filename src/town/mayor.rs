//! The Mayor: its agent id, its session, and the messages people leave for it.
//!
//! Owns the `mayor_messages` table and its tally. No Mayor connects to this town by itself, so a message waits until one asks: it is
//! `queued`, and nothing claims more.

use super::state::{self, TownState};
use super::{feed, topics};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::BeadId;
use crate::rpc::model::{FeedKind, MayorMessageResult, MayorSession, MayorStatus};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::sql::{execute, scalar};
use serde_json::{Value, json as value};

/// Longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Longest UI context, in characters (Gastown contract 4.3).
pub const UI_CONTEXT_CHARS_MAX: usize = 10_000;
/// Most messages that may wait.
pub const QUEUED_MAX: i64 = 100_000;

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
    let waiting = queued(cx)?;
    if waiting >= QUEUED_MAX {
        let refusal = Refusal::new(Code::Conflict, format!("{waiting} messages wait for this Mayor already"));
        return Err(refusal.hint("Start a Mayor for the town; it reads them in order.").into());
    }
    let id = BeadId::from_random(cx.random());
    execute(
        cx.sql,
        "-- mayor_send\nINSERT INTO mayor_messages (id, sender, message, ui_context, status, created_at, sequence) VALUES (?, ?, ?, ?, 'queued', ?, ?)",
        (&id, caller.actor(), &message, &ui_context, cx.now.millis(), cx.next_number()?),
    )?;
    topics::changed(cx, &town, topics::MAYOR)?;
    feed::write(cx, &town, FeedKind::MayorMessage, id.as_str(), Some(&caller.actor()), &value!({}))?;
    json(&MayorMessageResult {
        agent_id: town.mayor_agent_id.clone(),
        session_status: "idle".to_owned(),
        message_id: Some(id),
        delivery: Some("queued".to_owned()),
        queued_messages: Some(waiting + 1),
    })
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
        status: "idle".to_owned(),
        last_activity_at: town.created_at,
    };
    Ok(MayorStatus { configured: true, town_id: town.town_id.clone(), session: Some(session), queued_messages: queued(cx)? })
}

fn queued(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- mayor_queued\nSELECT coalesce(sum(messages), 0) FROM message_tally WHERE status = 'queued'", ())
}
