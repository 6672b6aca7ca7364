//! The contract's shapes of slinging (Gastown contract 2.2): what is given out, and who got it.
//!
//! Owns names and types of fields.

use super::{Agent, Bead, BlockedUntil};
use crate::contract::ids::{BeadId, RigId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Contract 2.2 `slingBead`. Embedded: at capacity `agent` is null and `queue_position` tells the place in the queue;
/// `molecule` tells how far the bead's formula is, as in `2/5 implement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlingResult {
    pub bead: Bead,
    pub agent: Option<Agent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub molecule: Option<String>,
}

/// Contract 2.2 `slingBead`, input. Embedded: everything after `labels`. `title` is for a new bead, `bead_id` for one there is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlingInput {
    #[serde(rename = "rigId")]
    pub rig_id: RigId,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub priority: Option<String>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bead_id: Option<BeadId>,
    /// basic, shiny or chrome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// What else the worker is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
    /// A polecat by id or name; or `mayor`, which no polecat is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<BeadId>>,
    /// What must have become of those; closed unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<BlockedUntil>,
    /// Not to be given out before it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
}
