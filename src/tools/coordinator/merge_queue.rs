//! The tool that shows what is on its way to being merged.
//!
//! Owns how an item of the queue looks to a model. The lists are the town's.

use crate::contract::shapes::{MergeQueueData, MergeQueueFilter};
use crate::rpc::table::GET_MERGE_QUEUE;
use crate::tools::text::{AgentText, name, word};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest list.
const LIMIT_MAX: i64 = 100;
/// Entries of a list unless the call says otherwise.
const LIMIT_DEFAULT: i64 = 20;

/// Shows what waits for review or merge in a town, open and stale pull requests, and reviews that failed. Use it to see why
/// finished work has not landed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeQueue {
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Entries per list, 1 to 100 (default 20).
    limit: Option<i64>,
    /// Also what happened since this time (ISO 8601).
    since: Option<String>,
}

/// The queue.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Queue {
    town: String,
    summary: String,
    /// Wait for a review, oldest first.
    waiting: Vec<Line>,
    open_prs: Vec<Line>,
    /// Nothing has happened to them for a day.
    stale_prs: Vec<Line>,
    /// The newest first.
    failed_reviews: Vec<Line>,
    /// What happened, newest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<Vec<Happened>>,
    /// Rigs asked.
    coverage: Coverage,
}

/// A merge request.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    /// Bead id of the merge request.
    id: String,
    rig: String,
    branch: String,
    target: String,
    status: String,
    /// Whose work it is; left out for the landing of a convoy.
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<AgentText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// Convoy id.
    #[serde(skip_serializing_if = "Option::is_none")]
    convoy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pr_url: Option<String>,
    /// Reviews that failed before.
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<i64>,
    /// Rework that it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<AgentText>,
    updated_at: String,
}

/// An entry of the log.
#[derive(Debug, Serialize, JsonSchema)]
struct Happened {
    at: String,
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// The merge brought nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    empty: Option<bool>,
    /// No commit was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    unverified: Option<bool>,
}

impl Tool for MergeQueue {
    const NAME: &'static str = "merge_queue";
    const TITLE: &'static str = "Merge queue";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"limit":10}"#;
    type Output = Queue;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let bad = |message: String| Refusal::new(Code::InvalidArgument, message);
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(bad(format!("limit must be from 1 to {LIMIT_MAX}")).into());
        }
        let since = match &self.since {
            Some(text) => Some(Timestamp::parse_iso(text).ok_or_else(|| Refusal::argument("since", "expected an ISO 8601 time"))?),
            None => None,
        };
        let filter = MergeQueueFilter { rig_id: place.rig.clone(), limit: Some(limit), since };
        Ok(Plan::One(place.call_town(&GET_MERGE_QUEUE, (filter,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Queue, Failure> {
        let data: MergeQueueData = answers.one(&GET_MERGE_QUEUE)?;
        let attention = data.needs_attention;
        let lines = |items: &[Value]| items.iter().map(line).collect::<Vec<_>>();
        let summary = format!(
            "{} wait for review, {} open pull requests, {} stale, {} failed reviews.",
            data.waiting.len(),
            attention.open_prs.len(),
            attention.stale_prs.len(),
            attention.failed_reviews.len()
        );
        Ok(Queue {
            town: place.town()?.to_string(),
            summary,
            waiting: lines(&data.waiting),
            open_prs: lines(&attention.open_prs),
            stale_prs: lines(&attention.stale_prs),
            failed_reviews: lines(&attention.failed_reviews),
            log: self.since.is_some().then(|| data.activity_log.iter().map(happened).collect()),
            coverage: data.coverage.map_or_else(|| Coverage::whole(1), |known| Coverage::of_rigs(&known, "did not answer in time")),
        })
    }
}

fn text<'a>(item: &'a Value, path: &str) -> Option<&'a str> {
    item.pointer(path).and_then(Value::as_str)
}

fn shown(item: &Value, path: &str) -> Option<String> {
    text(item, path).map(word)
}

fn line(item: &Value) -> Line {
    let number = |path: &str| item.pointer(path).and_then(Value::as_i64).filter(|number| *number > 0);
    Line {
        id: shown(item, "/mrBead/bead_id").unwrap_or_default(),
        rig: text(item, "/rigName").map(name).unwrap_or_default(),
        branch: shown(item, "/reviewMetadata/branch").unwrap_or_default(),
        target: shown(item, "/reviewMetadata/target_branch").unwrap_or_default(),
        status: shown(item, "/mrBead/status").unwrap_or_default(),
        bead: shown(item, "/sourceBead/bead_id"),
        title: text(item, "/sourceBead/title").map(AgentText::line),
        agent: shown(item, "/agent/name"),
        convoy: shown(item, "/convoy/convoy_id"),
        pr_url: shown(item, "/reviewMetadata/pr_url"),
        retries: number("/reviewMetadata/retry_count"),
        waits_for: number("/mrBead/blockers_open"),
        failure: text(item, "/failureReason").map(AgentText::line),
        updated_at: shown(item, "/mrBead/updated_at").unwrap_or_default(),
    }
}

fn happened(entry: &Value) -> Happened {
    let flag = |path: &str| entry.pointer(path).and_then(Value::as_bool).filter(|flag| *flag);
    let what = shown(entry, "/event/event_type").unwrap_or_default();
    Happened {
        at: shown(entry, "/event/created_at").unwrap_or_default(),
        // The other kinds have a branch or an address there.
        result: shown(entry, "/event/new_value").filter(|_| what == "review_completed"),
        what,
        bead: shown(entry, "/event/bead_id"),
        branch: shown(entry, "/reviewMetadata/branch"),
        empty: flag("/event/metadata/empty"),
        unverified: flag("/event/metadata/unverified"),
    }
}
