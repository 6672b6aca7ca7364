//! What agents are called by everyone.
//!
//! Owns the Mayor's name among agents and what follows from an agent's name. Which names polecats get is their rig's business.

use super::ids::{RigId, TownId};

/// What the town's Mayor is called among agents, and who has work that no polecat has.
pub const MAYOR: &str = "mayor";

/// The identity of an agent, unique over all towns: `<Name>-<role>-<rig>@<town>`.
#[must_use]
pub fn identity(name: &str, role: &str, rig: &RigId, town: &TownId) -> String {
    format!("{name}-{role}-{}@{}", rig.prefix(), town.prefix())
}
