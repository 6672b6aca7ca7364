//! `/api/users/{user}/…` and `/api/orgs/{org}/…`: towns and rigs of an owner (Gastown contract 4.4).
//!
//! Owns the routes and the checks of their bodies.

use super::{Authenticated, envelope, provision};
use crate::auth::principal::TokenKind;
use crate::error::{Code, Failure, Refusal};
use crate::http::{Request, Response};
use crate::ids::{RigId, TownId};
use crate::rpc::call::{Call, Instance};
use crate::rpc::model::CreateRigInput;
use crate::rpc::table::{CREATE_RIG, CREATE_TOWN, GET_RIG, GET_TOWN, LIST_REGISTRY_RIGS, LIST_TOWNS, Method};
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
pub(super) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, owner: &Instance, rest: &[String]) -> Response {
    if let Err(refusal) = check_owner(caller, owner) {
        return envelope::refused(&refusal);
    }
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let creates = if rest == ["towns"] { &CREATE_TOWN } else { &CREATE_RIG };
    if request.method == "POST"
        && let Err(response) = caller.check_scope(creates.access.scope())
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
    provision::town(caller, owner, body.name, key).await
}

async fn create_rig(caller: &Authenticated<'_>, request: &Request<'_>, owner: &Instance, key: Option<&str>) -> Result<String, Failure> {
    let body: RigBody = envelope::body(request)?;
    if !is_repository(&body.git_url) {
        let refusal = Refusal::new(Code::InvalidArgument, "Invalid request body");
        return Err(refusal.hint("git_url: expected https://…, ssh://…, git://…, file://… or git@host:path").into());
    }
    let input = CreateRigInput {
        town_id: body.town_id,
        name: body.name,
        git_url: body.git_url,
        default_branch: body.default_branch.unwrap_or_else(|| "main".to_owned()),
        platform_integration_id: body.platform_integration_id,
    };
    provision::rig(caller, owner, input, key).await
}

/// Addresses that git clones from.
fn is_repository(address: &str) -> bool {
    let has_scheme = ["https://", "http://", "ssh://", "git://", "file://"]
        .iter()
        .any(|scheme| address.len() > scheme.len() && address.starts_with(scheme));
    let is_scp = address.split_once('@').is_some_and(|(user, rest)| {
        !user.is_empty() && rest.split_once(':').is_some_and(|(host, path)| !host.is_empty() && !path.is_empty())
    });
    (has_scheme || is_scp) && !address.chars().any(|character| character.is_whitespace() || character.is_control())
}
