//! The contract's shapes that belong to reviews and formulas: merge requests, what agents report, the merge queue,
//! molecules.
//!
//! Owns names and types of fields, like the module above it.

use super::Coverage;
use crate::contract::ids::{AgentId, BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Contract 2.5 `submitToReviewQueue`, input. Embedded: `base_commit`, where the target was when the work began.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubmitReviewInput {
    pub agent_id: AgentId,
    pub bead_id: BeadId,
    pub rig_id: RigId,
    pub branch: String,
    #[serde(default)]
    pub pr_url: Option<String>,
    #[serde(default)]
    pub summary: Option<String>,
    #[serde(default)]
    pub default_branch: Option<String>,
    #[serde(default)]
    pub base_commit: Option<String>,
}

/// Contract 2.5 `completeReviewWithResult`, input. Embedded: `base_commit`, where the target was before the merge.
#[derive(Debug, Clone)]
pub struct CompleteReviewInput {
    pub entry_id: BeadId,
    pub status: ReviewResult,
    pub message: Option<String>,
    pub commit_sha: Option<String>,
    pub base_commit: Option<String>,
}

/// The same as callers give it. Embedded: without `entry_id` the merge request on the caller's hook is meant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReviewReport {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_id: Option<BeadId>,
    pub status: ReviewResult,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit_sha: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_commit: Option<String>,
}

/// Contract 2.4 `agentDone`, input. Embedded: `base_commit`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentDoneInput {
    pub branch: String,
    #[serde(default)]
    pub pr_url: Option<String>,
    #[serde(default)]
    pub summary: Option<String>,
    #[serde(default)]
    pub base_commit: Option<String>,
}

/// Contract 2.4 `agentCompleted`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AgentCompletedInput {
    pub status: ProcessEnd,
    #[serde(default)]
    pub reason: Option<String>,
}

/// Contract 2.4 `requestChanges`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RequestChangesInput {
    pub feedback: String,
    #[serde(default)]
    pub files: Option<Vec<String>>,
}

/// Contract 2.4 `requestChanges`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedChanges {
    pub rework_bead_id: BeadId,
}

/// Contract 2.5 `getMergeQueueData`, input. `since` counts for the log only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct MergeQueueFilter {
    #[serde(default, rename = "rigId", skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<RigId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Contract 3.7. An item is `{mrBead, reviewMetadata, sourceBead, convoy, agent, rigName, staleSince, failureReason}`, an
/// entry of the log `{event, mrBead, sourceBead, convoy, agent, rigName, reviewMetadata}`. Embedded: `waiting`, the merge
/// requests that wait for a review, oldest first, and `coverage`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MergeQueueData {
    pub needs_attention: NeedsAttention,
    pub activity_log: Vec<Value>,
    #[serde(default)]
    pub waiting: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

/// Contract 3.7: items. No merge request is in two of the lists.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NeedsAttention {
    #[serde(rename = "openPRs")]
    pub open_prs: Vec<Value>,
    #[serde(rename = "failedReviews")]
    pub failed_reviews: Vec<Value>,
    #[serde(rename = "stalePRs")]
    pub stale_prs: Vec<Value>,
}

text_enum!(
    // Contract 2.5.
    ReviewResult { Merged = "merged", Failed = "failed", Conflict = "conflict" }
);
text_enum!(
    // Contract 2.4: how an agent's process ended.
    ProcessEnd { Completed = "completed", Failed = "failed" }
);
text_enum!(
    // Contract 3.11.
    MoleculeStatus { Active = "active", Completed = "completed", Failed = "failed" }
);
text_enum!(
    // Embedded. `waiting`: for its next try.
    LandingStatus { Waiting = "waiting", InReview = "in_review", Merged = "merged", Failed = "failed" }
);
