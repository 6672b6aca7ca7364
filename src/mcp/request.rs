//! A request on its way to its handler, and what a row of the method table says of a method.
//!
//! Owns the types; the rows are in `methods`.

use crate::message::{RequestId, read_object};
use crate::problem::Problem;
use crate::reply::JsonRpcResponse;
use crate::response_stream::Channel;
use crate::revision::Revision;
use crate::server::{Features, Server};
use crate::session::Session;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::RangeInclusive;

/// One request on its way to its handler.
pub struct RequestContext<'a> {
    /// The product.
    pub server: &'a dyn Server,
    /// The revision that the answer must be in. For `initialize`, which is about to settle it, the newest legacy one.
    pub revision: Revision,
    /// Echoed in the answer.
    pub id: RequestId<'a>,
    /// As on the wire.
    pub method: &'static str,
    /// Parameters, not looked at yet.
    pub params: Option<&'a RawValue>,
    /// The client.
    pub channel: &'a Channel<'a>,
}

/// Answers one request.
pub type Handler = for<'a> fn(&'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>>;

/// Takes one notification of a session.
pub type Taker = for<'a> fn(&'a dyn Server, &'a Session, Option<&'a RawValue>) -> LocalBoxFuture<'a, Result<(), Problem>>;

/// What a method is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Answered by its handler.
    Request(Handler),
    /// Accepted, and taken by this if it changes anything here.
    Notification(Option<Taker>),
}

/// Which parameter modern clients repeat in `Mcp-Name` (2026-07-28, streamable HTTP, request headers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrored {
    /// None.
    Nothing,
    /// `name`.
    Name,
    /// `name`, and arguments in `Mcp-Param-*` as the tool's schema says.
    ToolCall,
    /// `uri`.
    Uri,
    /// `taskId`.
    TaskId,
}

/// A key of `ServerCapabilities`.
#[derive(Clone, Copy)]
pub enum Capability {
    /// The key, and its value as JSON text.
    Plain(&'static str, fn(&Features) -> &'static str),
    /// A key of `extensions`, likewise.
    Extension(&'static str, &'static str),
}

/// One row.
pub struct MethodRow {
    /// As on the wire.
    pub name: &'static str,
    /// The revisions that have it.
    pub revisions: RangeInclusive<Revision>,
    /// What it is.
    pub kind: Kind,
    /// What its headers repeat.
    pub mirrored: Mirrored,
    /// Whether it may ask the client for input (2026-07-28, multi round-trip requests: three methods may).
    pub can_ask: bool,
    /// What a server declares by having it.
    pub capabilities: &'static [Capability],
}

impl<'a> RequestContext<'a> {
    /// Reads the parameters; none is the same as `{}`.
    ///
    /// # Errors
    /// −32602 when they are not an object or do not fit.
    pub fn read_params<T: Deserialize<'a>>(&self) -> Result<T, Problem> {
        read_object(self.params.map_or("{}", RawValue::get))
            .ok_or_else(|| Problem::InvalidParams("params must be an object with no key repeated".into()))
    }
}
