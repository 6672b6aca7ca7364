//! The core of `SessionDO`: protocol state that must outlive a request. Nothing about work.
//!
//! `streams` keeps messages and their readers, `subscriptions` the topics that streams, tasks and watches listen to,
//! `delivery` the proofs that a notification went out, `messages` the clients' messages beside their calls, `tasks` the calls
//! that are answered later. This file owns ended sessions, log levels, and the alarm. A session that needs none of this
//! leaves no trace here.

mod delivery;
mod messages;
mod schema;
mod streams;
mod subscriptions;
mod tasks;

pub(crate) use messages::{answered, cancelled, hear, spend_once};
pub(crate) use streams::{append_events, open_stream};
pub(crate) use subscriptions::{await_watch, deliver, open_watch, publish, subscribe, unsubscribe};
pub(crate) use tasks::{create_task, get_task, save_task};

use crate::contract::letters::FromSession;
use crate::objects::handler::{Answer, Caller, Core, Cx, Owes, json};
use crate::objects::outbox::{Composed, Owed};
use crate::objects::store::sql::{execute, query_one};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use mcp::client::LogLevel;
use mcp::session_types::SessionState;

/// How often expired rows are deleted, in milliseconds.
const CLEAN_UP_MILLIS: i64 = 10 * 60 * 1000;

/// The core of a session object, for `objects::handlers`. Only internal callers reach it, which the table says.
pub const CORE: Core = Core {
    migrations: schema::MIGRATIONS,
    authorize: |_, _| Ok(()),
    check_writer: None,
    alarm,
    owes: Some(Owes { compose, town: subscriptions::town_of }),
    read_stream: Some(streams::read),
};

/// `sessionState`: the record of a session. Changes nothing.
pub(crate) fn session_state(cx: &Cx<'_>, _caller: &Caller, (session,): (String,)) -> Result<Answer, Failure> {
    let ended: Option<(i64,)> = query_one(cx.sql, "-- session_ended\nSELECT 1 FROM ended_sessions WHERE session_id = ?", (&session,))?;
    let level: Option<(String,)> = query_one(cx.sql, "-- session_level\nSELECT level FROM log_levels WHERE session = ?", (&session,))?;
    let log_level = level.and_then(|(level,)| serde_json::from_str(&level).ok());
    json(&SessionState { has_ended: ended.is_some(), log_level })
}

/// `endSession`: remembers it until the id expires by itself, and ends its streams.
pub(crate) fn end_session(cx: &Cx<'_>, _caller: &Caller, (session, expires_at): (String, Timestamp)) -> Result<Answer, Failure> {
    execute(
        cx.sql,
        "-- session_end\nINSERT INTO ended_sessions (session_id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (&session, expires_at.millis()),
    )?;
    execute(cx.sql, "-- session_forget_level\nDELETE FROM log_levels WHERE session = ?", (&session,))?;
    streams::forget_session(cx, &session)?;
    messages::end(cx, &session)?;
    clean_up_later(cx);
    Ok(Answer::Void)
}

/// `setLogLevel`.
pub(crate) fn set_log_level(
    cx: &Cx<'_>,
    _caller: &Caller,
    (session, level, expires_at): (String, LogLevel, Timestamp),
) -> Result<Answer, Failure> {
    let level = serde_json::to_string(&level).map_err(|error| Fault::new("set a log level", error))?;
    execute(
        cx.sql,
        "-- session_set_level\nINSERT INTO log_levels (session, level, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (session) DO UPDATE SET level = ?2, expires_at = ?3",
        (&session, &level, expires_at.millis()),
    )?;
    clean_up_later(cx);
    Ok(Answer::Void)
}

/// Composes letters: requests to sources, and receipts.
fn compose(cx: &Cx<'_>, owed: &Owed) -> Composed {
    match owed.kind()? {
        FromSession::Lease => subscriptions::compose(cx, owed),
        FromSession::Taken => delivery::compose(owed),
    }
}

/// Asks for the alarm to delete expired rows.
fn clean_up_later(cx: &Cx<'_>) {
    cx.wake_at(cx.now.plus_millis(CLEAN_UP_MILLIS));
}

fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    tasks::end_due(cx)?;
    let now = (cx.now.millis(),);
    execute(cx.sql, "-- session_forget\nDELETE FROM ended_sessions WHERE expires_at < ?", now)?;
    execute(cx.sql, "-- session_forget_levels\nDELETE FROM log_levels WHERE expires_at < ?", now)?;
    execute(cx.sql, "-- messages_forget\nDELETE FROM client_messages WHERE expires_at < ?", now)?;
    execute(cx.sql, "-- spent_forget\nDELETE FROM spent WHERE expires_at < ?", now)?;
    tasks::forget_expired(cx)?;
    streams::forget_expired(cx)?;
    subscriptions::renew_leases(cx)?;
    // As long as anything is kept.
    let kept: Option<(i64,)> = query_one(
        cx.sql,
        "-- session_kept\nSELECT 1 WHERE EXISTS (SELECT 1 FROM ended_sessions) OR EXISTS (SELECT 1 FROM log_levels)
         OR EXISTS (SELECT 1 FROM client_messages) OR EXISTS (SELECT 1 FROM spent) OR EXISTS (SELECT 1 FROM streams)
         OR EXISTS (SELECT 1 FROM tasks)",
        (),
    )?;
    if kept.is_some() {
        clean_up_later(cx);
    }
    Ok(())
}
