//! The edge: every HTTP request comes in here, and nothing is kept.
//!
//! `door` says what a path is, `endpoint` serves MCP, `registry` and `rig_plane` the REST routes that are not the Mayor's
//! (those are in `mayor`), `envelope` their answers, `pages` what anyone may read. Authentication happens here, once, before
//! anything behind a door runs.

mod door;
mod endpoint;
pub mod envelope;
mod keeper;
mod pages;
mod provision;
mod registry;
pub mod rig_plane;

use crate::auth::challenge::{ChallengeError, challenge, metadata_url};
use crate::auth::{Accept, Principal, TokenError, bearer, verify};
use crate::error::{Code, Failure, Refusal};
use crate::http::outlet::Outlet;
use crate::http::{Request, RequestBody, Response};
use crate::ids::TownId;
use crate::isolate::Memory;
use crate::mcp::cors::{add_headers, preflight};
use crate::mcp::origin::{OriginPolicy, check_origin};
use crate::rpc::client::{Client, Runtime};
use crate::tools::place::town_id;
use door::Door;

/// What a deployment is configured with, besides its secrets.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Browser origins that may call, besides the Worker's own.
    pub allowed_origins: Vec<String>,
    /// The deployment answers on this machine only, as development does.
    pub is_loopback_only: bool,
}

impl Settings {
    /// Reads the variables `ALLOWED_ORIGINS` (origins separated by commas) and `LOOPBACK_ONLY` (`true` or nothing).
    #[must_use]
    pub fn read(allowed_origins: &str, loopback_only: &str) -> Self {
        let allowed_origins = allowed_origins.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        Self { allowed_origins, is_loopback_only: loopback_only == "true" }
    }
}

/// What the edge works with.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// The runtime.
    pub runtime: &'a dyn Runtime,
    /// What this isolate remembers.
    pub memory: &'a Memory,
    /// The configuration.
    pub settings: &'a Settings,
}

/// A request whose token has been verified.
pub struct Authenticated<'a> {
    /// The edge.
    pub edge: Edge<'a>,
    /// Calls in the caller's name.
    pub client: Client<'a>,
}

/// Answers a request. Whatever is written to the outlet is the answer, and what is returned then means nothing.
pub async fn handle(edge: Edge<'_>, request: &Request<'_>, outlet: &Outlet) -> Response {
    let page = request.headers.get("origin");
    let policy = OriginPolicy { allowed: &edge.settings.allowed_origins, is_loopback_only: edge.settings.is_loopback_only };
    if let Err(response) = check_origin(policy, &request.origin, page.as_deref()) {
        return response;
    }
    if request.method == "OPTIONS" {
        return preflight(page.as_deref(), request.headers.get("access-control-request-headers").as_deref());
    }
    add_headers(open(edge, request, outlet, &Door::of(&request.path)).await, page.as_deref())
}

async fn open(edge: Edge<'_>, request: &Request<'_>, outlet: &Outlet, door: &Door) -> Response {
    if let Some(page) = pages::answer(request, door) {
        return page;
    }
    let header = request.headers.get("authorization");
    #[cfg(feature = "conformance")]
    let header = header.or_else(|| crate::conformance::authorization(edge, matches!(door, Door::Mcp { .. })));
    let verified = bearer(header.as_deref()).and_then(|token| {
        let principal = verify(edge.runtime.keys(), token, edge.runtime.now(), Accept::External)?;
        Ok((token, principal))
    });
    let (token, mut principal) = match verified {
        Ok(verified) => verified,
        Err(error) => return unauthenticated(request, door, error),
    };
    if principal.role == crate::auth::principal::Role::Container {
        principal.agent_id = request.headers.get("x-gastown-agent-id").filter(|agent| !agent.is_empty());
    }
    let request_id = request.headers.get("cf-ray").unwrap_or_else(|| crate::ids::BeadId::from_random(edge.runtime.random()).to_string());
    let client = Client { runtime: edge.runtime, principal: &principal, token, request_id: &request_id };
    let caller = Authenticated { edge, client };
    match door {
        Door::Mayor { .. } | Door::RigPlane { .. } | Door::Registry { .. } if request.body == RequestBody::TooLarge => {
            envelope::too_large()
        }
        Door::Mcp { town, read_only } => endpoint::serve(&caller, request, outlet, town.as_deref(), *read_only).await,
        Door::Mayor { town, rest } => crate::mayor::routes::answer(&caller, request, town, rest).await,
        Door::RigPlane { town, rig, rest } => rig_plane::answer(&caller, request, town, rig, rest).await,
        Door::Registry { owner, rest } => registry::answer(&caller, request, owner, rest).await,
        _ => envelope::not_found(),
    }
}

/// 401 with the way to the resource metadata. The body is an envelope on REST routes and plain JSON on MCP ones.
fn unauthenticated(request: &Request<'_>, door: &Door, error: TokenError) -> Response {
    let refusal = Refusal::from(error);
    let metadata = metadata_url(&request.origin, &request.path);
    let value = challenge(&metadata, ChallengeError::of(error));
    let response = match door {
        Door::Mcp { .. } => Response::json(401, serde_json::json!({"error": refusal.message, "hint": refusal.hint}).to_string()),
        _ => envelope::refused(&refusal),
    };
    response.header("www-authenticate", value)
}

impl Authenticated<'_> {
    /// Who.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        self.client.principal
    }

    /// The town that a path names, by id or name, which this caller may use. What was checked is believed for a while; the
    /// objects check again on every call.
    ///
    /// # Errors
    /// `Forbidden` for another town, `NotFound` for none.
    pub async fn enter_town(&self, named: &str) -> Result<TownId, Failure> {
        let town = town_id(&self.client, self.edge.memory, named).await?;
        self.principal().check_town(&town)?;
        let key = (self.principal().key(), town.clone());
        let now = self.edge.runtime.now();
        if self.edge.memory.access.get(&key, now).is_some() {
            return Ok(town);
        }
        let method = &crate::rpc::table::GET_IDENTITY_STATE;
        let call = crate::rpc::call::Call::new(crate::rpc::call::Instance::Town(town.clone()), method, ())?;
        self.client.call(&call, Some(&town), None).await?;
        self.edge.memory.access.put(key, (), now);
        Ok(town)
    }

    /// What to show for a failure: a refusal as it is, a fault as an incident id after logging it.
    #[must_use]
    pub fn explain(&self, failure: Failure) -> Refusal {
        match failure {
            Failure::Refused(refusal) => refusal,
            Failure::Broke(fault) => {
                let incident = self.edge.runtime.log_fault(&fault);
                Refusal::new(Code::Unavailable, format!("Internal server error (incident {incident})"))
            }
        }
    }
}
