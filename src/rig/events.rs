//! What happened to the beads and agents of a rig, in order.
//!
//! Owns the `bead_events` table: who writes to it writes in the transaction of the change. Its `sequence` is the cursor of
//! the feed. What is kept, and for how long, is `retention`'s business.

use super::{report, state};
use crate::error::{Failure, Fault};
use crate::ids::BeadId;
use crate::rpc::model::{BeadEventFilter, BeadEventRecord, BeadEventType, RigFrame};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::sql::{execute, query, scalar};
use serde_json::Value;

/// Events in one answer unless the call says otherwise.
const LIST_LIMIT_DEFAULT: i64 = 100;
/// Most events in one answer.
pub const LIST_LIMIT_MAX: i64 = 500;
/// Events that a watched rig tells at once.
const FRAMES_MAX: i64 = 100;
/// What happened longer ago is nothing new for who watches.
const FRAMES_AGE_MAX_MILLIS: i64 = 60 * 1000;

/// No sequence is greater: a number beyond that would not survive JavaScript.
const SEQUENCE_MAX: i64 = (1 << 53) - 1;

/// Columns of an event in the order of `BeadEventRecord`'s fields; the condition follows.
macro_rules! select_events {
    () => {
        "SELECT sequence, bead_event_id, bead_id, agent_id, actor, event_type, old_value, new_value, metadata, created_at FROM bead_events"
    };
}

/// Creates the table; part of the third migration.
pub const CREATE_EVENTS: [&str; 4] = [
    "-- bead_events
CREATE TABLE bead_events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- order, never used again
  bead_event_id TEXT NOT NULL,
  bead_id TEXT NOT NULL,                    -- the bead; the agent's id for what happens to an agent
  agent_id TEXT,                            -- the agent concerned
  actor TEXT,                               -- who did it: agent or user id; null: the rig itself, or its town
  event_type TEXT NOT NULL,
  old_value TEXT,
  new_value TEXT,
  metadata TEXT NOT NULL,                   -- JSON object
  created_at INTEGER NOT NULL
) STRICT",
    "-- bead_events_bead
CREATE INDEX bead_events_bead ON bead_events (bead_id, sequence)",
    "-- bead_events_actor
CREATE INDEX bead_events_actor ON bead_events (actor, sequence) WHERE actor IS NOT NULL",
    "-- bead_events_created
CREATE INDEX bead_events_created ON bead_events (created_at, sequence)",
];

/// One thing that happened. Values are short words of the contract; texts of people go into `metadata`.
pub(super) struct Happened<'a> {
    /// What.
    pub(super) kind: BeadEventType,
    /// The bead, or the agent where there is none.
    pub(super) bead: &'a str,
    /// The agent concerned.
    pub(super) agent: Option<&'a str>,
    /// Before.
    pub(super) old: Option<&'a str>,
    /// After.
    pub(super) new: Option<&'a str>,
    /// An object; null for none.
    pub(super) metadata: Value,
}

impl<'a> Happened<'a> {
    /// Something of this kind happened to a bead.
    pub(super) fn to(kind: BeadEventType, bead: &'a BeadId) -> Self {
        Self { kind, bead: bead.as_str(), agent: None, old: None, new: None, metadata: Value::Null }
    }

    /// With the agent concerned.
    pub(super) const fn agent(mut self, agent: &'a str) -> Self {
        self.agent = Some(agent);
        self
    }

    /// With the values before and after.
    pub(super) const fn values(mut self, old: Option<&'a str>, new: &'a str) -> Self {
        self.old = old;
        self.new = Some(new);
        self
    }

    /// With more about it: an object.
    pub(super) fn about(mut self, metadata: Value) -> Self {
        self.metadata = metadata;
        self
    }
}

/// Writes an event, by whoever makes the change.
pub(super) fn write(cx: &Cx<'_>, event: &Happened<'_>) -> Result<(), Fault> {
    let metadata = if event.metadata.is_null() { "{}".to_owned() } else { event.metadata.to_string() };
    execute(
        cx.sql,
        "-- events_write\nINSERT INTO bead_events (bead_event_id, bead_id, agent_id, actor, event_type, old_value, new_value, metadata, created_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            BeadId::from_random(cx.random()),
            event.bead,
            event.agent,
            cx.actor(),
            event.kind,
            event.old,
            event.new,
            metadata,
            cx.now.millis(),
        ),
    )?;
    match state::load(cx)? {
        Some(rig) if cx.now < rig.watched_until => report::watched(cx, &rig),
        _ => Ok(()),
    }
}

/// `listEvents`: oldest first, after a position or, without one, the newest there are.
pub(crate) fn list_events(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<BeadEventFilter>,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    let BeadEventFilter { after, limit: asked, actor, bead_id, .. } = filter.unwrap_or_default();
    let mut conditions = Vec::new();
    let mut params: Vec<Value> = Vec::new();
    for (text, value) in [("actor = ?", actor), ("bead_id = ?", bead_id.map(|bead| bead.to_string()))] {
        if let Some(value) = value {
            conditions.push(text);
            params.push(Value::from(value));
        }
    }
    conditions.push("sequence > ?");
    params.push(Value::from(after.unwrap_or(0).clamp(0, SEQUENCE_MAX)));
    let order = if after.is_some() { "" } else { " DESC" };
    params.push(Value::from(limit(asked)));
    let statement =
        format!(concat!("-- events_after\n", select_events!(), " WHERE {} ORDER BY sequence{} LIMIT ?"), conditions.join(" AND "), order);
    let mut events: Vec<BeadEventRecord> = query(cx.sql, &statement, &params)?;
    if after.is_none() {
        events.reverse();
    }
    json(&events)
}

fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(LIST_LIMIT_DEFAULT).clamp(0, LIST_LIMIT_MAX)
}
