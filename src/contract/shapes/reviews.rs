//! The contract's shapes that belong to reviews and formulas: merge requests, what agents report, the merge queue,
//! molecules.
//!
//! Owns names and types of fields, like the module above it.

use super::{Coverage, Quality};
use crate::contract::columns::json_column;
use crate::contract::ids::{AgentId, BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// Contract 2.5 `createMolecule`: the steps themselves, or (embedded) the name of a formula and its variables.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FormulaInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<FormulaStep>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
}

/// Embedded `applyFormula`, input: a formula by name, or the one that a quality stands for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApplyFormulaInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
}

/// Contract 4.2: a step of a formula. Embedded: work with a `gate` is not submitted before that step is through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormulaStep {
    pub title: String,
    pub instructions: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gate: bool,
}

/// Contract 3.11: what a molecule follows. Embedded: its name, where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formula {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub steps: Vec<FormulaStep>,
}

/// Contract 3.11. `current_step` is zero-based, and the number of steps once all are through. Embedded: `summaries`, what
/// was said of each step that is through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Molecule {
    pub id: BeadId,
    pub bead_id: BeadId,
    #[serde(deserialize_with = "json_column")]
    pub formula: Formula,
    pub current_step: usize,
    pub status: MoleculeStatus,
    #[serde(default, deserialize_with = "json_column")]
    pub summaries: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Contract 2.5 `getMoleculeCurrentStep`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentStep {
    pub molecule: Molecule,
    pub step: FormulaStep,
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

impl Quality {
    /// What it is for, in words.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Basic => "trivial fixes",
            Self::Shiny => "standard workflow",
            Self::Chrome => "maximum rigor",
        }
    }
}
