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

use super::handle;
use super::server::{HeaderParameter, Implementation, Server, ToolCall, ToolCallError, ToolReply, ToolShape};
use crate::error::{Code, Fault, Refusal};
use crate::http::{Headers, Request, RequestBody, Response, ResponseBody};
use crate::time::Timestamp;
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, ready};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

pub(super) const MODERN: &str = "2026-07-28";

/// A product with one tool that echoes, and a few that cannot.
pub(super) struct Product {
    pub principal: String,
    pub key: Vec<u8>,
    pub now: Cell<i64>,
    pub randoms: Cell<u8>,
    pub ended: Rc<RefCell<BTreeSet<String>>>,
    pub calls: RefCell<Vec<String>>,
    pub faults: RefCell<Vec<String>>,
    pub store_is_down: Cell<bool>,
}

impl Product {
    pub(super) fn new() -> Self {
        Self::of("user:ada")
    }

    pub(super) fn of(principal: &str) -> Self {
        Self {
            principal: principal.to_owned(),
            key: b"a key for tests, 32 bytes and up".to_vec(),
            now: Cell::new(1_795_242_349_000),
            randoms: Cell::new(0),
            ended: Rc::default(),
            calls: RefCell::default(),
            faults: RefCell::default(),
            store_is_down: Cell::new(false),
        }
    }
}

impl Server for Product {
    fn implementation(&self) -> &Implementation {
        &Implementation { name: "test", title: "Test", version: "1.2.3" }
    }

    fn instructions(&self) -> &'static str {
        "Say \"echo\"."
    }

    fn principal(&self) -> &str {
        &self.principal
    }

    fn tools(&self, shape: ToolShape) -> Rc<str> {
        match shape {
            ToolShape::Full => {
                r#"[{"name":"echo","title":"Echo","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}]"#.into()
            }
            ToolShape::Before2025June => r#"[{"name":"echo","inputSchema":{"type":"object"}}]"#.into(),
        }
    }

    fn header_parameters(&self, tool: &str) -> &'static [HeaderParameter] {
        match tool {
            "echo" => &[
                HeaderParameter { path: &["region"], header: "Region" },
                HeaderParameter { path: &["count"], header: "Count" },
                HeaderParameter { path: &["deep", "flag"], header: "Flag" },
            ],
            _ => &[],
        }
    }

    fn call_tool<'a>(&'a self, call: ToolCall<'a>) -> LocalBoxFuture<'a, Result<ToolReply, ToolCallError>> {
        self.calls.borrow_mut().push(call.name.to_owned());
        let reply = match call.name {
            "echo" => Ok(ToolReply::Structured(call.arguments.get().to_owned())),
            "refuse" => Ok(ToolReply::Refused(Refusal::new(Code::NotFound, "no such town").hint("call list_towns"))),
            "break" => Err(ToolCallError::Broke(Fault::new("asking", "the secret cause"))),
            "sample" if !call.client_capabilities.is_some_and(|client| client.get().contains("sampling")) => {
                Err(ToolCallError::MissingCapability(r#"{"sampling":{}}"#))
            }
            "sample" => Ok(ToolReply::Structured("{}".to_owned())),
            _ => Err(ToolCallError::Unknown),
        };
        ready(reply).boxed_local()
    }

    fn session_begun(&self, _session: &str) {}

    fn session_ended<'a>(&'a self, session: &'a str) -> LocalBoxFuture<'a, Result<bool, Fault>> {
        let known = if self.store_is_down.get() { Err(Fault::new("asking", "down")) } else { Ok(self.ended.borrow().contains(session)) };
        ready(known).boxed_local()
    }

    fn end_session<'a>(&'a self, session: &'a str, expires: Timestamp) -> LocalBoxFuture<'a, Result<(), Fault>> {
        assert!(expires > self.now());
        self.ended.borrow_mut().insert(session.to_owned());
        ready(Ok(())).boxed_local()
    }

    fn seal_key(&self) -> &[u8] {
        &self.key
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.get())
    }

    fn random(&self) -> [u8; 16] {
        self.randoms.set(self.randoms.get().wrapping_add(1));
        [self.randoms.get(); 16]
    }

    fn log_fault(&self, fault: &Fault) -> String {
        self.faults.borrow_mut().push(fault.log_text().to_owned());
        "inc-1".to_owned()
    }
}

struct HeaderMap(BTreeMap<String, String>);

impl Headers for HeaderMap {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// Sends one HTTP request. A header given twice is joined, as the runtime does it.
pub(super) fn send(server: &Product, method: &str, headers: &[(&str, &str)], body: RequestBody) -> Response {
    let mut map = BTreeMap::new();
    for (name, value) in headers {
        map.entry(name.to_ascii_lowercase())
            .and_modify(|known: &mut String| *known = format!("{known}, {value}"))
            .or_insert_with(|| (*value).to_owned());
    }
    let headers = HeaderMap(map);
    let origin = "https://gastown.example".to_owned();
    let request = Request { method: method.to_owned(), origin, path: "/mcp".to_owned(), query: String::new(), headers: &headers, body };
    let response = handle(&request, server).now_or_never().expect("nothing here waits");
    assert_legal(&response);
    response
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
    match text(response) {
        "" => Value::Null,
        json => serde_json::from_str(json).expect("JSON"),
    }
}

/// Status and error code (0 for none): what most tests ask.
pub(super) fn verdict(response: &Response) -> (u16, i64) {
    (response.status, body(response)["error"]["code"].as_i64().unwrap_or(0))
}

/// Whatever was sent, this holds for the answer.
fn assert_legal(response: &Response) {
    let body = body(response);
    match response.status {
        202 | 204 => assert_eq!(body, Value::Null),
        405 => assert!(header(response, "allow").is_some()),
        200 | 400 | 403 | 404 | 413 | 415 | 500 => {
            let answers = body.as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
            assert!(!answers.is_empty());
            for answer in &answers {
                assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
                assert!(answer.get("result").is_some() != answer.get("error").is_some(), "{answer}");
                let id = answer.get("id");
                assert!(id.is_none_or(|id| id.is_string() || id.is_number()), "{answer}");
                assert!(id.is_some() || answer.get("error").is_some(), "{answer}");
                if let Some(error) = answer.get("error") {
                    assert!(error["code"].is_i64() && error["message"].is_string(), "{answer}");
                } else {
                    assert_eq!(response.status, 200);
                }
            }
        }
        other => panic!("status {other}"),
    }
}
