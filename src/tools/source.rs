//! Who tells when a thing changes.
//!
//! Owns the topics of convoys, beads and the like as their listeners write them. What a letter says of a topic, the
//! object's core knows; what a listener makes of it is the listener's.

use crate::ids::{AgentId, BeadId, ConvoyId, RigId, TownId};
use crate::peer::Route;
use crate::rpc::call::Instance;
use serde_json::{Map, Value};

/// Who tells of a change.
pub struct Source {
    /// An object's instance text, or `self`.
    pub source: String,
    /// In its own words.
    pub topic: String,
    /// The town it belongs to.
    pub town: Option<TownId>,
}

impl Source {
    /// An object of a town.
    #[must_use]
    pub fn of_town(town: &TownId, at: &Instance, topic: impl Into<String>) -> Self {
        Self { source: at.to_string(), topic: topic.into(), town: Some(town.clone()) }
    }

    /// A topic of the town itself.
    #[must_use]
    pub fn town(town: &TownId, topic: impl Into<String>) -> Self {
        Self::of_town(town, &Instance::Town(town.clone()), topic)
    }

    /// How a convoy stands.
    #[must_use]
    pub fn convoy(town: &TownId, convoy: &ConvoyId) -> Self {
        Self::town(town, format!("convoy:{convoy}"))
    }

    /// How a bead stands.
    #[must_use]
    pub fn bead(town: &TownId, rig: &RigId, bead: &BeadId) -> Self {
        Self::of_town(town, &Instance::Rig(rig.clone()), format!("bead:{bead}"))
    }

    /// How an agent stands.
    #[must_use]
    pub fn agent(town: &TownId, rig: &RigId, agent: &AgentId) -> Self {
        Self::of_town(town, &Instance::Rig(rig.clone()), format!("agent:{agent}"))
    }

    /// The route by which a change becomes this notification.
    #[must_use]
    pub fn route(self, method: &str, params: Map<String, Value>) -> Route {
        let Self { source, topic, town } = self;
        Route { source, topic, town: town.map(|town| town.to_string()), method: method.to_owned(), params }
    }
}
