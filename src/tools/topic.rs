//! Who tells when a thing changes.
//!
//! Owns the topics of convoys, beads and the like as their listeners write them. What a letter says of a topic, the
//! object's core knows; what a listener makes of it is the listener's.

use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId, TownId};
use crate::contract::topics::MESSAGES;
use crate::rpc::call::Instance;
use mcp::client::NotificationRoute;
use serde_json::{Map, Value};

/// Who tells of a change.
pub struct Source {
    /// An object's instance text, or `self`.
    pub source: String,
    /// In its own words.
    pub topic: String,
    /// The town it belongs to.
    pub town: Option<TownId>,
    /// It wants to know what has gone out.
    pub receipt: bool,
}

impl Source {
    /// An object of a town.
    #[must_use]
    pub fn of_town(town: &TownId, at: &Instance, topic: impl Into<String>) -> Self {
        Self { source: at.to_string(), topic: topic.into(), town: Some(town.clone()), receipt: false }
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

    /// The conversation with the Mayor, for everyone else.
    #[must_use]
    pub fn mayor(town: &TownId) -> Self {
        Self::town(town, "mayor")
    }

    /// What the Mayor has to read, for the Mayor itself: the town wants to know what it was told of.
    #[must_use]
    pub fn messages(town: &TownId) -> Self {
        Self { receipt: true, ..Self::town(town, MESSAGES) }
    }

    /// What became of a message to the Mayor.
    #[must_use]
    pub fn message(town: &TownId, message: &BeadId) -> Self {
        Self::town(town, format!("message:{message}"))
    }

    /// How an agent stands.
    #[must_use]
    pub fn agent(town: &TownId, rig: &RigId, agent: &AgentId) -> Self {
        Self::of_town(town, &Instance::Rig(rig.clone()), format!("agent:{agent}"))
    }

    /// The route by which a change becomes this notification.
    #[must_use]
    pub fn route(self, method: &str, params: Map<String, Value>) -> NotificationRoute {
        let Self { source, topic, town, receipt } = self;
        NotificationRoute { source, topic, town: town.map(|town| town.to_string()), method: method.to_owned(), params, receipt }
    }
}
