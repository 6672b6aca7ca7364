//! The events of a rig's beads and agents, in order.
//!
//! Owns the `bead_events` table: an event is written in the transaction of its change. Its `sequence` is the cursor of
//! the feed. `retention` says how long events are kept.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{BeadEventFilter, BeadEventRecord, BeadEventType, RigFrame};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::{outbox_letters, state};
use crate::objects::store::sql::{execute, json_list, query, scalar};
use base::error::{Failure, Fault};
use serde_json::Value;

/// Events in one answer unless the call says otherwise.
const LIST_LIMIT_DEFAULT: i64 = 100;
/// Most events in one answer.
pub const LIST_LIMIT_MAX: i64 = 500;
/// Events that a watched rig tells at once.
const FRAMES_MAX: i64 = 100;
/// Older events are no news for viewers.
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
pub(in crate::objects::rig) struct Happened<'a> {
    /// The kind of event.
    pub(in crate::objects::rig) kind: BeadEventType,
    /// The bead, or the agent where there is none.
    pub(in crate::objects::rig) bead: &'a str,
    /// The agent concerned.
    pub(in crate::objects::rig) agent: Option<&'a str>,
    /// The value before the change.
    pub(in crate::objects::rig) old: Option<&'a str>,
    /// The value after the change.
    pub(in crate::objects::rig) new: Option<&'a str>,
    /// A JSON object, or null.
    pub(in crate::objects::rig) metadata: Value,
}

impl<'a> Happened<'a> {
    /// Something of this kind happened to a bead.
    pub(in crate::objects::rig) fn to(kind: BeadEventType, bead: &'a BeadId) -> Self {
        Self { kind, bead: bead.as_str(), agent: None, old: None, new: None, metadata: Value::Null }
    }

    /// With the agent concerned.
    pub(in crate::objects::rig) const fn agent(mut self, agent: &'a str) -> Self {
        self.agent = Some(agent);
        self
    }

    /// With the values before and after.
    pub(in crate::objects::rig) const fn values(mut self, old: Option<&'a str>, new: &'a str) -> Self {
        self.old = old;
        self.new = Some(new);
        self
    }

    /// With more about it: an object.
    pub(in crate::objects::rig) fn about(mut self, metadata: Value) -> Self {
        self.metadata = metadata;
        self
    }
}

/// Writes an event in the name of the caller.
pub(in crate::objects::rig) fn write(cx: &Cx<'_>, event: &Happened<'_>) -> Result<(), Fault> {
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
    tell_watchers(cx)
}

/// `listEvents`: oldest first, after a position or, without one, the newest there are.
pub(crate) fn list_events(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<BeadEventFilter>,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    let BeadEventFilter { after, limit: asked, actor, bead_id, .. } = filter.unwrap_or_default();
    let mut conditions = vec!["sequence > ?"];
    let mut params = vec![Value::from(after.unwrap_or(0).clamp(0, SEQUENCE_MAX))];
    if let Some(actor) = actor {
        conditions.push("actor = ?");
        params.push(Value::from(actor));
    }
    if let Some(bead) = &bead_id {
        conditions.push("bead_id = ?");
        params.push(Value::from(bead.as_str()));
    }
    let order = if after.is_some() { "" } else { " DESC" };
    params.push(Value::from(limit(asked)));
    let conditions = conditions.join(" AND ");
    let statement = format!(concat!("-- events_after\n", select_events!(), " WHERE {} ORDER BY sequence{} LIMIT ?"), conditions, order);
    let mut events: Vec<BeadEventRecord> = query(cx.sql, &statement, &params)?;
    if after.is_none() {
        events.reverse();
    }
    json(&events)
}

fn limit(asked: Option<i64>) -> i64 {
    asked.unwrap_or(LIST_LIMIT_DEFAULT).clamp(0, LIST_LIMIT_MAX)
}

