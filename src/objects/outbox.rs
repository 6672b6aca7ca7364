//! The outbox: letters that one object owes another, kept until the other has acknowledged them.
//!
//! Owns the `outbox` and `inbox` tables. A row says *which subject changed*, not its new state: the letter is
//! composed from the current state when it is sent, so many changes of one subject are one letter and a late or
//! repeated letter can do no harm. The receiver drops a letter that is not newer than the last it has seen.

use crate::contract::letters::{Letter, LetterKind, ToSession};
use crate::objects::store::sql::{Sql, execute, query, query_one};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// If a letter is not acknowledged before this, the alarm sends it again.
pub const RESEND_MILLIS: i64 = 5_000;
/// Letters sent in one delivery at most.
pub const LETTERS_PER_FLUSH_MAX: u32 = 100;
/// First pause after a failed delivery, doubled with each further failure.
const RETRY_MILLIS_MIN: i64 = 1_000;
/// Longest pause after a delivery that did not arrive.
pub const RETRY_MILLIS_MAX: i64 = 60_000;
/// Longest pause after a letter that arrived and was refused: asking again seldom helps, but costs little.
pub const REFUSED_RETRY_MILLIS_MAX: i64 = 60 * 60 * 1_000;

/// Creates both tables; part of the first migration of every object that talks to another.
pub const CREATE_OUTBOX: &str = "-- outbox
CREATE TABLE outbox (
  kind TEXT NOT NULL,            -- what sort of subject
  subject TEXT NOT NULL,         -- which one
  target TEXT NOT NULL,          -- instance that must hear of it, as 'rig:<id>' or 'town:<id>'
  generation INTEGER NOT NULL,   -- grows with every change of the subject
  attempts INTEGER NOT NULL,     -- failed deliveries of this generation
  next_at INTEGER NOT NULL,      -- not before this time (ms)
  PRIMARY KEY (kind, subject, target)
) STRICT, WITHOUT ROWID";

/// See `CREATE_OUTBOX`.
pub const CREATE_OUTBOX_INDEX: &str = "-- outbox_due
CREATE INDEX outbox_due ON outbox (next_at)";

/// See `CREATE_OUTBOX`.
pub const CREATE_INBOX: &str = "-- inbox
CREATE TABLE inbox (
  source TEXT NOT NULL,          -- who sent, as 'rig:<id>' or 'town:<id>'
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  generation INTEGER NOT NULL,   -- newest one applied
  PRIMARY KEY (source, kind, subject)
) STRICT, WITHOUT ROWID";

/// A row that waits to be delivered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Owed {
    /// What sort of subject.
    pub kind: String,
    /// The id of the subject.
    pub subject: String,
    /// The object that must hear of it.
    pub target: String,
    /// The number of the change.
    pub generation: i64,
    /// Failed deliveries so far.
    pub attempts: i64,
}

impl Owed {
    /// The kind, of those that go to this row's target.
    ///
    /// # Errors
    /// A fault for a text that is none of them: the row stays, and so does what somebody owes.
    pub fn kind<K: LetterKind>(&self) -> Result<K, Fault> {
        K::read(&self.kind).ok_or_else(|| Fault::new("write a letter", format!("{} is sent no letters of kind {}", self.target, self.kind)))
    }
}

/// Which rows are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those of `New` that a caller may wait for: what a call sends before its reply. Letters to listeners are never awaited.
    Awaited,
    /// Those that no delivery has failed for: what a call sends after its reply.
    New,
    /// All that are due: what the alarm sends.
    All,
}

/// The body of a letter; `None` when its subject is gone.
pub type Composed = Result<Option<Box<RawValue>>, Failure>;

/// Writes the body of a letter.
///
/// # Errors
/// `Fault` when the state cannot be written as JSON.
pub fn write(state: &impl Serialize) -> Result<Box<RawValue>, Fault> {
    to_raw_value(state).map_err(|error| Fault::new("write a letter", error))
}

/// Notes that `subject` changed and `target` must hear of it. Call it in the transaction of the change, with a
/// `generation` that is greater than that of any earlier change.
pub fn post(sql: &dyn Sql, kind: impl LetterKind, subject: &str, target: &str, generation: i64, now: Timestamp) -> Result<(), Fault> {
    execute(
        sql,
        "-- outbox_post\nINSERT INTO outbox (kind, subject, target, generation, attempts, next_at) VALUES (?1, ?2, ?3, ?4, 0, ?5)
         ON CONFLICT (kind, subject, target) DO UPDATE SET generation = ?4, attempts = 0, next_at = ?5",
        (kind.text(), subject, target, generation, now.millis()),
    )
}

