//! Tests of the protocol as a client meets it: literal requests in, whole answers out.
//!
//! Owns the means to send requests to the product of `fixture`. Names of tests carry the requirement's id where there is one:
//! H for 2026-07-28, L for the legacy revisions.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails, wherever its helpers live"
)]

mod asking;
mod edges;
mod eras;
mod fuzz;
mod headers;
mod legacy;
mod listening;
mod lists;
mod modern;
mod origins;
mod resumption;
mod rounds;
mod sessions;
mod streams;
mod tasks;
mod telling;

use base::http::{RequestBody, Response, ResponseBody};
use mcp_fixture::Product;
use mcp_fixture::exchange::{assert_legal, assert_legal_event, json_body};
use mcp_fixture::world::{Event, Got, Pending, Reading};
use serde_json::{Value, json};

pub(crate) const MODERN: &str = "2026-07-28";

/// What a client sends that takes both.
pub(crate) const BOTH: (&str, &str) = ("Accept", "application/json, text/event-stream");

/// Sends one HTTP request and waits for what comes.
pub(crate) fn exchange(server: &Product, method: &str, headers: &[(&str, &str)], body: RequestBody) -> Got {
    let got = server.world.start(server, method, headers, body).wait();
    if let Got::Whole(response) = &got {
        assert_legal(response);
    }
    got
}

/// Sends one HTTP request that is answered in one piece.
pub(crate) fn send(server: &Product, method: &str, headers: &[(&str, &str)], body: RequestBody) -> Response {
    match exchange(server, method, headers, body) {
        Got::Whole(response) => response,
        Got::Stream(..) => panic!("a stream came"),
    }
}

/// The messages of events, each of them legal.
pub(crate) fn messages(events: &[Event]) -> Vec<Value> {
    for event in events {
        assert_legal_event(&event.data);
    }
    events.iter().filter(|event| !event.data.is_empty()).map(|event| serde_json::from_str(&event.data).unwrap()).collect()
}

/// The stream that a request must be answered with.
pub(crate) fn stream(got: Got) -> Reading {
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
pub(crate) fn post(server: &Product, headers: &[(&str, &str)], body: &str) -> Response {
    let mut all = vec![("Content-Type", "application/json")];
    all.extend_from_slice(headers);
    send(server, "POST", &all, RequestBody::Bytes(body.as_bytes().to_vec()))
}

/// Posts a modern message with the headers that belong to it.
pub(crate) fn post_modern(server: &Product, message: &Value) -> Response {
    let method = message["method"].as_str().unwrap_or("none");
    let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)];
    if let Some(name) = message["params"]["name"].as_str() {
        headers.push(("Mcp-Name", name));
    }
    post(server, &headers, &message.to_string())
}

/// A modern request with its `_meta`.
pub(crate) fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = meta(MODERN);
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

pub(crate) fn meta(version: &str) -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}})
}

/// Begins a legacy session and gives its id.
pub(crate) fn initialize(server: &Product, version: &str) -> String {
    let request = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params":
        {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}});
    let response = post(server, &[], &request.to_string());
    assert_eq!(response.status, 200);
    header(&response, "mcp-session-id").expect("a session id").to_owned()
}

/// Posts within a session, with no version header.
pub(crate) fn post_legacy(server: &Product, session: &str, body: &str) -> Response {
    post(server, &[("Mcp-Session-Id", session)], body)
}

pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_ref())
}

pub(crate) fn text(response: &Response) -> &str {
    match &response.body {
        ResponseBody::Json(json) => json,
        ResponseBody::Empty => "",
        other => panic!("unexpected body {other:?}"),
    }
}

pub(crate) fn body(response: &Response) -> Value {
    json_body(response)
}

/// Status and error code (0 for none): what most tests ask.
pub(crate) fn verdict(response: &Response) -> (u16, i64) {
    (response.status, body(response)["error"]["code"].as_i64().unwrap_or(0))
}

/// A modern request of a client that can do everything, with more in its `_meta`.
pub(crate) fn able(method: &str, params: Value, more: Value) -> Value {
    let mut message = modern(method, params);
    let meta = message["params"]["_meta"].as_object_mut().unwrap();
    meta.insert(
        "io.modelcontextprotocol/clientCapabilities".to_owned(),
        json!({"elicitation": {}, "sampling": {}, "roots": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}}),
    );
    meta.extend(more.as_object().unwrap().clone());
    message
}

/// Posts a modern message of a client that takes streams; nobody waits for the answer yet.
pub(crate) fn start_modern(server: &Product, message: &Value) -> Pending {
    let params = &message["params"];
    let named = ["name", "uri", "taskId"].iter().find_map(|key| params[*key].as_str());
    let mut headers = vec![
        ("Content-Type", "application/json"),
        BOTH,
        ("MCP-Protocol-Version", MODERN),
        ("Mcp-Method", message["method"].as_str().unwrap()),
    ];
    headers.extend(named.map(|name| ("Mcp-Name", name)));
    server.world.start(server, "POST", &headers, RequestBody::Bytes(message.to_string().into_bytes()))
}

/// The same, answered in one piece: its result, or its error.
pub(crate) fn ask_modern(server: &Product, message: &Value) -> Value {
    let Got::Whole(response) = start_modern(server, message).wait() else { panic!("a stream came") };
    assert_legal(&response);
    let body = body(&response);
    body.get("result").or(body.get("error")).cloned().unwrap()
}

/// Begins a session of a client that can do this.
pub(crate) fn initialize_able(server: &Product, version: &str, capabilities: Value) -> String {
    let request = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params":
        {"protocolVersion": version, "capabilities": capabilities, "clientInfo": {"name": "c", "version": "1"}}});
    header(&post(server, &[], &request.to_string()), "mcp-session-id").unwrap().to_owned()
}

/// Posts a legacy message of a client that takes streams; nobody waits for the answer yet.
pub(crate) fn start_legacy(server: &Product, session: &str, message: &Value) -> Pending {
    let headers = [("Content-Type", "application/json"), BOTH, ("Mcp-Session-Id", session)];
    server.world.start(server, "POST", &headers, RequestBody::Bytes(message.to_string().into_bytes()))
}

/// A legacy call of a tool.
pub(crate) fn tool(id: impl Into<Value>, name: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id.into(), "method": "tools/call", "params":
        {"name": name, "arguments": arguments, "_meta": {"progressToken": "t"}}})
}

/// Opens a session's own stream, or another one that was lost after this event.
pub(crate) fn get(server: &Product, session: &str, last: Option<&str>) -> Reading {
    let mut headers = vec![("Mcp-Session-Id", session), ("Accept", "text/event-stream")];
    headers.extend(last.map(|last| ("Last-Event-ID", last)));
    stream(exchange(server, "GET", &headers, RequestBody::Bytes(Vec::new())))
}

/// What was noted of the work.
pub(crate) fn noted(server: &Product, what: &str) -> usize {
    server.world.calls.borrow().iter().filter(|call| *call == what).count()
}
