//! The edge: every HTTP request comes in here, and nothing is kept.
//!
//! `additions` is what a build offers besides the product, `route` reads a path, `authenticate` finds the caller (`oauth` is its part about access tokens), `mcp_server` serves MCP
//! with the session object behind `session_client`, `profile` chooses the caller's profile, `instructions` has the opening texts,
//! `rest` the REST routes, `streams` the responses that go on, `pages` the public documents.

mod additions;
mod authenticate;
mod denied;
pub mod instructions;
mod mcp_server;
pub mod oauth;
mod pages;
mod profile;
pub mod rest;
mod route;
mod session_client;
mod settings;
pub mod streams;

use crate::auth::Principal;
use crate::auth::principal::Scope;
use crate::cache::Memory;
use crate::contract::ids::TownId;
use crate::edge::oauth::protected_resource::Resource;
use crate::edge::route::Door;
use crate::rpc::client::{Client, Runtime};
use crate::tools::resolve::town_id;
pub use additions::Additions;
use base::error::{Code, Failure, Refusal};
use base::http::body_sink::Outlet;
use base::http::{Request, Response};
use mcp::cors::{add_headers, preflight};
use mcp::origin::{OriginPolicy, check_origin};
pub use settings::{OAuth, Settings};

/// The surroundings of a request: runtime, memory, configuration.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// The runtime.
    pub runtime: &'a dyn Runtime,
    /// The memory of this isolate.
    pub memory: &'a Memory,
    /// The configuration.
    pub settings: &'a Settings,
    /// What this build offers besides the product.
    pub additions: &'a Additions,
}

/// A request whose token has been verified.
pub struct Authenticated<'a> {
    /// The edge.
    pub edge: Edge<'a>,
    /// Calls in the caller's name.
    pub client: Client<'a>,
    resource: Resource<'a>,
}

/// Answers a request. If the handler streamed through `outlet`, its return value is ignored.
pub async fn handle(edge: Edge<'_>, request: &Request<'_>, outlet: &Outlet) -> Response {
    let page = request.headers.get("origin");
    let policy = OriginPolicy { allowed: &edge.settings.allowed_origins, is_loopback_only: edge.settings.is_loopback_only };
    if let Err(response) = check_origin(policy, &request.origin, page.as_deref()) {
        return response;
    }
    let door = Door::of(&request.path);
    if request.method == "OPTIONS" {
        let response = preflight(page.as_deref(), request.headers.get("access-control-request-headers").as_deref());
        return if let Door::Rest(path) = &door { rest::options(response, path) } else { response };
    }
    outlet.add_headers(add_headers(Response::empty(200), page.as_deref()).headers);
    add_headers(open(edge, request, outlet, &door).await, page.as_deref())
}

async fn open(edge: Edge<'_>, request: &Request<'_>, outlet: &Outlet, door: &Door) -> Response {
    if let Some(page) = pages::answer(edge.settings, request, door) {
        return page;
    }
    if let Door::Rest(path) = door
        && path.is_unauthenticated()
    {
        return rest::answer_unauthenticated(edge, request, path).await;
    }
    let takes_subprotocol = matches!(door, Door::Rest(path) if path.takes_token_in_subprotocol());
    let header = request.headers.get("authorization");
    let header = header.or_else(|| streams::status_socket::authorization(request).filter(|_| takes_subprotocol));
    let header = header.or_else(|| if matches!(door, Door::Mcp { .. }) { (edge.additions.authorization)(edge) } else { None });
    let resource = Resource::of(edge.settings, request, door);
    let (mut principal, token) = match authenticate::authenticate(edge, resource, header.as_deref()).await {
        Ok(known) => known,
        Err(denied) => return authenticate::denied(edge, resource, door, denied),
    };
    if principal.role == crate::auth::principal::Role::Container {
        principal.agent_id = request.headers.get("x-gastown-agent-id").filter(|agent| !agent.is_empty());
    }
    principal.process = request.headers.get("x-gastown-process-id").filter(|process| !process.is_empty());
    let request_id =
        request.headers.get("cf-ray").unwrap_or_else(|| crate::contract::ids::BeadId::from_random(edge.runtime.random()).to_string());
    let client = Client { runtime: edge.runtime, principal: &principal, token, request_id: &request_id };
    let caller = Authenticated { edge, client, resource };
    match door {
        Door::Mcp { town, read_only } => mcp_server::serve(&caller, request, outlet, town.as_deref(), *read_only).await,
        Door::Rest(path) => rest::answer(&caller, request, outlet, path).await,
        _ => rest::envelope::not_found(),
    }
}

impl Authenticated<'_> {
    /// The authenticated caller.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        self.client.principal
    }

    /// 403 with the sufficient scope, unless the token covers this scope.
    ///
    /// # Errors
    /// The answer.
    fn check_scope(&self, needed: Scope) -> Result<(), Response> {
        self.principal()
            .check_scope(needed)
            .map_err(|refusal| rest::envelope::refused(&refusal).header("www-authenticate", self.resource.insufficient_scope(needed)))
    }

    /// Counts a tool call, where calls are limited.
    ///
    /// # Errors
    /// `Unavailable` with the time to wait.
    pub fn admit(&self) -> Result<(), Refusal> {
        let Some(limit) = self.edge.settings.calls_per_minute else { return Ok(()) };
        self.edge.memory.rates.count(self.principal().key(), limit, self.edge.runtime.now()).map_err(|seconds| {
            Refusal::new(Code::Unavailable, format!("Too many tool calls: {limit} a minute are allowed"))
                .hint(format!("Nothing was done. Call again in {seconds} s."))
        })
    }

    /// The town that a path names, by id or name, which this caller may use. A passed check is believed for a while; the
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

    /// The refusal to show for a failure: a refusal as it is, a fault as an incident id after logging it.
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
