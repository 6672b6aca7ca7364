//! The shapes of what came of the work of a rig, told by its events.
//!
//! Owns names and types of fields, like the module above it. All of it is embedded: the contract has no such method.

use super::AgentRole;
use crate::contract::ids::{BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `reportWork`, input.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct WorkInput {
    /// How far back, 1 to 168; a day unless it says otherwise.
    #[serde(default)]
    pub hours: Option<i64>,
}

/// How often what happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkCounts {
    /// Beads put on a hook.
    pub taken: i64,
    /// Came off the hook finished: handed in for review, or closed. Not yet merged.
    pub done: i64,
    /// Closed with the commit that merged them.
    pub merged: i64,
    /// Ended as failed.
    pub failed: i64,
}

/// Seconds from the hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct WorkSpan {
    /// Half of them took no longer.
    pub median: i64,
    /// The slowest.
    pub longest: i64,
}

/// What an agent did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentWork {
    pub agent_id: String,
    /// The last that is known; empty when none is.
    pub name: String,
    pub role: Option<AgentRole>,
    /// These are reviews of merge requests, not work.
    pub is_review: bool,
    /// It is there; otherwise it was removed, or is dead.
    pub lives: bool,
    /// What is on its hook now.
    pub holds: Option<BeadId>,
    pub counts: WorkCounts,
    /// Reviews that wanted something changed.
    pub reworked: i64,
    /// Beads that came off its hook unfinished.
    pub handed_back: i64,
    pub nudged: i64,
    /// Times that it became stalled.
    pub stalls: i64,
    pub to_done: Option<WorkSpan>,
    pub to_merge: Option<WorkSpan>,
}

/// Of work of one sort; reviews are none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkSort {
    /// `type`, `priority` or `quality`.
    pub by: String,
    /// Which; `unknown` of beads that are deleted.
    pub value: String,
    pub counts: WorkCounts,
}

/// `reportWork`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkReport {
    pub rig_id: RigId,
    pub name: String,
    /// Since when was asked for.
    pub asked_from: Timestamp,
    /// Since when the events tell: later than that where older ones are no longer kept, or were too many to read.
    pub from: Timestamp,
    pub to: Timestamp,
    pub agents: Vec<AgentWork>,
    /// Work that ended while no agent had it: closed or failed by somebody.
    pub without_agent: WorkCounts,
    pub sorts: Vec<WorkSort>,
    /// Hours in each of the parts of the window, from `asked_from` on.
    pub part_hours: i64,
    pub parts: Vec<WorkCounts>,
    /// Most beads that were on hooks at once.
    pub peak: i64,
}