/// The newest events with the titles of their beads, oldest first: the frames that the town shows its viewers.
pub(in crate::objects::rig) fn frames(cx: &Cx<'_>) -> Result<Vec<RigFrame>, Fault> {
    let since = cx.now.plus_millis(-FRAMES_AGE_MAX_MILLIS);
    let mut events: Vec<BeadEventRecord> =
        query(cx.sql, concat!("-- events_newest_of_all\n", select_events!(), " ORDER BY sequence DESC LIMIT ?"), (FRAMES_MAX,))?;
    events.retain(|event| event.created_at >= since);
    events.reverse();
    let beads: Vec<&str> = events.iter().map(|event| event.bead_id.as_str()).collect();
    let titles: Vec<(String, String)> = query(
        cx.sql,
        "-- events_titles\nSELECT bead_id, title FROM beads WHERE bead_id IN (SELECT value FROM json_each(?))",
        (serde_json::to_string(&beads).unwrap_or_default(),),
    )?;
    let title = |bead: &str| titles.iter().find(|(id, _)| id == bead).map(|(_, title)| title.clone());
    Ok(events
        .into_iter()
        .map(|event| {
            let title = title(&event.bead_id);
            (event, title)
        })
        .collect())
}

/// Sequence of the newest event, 0 when nothing has happened yet.
pub(in crate::objects::rig) fn newest(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- events_newest\nSELECT coalesce(max(sequence), 0) FROM bead_events", ())
}

/// Writes that these beads are deleted, while they are still there.
pub(in crate::objects::rig) fn write_deleted(cx: &Cx<'_>, beads: &[BeadId]) -> Result<(), Failure> {
    let pairs: Vec<(&BeadId, BeadId)> = beads.iter().map(|bead| (bead, BeadId::from_random(cx.random()))).collect();
    let pairs = json_list(&pairs)?;
    execute(
        cx.sql,
        "-- events_write_deleted\nINSERT INTO bead_events (bead_event_id, bead_id, agent_id, actor, event_type, old_value, metadata, created_at)
         SELECT json_extract(pair.value, '$[1]'), beads.bead_id, beads.assignee_agent_id, ?2, 'deleted', beads.status,
           json_object('title', beads.title, 'type', beads.type), ?3
         FROM json_each(?1) AS pair CROSS JOIN beads ON beads.bead_id = json_extract(pair.value, '$[0]')",
        (pairs, cx.actor(), cx.now.millis()),
    )?;
    Ok(tell_watchers(cx)?)
}

/// Viewers of the town hear of the events just written.
fn tell_watchers(cx: &Cx<'_>) -> Result<(), Fault> {
    match state::load(cx)? {
        Some(rig) if cx.now < rig.watched_until => outbox_letters::watched(cx, &rig),
        _ => Ok(()),
    }
}

/// The newest events of a bead, newest first.
pub(in crate::objects::rig) fn of_bead(cx: &Cx<'_>, bead: &BeadId, limit: i64) -> Result<Vec<BeadEventRecord>, Fault> {
    const OF_BEAD: &str = concat!("-- events_of_bead\n", select_events!(), " WHERE bead_id = ? ORDER BY sequence DESC LIMIT ?");
    query(cx.sql, OF_BEAD, (bead, limit))
}

/// `listBeadEvents`: newest first.
pub(crate) fn list_bead_events(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<BeadEventFilter>,)) -> Result<Answer, Failure> {
    const OF_BEAD: &str =
        concat!("-- events_list_of_bead\n", select_events!(), " WHERE bead_id = ? AND created_at > ? ORDER BY sequence DESC LIMIT ?");
    const OF_RIG: &str =
        concat!("-- events_list\n", select_events!(), " WHERE created_at > ? ORDER BY created_at DESC, sequence DESC LIMIT ?");
    state::require(cx)?;
    let filter = filter.unwrap_or_default();
    let limit = limit(filter.limit);
    let since = filter.since.unwrap_or_default().millis();
    let events: Vec<BeadEventRecord> = match &filter.bead_id {
        Some(bead) => query(cx.sql, OF_BEAD, (bead, since, limit))?,
        None => query(cx.sql, OF_RIG, (since, limit))?,
    };
    json(&events)
}
