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
