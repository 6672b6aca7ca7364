//! `/api/towns/{town}/rigs/{rig}/…`: the routes of agents, and what observers read of a rig (Gastown contract 4.2).
//!
//! `table` has the rows; `beads`, `registration`, `agent_self` and `submissions` say what each asks for. Owns the
//! admission of callers. The rig checks what each may do.

mod agent_self;
mod beads;
mod registration;
mod submissions;
mod table;

use super::as_it_is;
use super::docs::GroupDocs;
use super::route::{RouteGroup, RoutePlace};
use super::router::PathParameters;
use crate::auth::principal::Role;
use crate::contract::ids::{RigId, TownId};
use crate::edge::Authenticated;
use base::error::{Code, Refusal};

/// The routes of a rig.
pub static AGENTS: RouteGroup = RouteGroup {
    prefix: "/api/towns/:town/rigs/:rig",
    routes: table::ROUTES,
    enter: enter_rig,
    explain: as_it_is,
    docs: GroupDocs::new("A rig", "Agents of the rig, the town's containers and Mayor, and users who may use the town.", Role::Coordinator),
};

/// The routes of a town's Mayor as an agent. It lives in no rig: `mayor-` and its town stand in the rig's place.
pub static MAYOR: RouteGroup = RouteGroup {
    prefix: "/api/towns/:town/rigs/mayor-:mayor",
    routes: table::MAYOR,
    enter: enter_mayors_rig,
    explain: as_it_is,
    docs: GroupDocs::new("The Mayor as an agent", "The town's Mayor and its containers.", Role::Mayor),
};

fn enter_rig(caller: &Authenticated<'_>, path: &PathParameters) -> Result<RoutePlace, Refusal> {
    let town = enter_town(caller, path)?;
    let rig = RigId::parse(path.get("rig")).map_err(|_| Refusal::new(Code::NotFound, "Rig not found"))?;
    Ok(RoutePlace { town: Some(town), rig: Some(rig), owner: None })
}

fn enter_mayors_rig(caller: &Authenticated<'_>, path: &PathParameters) -> Result<RoutePlace, Refusal> {
    let town = enter_town(caller, path)?;
    if path.get("mayor") != town.as_str() {
        return Err(Refusal::new(Code::NotFound, "Rig not found"));
    }
    Ok(RoutePlace { town: Some(town), rig: None, owner: None })
}

fn enter_town(caller: &Authenticated<'_>, path: &PathParameters) -> Result<TownId, Refusal> {
    let town = TownId::parse(path.get("town")).map_err(|_| Refusal::new(Code::NotFound, "Town not found"))?;
    caller.principal().check_town(&town)?;
    Ok(town)
}
