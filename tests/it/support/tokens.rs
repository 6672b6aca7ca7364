//! Caller contexts, one per kind of token, minted as the real ones are.

use super::Fleet;
use gastown_mcp::auth::mint::{AgentClaims, AgentPlace, UserClaims, mint_agent, mint_container, mint_user};
use gastown_mcp::auth::principal::{OrgMembership, Scope};
use gastown_mcp::auth::{InternalClaims, mint_internal};
use gastown_mcp::contract::ids::{AgentId, RigId, TownId};
use gastown_mcp::rpc::call::{Context, Instance};
use gastown_mcp::rpc::table::Method;

/// How long a test token lives.
pub const LIFE_SECONDS: i64 = 3_600;

/// The owner of the test towns.
pub const OWNER: &str = "user-owner";

pub fn context(jwt: String) -> Context {
    Context { jwt, request_id: "test".to_owned(), idempotency_key: None, town_id: None, agent_id: None, process_id: None }
}

pub fn with_key(mut context: Context, key: &str) -> Context {
    context.idempotency_key = Some(key.to_owned());
    context
}

pub fn user(fleet: &Fleet, id: &str) -> Context {
    user_with(fleet, id, None, &[])
}

pub fn observer(fleet: &Fleet, id: &str) -> Context {
    user_with(fleet, id, Some(Scope::Read), &[])
}

pub fn user_with(fleet: &Fleet, id: &str, scope: Option<Scope>, orgs: &[(&str, &str)]) -> Context {
    let orgs: Vec<OrgMembership> =
        orgs.iter().map(|(org, role)| OrgMembership { org_id: (*org).to_owned(), role: (*role).to_owned() }).collect();
    let claims = UserClaims { user_id: id, orgs: &orgs, scope };
    context(mint_user(fleet.keys(), &claims, LIFE_SECONDS, fleet.now()).unwrap())
}

pub fn mayor(fleet: &Fleet, town: &TownId) -> Context {
    agent(fleet, town, AgentPlace::Mayor, "mayor-of-the-tests")
}

pub fn polecat(fleet: &Fleet, town: &TownId, rig: &RigId, id: &AgentId) -> Context {
    agent(fleet, town, AgentPlace::Polecat(rig), id.as_str())
}

/// With a token that says its role.
pub fn refinery(fleet: &Fleet, town: &TownId, rig: &RigId, id: &AgentId) -> Context {
    agent(fleet, town, AgentPlace::Refinery(rig), id.as_str())
}

/// The token that came with a dispatch order.
pub fn ordered(fleet: &Fleet, town: &TownId, rig: &RigId, id: &AgentId, order: i64) -> Context {
    let claims = AgentClaims { agent_id: id.as_str(), place: AgentPlace::Polecat(rig), town, user_id: OWNER, fence: Some(order) };
    context(mint_agent(fleet.keys(), &claims, LIFE_SECONDS, fleet.now()).unwrap())
}

fn agent(fleet: &Fleet, town: &TownId, place: AgentPlace<'_>, id: &str) -> Context {
    let claims = AgentClaims { agent_id: id, place, town, user_id: OWNER, fence: None };
    context(mint_agent(fleet.keys(), &claims, LIFE_SECONDS, fleet.now()).unwrap())
}

pub fn container(fleet: &Fleet, town: &TownId) -> Context {
    context(mint_container(fleet.keys(), town, OWNER, LIFE_SECONDS, fleet.now()).unwrap())
}

pub fn internal(fleet: &Fleet, from: &Instance, town: Option<&TownId>, method: &Method) -> Context {
    let claims = InternalClaims { town: town.cloned(), from: from.to_string(), method: method.name.to_owned() };
    context(mint_internal(fleet.keys(), &claims, fleet.now()).unwrap())
}
