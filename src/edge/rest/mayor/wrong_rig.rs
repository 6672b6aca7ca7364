//! Beads and agents that are not in the rig where a path has them.
//!
//! Owns the look for them, which happens only once a rig has said that it has no such thing: whether another rig of the town
//! has it, or none.

use super::{Asked, is_about_rig};
use crate::contract::ids::{AgentId, BeadId, RigId};
use crate::rpc::call::Instance;
use crate::tools::resolve;
use base::error::{Code, Failure, Refusal};

pub(super) const NO_BEAD: &str = "Bead not found";
pub(super) const NO_AGENT: &str = "Agent not found";

/// What a path or a body names beside a rig.
pub(super) enum Thing {
    Bead(BeadId),
    Agent(AgentId),
    /// The one that is to have a bead.
    Target(AgentId),
}

impl Thing {
    /// Said when it is nowhere.
    pub(super) const fn absent(&self) -> &'static str {
        match self {
            Self::Bead(_) => NO_BEAD,
            Self::Agent(_) => NO_AGENT,
            Self::Target(_) => "Target agent not found",
        }
    }

    /// Said when it is in another rig.
    const fn elsewhere(&self) -> &'static str {
        match self {
            Self::Bead(_) => "Bead does not belong to this rig",
            Self::Agent(_) => "Agent does not belong to this rig",
            Self::Target(_) => "Target agent does not belong to this rig",
        }
    }
}

impl Asked<'_> {
    /// Why a call failed: if because something is not in that rig, whether it is elsewhere.
    pub(super) async fn explain(&self, at: &Instance, about: &[Thing], failure: Failure) -> Failure {
        let is_absence = matches!(&failure, Failure::Refused(refusal) if refusal.code == Code::NotFound && !is_about_rig(refusal));
        let Instance::Rig(rig) = at else { return failure };
        if is_absence {
            for thing in about {
                match self.find(thing).await {
                    Ok(found) if found == *rig => {}
                    Ok(found) => {
                        return Refusal::new(Code::Forbidden, thing.elsewhere()).hint(format!("It is in rig {found}.")).into();
                    }
                    Err(Failure::Refused(refusal)) if refusal.code == Code::NotFound => {
                        return Refusal::new(Code::NotFound, thing.absent()).into();
                    }
                    Err(unknown) => return unknown,
                }
            }
        }
        failure
    }

    /// The rig that has it.
    async fn find(&self, thing: &Thing) -> Result<RigId, Failure> {
        let client = &self.caller.client;
        Ok(match thing {
            Thing::Bead(id) => resolve::bead(client, &self.town, id.as_str()).await?.0,
            Thing::Agent(id) | Thing::Target(id) => resolve::agent(client, &self.town, None, id.as_str()).await?.0,
        })
    }
}
