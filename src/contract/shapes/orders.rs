//! The shapes of dispatch orders: what a runner asks for, and what it is told to run.
//!
//! Owns names and types of fields, like the module above it.

use super::{AgentRole, BeadType};
use crate::contract::ids::{AgentId, BeadId, RigId, TownId};
use serde::{Deserialize, Serialize};

/// Embedded `takeOrders`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakeOrdersInput {
    /// The runner's name, its own in the rig.
    pub runner: String,
    /// The newest order that it has for certain: later ones that it took and that show no sign of life are given once more.
    #[serde(default)]
    pub after: Option<i64>,
    /// Orders that it works on at once.
    #[serde(default)]
    pub max: Option<i64>,
    /// Only orders of agents in this role.
    #[serde(default)]
    pub role: Option<AgentRole>,
}

/// Embedded: an order to run one agent on one bead. The order's number is the fence of the hook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispatchOrder {
    pub order: i64,
    pub agent: OrderedAgent,
    pub bead: OrderedBead,
    /// What is worked on; of a merge request what is to be merged.
    pub branch: String,
    /// Where the work begins and goes to.
    pub base_branch: String,
    /// Which attempt at this bead it is, from one.
    pub attempt: i64,
    pub git_url: String,
    pub default_branch: String,
    pub rig: OrderedRig,
    pub town: OrderedTown,
    /// A sign of life must come within so many seconds, and again before as many have passed.
    pub lease_seconds: i64,
}

/// Of a `DispatchOrder`: who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedAgent {
    pub id: AgentId,
    pub name: String,
    pub role: AgentRole,
    pub identity: String,
}

/// Of a `DispatchOrder`: what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedBead {
    pub bead_id: BeadId,
    #[serde(rename = "type")]
    pub kind: BeadType,
    pub title: String,
}

/// Of a `DispatchOrder`: in which rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedRig {
    pub id: RigId,
    pub name: String,
}

/// Of a `DispatchOrder`: in which town.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedTown {
    pub id: TownId,
}
