//! The shapes of administration: what a rig is set up with, what it holds, what may be changed of it.
//!
//! Owns names and types of fields, like the module above it.

use crate::contract::ids::{RigId, TownId};
use serde::{Deserialize, Serialize};

/// Contract 2.1 `RigConfig`. An embedded rig needs no `kilocodeToken`, and keeps no `userId`: the town's owner is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RigConfig {
    pub town_id: TownId,
    pub rig_id: RigId,
    pub git_url: String,
    pub default_branch: String,
    pub user_id: String,
    #[serde(default, skip_serializing)]
    pub kilocode_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_integration_id: Option<String>,
    #[serde(default, rename = "merge_strategy", skip_serializing_if = "Option::is_none")]
    pub merge_strategy: Option<String>,
}

/// Embedded `updateRig`, input: what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RigChanges {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_branch: Option<String>,
}

/// Embedded `rigFacts`: what would be lost with a rig.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RigFacts {
    /// Beads that are neither closed nor failed.
    pub active_beads: i64,
    pub agents: i64,
    /// Agents that hold one.
    pub hooked: i64,
}

/// Embedded `setParked`, answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parking {
    /// Null: the whole town.
    pub rig_id: Option<RigId>,
    pub parked: bool,
    /// False when it was so before.
    pub changed: bool,
    /// The town is parked, so that every rig of it is, whatever is said of one.
    pub town_parked: bool,
}
