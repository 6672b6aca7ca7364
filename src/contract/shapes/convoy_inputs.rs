//! The contract's shapes of what makes and changes convoys (Gastown contract 2.3).
//!
//! Owns names and types of fields.

use super::{BlockedUntil, ConvoyEntry, MergeMode, Priority, Quality, SlingResult};
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Contract 2.3 `slingConvoy`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlingConvoyInput {
    #[serde(rename = "rigId")]
    pub rig_id: RigId,
    #[serde(rename = "convoyTitle")]
    pub convoy_title: String,
    pub tasks: Vec<ConvoyTask>,
    #[serde(default)]
    pub merge_mode: Option<MergeMode>,
    #[serde(default)]
    pub staged: Option<bool>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

/// One task of a convoy; `depends_on` holds zero-based indices of other tasks. Embedded: everything after it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ConvoyTask {
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<i64>>,
    /// What must have become of the tasks it depends on; closed unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<BlockedUntil>,
    /// Another rig than the convoy's, by id or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// What the worker is told besides the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<String>,
    /// The formula that structures the work, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    /// The formula's variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
}

/// Embedded: `slingIntoConvoy`, input: one more task for a convoy. `depends_on` holds ids of its members.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlingIntoConvoyInput {
    /// Id or title.
    pub convoy: String,
    pub rig_id: RigId,
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub depends_on: Option<Vec<BeadId>>,
    #[serde(default)]
    pub until: Option<BlockedUntil>,
    #[serde(default)]
    pub priority: Option<Priority>,
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    #[serde(default)]
    pub quality: Option<Quality>,
    #[serde(default)]
    pub args: Option<String>,
    #[serde(default)]
    pub formula: Option<String>,
    #[serde(default)]
    pub vars: Option<Map<String, Value>>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

/// Contract 2.3: answer of `slingConvoy` and `startConvoy`. `agent` is always null: beads are assigned when ready.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlingConvoyResult {
    pub convoy: ConvoyEntry,
    pub beads: Vec<SlingResult>,
}

/// Contract 2.3 `createConvoy`, input. Embedded: no beads at all, beads without a rig, `staged` and `merge_mode`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateConvoyInput {
    pub title: String,
    #[serde(default)]
    pub beads: Vec<TrackedBead>,
    #[serde(default)]
    pub created_by: Option<String>,
    #[serde(default)]
    pub staged: Option<bool>,
    #[serde(default)]
    pub merge_mode: Option<MergeMode>,
}

/// A bead that exists; without a rig all rigs are asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrackedBead {
    pub bead_id: BeadId,
    #[serde(default)]
    pub rig_id: Option<RigId>,
}

/// Contract 2.3 `updateConvoy`, input. Embedded: members and dependencies, which change together or not at all.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ConvoyUpdate {
    #[serde(default)]
    pub merge_mode: Option<MergeMode>,
    #[serde(default)]
    pub feature_branch: Option<String>,
    #[serde(default)]
    pub add_beads: Vec<BeadId>,
    #[serde(default)]
    pub remove_beads: Vec<BeadId>,
    /// What the added beads wait for: members, or others that are added. Replaces what they waited for in this convoy.
    #[serde(default)]
    pub depends_on: Option<Vec<BeadId>>,
    #[serde(default)]
    pub until: Option<BlockedUntil>,
}

/// Contract 2.3 `onBeadClosed`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeadClosedInput {
    pub convoy_id: ConvoyId,
    pub bead_id: BeadId,
}
