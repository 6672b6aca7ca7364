//! One isolate in front of a fleet: requests in, responses out, as the Worker would.
//!
//! Owns the isolate's memory. Two isolates of one fleet share its objects and nothing else.

use super::Fleet;
use base::http::body_sink::{Outgoing, Outlet, begin, body};
use base::http::{BODY_BYTES_MAX, Headers, Relayed, Request, RequestBody, Response, ResponseBody};
use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{Either, select};
use futures::stream::LocalBoxStream;
use gastown_mcp::cache::Memory;
use gastown_mcp::edge::{Additions, Edge, Settings, handle};
use gastown_mcp::rpc::call::Wire as _;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::rc::Rc;

/// What clients know the deployment as.
pub const ORIGIN: &str = "http://127.0.0.1";

/// An isolate.
pub struct Isolate {
    pub fleet: Fleet,
    memory: Rc<Memory>,
    settings: Rc<Settings>,
    additions: &'static Additions,
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

impl Sent {
    pub fn new(method: &str, path: impl Into<String>) -> Self {
        Self { method: method.to_owned(), path: path.into(), ..Self::default() }
    }

    /// As the holder of a token.
    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    /// With several headers more.
    pub fn with_all<'a>(self, headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        headers.into_iter().fold(self, |sent, (name, value)| sent.with(name, value))
    }

    /// With a body, unless it is null.
    pub fn json(mut self, body: &Value) -> Self {
        self.body = if body.is_null() { String::new() } else { body.to_string() };
        self
    }
}

impl Isolate {
    pub fn new(fleet: &Fleet) -> Self {
        Self::with(fleet, &[])
    }

    /// One with the fixture of the conformance suite, that answers on this machine only.
    pub fn on_loopback(fleet: &Fleet) -> Self {
        Self { additions: &conformance_fixture::ADDITIONS, ..Self::with(fleet, &[("LOOPBACK_ONLY", "true")]) }
    }

    /// An isolate of a deployment with these variables.
    pub fn with(fleet: &Fleet, variables: &[(&'static str, &str)]) -> Self {
        let mut all = vec![("ALLOWED_ORIGINS", "https://allowed.example".to_owned())];
        all.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let read = |name: &str| all.iter().rev().find(|(known, _)| *known == name).map_or_else(String::new, |(_, value)| value.clone());
        Self { fleet: fleet.clone(), memory: Rc::default(), settings: Rc::new(Settings::read(read).unwrap()), additions: &Additions::NONE }
    }

    /// Sends a request that is answered at once; a body is JSON unless its headers say otherwise.
    pub fn send(&self, sent: Sent) -> Response {
        self.exchange(sent).whole()
    }

    /// The status and the JSON of the answer to a request.
    pub fn ask(&self, sent: Sent) -> (u16, Value) {
        let response = self.send(sent);
        (response.status, serde_json::from_str(&text(&response)).unwrap())
    }

    /// Sends a request that is answered as a stream.
    pub fn open(&self, sent: Sent) -> Reading {
        match self.exchange(sent) {
            Got::Whole(response) => panic!("no stream but {response:?}"),
            Got::Stream(_, reading) => reading,
        }
    }

    /// Sends a request.
    pub fn exchange(&self, sent: Sent) -> Got {
        self.fleet.block_on(self.start(sent))
    }

    /// The answer to a request, once `Fleet::block_on` or another future drives it.
    pub fn start(&self, mut sent: Sent) -> impl Future<Output = Got> + 'static {
        if !sent.body.is_empty() {
            sent.headers.entry("content-type".to_owned()).or_insert_with(|| "application/json".to_owned());
        }
        let (fleet, memory, settings) = (self.fleet.clone(), Rc::clone(&self.memory), Rc::clone(&self.settings));
        let additions = self.additions;
        let world = fleet.clone();
        let (outlet, opening) = Outlet::new();
        let work = Box::pin(async move {
            let headers = SentHeaders(sent.headers);
            let edge = Edge { runtime: &fleet, memory: &memory, settings: &settings, additions };
            let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
            let is_too_large = sent.body.len() > BODY_BYTES_MAX;
            let body = if is_too_large { RequestBody::TooLarge } else { RequestBody::Bytes(sent.body.into_bytes()) };
            let origin = ORIGIN.to_owned();
            let (path, query) = (path.to_owned(), query.to_owned());
            handle(edge, &Request { method: sent.method, origin, path, query, headers: &headers, body }, &outlet).await
        });
        async move {
            match begin(work, opening).await {
                Outgoing::Whole(Response { status, headers, body: ResponseBody::Relayed(relayed) }) => {
                    // The shell names the type of such a body.
                    let head = Response { status, headers, body: ResponseBody::Empty }.header("content-type", "text/event-stream");
                    Got::Stream(head, Reading::relayed(&world, &relayed))
                }
                Outgoing::Whole(response) => Got::Whole(response),
                Outgoing::Early(opened, work) if opened.is_detached => {
                    world.spawn("edge", async move {
                        work.await;
                    });
                    Got::Stream(opened.head, Reading::of(&world, opened.chunks.boxed_local()))
                }
                Outgoing::Early(opened, work) => Got::Stream(opened.head.clone(), Reading::of(&world, body(opened, work).boxed_local())),
            }
        }
    }
}

/// What came of a request.
pub enum Got {
    Whole(Response),
    Stream(Response, Reading),
}

impl Got {
    /// The answer that came at once.
    pub fn whole(self) -> Response {
        match self {
            Self::Whole(response) => response,
            Self::Stream(..) => panic!("a stream came instead of an answer"),
        }
    }
}

/// A stream being read. Dropping it is leaving.
pub struct Reading {
    fleet: Fleet,
    chunks: Rc<RefCell<LocalBoxStream<'static, String>>>,
}

impl Reading {
    /// A stream that an object writes.
    pub fn relayed(fleet: &Fleet, relayed: &Relayed) -> Self {
        let receiver = relayed.0.downcast_ref::<RefCell<Option<mpsc::UnboundedReceiver<String>>>>().unwrap().take().unwrap();
        Self::of(fleet, receiver.boxed_local())
    }