/// The rows that are due, oldest first.
pub fn due(sql: &dyn Sql, now: Timestamp, which: Which) -> Result<Vec<Owed>, Fault> {
    let attempts_max = if which == Which::All { i64::from(u32::MAX) } else { 0 };
    let without = if which == Which::Awaited { ToSession::Topic.as_str() } else { "" };
    query(
        sql,
        "-- outbox_due\nSELECT kind, subject, target, generation, attempts FROM outbox WHERE next_at <= ? AND attempts <= ? AND kind <> ?
         ORDER BY next_at, generation LIMIT ?",
        (now.millis(), attempts_max, without, LETTERS_PER_FLUSH_MAX),
    )
}

/// Whether a target has yet to hear of a subject's last change.
pub fn is_owed(sql: &dyn Sql, kind: impl LetterKind, subject: &str, target: &str) -> Result<bool, Fault> {
    let found: Option<(i64,)> = query_one(
        sql,
        "-- outbox_is_owed\nSELECT 1 FROM outbox WHERE kind = ? AND subject = ? AND target = ?",
        (kind.text(), subject, target),
    )?;
    Ok(found.is_some())
}

/// Everything owed is tried again at once. Answers how much that is.
pub fn hurry(sql: &dyn Sql, now: Timestamp) -> Result<usize, Fault> {
    let rows: Vec<(i64,)> =
        query(sql, "-- outbox_hurry\nUPDATE outbox SET attempts = 0, next_at = min(next_at, ?) RETURNING generation", (now.millis(),))?;
    Ok(rows.len())
}

/// When the next delivery is due, if anything is owed.
pub fn next_due(sql: &dyn Sql) -> Result<Option<Timestamp>, Fault> {
    let next: Option<(Option<i64>,)> = query_one(sql, "-- outbox_next_due\nSELECT MIN(next_at) FROM outbox", ())?;
    Ok(next.and_then(|(at,)| at).map(Timestamp::from_millis))
}

/// The target has it. A change made meanwhile has a newer generation and stays owed.
pub fn acknowledge(sql: &dyn Sql, owed: &Owed) -> Result<(), Fault> {
    execute(
        sql,
        "-- outbox_acknowledge\nDELETE FROM outbox WHERE kind = ? AND subject = ? AND target = ? AND generation = ?",
        (&owed.kind, &owed.subject, &owed.target, owed.generation),
    )
}

/// The delivery failed: try again after a pause that doubles up to `pause_max` milliseconds.
pub fn retry_later(sql: &dyn Sql, owed: &Owed, now: Timestamp, pause_max: i64) -> Result<(), Fault> {
    let doublings = u32::try_from(owed.attempts.clamp(0, 16)).unwrap_or_default();
    let pause = RETRY_MILLIS_MIN.saturating_mul(1 << doublings).min(pause_max);
    execute(
        sql,
        "-- outbox_retry_later\nUPDATE outbox SET attempts = attempts + 1, next_at = ? WHERE kind = ? AND subject = ? AND target = ? AND generation = ?",
        (now.plus_millis(pause).millis(), &owed.kind, &owed.subject, &owed.target, owed.generation),
    )
}

/// Whether a letter of this kind about this subject has come before.
pub fn has_heard(sql: &dyn Sql, source: &str, kind: impl LetterKind, subject: &str) -> Result<bool, Fault> {
    let found: Option<(i64,)> = query_one(
        sql,
        "-- inbox_has_heard\nSELECT 1 FROM inbox WHERE source = ? AND kind = ? AND subject = ?",
        (source, kind.text(), subject),
    )?;
    Ok(found.is_some())
}

/// Whether a letter is news. Call it in the transaction that applies the letter.
pub fn is_news(sql: &dyn Sql, source: &str, letter: &Letter) -> Result<bool, Fault> {
    let applied: Vec<(i64,)> = query(
        sql,
        "-- inbox_is_news\nINSERT INTO inbox (source, kind, subject, generation) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (source, kind, subject) DO UPDATE SET generation = ?4 WHERE generation < ?4 RETURNING generation",
        (source, &letter.kind, &letter.subject, letter.generation),
    )?;
    Ok(!applied.is_empty())
}
