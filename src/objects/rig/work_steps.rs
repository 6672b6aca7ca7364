//! What events say about work: one step for each that says something.
//!
//! Owns how an event is read, and how many of them are.

use crate::contract::shapes::{Priority, Quality};
use crate::objects::handler::Cx;
use crate::objects::rig::beads::events;
use crate::objects::store::sql::{query, query_one};
use base::error::Fault;
use base::time::Timestamp;
use serde::Deserialize;

/// Newest events that are looked at.
pub const EVENTS_READ_MAX: i64 = 200_000;
/// Events at the beginning of a window among which the first is looked for: a clock that is set back a little dates later ones before it.
const FIRST_AMONG: i64 = 1_000;
/// Newest of them that say something about work, which are taken.
pub const STEPS_MAX: usize = 20_000;

/// The meaning of an event for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepKind {
    /// Onto a hook.
    Taken,
    /// Off the hook, finished.
    Done,
    /// Off the hook, unfinished.
    Back,
    /// Off the hook because it failed.
    Off,
    /// Closed with a merge commit.
    Merged,
    Failed,
    /// Closed without having been on the hook of its closer: by a person, or by the Mayor.
    Closed,
    Rework,
    Nudge,
    Stall,
    /// Nothing of the above.
    Other,
}

/// An event about work; the fields are the columns of the query.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) at: Timestamp,
    pub(super) agent: Option<String>,
    pub(super) what: StepKind,
    /// `issue`, `molecule`, `merge_request`; null for an event of an agent.
    pub(super) kind: Option<String>,
    pub(super) priority: Option<Priority>,
    pub(super) quality: Option<Quality>,
    /// When it was put on the hook that it came from.
    pub(super) hooked_at: Option<Timestamp>,
}

/// The first event of the window that is looked at, and since when events tell all.
pub(super) fn first_event(cx: &Cx<'_>, asked_from: Timestamp) -> Result<(i64, Timestamp), Fault> {
    let newest = events::newest(cx)?;
    let in_window: Option<(Option<i64>, Option<Timestamp>)> = query_one(
        cx.sql,
        "-- work_first\nSELECT min(sequence), min(created_at) FROM
           (SELECT sequence, created_at FROM bead_events INDEXED BY bead_events_created WHERE created_at >= ? ORDER BY created_at, sequence LIMIT ?) AS mine",
        (asked_from.millis(), FIRST_AMONG),
    )?;
    let Some((Some(first), Some(at))) = in_window else { return Ok((newest + 1, asked_from)) };
    // The kept events begin here; sequences begin with one.
    let at_hand: Option<(i64, Timestamp)> = query_one(
        cx.sql,
        "-- work_at_hand\nSELECT sequence, created_at FROM bead_events WHERE sequence >= ? ORDER BY sequence LIMIT 1",
        ((newest - EVENTS_READ_MAX + 1).max(1),),
    )?;
    Ok(match at_hand {
        Some((oldest, since)) if oldest > first => (oldest, since),
        Some((oldest, _)) if oldest == first && first > 1 => (first, at),
        _ => (first, asked_from),
    })
}

/// The steps of work in the events from this one on, newest first.
pub(super) fn steps(cx: &Cx<'_>, first: i64, asked_from: Timestamp) -> Result<Vec<Step>, Fault> {
    // How a bead stood when it came off a hook says whether it was finished: open, it was not, nor if it was deleted there.
    // A merge request that is in progress then has its pull request.
    query(
        cx.sql,
        "-- work_steps\nSELECT event.created_at AS at, event.agent_id AS agent,
           CASE event.event_type
             WHEN 'hooked' THEN 'taken'
             WHEN 'unhooked' THEN CASE coalesce((
               SELECT CASE past.event_type WHEN 'hooked' THEN 'open' ELSE past.new_value END FROM bead_events AS past INDEXED BY bead_events_bead
               WHERE past.bead_id = event.bead_id AND past.sequence < event.sequence AND past.event_type IN ('hooked', 'status_changed', 'closed')
               ORDER BY past.sequence DESC LIMIT 1), 'open')
               WHEN 'open' THEN 'back' WHEN 'failed' THEN 'off' WHEN 'closed' THEN 'done'
               ELSE CASE WHEN EXISTS (SELECT 1 FROM bead_events AS gone INDEXED BY bead_events_bead WHERE gone.bead_id = event.bead_id
                 AND gone.sequence > event.sequence AND gone.event_type = 'deleted' AND gone.created_at = event.created_at) THEN 'back' ELSE 'done' END END
             WHEN 'closed' THEN CASE WHEN json_extract(event.metadata, '$.merge_commit') IS NOT NULL THEN 'merged' WHEN NOT EXISTS (
               SELECT 1 FROM bead_events AS off INDEXED BY bead_events_bead
               WHERE off.bead_id = event.bead_id AND off.event_type = 'unhooked' AND off.agent_id = event.agent_id) THEN 'closed' ELSE 'other' END
             WHEN 'status_changed' THEN 'failed' WHEN 'rework_requested' THEN 'rework' WHEN 'mail_sent' THEN 'nudge' ELSE 'stall' END AS what,
           CASE WHEN event.event_type IN ('hooked', 'unhooked', 'closed', 'status_changed') THEN
             CASE WHEN instr(bead.labels, '\"gt:triage-request\"') > 0 THEN 'triage' ELSE coalesce(bead.type, (
               SELECT json_extract(gone.metadata, '$.type') FROM bead_events AS gone INDEXED BY bead_events_bead
               WHERE gone.bead_id = event.bead_id AND gone.event_type = 'deleted' ORDER BY gone.sequence DESC LIMIT 1), 'issue') END END AS kind,
           bead.priority, bead.quality,
           CASE WHEN event.event_type IN ('unhooked', 'closed') THEN (
             SELECT past.created_at FROM bead_events AS past INDEXED BY bead_events_bead
             WHERE past.bead_id = event.bead_id AND past.sequence < event.sequence AND past.event_type = 'hooked' ORDER BY past.sequence DESC LIMIT 1) END AS hooked_at
         FROM bead_events AS event LEFT JOIN beads AS bead ON bead.bead_id = event.bead_id
         WHERE event.sequence >= ? AND event.created_at >= ? AND (event.event_type IN ('hooked', 'unhooked', 'closed', 'rework_requested')
           OR (event.event_type = 'status_changed' AND event.new_value = 'failed') OR (event.event_type = 'mail_sent' AND event.new_value = 'nudge')
           OR (event.event_type = 'agent_status' AND event.new_value = 'stalled'))
         ORDER BY event.sequence DESC LIMIT ?",
        (first, asked_from.millis(), STEPS_MAX + 1),
    )
}
