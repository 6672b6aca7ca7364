//! What the protocol asks of the product behind it. The only seam between `mcp` and everything above it.
//!
//! Owns the trait and its plain types. The product implements it once per request, for the authenticated caller;
//! nothing here names a tool, a town or a runtime.

use crate::error::{Fault, Refusal};
use crate::time::Timestamp;
use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::value::RawValue;
use std::rc::Rc;

/// `Implementation` of the specification: who this server is.
#[derive(Debug, Clone, Serialize)]
pub struct Implementation {
    /// Programmatic name.
    pub name: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// Version of the server.
    pub version: &'static str,
}

/// One `tools/call`, as the client sent it.
pub struct ToolCall<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// The arguments object; `{}` when the client sent none.
    pub arguments: &'a RawValue,
    /// The `ClientCapabilities` object that came with a modern request. A legacy client stated its capabilities at
    /// `initialize`, so nothing is known here.
    pub client_capabilities: Option<&'a RawValue>,
}

/// What a tool answered: becomes a `CallToolResult`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolReply {
    /// Structured content as JSON text of an object. The same text is the text content.
    Structured(String),
    /// `isError: true`; the refusal becomes the text content and there is no structured content.
    Refused(Refusal),
}

/// Why a `tools/call` has no result.
#[derive(Debug)]
pub enum ToolCallError {
    /// No tool of that name for this caller: JSON-RPC −32602.
    Unknown,
    /// The client did not declare a capability that the call cannot do without: JSON-RPC −32021 for modern clients,
    /// −32602 for legacy ones. The text is JSON of the `ClientCapabilities` needed: `{"sampling":{}}`.
    MissingCapability(&'static str),
    /// The caller's token is good, but does not cover this tool: HTTP 403 with this `WWW-Authenticate`.
    InsufficientScope(String),
    /// Something broke: JSON-RPC −32603 with an incident id.
    Broke(Fault),
}

/// A tool property that clients of the modern revision mirror into a `Mcp-Param-*` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderParameter {
    /// Property path in the arguments.
    pub path: &'static [&'static str],
    /// The part after `Mcp-Param-`.
    pub header: &'static str,
}

/// Which form of the tool list a client can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolShape {
    /// Revisions 2025-06-18 and later.
    Full,
    /// Earlier revisions: `Tool` has no `title` and no `outputSchema`.
    Before2025June,
}

/// The product, for one authenticated caller of one endpoint.
pub trait Server {
    /// Who we are.
    fn implementation(&self) -> &Implementation;

    /// Instructions for the model, under 2,000 characters.
    fn instructions(&self) -> &str;

    /// A stable key of the authenticated principal at this endpoint; a session belongs to exactly one. It names the
    /// endpoint too wherever endpoints keep their ended sessions in different places.
    fn principal(&self) -> &str;

    /// The caller's tools: JSON text of an array of `Tool` objects, in a fixed order, built once and shared. It is
    /// spliced into answers as it is.
    fn tools(&self, shape: ToolShape) -> Rc<str>;

    /// The `x-mcp-header` properties of a tool.
    fn header_parameters(&self, tool: &str) -> &'static [HeaderParameter];

    /// Runs a tool.
    fn call_tool<'a>(&'a self, call: ToolCall<'a>) -> LocalBoxFuture<'a, Result<ToolReply, ToolCallError>>;

    /// A session was begun just now. `session` as in `session_ended`. Nothing need be kept but that it has not ended yet.
    fn session_begun(&self, session: &str);

    /// Whether this session was ended by its client. `session` is the random part of the id, 22 base64url characters.
    /// Knowledge may be up to 30 s old.
    fn session_ended<'a>(&'a self, session: &'a str) -> LocalBoxFuture<'a, Result<bool, Fault>>;

    /// Ends this session for good. Idempotent. Once `expires` has passed the id is worthless by itself.
    fn end_session<'a>(&'a self, session: &'a str, expires: Timestamp) -> LocalBoxFuture<'a, Result<(), Fault>>;

    /// The key that session ids (and later request states and cursors) are sealed with.
    fn seal_key(&self) -> &[u8];

    /// The current time.
    fn now(&self) -> Timestamp;

    /// Sixteen random bytes from a cryptographic source.
    fn random(&self) -> [u8; 16];

    /// Logs a fault in full and returns the incident id to show instead.
    fn log_fault(&self, fault: &Fault) -> String;
}
