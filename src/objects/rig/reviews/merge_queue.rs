//! The rig's part of the merge queue: pending reviews, items that need attention, and the log of reviews.
//!
//! Owns the form of an item (Gastown contract 3.7). The town adds the convoys.

use crate::contract::columns::json_column;
use crate::contract::ids::{AgentId, BeadId, ConvoyId};
use crate::contract::letters::rig::RigState;
use crate::contract::limits::merge_queue::LIST_LIMIT_MAX;
use crate::contract::shapes::{AgentRole, BeadStatus, MergeQueueData, NeedsAttention};
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::reviews::request_columns;
use crate::objects::rig::state;
use crate::objects::store::sql::query;
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// A pull request is stale when nothing has happened to it for so long.
pub const STALE_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// Selects `Item`s; the condition on `request` follows.
macro_rules! select_items {
    ($from:literal) => {
        concat!(
            "SELECT ",
            request_columns!(),
            ", request.status, request.title, request.body, request.created_at, request.updated_at, request.metadata, request.failure_reason,
             request.blockers_open, source.title AS source_title, source.status AS source_status, source.body AS source_body,
             agents.id AS agent_id, agents.name AS agent_name, agents.role AS agent_role
             FROM ",
            $from,
            " JOIN merge_requests AS review ON review.bead_id = request.bead_id
             LEFT JOIN beads AS source ON source.bead_id = review.source_bead_id
             LEFT JOIN agents ON agents.id = coalesce(request.assignee_agent_id, review.source_agent_id) WHERE "
        )
    };
}

#[derive(Deserialize)]
struct Item {
    bead_id: BeadId,
    source_bead_id: Option<BeadId>,
    #[serde(rename = "source_agent_id")]
    _source_agent_id: Option<AgentId>,
    convoy_id: Option<ConvoyId>,
    branch: String,
    target_branch: String,
    merge_commit: Option<String>,
    #[serde(rename = "base_commit")]
    _base_commit: Option<String>,
    pr_url: Option<String>,
    retry_count: i64,
    not_before: Option<Timestamp>,
    #[serde(rename = "landing_round")]
    _landing_round: i64,
    status: BeadStatus,
    title: String,
    body: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    #[serde(deserialize_with = "json_column")]
    metadata: Value,
    failure_reason: Option<String>,
    blockers_open: i64,
    source_title: Option<String>,
    source_status: Option<BeadStatus>,
    source_body: Option<String>,
    agent_id: Option<AgentId>,
    agent_name: Option<String>,
    agent_role: Option<AgentRole>,
}

impl Item {
    fn is_stale(&self, now: Timestamp) -> bool {
        now.since(self.updated_at) >= STALE_MILLIS
    }

    /// `convoy` holds the id alone: the town knows the rest.
    fn shown(&self, rig: &RigState, now: Timestamp) -> Value {
        let is_open_pr = self.pr_url.is_some() && !self.status.is_terminal();
        json!({
            "mrBead": {
                "bead_id": self.bead_id, "status": self.status, "title": self.title, "body": self.body, "rig_id": rig.rig_id,
                "created_at": self.created_at, "updated_at": self.updated_at, "metadata": self.metadata, "blockers_open": self.blockers_open,
            },
            "reviewMetadata": {
                "branch": self.branch, "target_branch": self.target_branch, "merge_commit": self.merge_commit, "pr_url": self.pr_url,
                "retry_count": self.retry_count, "not_before": self.not_before,
            },
            "sourceBead": self.source_title.as_ref().map(|title| json!({
                "bead_id": self.source_bead_id, "title": title, "status": self.source_status, "body": self.source_body,
            })),
            "convoy": self.convoy_id.as_ref().map(|convoy| json!({"convoy_id": convoy})),
            "agent": self.agent_id.as_ref().map(|id| json!({"agent_id": id, "name": self.agent_name, "role": self.agent_role})),
            "rigName": rig.name,
            "staleSince": (is_open_pr && self.is_stale(now)).then_some(self.updated_at),
            "failureReason": self.failure_reason,
        })
    }
}

