//! The contract's shapes of beads (Gastown contract 2.2, 3.1): one, a new one, and a page of them.
//!
//! Owns names and types of fields.

use super::{BeadStatus, BeadType, BlockedUntil, Priority, Quality};
use crate::contract::columns::json_column;
use crate::contract::ids::{AgentId, BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Contract 3.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bead {
    pub bead_id: BeadId,
    #[serde(rename = "type")]
    pub kind: BeadType,
    pub status: BeadStatus,
    pub title: String,
    pub body: Option<String>,
    pub rig_id: Option<RigId>,
    pub parent_bead_id: Option<BeadId>,
    pub assignee_agent_bead_id: Option<AgentId>,
    pub priority: Priority,
    #[serde(deserialize_with = "json_column")]
    pub labels: Vec<String>,
    #[serde(deserialize_with = "json_column")]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub dispatch_attempts: i64,
    #[serde(default)]
    pub last_dispatch_attempt_at: Option<Timestamp>,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// Embedded: blockers that are not met yet.
    #[serde(default)]
    pub blockers_open: i64,
    /// Embedded: the commit that merged this bead, the evidence that it was merged.
    #[serde(default)]
    pub merge_commit: Option<String>,
    /// Embedded: why a failed bead failed.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// Embedded: how rigorously it is worked on, where somebody said so.
    #[serde(default)]
    pub quality: Option<Quality>,
}

/// Contract 2.2 `createBead`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateBeadInput {
    #[serde(rename = "type")]
    pub kind: BeadType,
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub priority: Option<Priority>,
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub assignee_agent_bead_id: Option<AgentId>,
    #[serde(default)]
    pub parent_bead_id: Option<BeadId>,
    #[serde(default)]
    pub rig_id: Option<RigId>,
    #[serde(default)]
    pub created_by: Option<String>,
    /// Embedded: not given out before it is started.
    #[serde(default)]
    pub held: Option<bool>,
    /// Embedded: beads of the same rig that it waits for.
    #[serde(default)]
    pub depends_on: Option<Vec<BeadId>>,
    /// Embedded: what must become of them.
    #[serde(default)]
    pub until: Option<BlockedUntil>,
}

/// Contract 2.2 `listBeads`, input. Embedded: `before` continues after a bead of an earlier page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BeadFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BeadStatus>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<BeadType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_agent_bead_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_bead_id: Option<BeadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<RigId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BeadPosition>,
}

/// Embedded: where a page of beads ended. Lists run from the newest bead to the oldest, ties by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BeadPosition {
    pub created_at: Timestamp,
    pub bead_id: BeadId,
}
