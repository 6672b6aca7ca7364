//! Embedded: what a check of a town finds, and what each rig answers to it.
//!
//! Owns names and types of fields. Nothing in them was written by agents or users but bead titles in `members`.

use super::{ConvoyBead, Coverage};
use crate::contract::ids::{AgentId, BeadId, ConvoyId};
use serde::{Deserialize, Serialize};

/// `checkTown`, input.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct CheckInput {
    /// Mend what is found; otherwise nothing is changed.
    #[serde(default)]
    pub repair: bool,
}

/// `checkTown`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TownCheck {
    /// Nothing was found and every rig answered.
    pub ok: bool,
    pub beads: i64,
    pub agents: i64,
    /// Convoys that have not landed.
    pub convoys: i64,
    /// Differences that a letter under way will mend: no findings.
    pub in_flight: i64,
    pub findings: Vec<Finding>,
    /// Findings that are not shown.
    pub more: i64,
    pub coverage: Coverage,
}

/// Something that does not agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// What sort of thing.
    pub code: String,
    /// Id of what is concerned.
    pub subject: String,
    pub detail: String,
    /// It was mended, or what mends it was set in motion.
    pub repaired: bool,
}

/// `checkRig`, `repairRig`: what was found in a rig, and its part of the town's convoys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RigCheck {
    /// As in `ConvoyMembers`.
    pub as_of: i64,
    pub beads: i64,
    pub agents: i64,
    /// Agents whose hook is on a bead that has ended or is gone.
    pub orphan_hooks: Vec<AgentId>,
    /// Agents whose dispatch order is not for the bead on their hook.
    #[serde(default)]
    pub misordered: Vec<AgentId>,
    /// Beads that name a holder who does not hold them.
    pub unheld: Vec<BeadId>,
    /// Beads whose count of unmet blockers is not what their dependencies say.
    pub miscounted: Vec<BeadId>,
    /// Tallies that are not what the beads say.
    pub tallies: Vec<String>,
    /// Letters that could not be delivered so far.
    pub letters_failing: i64,
    /// Beads of which the town has yet to hear.
    pub untold: Vec<String>,
    /// Beads of the convoys that were asked for.
    pub members: Vec<ConvoyBead>,
    /// Which bead is in which convoy, of all beads here that are in one.
    pub memberships: Vec<(BeadId, ConvoyId)>,
}
