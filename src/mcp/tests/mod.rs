//! Tests of the protocol as a client meets it: literal requests in, whole answers out.
//!
//! This file owns the fixture: a small product behind the `Server` trait, and the means to send it things. Names of
//! tests carry the requirement's id where there is one: H for 2026-07-28, L for the legacy revisions.

mod edges;
mod eras;
mod fuzz;
mod headers;
mod legacy;
mod modern;
mod origins;
mod sessions;

use super::fixture::Product;
use super::fixture::fuzz::{assert_legal, assert_legal_event, json_body};
use super::fixture::world::{Event, Got, Reading};
use crate::http::{RequestBody, Response, ResponseBody};
use serde_json::{Value, json};

pub(super) const MODERN: &str = "2026-07-28";

/// What a client sends that takes both.
pub(super) const BOTH: (&str, &str) = ("Accept", "application/json, text/event-stream");

/// Sends one HTTP request and waits for what comes.
pub(super) fn exchange(server: &Product, method: &str, headers: &[(&str, &str)], body: RequestBody) -> Got {
    let got = server.world.start(server, method, headers, body).wait();
    if let Got::Whole(response) = &got {
        assert_legal(response);
    }
    got
}

/// Sends one HTTP request that is answered in one piece.
pub(super) fn send(server: &Product, method: &str, headers: &[(&str, &str)], body: RequestBody) -> Response {
    match exchange(server, method, headers, body) {
        Got::Whole(response) => response,
        Got::Stream(..) => panic!("a stream came"),
    }
}

/// The messages of events, each of them legal.
pub(super) fn messages(events: &[Event]) -> Vec<Value> {
    events.iter().for_each(|event| assert_legal_event(&event.data));
    events.iter().filter(|event| !event.data.is_empty()).map(|event| serde_json::from_str(&event.data).unwrap()).collect()
}

/// The stream that a request must be answered with.
pub(super) fn stream(got: Got) -> Reading {
    match got {
        Got::Stream(head, reading) => {
            assert_eq!(head.status, 200);
            assert_eq!(header(&head, "cache-control"), Some("no-cache"));
            assert_eq!(header(&head, "x-accel-buffering"), Some("no"));
            reading
        }
        Got::Whole(response) => panic!("no stream but {response:?}"),
    }
}

/// Posts JSON with the headers given and no others.
pub(super) fn post(server: &Product, headers: &[(&str, &str)], body: &str) -> Response {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend_from_slice(headers);
    send(server, "POST", &all, RequestBody::Bytes(body.as_bytes().to_vec()))
}

/// Posts a modern message with the headers that belong to it.
pub(super) fn post_modern(server: &Product, message: &Value) -> Response {
    let method = message["method"].as_str().unwrap_or("none");
    let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)];
    if let Some(name) = message["params"]["name"].as_str() {
        headers.push(("Mcp-Name", name));
    }
    post(server, &headers, &message.to_string())
}

/// A modern request with its `_meta`.
pub(super) fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = meta(MODERN);
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

pub(super) fn meta(version: &str) -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}})
}

/// Begins a legacy session and gives its id.
pub(super) fn initialize(server: &Product, version: &str) -> String {
    let request = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params":
        {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}});
    let response = post(server, &[], &request.to_string());
    assert_eq!(response.status, 200);
    header(&response, "mcp-session-id").expect("a session id").to_owned()
}

/// Posts within a session, with no version header.
pub(super) fn post_legacy(server: &Product, session: &str, body: &str) -> Response {
    post(server, &[("Mcp-Session-Id", session)], body)
}

pub(super) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
}

pub(super) fn text(response: &Response) -> &str {
    match &response.body {
        ResponseBody::Json(json) => json,
        ResponseBody::Empty => "",
        other => panic!("unexpected body {other:?}"),
    }
}

pub(super) fn body(response: &Response) -> Value {
    json_body(response)
}

/// Status and error code (0 for none): what most tests ask.
pub(super) fn verdict(response: &Response) -> (u16, i64) {
    (response.status, body(response)["error"]["code"].as_i64().unwrap_or(0))
}
