//! The shapes of escalations: what goes up, and how a town keeps it.
//!
//! Owns names and types of fields, like the module above it.

use super::Severity;
use crate::contract::ids::{BeadId, TownId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Contract 3.5. Embedded: the last four fields.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EscalationEntry {
    pub id: BeadId,
    /// Empty when no rig is concerned.
    pub source_rig_id: String,
    pub source_agent_id: Option<String>,
    pub severity: Severity,
    pub category: Option<String>,
    pub message: String,
    /// 0 or 1, as the contract has it.
    pub acknowledged: i64,
    pub re_escalation_count: i64,
    pub created_at: Timestamp,
    pub acknowledged_at: Option<Timestamp>,
    #[serde(default)]
    pub acknowledged_by: Option<String>,
    /// In the rig: the escalation bead or the triage request; it has the escalation's id.
    #[serde(default)]
    pub bead_id: Option<BeadId>,
    /// What it is about.
    #[serde(default)]
    pub source_bead_id: Option<String>,
}

/// Contract 2.5 `routeEscalation`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EscalationInput {
    #[serde(rename = "townId", default, skip_serializing_if = "Option::is_none")]
    pub town_id: Option<TownId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_rig_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_agent_id: Option<String>,
    pub severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    pub message: String,
}

/// Contract 2.5 `listEscalations`, input. Embedded: `worst_first`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EscalationFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<bool>,
    /// The most severe first, of these the one that waits longest; otherwise the newest first.
    #[serde(default)]
    pub worst_first: bool,
}

/// Contract 2.5 `resolveTriage`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TriageInput {
    /// Who decides; embedded: the caller, when it is left out or empty.
    #[serde(default)]
    pub agent_id: String,
    pub triage_request_bead_id: BeadId,
    pub action: String,
    pub resolution_notes: String,
}
