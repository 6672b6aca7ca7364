//! The method table: one row per method and range of revisions.
//!
//! Owns which methods exist when, what they need from the headers, and which capability they stand for. A new method
//! is a new row and a handler; era routing, sessions, batches and errors follow from the row.

mod lifecycle;
mod tools;

use super::message::{RequestId, read_object};
use super::reply::Problem;
use super::result::Answer;
use super::revision::Revision;
use super::server::Server;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::RangeInclusive;

/// One request on its way to its handler.
pub struct Call<'a> {
    /// The product.
    pub server: &'a dyn Server,
    /// The revision that the answer must be in. For `initialize`, which is about to settle it, the newest legacy one.
    pub revision: Revision,
    /// Echoed in the answer.
    pub id: RequestId<'a>,
    /// Parameters, not looked at yet.
    pub params: Option<&'a RawValue>,
    /// The `ClientCapabilities` object of a modern request.
    pub client_capabilities: Option<&'a RawValue>,
}

/// Answers one request.
pub type Handler = for<'a> fn(&'a Call<'a>) -> LocalBoxFuture<'a, Result<Answer, Problem>>;

/// What a method is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Answered by its handler.
    Request(Handler),
    /// Accepted. Nothing that the client can notify of changes anything here.
    Notification,
}

/// Which parameters modern clients repeat in headers (2026-07-28, streamable HTTP, request headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrored {
    /// None beyond the method.
    Nothing,
    /// The tool's name in `Mcp-Name`, and arguments in `Mcp-Param-*` as the tool's schema says.
    ToolCall,
}

/// A key of `ServerCapabilities`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// The key.
    pub name: &'static str,
    /// Its value, as JSON text.
    pub json: &'static str,
}

/// One row.
pub struct Method {
    /// As on the wire.
    pub name: &'static str,
    /// The revisions that have it.
    pub revisions: RangeInclusive<Revision>,
    /// What it is.
    pub kind: Kind,
    /// What its headers repeat.
    pub mirrored: Mirrored,
    /// What a server declares by having it.
    pub capability: Option<Capability>,
}

const LEGACY: RangeInclusive<Revision> = Revision::V2024_11_05..=Revision::V2025_11_25;
const MODERN: RangeInclusive<Revision> = Revision::V2026_07_28..=Revision::V2026_07_28;
const EVERY: RangeInclusive<Revision> = Revision::V2024_11_05..=Revision::V2026_07_28;

/// No `listChanged`: the list depends on the caller's token and on the deployment only, and changes with neither
/// during a connection.
const TOOLS: Capability = Capability { name: "tools", json: "{}" };

const TABLE: &[Method] = &[
    row("server/discover", MODERN, Kind::Request(lifecycle::discover)),
    row("initialize", LEGACY, Kind::Request(lifecycle::initialize)),
    row("notifications/initialized", LEGACY, Kind::Notification),
    row("notifications/cancelled", LEGACY, Kind::Notification),
    row("ping", LEGACY, Kind::Request(lifecycle::ping)),
    Method { capability: Some(TOOLS), ..row("tools/list", EVERY, Kind::Request(tools::list)) },
    Method { capability: Some(TOOLS), mirrored: Mirrored::ToolCall, ..row("tools/call", EVERY, Kind::Request(tools::call)) },
];

const fn row(name: &'static str, revisions: RangeInclusive<Revision>, kind: Kind) -> Method {
    Method { name, revisions, kind, mirrored: Mirrored::Nothing, capability: None }
}

/// The row of a method in a revision.
#[must_use]
pub fn find(name: &str, revision: Revision) -> Option<&'static Method> {
    TABLE.iter().find(|method| method.name == name && method.revisions.contains(&revision))
}

/// `ServerCapabilities` of a revision, as JSON text: what the table has rows for, and nothing else.
#[must_use]
pub fn capabilities(revision: Revision) -> String {
    let mut declared: Vec<Capability> = Vec::new();
    for capability in TABLE.iter().filter(|method| method.revisions.contains(&revision)).filter_map(|method| method.capability) {
        if !declared.contains(&capability) {
            declared.push(capability);
        }
    }
    let fields: Vec<String> = declared.iter().map(|capability| format!("\"{}\":{}", capability.name, capability.json)).collect();
    format!("{{{}}}", fields.join(","))
}

/// Whether a message without an id may name this method. Everything may that is not known to be a request: clients
/// may notify of things that this server has never heard of.
#[must_use]
pub fn may_be_notification(name: &str, revision: Revision) -> bool {
    !matches!(find(name, revision), Some(Method { kind: Kind::Request(_), .. }))
}

impl<'a> Call<'a> {
    /// Reads the parameters; none is the same as `{}`.
    ///
    /// # Errors
    /// −32602 when they are not an object or do not fit.
    pub fn read_params<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        read_object(self.params.map_or("{}", RawValue::get))
            .ok_or_else(|| Problem::InvalidParams("params must be an object with no key repeated".into()))
    }
}
