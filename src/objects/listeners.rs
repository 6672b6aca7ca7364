//! Listeners: leases of sessions on topics, and the letters that a change of a topic makes for them.
//!
//! Owns the `listeners` table. A topic is a word of the object's own, like `rig` or `bead:<id>`; the object knows
//! its meaning. A lease that is not renewed ends by itself, so a session that is gone costs nothing for long.

use crate::contract::letters::ToSession;
use crate::objects::store::sql::{Sql, execute, query, query_one};
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;

/// Most topics that one session listens to in one object.
pub const TOPICS_MAX: usize = 512;
/// The longest topic, in bytes.
pub const TOPIC_BYTES_MAX: usize = 128;
/// The longest lease, in milliseconds.
pub const LEASE_MILLIS_MAX: i64 = 10 * 60 * 1_000;

/// Creates the table.
pub const CREATE_LISTENERS: &str = "-- listeners
CREATE TABLE listeners (
  topic TEXT NOT NULL,
  session TEXT NOT NULL,         -- instance that listens, as 'session:<name>'
  expires_at INTEGER NOT NULL,   -- it no longer does from then on (ms)
  PRIMARY KEY (topic, session)
) STRICT, WITHOUT ROWID";

/// See `CREATE_LISTENERS`.
pub const CREATE_LISTENERS_SESSION: &str = "-- listeners_session
CREATE INDEX listeners_session ON listeners (session)";

/// See `CREATE_LISTENERS`.
pub const CREATE_LISTENERS_EXPIRY: &str = "-- listeners_expiry
CREATE INDEX listeners_expiry ON listeners (expires_at)";

/// From now until `expires_at`, `session` hears of these topics and of no others; of none when the list is empty.
///
/// # Errors
/// `InvalidArgument` for too many topics, for a topic or lease that is too long.
pub fn listen(sql: &dyn Sql, session: &str, topics: &[String], expires_at: Timestamp, now: Timestamp) -> Result<(), Failure> {
    if topics.len() > TOPICS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("topics must have at most {TOPICS_MAX} entries: listen to the whole instead")));
    }
    if topics.iter().any(|topic| topic.is_empty() || topic.len() > TOPIC_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("a topic must have 1 to {TOPIC_BYTES_MAX} bytes")));
    }
    if expires_at.since(now) > LEASE_MILLIS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("expiresAt must be at most {LEASE_MILLIS_MAX} ms from now: renew the lease")));
    }
    execute(sql, "-- listeners_expire\nDELETE FROM listeners WHERE expires_at <= ?", (now.millis(),))?;
    execute(sql, "-- listeners_forget\nDELETE FROM listeners WHERE session = ?", (session,))?;
    if topics.is_empty() {
        return Ok(());
    }
    let topics = serde_json::to_string(topics).unwrap_or_default();
    Ok(execute(
        sql,
        "-- listeners_listen\nINSERT INTO listeners (topic, session, expires_at) SELECT DISTINCT value, ?2, ?3 FROM json_each(?1)",
        (topics, session, expires_at.millis()),
    )?)
}

/// Posts a letter to every listener of `topic`; returns whether there is one. Call it in the transaction of the
/// change, with a generation as `outbox::post` wants it.
pub fn post(sql: &dyn Sql, topic: &str, generation: i64, now: Timestamp) -> Result<bool, Fault> {
    let posted: Vec<(i64,)> = query(
        sql,
        "-- listeners_post\nINSERT INTO outbox (kind, subject, target, generation, attempts, next_at)
         SELECT ?1, topic, session, ?3, 0, ?4 FROM listeners WHERE topic = ?2 AND expires_at > ?4
         ON CONFLICT (kind, subject, target) DO UPDATE SET generation = ?3, attempts = 0, next_at = ?4 RETURNING 1",
        (ToSession::Topic.as_str(), topic, generation, now.millis()),
    )?;
    Ok(!posted.is_empty())
}

/// Whether the session listens to the topic.
pub fn listens(sql: &dyn Sql, session: &str, topic: &str, now: Timestamp) -> Result<bool, Fault> {
    let found: Option<(i64,)> = query_one(
        sql,
        "-- listeners_listens\nSELECT 1 FROM listeners WHERE topic = ? AND session = ? AND expires_at > ?",
        (topic, session, now.millis()),
    )?;
    Ok(found.is_some())
}
