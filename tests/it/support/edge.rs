//! One isolate in front of a fleet: requests in, responses out, as the Worker would.
//!
//! Owns the isolate's memory. Two isolates of one fleet share its objects and nothing else.

use super::Fleet;
use gastown_mcp::edge::{Edge, Settings, handle};
use gastown_mcp::http::{Headers, Request, RequestBody, Response, ResponseBody};
use gastown_mcp::isolate::Memory;
use std::collections::BTreeMap;
use std::rc::Rc;

/// An isolate.
pub struct Isolate {
    pub fleet: Fleet,
    memory: Rc<Memory>,
    loopback_only: &'static str,
}

/// One request. Header names are lower case.
#[derive(Default)]
pub struct Sent {
    pub method: String,
    /// With its query.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

struct SentHeaders(BTreeMap<String, String>);

impl Headers for SentHeaders {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

impl Isolate {
    pub fn new(fleet: &Fleet) -> Self {
        Self { fleet: fleet.clone(), memory: Rc::default(), loopback_only: "" }
    }

    /// One that answers on this machine only.
    #[cfg(feature = "conformance")]
    pub fn on_loopback(fleet: &Fleet) -> Self {
        Self { loopback_only: "true", ..Self::new(fleet) }
    }

    /// Sends a request; a body is JSON unless its headers say otherwise.
    pub fn send(&self, mut sent: Sent) -> Response {
        if !sent.body.is_empty() {
            sent.headers.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
        }
        let (fleet, memory, loopback_only) = (self.fleet.clone(), Rc::clone(&self.memory), self.loopback_only);
        self.fleet.block_on(async move {
            let headers = SentHeaders(sent.headers);
            let settings = Settings::read("https://allowed.example", loopback_only);
            let edge = Edge { runtime: &fleet, memory: &memory, settings: &settings };
            let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
            let body = RequestBody::Bytes(sent.body.into_bytes());
            let origin = "http://127.0.0.1".to_owned();
            let (path, query) = (path.to_owned(), query.to_owned());
            handle(edge, &Request { method: sent.method, origin, path, query, headers: &headers, body }).await
        })
    }
}

/// The body as text.
pub fn text(response: &Response) -> String {
    match &response.body {
        ResponseBody::Empty => String::new(),
        ResponseBody::Json(text) => text.clone(),
        ResponseBody::SharedJson(text) => text.to_string(),
        ResponseBody::Text(text) | ResponseBody::Html(text) => text.to_string(),
        ResponseBody::Relayed(_) => panic!("a stream has no text"),
    }
}

/// The value of a header.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
}