/// `mergeQueue`: the town's question to each rig for `getMergeQueueData`.
pub(crate) fn merge_queue(cx: &Cx<'_>, _caller: &Caller, (limit, since): (i64, Option<Timestamp>)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let limit = limit.clamp(0, LIST_LIMIT_MAX);
    let mut data = MergeQueueData::default();
    let NeedsAttention { open_prs, failed_reviews, stale_prs } = &mut data.needs_attention;
    for status in [BeadStatus::InProgress, BeadStatus::Open] {
        for item in open_items(cx, status, limit)? {
            let list = match &item.pr_url {
                None => &mut data.waiting,
                Some(_) if item.is_stale(cx.now) => &mut *stale_prs,
                Some(_) => &mut *open_prs,
            };
            list.push(item.shown(&rig, cx.now));
        }
    }
    // Work that is under way again, or merged, needs no attention.
    let failed: Vec<Item> = query(
        cx.sql,
        concat!(
            "-- merge_queue_failed\n",
            select_items!("beads AS request INDEXED BY beads_requests"),
            "request.type = 'merge_request' AND request.status = 'failed' AND (source.status IS NULL OR source.status IN ('open', 'in_progress'))
             ORDER BY request.updated_at DESC LIMIT ?"
        ),
        (limit,),
    )?;
    failed_reviews.extend(failed.iter().map(|item| item.shown(&rig, cx.now)));
    data.activity_log = log(cx, &rig, limit, since)?;
    answer(&data)
}

/// Merge requests that have not ended, oldest change first.
fn open_items(cx: &Cx<'_>, status: BeadStatus, limit: i64) -> Result<Vec<Item>, Fault> {
    query(
        cx.sql,
        concat!(
            "-- merge_queue_open\n",
            select_items!("beads AS request INDEXED BY beads_requests"),
            "request.type = 'merge_request' AND request.status = ? ORDER BY request.updated_at LIMIT ?"
        ),
        (status, limit),
    )
}

/// The events of reviews, newest first.
fn log(cx: &Cx<'_>, rig: &RigState, limit: i64, since: Option<Timestamp>) -> Result<Vec<Value>, Fault> {
    #[derive(Deserialize)]
    struct Event {
        bead_event_id: BeadId,
        bead_id: BeadId,
        agent_id: Option<String>,
        kind: String,
        old_value: Option<String>,
        new_value: Option<String>,
        #[serde(deserialize_with = "json_column")]
        metadata: Value,
        created_at: Timestamp,
    }
    let events: Vec<Event> = query(
        cx.sql,
        "-- merge_queue_log\nSELECT bead_event_id, bead_id, agent_id, event_type AS kind, old_value, new_value, metadata, created_at
         FROM bead_events INDEXED BY bead_events_reviews
         WHERE event_type IN ('review_submitted', 'review_completed', 'pr_created', 'pr_creation_failed', 'rework_requested') AND created_at > ?
         ORDER BY sequence DESC LIMIT ?",
        (since.map_or(-1, Timestamp::millis), limit),
    )?;
    let about = |event: &Event| event.metadata.get("mr_bead_id").and_then(Value::as_str).map(str::to_owned);
    let ids: Vec<String> = events.iter().filter_map(about).collect();
    let items: Vec<Item> = query(
        cx.sql,
        concat!("-- merge_queue_items\n", select_items!("beads AS request"), "request.bead_id IN (SELECT value FROM json_each(?))"),
        (Value::from(ids).to_string(),),
    )?;
    let entry = |event: &Event| {
        let id = about(event);
        let mut entry = match items.iter().find(|item| id.as_deref() == Some(item.bead_id.as_str())) {
            Some(item) => item.shown(rig, cx.now),
            None => json!({"mrBead": null, "sourceBead": null, "convoy": null, "agent": null, "rigName": rig.name, "reviewMetadata": null}),
        };
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("staleSince");
            entry.remove("failureReason");
            entry.insert(
                "event".to_owned(),
                json!({
                    "bead_event_id": event.bead_event_id, "bead_id": event.bead_id, "agent_id": event.agent_id, "event_type": event.kind,
                    "old_value": event.old_value, "new_value": event.new_value, "metadata": event.metadata, "created_at": event.created_at,
                }),
            );
        }
        entry
    };
    Ok(events.iter().map(entry).collect())
}