    fn of(fleet: &Fleet, chunks: LocalBoxStream<'static, String>) -> Self {
        Self { fleet: fleet.clone(), chunks: Rc::new(RefCell::new(chunks)) }
    }

    /// The next piece, however long it takes; `None` at the end.
    pub fn next(&self) -> Option<String> {
        let chunks = Rc::clone(&self.chunks);
        self.fleet.block_on(poll_fn(move |cx| chunks.borrow_mut().poll_next_unpin(cx)))
    }

    /// Everything that comes within `millis`, and whether the stream ended.
    pub fn within(&self, millis: u32) -> (String, bool) {
        let (chunks, fleet) = (Rc::clone(&self.chunks), self.fleet.clone());
        self.fleet.block_on(async move {
            let mut text = String::new();
            let mut over = fleet.sleep(millis);
            loop {
                let next = poll_fn(|cx| chunks.borrow_mut().poll_next_unpin(cx));
                match select(next, over).await {
                    Either::Left((Some(chunk), rest)) => {
                        text.push_str(&chunk);
                        over = rest;
                    }
                    Either::Left((None, _)) => return (text, true),
                    Either::Right(_) => return (text, false),
                }
            }
        })
    }
}

/// The messages of a stream's text with their ids, in order.
pub fn messages(text: &str) -> Vec<(Option<String>, Value)> {
    let field = |block: &str, name: &str| block.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
    let message = |block: &str| Some((field(block, "id: "), serde_json::from_str(&field(block, "data: ")?).ok()?));
    text.split("\n\n").filter_map(message).collect()
}

/// The body as text.
pub fn text(response: &Response) -> String {
    match &response.body {
        ResponseBody::Empty => String::new(),
        ResponseBody::Json(text) => text.clone(),
        ResponseBody::SharedJson(text) => text.to_string(),
        ResponseBody::Text(text) | ResponseBody::Html(text) => text.to_string(),
        ResponseBody::Relayed(_) | ResponseBody::Socket(_) => panic!("a stream has no text"),
    }
}

/// The value of a header.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
}
