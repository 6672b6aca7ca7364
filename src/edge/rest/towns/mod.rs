//! `/api/towns/{town}/…`, beside the rigs: configuration, the Mayor, drains (Gastown contract 4.3), and what observers see as
//! it happens.
//!
//! `table` has the rows; `config`, `mayor`, `drains` and `container_token` say what each asks for; the feed and the status are
//! `edge::streams`. The town checks what each caller may do.

mod config;
mod container_token;
mod drains;
mod mayor;
mod table;

use super::as_it_is;
use super::docs::GroupDocs;
use super::route::{RouteGroup, RoutePlace};
use super::router::PathParameters;
use crate::auth::principal::Role;
use crate::contract::ids::TownId;
use crate::edge::Authenticated;
use base::error::Refusal;

/// The routes of a town.
pub static TOWNS: RouteGroup = RouteGroup {
    prefix: "/api/towns/:town",
    routes: table::ROUTES,
    enter,
    explain: as_it_is,
    docs: GroupDocs::new("A town", "Users who may use the town, its Mayor and its containers.", Role::Coordinator),
};

/// Streams take a town's name too, so that text that is no id is looked at by the routes.
fn enter(caller: &Authenticated<'_>, path: &PathParameters) -> Result<RoutePlace, Refusal> {
    let town = TownId::parse(path.get("town")).ok();
    if let Some(town) = &town {
        caller.principal().check_town(town)?;
    }
    Ok(RoutePlace { town, rig: None, owner: None })
}
