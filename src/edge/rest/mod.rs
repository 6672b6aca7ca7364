//! REST: every route that is not MCP.
//!
//! A route is a row of a table and a function: `agents` (a rig, for its agents), `mayor`, `towns` and `owners` (the registry).
//! `route` says what a row has, `router` finds the row of a request, `access` checks the caller, `request` and `extract` read
//! what it sent, `call` makes the calls, `response` and `envelope` write answers; `openapi` describes all of it.
//!
//! Owns the list of groups and the order of these steps.

mod access;
pub mod agents;
mod call;
pub mod docs;
pub mod envelope;
pub(crate) mod extract;
pub mod mayor;
#[cfg(not(target_arch = "wasm32"))]
pub mod openapi;
pub mod owners;
mod request;
pub mod response;
mod route;
mod router;
pub mod towns;
mod wrong_rig;

use super::{Authenticated, Edge};
use crate::rpc::client::Client;
use base::error::Failure;
use base::http::body_sink::Outlet;
use base::http::{Request, RequestBody, Response};
pub(in crate::edge) use call::Responding;
pub(in crate::edge) use request::RouteRequest;
pub use route::{Action, Credentials, Route, RouteCaller, RouteGroup};
pub use router::RestPath;

/// Every group. Of two that fit a path the first counts.
pub static GROUPS: &[&RouteGroup] =
    &[&mayor::TOOLS, &mayor::PROMPT, &agents::MAYOR, &agents::AGENTS, &towns::TOWNS, &owners::USERS, &owners::ORGANIZATIONS];

/// Answers a request of a caller who is known.
pub(in crate::edge) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, outlet: &Outlet, path: &RestPath) -> Response {
    if request.body == RequestBody::TooLarge {
        return envelope::too_large();
    }
    let place = match (path.group.enter)(caller, &path.parameters) {
        Ok(place) => place,
        Err(refusal) => return envelope::refused(&refusal),
    };
    let (route, parameters) = match path.find(&request.method) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    if let Err(response) = access::check(caller, route, &parameters) {
        return response;
    }
    let principal = access::speaking(caller.principal(), route, &parameters);
    let caller = &Authenticated { client: Client { principal: &principal, ..caller.client }, ..*caller };
    let request = RouteRequest { caller, http: request, outlet, route, place, parameters };
    let outcome = match route.action {
        Action::Call(_, plan) => request.carry_out(plan(&request)).await,
        Action::Run(_, run) => run(&request).await,
        Action::Stream(_, respond) => return respond(&request).await,
        Action::Unsupported(why, instead) => Err(extract::unsupported(why, instead)),
        Action::Unauthenticated(act) => act(caller.edge, request.http, &request.parameters).await.map(Into::into),
    };
    match outcome {
        Ok(reply) => reply.response(route.status),
        Err(failure) => envelope::failed(caller, (path.group.explain)(failure)),
    }
}

/// Answers a request at a path whose rows verify their tokens themselves.
pub(in crate::edge) async fn answer_unauthenticated(edge: Edge<'_>, request: &Request<'_>, path: &RestPath) -> Response {
    let (route, parameters) = match path.find(&request.method) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let Action::Unauthenticated(act) = route.action else { return envelope::not_found() };
    match act(edge, request, &parameters).await {
        Ok(data) => envelope::success(route.status, &data),
        Err(failure) => envelope::broke(edge, failure),
    }
}

/// Adds to the answer of a preflight what methods the path has.
pub(in crate::edge) fn options(mut response: Response, path: &RestPath) -> Response {
    let Some(allow) = path.allow() else { return response };
    for (name, value) in &mut response.headers {
        if *name == "access-control-allow-methods" {
            *value = allow.clone().into();
        }
    }
    response.header("allow", allow)
}

/// A group that says of failures what the objects say.
fn as_it_is(failure: Failure) -> Failure {
    failure
}
