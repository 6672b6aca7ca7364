//! `GET /api/towns/{town}/status/ws`: a WebSocket on a town's status.
//!
//! Owns the check of the caller, and how a browser, which cannot send headers with a WebSocket, shows its token: as a subprotocol.
//! The connection itself is handed to the town.

use crate::edge::rest::{Responding, RouteRequest, envelope};
use crate::edge::streams::watched_town;
use crate::rpc::call::{Call, Instance};
use crate::rpc::table::OPEN_STATUS;
use base::http::{Request, Response, ResponseBody};

/// The subprotocol of the connection.
const PROTOCOL: &str = "gastown-status";
/// In front of a token among the subprotocols.
const BEARER: &str = "bearer.";
/// A connection ends after this, if its token does not before.
const LIFE_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn protocols(request: &Request<'_>) -> Option<String> {
    request.headers.get("sec-websocket-protocol")
}

/// An `Authorization` header made of the subprotocols.
pub(in crate::edge) fn authorization(request: &Request<'_>) -> Option<String> {
    let protocols = protocols(request)?;
    let token = protocols.split(',').find_map(|name| name.trim().strip_prefix(BEARER))?;
    Some(format!("Bearer {token}"))
}

/// Answers the route.
pub(in crate::edge) fn answer<'a>(request: &'a RouteRequest<'a>) -> Responding<'a> {
    Box::pin(open(request))
}

async fn open(route: &RouteRequest<'_>) -> Response {
    let (caller, request) = (route.caller, route.http);
    let town = match watched_town(caller, route.parameter("town")).await {
        Ok(town) => town,
        Err(failure) => return envelope::failed(caller, failure),
    };
    if !request.headers.get("upgrade").is_some_and(|wanted| wanted.eq_ignore_ascii_case("websocket")) {
        let body = serde_json::json!({"success": false, "error": "Expected a WebSocket: send Upgrade: websocket"});
        return Response::json(426, body.to_string()).header("upgrade", "websocket");
    }
    let life = caller.edge.runtime.now().plus_millis(LIFE_MILLIS);
    let expires_at = caller.principal().expires_at.map_or(life, |expires| expires.min(life));
    let opened = async {
        let call = Call::new(Instance::Town(town.clone()), &OPEN_STATUS, (expires_at,))?;
        caller.client.upgrade_internal(&call, Some(&town)).await
    };
    let socket = match opened.await {
        Ok(socket) => socket,
        Err(failure) => return envelope::failed(caller, failure),
    };
    let response = Response { status: 101, headers: Vec::new(), body: ResponseBody::Socket(socket) };
    let speaks = protocols(request).is_some_and(|names| names.split(',').any(|name| name.trim() == PROTOCOL));
    if speaks { response.header("sec-websocket-protocol", PROTOCOL) } else { response }
}
