//! How beads look to a model: one word for where a piece of work stands, and no field that says nothing.
//!
//! Owns the translation of the contract's statuses into words that keep done, merged and failed apart.

use super::text::{AgentText, name, word};
use crate::contract::shapes::{Bead, BeadStatus, ConvoyBead, Quality};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `done`: closed without evidence of a merge. `merged`: with evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs on variants would turn the schema's enum into alternatives")]
pub enum WorkStatus {
    Open,
    Hooked,
    InProgress,
    InReview,
    Done,
    Merged,
    Failed,
}

/// What there is none of is not shown.
pub(super) fn some(number: i64) -> Option<i64> {
    (number > 0).then_some(number)
}

/// The word for what is known of a piece of work.
const fn work_status(status: BeadStatus, held: bool, merged: bool) -> WorkStatus {
    match status {
        BeadStatus::Open if held => WorkStatus::Hooked,
        BeadStatus::Open => WorkStatus::Open,
        BeadStatus::InProgress => WorkStatus::InProgress,
        BeadStatus::InReview => WorkStatus::InReview,
        BeadStatus::Closed if merged => WorkStatus::Merged,
        BeadStatus::Closed => WorkStatus::Done,
        BeadStatus::Failed => WorkStatus::Failed,
    }
}

/// The word for a whole bead.
#[must_use]
pub const fn bead_status(bead: &Bead) -> WorkStatus {
    work_status(bead.status, bead.assignee_agent_bead_id.is_some(), bead.merge_commit.is_some())
}

/// A bead in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BeadLine {
    id: String,
    title: AgentText,
    status: WorkStatus,
    /// The town's own word, when it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_status: Option<BeadStatus>,
    #[serde(rename = "type")]
    kind: String,
    priority: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    /// Agent id of the holder.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    convoy: Option<String>,
    /// Blockers that are not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_commit: Option<String>,
    /// basic, shiny or chrome, where somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<AgentText>,
    created_at: String,
    updated_at: String,
}

impl From<Bead> for BeadLine {
    fn from(bead: Bead) -> Self {
        let status = bead_status(&bead);
        let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str).map(word);
        Self {
            branch: note("branch"),
            convoy: note("convoy_id"),
            id: bead.bead_id.to_string(),
            title: AgentText::line(&bead.title),
            raw_status: differs(status, bead.status),
            status,
            kind: bead.kind.as_str().to_owned(),
            priority: bead.priority.as_str().to_owned(),
            rig: bead.rig_id.as_ref().map(ToString::to_string),
            assignee: bead.assignee_agent_bead_id.as_ref().map(ToString::to_string),
            waits_for: (bead.blockers_open > 0).then_some(bead.blockers_open),
            merge_commit: bead.merge_commit.as_deref().map(name),
            quality: bead.quality,
            failure: bead.failure_reason.as_deref().map(AgentText::line),
            created_at: bead.created_at.to_string(),
            updated_at: bead.updated_at.to_string(),
        }
    }
}

impl BeadLine {
    /// How it stands, in words.
    #[must_use]
    pub fn summary(&self) -> String {
        let word = serde_json::to_value(self.status).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default();
        match self.waits_for {
            Some(count) => format!("{} is {word} and waits for {count} others.", self.id),
            None => format!("{} is {word}.", self.id),
        }
    }
}

/// The town's word, unless ours is the same.
fn differs(shown: WorkStatus, raw: BeadStatus) -> Option<BeadStatus> {
    matches!(shown, WorkStatus::Hooked | WorkStatus::Done | WorkStatus::Merged).then_some(raw)
}

/// A bead as its convoy shows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MemberLine {
    id: String,
    title: AgentText,
    status: WorkStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// Blockers that are not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<i64>,
    /// basic, shiny or chrome, where somebody asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<AgentText>,
}

impl From<ConvoyBead> for MemberLine {
    fn from(bead: ConvoyBead) -> Self {
        Self {
            id: bead.bead_id.to_string(),
            title: AgentText::line(&bead.title),
            status: member_status(&bead),
            rig: bead.rig_id.as_ref().map(ToString::to_string),
            agent: bead.assignee_agent_name.as_deref().map(name),
            waits_for: (bead.blockers_open > 0).then_some(bead.blockers_open),
            quality: bead.quality,
            failure: bead.failure_reason.as_deref().map(AgentText::line),
        }
    }
}

/// The word for a member of a convoy.
#[must_use]
pub fn member_status(bead: &ConvoyBead) -> WorkStatus {
    work_status(bead.status, bead.assignee_agent_name.is_some(), bead.merge_commit.is_some())
}
