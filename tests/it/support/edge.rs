//! One isolate in front of a fleet: requests in, responses out, as the Worker would.
//!
//! Owns the isolate's memory. Two isolates of one fleet share its objects and nothing else.

use super::Fleet;
use gastown_mcp::edge::{Edge, Settings, handle};
use gastown_mcp::http::{Headers, Request, RequestBody, Response, ResponseBody};
use gastown_mcp::isolate::Memory;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;

/// What clients know the deployment as.
pub const ORIGIN: &str = "http://127.0.0.1";

/// An isolate.
pub struct Isolate {
    pub fleet: Fleet,
    memory: Rc<Memory>,
    settings: Rc<Settings>,
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
        Self::with(fleet, &[])
    }

    /// An isolate of a deployment with these variables.
    pub fn with(fleet: &Fleet, variables: &[(&'static str, &str)]) -> Self {
        let mut all = vec![("ALLOWED_ORIGINS", "https://allowed.example".to_owned())];
        all.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let read = |name: &str| all.iter().rev().find(|(known, _)| *known == name).map_or_else(String::new, |(_, value)| value.clone());
        Self { fleet: fleet.clone(), memory: Rc::default(), settings: Rc::new(Settings::read(read).unwrap()) }
    }

    /// The answer to a request, once `Fleet::block_on` or another future drives it.
    pub fn start(&self, mut sent: Sent) -> impl Future<Output = Response> + 'static {
        if !sent.body.is_empty() {
            sent.headers.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
        }
        let (fleet, memory, settings) = (self.fleet.clone(), Rc::clone(&self.memory), Rc::clone(&self.settings));
        async move {
            let headers = SentHeaders(sent.headers);
            let edge = Edge { runtime: &fleet, memory: &memory, settings: &settings };
            let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
            let body = RequestBody::Bytes(sent.body.into_bytes());
            let origin = ORIGIN.to_owned();
            let (path, query) = (path.to_owned(), query.to_owned());
            handle(edge, &Request { method: sent.method, origin, path, query, headers: &headers, body }).await
        }
    }

    /// Sends a request; a body is JSON unless its headers say otherwise.
    pub fn send(&self, sent: Sent) -> Response {
        self.fleet.block_on(self.start(sent))
    }
}

/// The body as text.
pub fn text(response: &Response) -> String {
    match &response.body {
        ResponseBody::Empty => String::new(),
        ResponseBody::Json(text) => text.clone(),
        ResponseBody::SharedJson(text) => text.to_string(),
        ResponseBody::Text(text) | ResponseBody::Html(text) => text.to_string(),
    }
}

/// The value of a header.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
}
