//! The contract's shapes of agents (Gastown contract 2.4, 3.2).
//!
//! Owns names and types of fields.

use super::{AgentRole, AgentStatus, Quality};
use crate::contract::columns::json_column;
use crate::contract::ids::{AgentId, BeadId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Contract 3.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    pub rig_id: Option<RigId>,
    pub role: AgentRole,
    pub name: String,
    pub identity: String,
    pub status: AgentStatus,
    pub current_hook_bead_id: Option<BeadId>,
    #[serde(default)]
    pub dispatch_attempts: i64,
    pub last_activity_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "json_column")]
    pub checkpoint: Value,
    pub created_at: Timestamp,
    #[serde(default)]
    pub agent_status_message: Option<String>,
    #[serde(default)]
    pub agent_status_updated_at: Option<Timestamp>,
    /// Embedded: the branch that the hooked bead is worked on.
    #[serde(default)]
    pub branch: Option<String>,
    /// Embedded: grows with each hook; a report that names an older one is refused.
    #[serde(default)]
    pub fence: i64,
    /// Embedded: how rigorously the hooked bead is worked on, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Embedded: who runs its process, where that works and when its newest heartbeat came, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_at: Option<Timestamp>,
}

/// Contract 2.4 `listAgents`, input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AgentFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AgentRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AgentStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<RigId>,
}
