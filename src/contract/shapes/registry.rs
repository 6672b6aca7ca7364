//! The contract's shapes of an owner's registry (Gastown contract 2.6).
//!
//! Owns names and types of fields.

use crate::contract::ids::{RigId, TownId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

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
