//! The polecats of the rig: read once per decision, kept up to date while work is given out.
//!
//! Owns the choice of the polecat: an idle one before a new one, and none beyond the rig's capacity.

use super::hooks;
use crate::contract::columns::flag_column;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Agent, AgentRole};
use crate::objects::handler::Cx;
use crate::objects::rig::agents;
use crate::objects::rig::agents::polecat_names;
use crate::objects::store::sql::query;
use base::error::{Failure, Fault};
use serde::Deserialize;

/// The living polecats, longest idle first.
pub(in crate::objects::rig) struct Roster(Vec<Living>);

#[derive(Deserialize)]
struct Living {
    id: AgentId,
    name: String,
    #[serde(deserialize_with = "flag_column")]
    hooked: bool,
    #[serde(deserialize_with = "flag_column")]
    idle: bool,
}

impl Roster {
    pub(in crate::objects::rig) fn load(cx: &Cx<'_>) -> Result<Self, Fault> {
        let living = query(
            cx.sql,
            "-- roster_load\nSELECT id, name, current_hook_bead_id IS NOT NULL AS hooked, status = 'idle' AND current_hook_bead_id IS NULL AS idle
             FROM agents WHERE role = 'polecat' AND status <> 'dead' ORDER BY last_activity_at, created_at, id",
            (),
        )?;
        Ok(Self(living))
    }

    /// How many live.
    pub(in crate::objects::rig) fn len(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    /// The polecat that has been idle for longest.
    pub(in crate::objects::rig) fn idle(&self) -> Option<&AgentId> {
        self.0.iter().find(|polecat| polecat.idle).map(|polecat| &polecat.id)
    }

    /// The polecat with this id or name.
    pub(in crate::objects::rig) fn named(&self, named: &str) -> Option<&AgentId> {
        self.0.iter().find(|polecat| polecat.name == named || polecat.id.as_str() == named).map(|polecat| &polecat.id)
    }

    /// Their names, for a refusal.
    pub(in crate::objects::rig) fn names(&self) -> String {
        self.0.iter().map(|polecat| polecat.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// The name that a new polecat gets.
    pub(in crate::objects::rig) fn free_name(&self) -> String {
        polecat_names::allocate(&self.0.iter().map(|polecat| polecat.name.as_str()).collect::<Vec<_>>())
    }

    /// Whether a bead could be assigned. A lowered capacity counts working polecats, so that it holds as soon as they
    /// have finished.
    pub(in crate::objects::rig) fn has_room(&self, rig: &RigState) -> bool {
        let hooked = i64::try_from(self.0.iter().filter(|polecat| polecat.hooked).count()).unwrap_or(i64::MAX);
        hooked < rig.capacity && (self.idle().is_some() || self.len() < rig.capacity)
    }

    /// Hooks a ready bead to an idle polecat or to a new one; `None` when no polecat is free and there is no room for another.
    pub(in crate::objects::rig) fn assign(&mut self, cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<Option<Agent>, Failure> {
        if !self.has_room(rig) {
            return Ok(None);
        }
        let mut is_new = false;
        let mut agent = if let Some(polecat) = self.0.iter_mut().find(|polecat| polecat.idle) {
            polecat.idle = false;
            polecat.hooked = true;
            agents::require(cx, &polecat.id)?
        } else {
            let agent = agents::new(cx, rig, AgentRole::Polecat, self.free_name());
            self.0.push(Living { id: agent.id.clone(), name: agent.name.clone(), hooked: true, idle: false });
            is_new = true;
            agent
        };
        hooks::attach(cx, rig, &mut agent, bead)?;
        if is_new {
            agents::spawned(cx, &agent)?;
        }
        Ok(Some(agent))
    }
}
