//! The shapes of a rig's capacity: who could work, and what waits.
//!
//! Owns names and types of fields, like the module above it. All of it is embedded: the contract has no such method.

use super::Coverage;
use crate::contract::ids::{BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The polecats of a rig, each counted once but for `hooked`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolAgents {
    pub working: i64,
    /// Have a bead on the hook and have not begun.
    pub assigned: i64,
    /// Could be given something.
    pub idle: i64,
    pub stalled: i64,
    pub dead: i64,
    /// All living that have a bead on the hook.
    pub hooked: i64,
}

/// What a rig has to give out, each bead counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolQueue {
    pub ready: i64,
    /// When the one of them that has been as it is for longest last changed.
    pub ready_since: Option<Timestamp>,
    /// Ready, but rest after an attempt that failed.
    pub resting: i64,
    /// When the first of them has rested.
    pub rested_at: Option<Timestamp>,
    /// Wait for others.
    pub blocked: i64,
    /// Held by a label.
    pub held: i64,
    /// Of convoys that were not started.
    pub staged: i64,
}

/// `poolState`; the town adds what it knows best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RigPool {
    pub rig_id: RigId,
    pub name: String,
    /// Polecats that may live at once.
    pub capacity: i64,
    pub agents: PoolAgents,
    pub queue: PoolQueue,
    pub as_of: Timestamp,
    /// This rig by itself; in the rig's own answer, also because its town is.
    pub parked: bool,
    /// What the rig has otherwise than its town.
    #[serde(default)]
    pub overrides: Map<String, Value>,
}

/// `getPool`: all rigs, or the one that was named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TownPool {
    pub rigs: Vec<RigPool>,
    /// The whole town is parked.
    pub parked: bool,
    pub draining: bool,
    /// Too much has failed: nothing is given out.
    pub breaker_open: bool,
    /// Acknowledging it closes the breaker.
    pub breaker_escalation: Option<BeadId>,
    /// So many waiting beads of a rig are too many, as the town has it.
    pub queue_depth_alert: i64,
    pub coverage: Coverage,
}
