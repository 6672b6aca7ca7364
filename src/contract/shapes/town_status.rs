//! The contract's shapes of how a town and its rigs stand (Gastown contract 3.10).
//!
//! Owns names and types of fields.

use super::{Coverage, MayorStatus};
use crate::contract::ids::{BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Contract 3.10. Embedded: `rigs`, `queueDepth`, `coverage`, `townName`, `mayor`, `parked`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlarmStatus {
    pub alarm: AlarmTimes,
    pub agents: AgentCounts,
    pub beads: BeadCounts,
    pub patrol: PatrolCounts,
    pub reconciler: Option<Value>,
    pub recent_events: Vec<Value>,
    pub billing: Value,
    #[serde(default)]
    pub queue_depth: i64,
    #[serde(default)]
    pub rigs: Vec<RigSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mayor: Option<MayorStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draining: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_started_at: Option<Timestamp>,
    /// The whole town is parked; a parked rig says so itself.
    #[serde(default)]
    pub parked: bool,
    /// Nothing is given out, because too much has failed; `None` while work is given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<BreakerStatus>,
}

/// Embedded: a circuit breaker that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerStatus {
    pub opened_at: Timestamp,
    /// Orders that ended without a report and count.
    pub failures: i64,
    /// Acknowledging this closes it.
    pub escalation_id: Option<BeadId>,
}

/// Contract 3.10.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AlarmTimes {
    pub next_fire_at: Option<Timestamp>,
    pub interval_ms: i64,
    pub interval_label: String,
}

/// Contract 3.10.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AgentCounts {
    pub working: i64,
    pub waiting: i64,
    pub idle: i64,
    pub stalled: i64,
    pub dead: i64,
    pub total: i64,
    /// Embedded: agents that hold a hook, whatever their status.
    #[serde(default)]
    pub hooked: i64,
}

/// Contract 3.10: agent and message beads are not counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BeadCounts {
    pub open: i64,
    pub in_progress: i64,
    pub in_review: i64,
    pub failed: i64,
    pub triage_requests: i64,
}

/// Contract 3.10.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PatrolCounts {
    pub gupp_warnings: i64,
    pub gupp_escalations: i64,
    pub stalled_agents: i64,
    pub orphaned_hooks: i64,
}

/// Embedded: unfinished beads for which a quality was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct QualityCounts {
    pub basic: i64,
    pub shiny: i64,
    pub chrome: i64,
}

/// Embedded: what a rig last told its town.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RigSummary {
    pub rig_id: RigId,
    pub name: String,
    pub agents: AgentCounts,
    pub beads: BeadCounts,
    /// Beads that are ready and wait for a polecat.
    pub queue_depth: i64,
    /// Polecats this rig may have at once.
    pub capacity: i64,
    pub as_of: Timestamp,
    #[serde(default)]
    pub quality: QualityCounts,
    /// Nothing is given out, on purpose.
    #[serde(default)]
    pub parked: bool,
    /// Sequence of the rig's newest event.
    #[serde(default)]
    pub last_event: i64,
    /// Agents that were nudged or count as stalled because they make no progress.
    #[serde(default)]
    pub patrol: PatrolCounts,
    /// When the newest orders ended without a report, the newest first; as many and as long as the circuit breaker counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_at: Vec<Timestamp>,
}
