//! The contract's shapes that belong to towns and their owners: rigs, identity, status, registry.
//!
//! Owns names and types of fields, like the module above it.

use super::{FeedKind, OwnerType, RuntimeMode};
use crate::contract::columns::json_column;
use crate::contract::ids::{AgentId, BeadId, RigId, TownId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Embedded: how many of the parts asked have answered; the others are named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub asked: i64,
    pub answered: i64,
    pub missing: Vec<RigId>,
    pub as_of: Timestamp,
}

/// Contract 3.9: a rig as its town stores it. Embedded: the last three fields, which the registry has too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RigRecord {
    pub id: RigId,
    pub name: String,
    pub git_url: String,
    pub default_branch: String,
    #[serde(deserialize_with = "json_column")]
    pub config: Map<String, Value>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_id: Option<TownId>,
    #[serde(default)]
    pub platform_integration_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
}

/// Contract 2.1 `addRig`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AddRigInput {
    pub rig_id: RigId,
    pub name: String,
    pub git_url: String,
    pub default_branch: String,
}

/// Contract 2.1 `TownIdentity`. Embedded: the town's name, so that the town can say who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TownIdentity {
    pub owner_type: OwnerType,
    pub owner_user_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    pub created_by_user_id: String,
    pub runtime_mode: RuntimeMode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub town_name: Option<String>,
}

/// Contract 2.1 `getTownIdentityState`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Stated")]
pub enum TownIdentityState {
    Legacy { identity: Option<TownIdentity> },
    Modern { identity: TownIdentity },
    Invalid,
}

/// `TownIdentityState` as it is read: a tagged enum would take a decoder of its own for every type in it.
#[derive(Deserialize)]
struct Stated {
    r#type: Standing,
    #[serde(default)]
    identity: Option<TownIdentity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    Legacy,
    Modern,
    Invalid,
}

impl TryFrom<Stated> for TownIdentityState {
    type Error = &'static str;

    fn try_from(stated: Stated) -> Result<Self, Self::Error> {
        Ok(match stated.r#type {
            Standing::Legacy => Self::Legacy { identity: stated.identity },
            Standing::Modern => Self::Modern { identity: stated.identity.ok_or("a modern town without an identity")? },
            Standing::Invalid => Self::Invalid,
        })
    }
}

impl TownIdentityState {
    /// The identity, if the town has one.
    #[must_use]
    pub fn identity(self) -> Option<TownIdentity> {
        match self {
            Self::Modern { identity } => Some(identity),
            Self::Legacy { identity } => identity,
            Self::Invalid => None,
        }
    }
}

/// Contract 2.4 `sendMayorMessage`. Embedded: which message, and that it waits until a Mayor reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MayorMessageResult {
    pub agent_id: AgentId,
    pub session_status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<BeadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued_messages: Option<i64>,
}

/// Contract 2.4 `getMayorStatus`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MayorStatus {
    pub configured: bool,
    pub town_id: TownId,
    pub session: Option<MayorSession>,
    /// Embedded: messages that no Mayor has read yet.
    #[serde(default)]
    pub queued_messages: i64,
}

/// Contract 2.4 `getMayorStatus`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MayorSession {
    pub agent_id: AgentId,
    pub session_id: AgentId,
    pub status: String,
    pub last_activity_at: Timestamp,
}

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

/// Embedded: an entry of a town's feed. `number` is the cursor; `actor` is null for what the town saw happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeedEntry {
    pub number: i64,
    pub at: Timestamp,
    pub kind: FeedKind,
    pub subject: String,
    pub actor: Option<String>,
    /// Titles in it are text that agents or users wrote.
    #[serde(deserialize_with = "json_column")]
    pub detail: Map<String, Value>,
}

/// Contract 2.6: a town in its owner's registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TownRecord {
    pub id: TownId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_user_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Contract 2.6 `createTown`, input of both registries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateTownInput {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_org_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_user_id: Option<String>,
}

/// Contract 2.6: a rig in its owner's registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRig {
    pub id: RigId,
    pub town_id: TownId,
    pub name: String,
    pub git_url: String,
    pub default_branch: String,
    pub platform_integration_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Contract 2.6 `createRig`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateRigInput {
    pub town_id: TownId,
    pub name: String,
    pub git_url: String,
    pub default_branch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_integration_id: Option<String>,
}

/// Contract 3.9: a town's configuration, kept as the JSON object it is; unknown keys are refused by the town.
pub type TownConfig = BTreeMap<String, Value>;

/// The owner of a town, as the town itself stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The owning user, when a user owns it.
    pub user_id: Option<String>,
    /// The owning organization, when one does.
    pub org_id: Option<String>,
}
