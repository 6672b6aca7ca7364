//! The core of `SessionDO`: protocol state that must outlive a request. Nothing about work.
//!
//! Owns the sessions that their clients ended; `spent` owns what may be used once. A session that was never ended
//! leaves no trace here.

pub(crate) mod spent;

use crate::error::Failure;
use crate::rpc::serve::{Answer, Caller, Core, Cx, json};
use crate::store::meta::CREATE_META;
use crate::store::migrate::Migration;
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
    spent::MIGRATION,
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

/// `publish`: tells whoever listens to this topic.
pub(crate) fn publish(_cx: &Cx<'_>, _caller: &Caller, (_topic,): (String,)) -> Result<Answer, Failure> {
    json(&())
}
