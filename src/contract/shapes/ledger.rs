//! The contract's shapes of the ledger: what is changed on a bead, what happened to it, and all that is known of it.
//!
//! Owns names and types of fields, like the module above it.

use super::{Bead, BeadEventType, BeadStatus, BeadType, BlockedUntil, Priority};
use crate::contract::columns::json_column;
use crate::contract::ids::{BeadId, RigId};
use base::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Contract 2.2 `updateBead`, fields. What is left out stays as it is; null clears where the field may be empty, and is
/// left out elsewhere. Embedded: the forms that add and remove, and `until`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BeadUpdate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub body: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Replaces all labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BeadStatus>,
    /// Replaces the metadata, but for what the rig itself keeps there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Replaces what it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<BeadId>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub parent_bead_id: Option<Option<BeadId>>,
    /// Never changes; the bead's own is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub rig_id: Option<Option<RigId>>,
    /// Never changes; the bead's own is accepted.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<BeadType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge_metadata: Option<Map<String, Value>>,
    /// Keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_metadata: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub add_depends_on: Option<Vec<BeadId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_depends_on: Option<Vec<BeadId>>,
    /// What must become of the blockers that this update names, or, where it names none, of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<BlockedUntil>,
}

/// A field that is there, be it null.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// What `updateBead` answers. Embedded: `changed` names the fields that are not as they were.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UpdatedBead {
    #[serde(flatten)]
    pub bead: Bead,
    pub changed: Vec<String>,
}

impl<'de> Deserialize<'de> for UpdatedBead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Own {
            changed: Vec<String>,
        }
        // Read twice: the columns of a bead that hold JSON cannot be read through `flatten`.
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let bead = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let Own { changed } = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self { bead, changed })
    }
}

/// Contract 2.2 `createHeldBead`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldBeadInput {
    #[serde(default, rename = "rigId")]
    pub rig_id: Option<RigId>,
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub created_by: Option<String>,
}

/// Contract 3.8. Embedded: `sequence` and `actor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeadEventRecord {
    /// Embedded: order within the rig, without gaps, never used again.
    pub sequence: i64,
    pub bead_event_id: BeadId,
    /// The bead; the agent's id for what happens to an agent.
    pub bead_id: String,
    pub agent_id: Option<String>,
    /// Embedded: who did it; null when the rig did it by itself, or its town.
    pub actor: Option<String>,
    pub event_type: BeadEventType,
    pub old_value: Option<String>,
    pub new_value: Option<String>,
    #[serde(deserialize_with = "json_column")]
    pub metadata: Map<String, Value>,
    pub created_at: Timestamp,
}

/// Contract 2.2 `listBeadEvents`, input: `beadId`, `since`, `limit`. Embedded: `after` and `actor` for `listEvents`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BeadEventFilter {
    #[serde(default, rename = "beadId", alias = "bead", skip_serializing_if = "Option::is_none")]
    pub bead_id: Option<BeadId>,
    /// A time, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// A `sequence`, exclusive; without it the newest events are meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
}

/// A row of `bead_dependencies`, with how the bead at the other end stands. Embedded: `until` and `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeadDependency {
    pub bead_id: BeadId,
    pub depends_on_bead_id: BeadId,
    pub dependency_type: String,
    pub until: BlockedUntil,
    /// Of the bead that was not asked for; null when it was deleted.
    pub status: Option<BeadStatus>,
}

/// Contract 3.6: the satellite of a merge request. Embedded: whose it is and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewMetadata {
    pub branch: String,
    pub target_branch: String,
    pub merge_commit: Option<String>,
    pub pr_url: Option<String>,
    pub retry_count: i64,
    /// The merge request's bead.
    pub bead_id: BeadId,
    pub status: BeadStatus,
}

/// Embedded: how far the formula of a bead has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormulaProgress {
    pub name: Option<String>,
    /// Steps that are through.
    pub current_step: i64,
    pub steps: i64,
    /// Of the step that is worked on; null when all are through.
    pub title: Option<String>,
    /// `active`, `completed`, `failed`.
    pub status: String,
}

/// What `debugGetBead` answers: all that the rig knows. Embedded: `events`, newest first, `formula`, and of a bead that is no merge
/// request itself the newest one made for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeadDetail {
    pub bead: Option<Bead>,
    #[serde(rename = "reviewMetadata")]
    pub review_metadata: Option<ReviewMetadata>,
    pub dependencies: Vec<BeadDependency>,
    #[serde(default)]
    pub events: Vec<BeadEventRecord>,
    #[serde(default)]
    pub formula: Option<FormulaProgress>,
}
