//! The core of `SessionDO`: protocol state that must outlive a request. Nothing about work.
//!
//! Owns the sessions that their clients ended. A session that was never ended leaves no trace here.

use crate::error::Failure;
use crate::rpc::receive::receive;
use crate::rpc::serve::{Answer, Caller, Core, Cx, json};
use crate::store::meta::CREATE_META;
use crate::store::migrate::Migration;
use crate::store::outbox::{CREATE_INBOX, Letter};
use crate::store::sql::{execute, query_one};
use crate::time::Timestamp;

const MIGRATIONS: &[Migration] = &[
    &[
        CREATE_META,
        "-- ended_sessions
CREATE TABLE ended_sessions (
  session_id TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL               -- the id is worthless from then on, and so is this row
) STRICT, WITHOUT ROWID",
        "-- ended_sessions_expiry
CREATE INDEX ended_sessions_expiry ON ended_sessions (expires_at)",
    ],
    &[CREATE_INBOX],
];

/// What `rpc` needs to run a session object. Only internal callers reach it, which the table says.
pub const CORE: Core = Core { migrations: MIGRATIONS, authorize: |_, _| Ok(()), alarm: |_| Ok(()), owes: None };

/// `sessionEnded`: whether the client ended this session. Writes nothing.
pub(crate) fn session_ended(cx: &Cx<'_>, _caller: &Caller, (id,): (String,)) -> Result<Answer, Failure> {
    let ended: Option<(i64,)> = query_one(cx.sql, "-- session_ended\nSELECT 1 FROM ended_sessions WHERE session_id = ?", (&id,))?;
    json(&ended.is_some())
}

/// `endSession`: remembers it until the id expires by itself.
pub(crate) fn end_session(cx: &Cx<'_>, _caller: &Caller, (id, expires_at): (String, Timestamp)) -> Result<Answer, Failure> {
    execute(cx.sql, "-- session_forget\nDELETE FROM ended_sessions WHERE expires_at < ?", (cx.now.millis(),))?;
    execute(
        cx.sql,
        "-- session_end\nINSERT INTO ended_sessions (session_id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (&id, expires_at.millis()),
    )?;
    Ok(Answer::Void)
}

/// `deliver`: what the objects that this session listens to tell. Each letter counts once.
pub(crate) fn deliver(cx: &Cx<'_>, caller: &Caller, (letters,): (Vec<Letter>,)) -> Result<Answer, Failure> {
    receive(cx, caller.principal.from.as_deref().unwrap_or_default(), &letters, |_letter| Ok(()))
}
