//! Beads and agents that are not in the rig where a path has them.
//!
//! Owns the look for them, which happens only once a rig has said that it has no such thing: whether another rig of the town
//! has it, or none.

use super::mayor::is_about_rig;
use super::request::RouteRequest;
use crate::contract::ids::{AgentId, BeadId, RigId};
use crate::rpc::call::Instance;
use crate::tools::resolve;
use base::error::{Code, Failure, Refusal};

pub(super) const NO_BEAD: &str = "Bead not found";
pub(super) const NO_AGENT: &str = "Agent not found";

/// What a path or a body names beside a rig.
pub enum Named {
    Bead(BeadId),
    Agent(AgentId),
    /// The one that is to have a bead.
    Target(AgentId),
}

impl Named {
    /// Said when it is nowhere.
    const fn absent(&self) -> &'static str {
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

impl RouteRequest<'_> {
    /// Why a call failed: if because something is not in that rig, whether it is elsewhere.
    pub(super) async fn explain(&self, at: &Instance, named: &[Named], failure: Failure) -> Failure {
        let is_absence = matches!(&failure, Failure::Refused(refusal) if refusal.code == Code::NotFound && !is_about_rig(refusal));
        let Instance::Rig(rig) = at else { return failure };
        if is_absence {
            for thing in named {
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
    async fn find(&self, thing: &Named) -> Result<RigId, Failure> {
        let client = &self.caller.client;
        Ok(match thing {
            Named::Bead(id) => resolve::bead(client, self.town()?, id.as_str()).await?.0,
            Named::Agent(id) | Named::Target(id) => resolve::agent(client, self.town()?, None, id.as_str()).await?.0,
        })
    }
}
