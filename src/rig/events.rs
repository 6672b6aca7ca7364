//! What happened to the beads and agents of a rig, in order.
//!
//! Owns the `bead_events` table: who writes to it writes in the transaction of the change. Its `sequence` is the cursor of
//! the feed. What is kept, and for how long, is `retention`'s business.

use crate::error::Fault;
use crate::ids::BeadId;
use crate::rpc::model::BeadEventType;
use crate::rpc::serve::Cx;
use crate::store::sql::{execute, scalar};
use serde_json::Value;

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
    )
}

/// Sequence of the newest event, 0 when nothing has happened yet.
pub(super) fn newest(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- events_newest\nSELECT coalesce(max(sequence), 0) FROM bead_events", ())
}
