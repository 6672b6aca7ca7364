//! Profiles: which tools there are for whom.
//!
//! Owns the kinds of caller and who sees which row of the tables. Who has which profile is the edge's decision
//! (`edge::profile`); what a token allows within it is `run::View`'s.

use crate::contract::ids::{AgentId, RigId};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// A person, or a coordinator of towns.
    Coordinator,
    /// A town's own Mayor.
    Mayor,
    /// One worker agent of one rig.
    Polecat,
    /// The merging agent of one rig.
    Refinery,
}

impl Profile {
    /// Whether it is one agent of a rig: it sees its own rig and speaks for itself.
    #[must_use]
    pub const fn is_agent(self) -> bool {
        matches!(self, Self::Polecat | Self::Refinery)
    }
}

/// For whom a tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Coordinators.
    Coordinators,
    /// The Mayor of a town.
    Mayors,
    /// Every agent of a rig.
    Agents,
    /// Refineries only.
    Refineries,
}

impl Audience {
    /// Whether a tool for these is there in this profile.
    #[must_use]
    pub const fn has(self, profile: Profile) -> bool {
        match self {
            Self::Coordinators => matches!(profile, Profile::Coordinator),
            Self::Mayors => matches!(profile, Profile::Mayor),
            Self::Agents => profile.is_agent(),
            Self::Refineries => matches!(profile, Profile::Refinery),
        }
    }
}

/// The agent that calls. It comes from the token, never from arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speaker {
    /// Who.
    pub id: AgentId,
    /// Where it lives.
    pub rig: RigId,
}
