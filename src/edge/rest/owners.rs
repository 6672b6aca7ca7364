//! `/api/users/{user}/…` and `/api/orgs/{org}/…`: towns and rigs of an owner (Gastown contract 4.4).
//!
//! Owns the routes and the checks of their bodies.

use super::envelope;
use crate::auth::principal::TokenKind;
use crate::contract::ids::{RigId, TownId};
use crate::contract::shapes::{CreateRigInput, RegistryRig};
use crate::edge::Authenticated;
use crate::edge::rest::extract;
use crate::provision;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{CREATE_RIG, CREATE_TOWN, DESTROY_TOWN, GET_RIG, GET_TOWN, LIST_REGISTRY_RIGS, LIST_TOWNS, Method, REMOVE_RIG};
use base::error::{Code, Failure, Refusal};
use base::http::{Request, Response};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct TownBody {
    name: String,
}

#[derive(Deserialize)]
struct RigBody {
    town_id: TownId,
    name: String,
    git_url: String,
    default_branch: Option<String>,
    platform_integration_id: Option<String>,
}

/// Answers a registry route.
pub(in crate::edge) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, owner: &Instance, rest: &[String]) -> Response {
    if let Err(refusal) = check_owner(caller, owner) {
        return envelope::refused(&refusal);
    }
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let changes = match (request.method.as_str(), rest.first()) {
        ("POST", Some(&"towns")) => Some(&CREATE_TOWN),
        ("POST", _) => Some(&CREATE_RIG),
        ("DELETE", Some(&"towns")) => Some(&DESTROY_TOWN),
        ("DELETE", _) => Some(&REMOVE_RIG),
        _ => None,
    };
    if let Some(method) = changes
        && let Err(response) = caller.check_scope(method.access.scope())
    {
        return response;
    }
    let key = request.headers.get("idempotency-key");
    let (status, outcome) = match (request.method.as_str(), rest.as_slice()) {
        ("POST", ["towns"]) => (201, create_town(caller, request, owner, key.as_deref()).await),
        ("GET", ["towns"]) => (200, ask(caller, owner, &LIST_TOWNS, ()).await),
        ("GET", ["towns", town]) => (200, one(town_of(town), |town| ask(caller, owner, &GET_TOWN, (town,)), "Town not found").await),
        ("GET", ["towns", town, "rigs"]) => {
            (200, one(town_of(town), |town| ask(caller, owner, &LIST_REGISTRY_RIGS, (town,)), "Town not found").await)
        }
        ("POST", ["rigs"]) => (201, create_rig(caller, request, owner, key.as_deref()).await),
        ("GET", ["rigs", rig]) => (200, one(RigId::parse(rig).ok(), |rig| ask(caller, owner, &GET_RIG, (rig,)), "Rig not found").await),
        ("DELETE", ["towns", town]) => (200, delete_town(caller, request, owner, town, key.as_deref()).await),
        ("DELETE", ["rigs", rig]) => (200, delete_rig(caller, request, owner, rig, key.as_deref()).await),
        (_, ["towns" | "rigs", _]) => return envelope::method_not_allowed("GET, DELETE"),
        (_, ["towns"]) => return envelope::method_not_allowed("GET, POST"),
        (_, ["rigs"]) => return envelope::method_not_allowed("POST"),
        _ => return envelope::not_found(),
    };
    envelope::outcome(caller, status, outcome)
}

/// User tokens only, and only for the user's own registry or one of the user's organizations.
fn check_owner(caller: &Authenticated<'_>, owner: &Instance) -> Result<(), Refusal> {
    let principal = caller.principal();
    let own = match owner {
        Instance::Org(org) => principal.orgs.iter().any(|membership| membership.org_id == *org),
        other => principal.user_id == other.name(),
    };
    if principal.kind == TokenKind::User && own { Ok(()) } else { Err(Refusal::new(Code::Forbidden, "Forbidden")) }
}

fn town_of(text: &str) -> Option<TownId> {
    TownId::parse(text).ok()
}

async fn ask(caller: &Authenticated<'_>, owner: &Instance, method: &'static Method, args: impl Serialize) -> Result<String, Failure> {
    caller.client.call(&Call::new(owner.clone(), method, args)?, None, None).await
}

/// Asks for something with an id; an impossible id and an answer of null are both "not found".
async fn one<I>(id: Option<I>, ask: impl AsyncFnOnce(I) -> Result<String, Failure>, absent: &str) -> Result<String, Failure> {
    let id = id.ok_or_else(|| Refusal::new(Code::NotFound, absent))?;
    envelope::found(ask(id).await?, absent)
}

async fn create_town(caller: &Authenticated<'_>, request: &Request<'_>, owner: &Instance, key: Option<&str>) -> Result<String, Failure> {
    let body: TownBody = envelope::body(request)?;
    provision::text(&provision::town(&caller.client, owner, body.name, key).await?)
}

async fn create_rig(caller: &Authenticated<'_>, request: &Request<'_>, owner: &Instance, key: Option<&str>) -> Result<String, Failure> {
    let body: RigBody = envelope::body(request)?;
    if let Err(refusal) = provision::check_address(&body.git_url) {
        return Err(extract::of_body(refusal).into());
    }
    let input = CreateRigInput {
        town_id: body.town_id,
        name: body.name,
        git_url: body.git_url,
        default_branch: body.default_branch.unwrap_or_else(|| provision::BRANCH_DEFAULT.to_owned()),
        platform_integration_id: body.platform_integration_id,
    };
    provision::text(&provision::rig(&caller.client, owner, input, key).await?)
}

/// What a deletion answers.
const DELETED: &str = "{\"deleted\":true}";

async fn delete_town(
    caller: &Authenticated<'_>,
    request: &Request<'_>,
    owner: &Instance,
    town: &str,
    key: Option<&str>,
) -> Result<String, Failure> {
    // That it is registered is asked first: only then is it this owner's.
    one(town_of(town), |town| ask(caller, owner, &GET_TOWN, (town,)), "Town not found").await?;
    let town = town_of(town).ok_or_else(|| Refusal::new(Code::NotFound, "Town not found"))?;
    provision::delete_town(&caller.client, owner, &town, extract::is_set(&request.query, "force"), key).await?;
    Ok(DELETED.to_owned())
}

async fn delete_rig(
    caller: &Authenticated<'_>,
    request: &Request<'_>,
    owner: &Instance,
    rig: &str,
    key: Option<&str>,
) -> Result<String, Failure> {
    let found = one(RigId::parse(rig).ok(), |rig| ask(caller, owner, &GET_RIG, (rig,)), "Rig not found").await?;
    let rig: RegistryRig = decode(&GET_RIG, &found)?;
    provision::delete_rig(&caller.client, owner, &rig.town_id, &rig.id, extract::is_set(&request.query, "force"), key).await?;
    Ok(DELETED.to_owned())
}
