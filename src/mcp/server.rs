//! What the protocol asks of the product behind it. The only seam between `mcp` and everything above it.
//!
//! Owns the trait and its plain types. The product implements it once per request, for the authenticated caller;
//! nothing here names a tool, a town or a runtime.

use crate::client::{ClientHandle, NotificationRoute};
use crate::session_store::SessionStore;
use crate::types::{CallFuture, Change, Completion, Contents, HeaderParameter, ListSchema, Listing, PromptReply, ToolReply};
use base::error::Fault;
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
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

/// What a server has that not every server has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Features {
    /// The list of tools may change while a client is connected.
    pub tools_change: bool,
    /// The list of prompts may.
    pub prompts_change: bool,
    /// Extensions beyond those that have methods: names and their settings as JSON text.
    pub extensions: &'static [(&'static str, &'static str)],
}

/// One `tools/call`, as the client sent it.
pub struct ToolCall<'a> {
    /// The tool's name.
    pub name: &'a str,
    /// The arguments object; `{}` when the client sent none.
    pub arguments: &'a RawValue,
    /// Who called.
    pub client: &'a dyn ClientHandle,
}

/// One `prompts/get`.
pub struct PromptCall<'a> {
    /// The prompt's name.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: &'a Map<String, Value>,
    /// Who called.
    pub client: &'a dyn ClientHandle,
}

/// The product, for one authenticated caller of one endpoint.
pub trait Server {
    /// Who we are.
    fn implementation(&self) -> &Implementation;

    /// Instructions for the model, under 2,000 characters.
    fn instructions(&self) -> &str;

    /// What this server has.
    fn features(&self) -> Features;

    /// A stable key of the authenticated principal at this endpoint; a session belongs to exactly one. It names the
    /// endpoint too wherever endpoints keep their ended sessions in different places.
    fn principal(&self) -> &str;

    /// When the caller's token expires, if it does: no stream outlives it.
    fn authorized_until(&self) -> Option<Timestamp>;

    /// The caller's tools: JSON text of an array of `Tool` objects, in a fixed order, built once and shared. It is
    /// spliced into answers as it is.
    fn tools(&self, schema: ListSchema) -> Rc<str>;

    /// The `x-mcp-header` properties of a tool.
    fn header_parameters(&self, tool: &str) -> &'static [HeaderParameter];

    /// Runs a tool.
    fn call_tool<'a>(&'a self, call: ToolCall<'a>) -> CallFuture<'a, ToolReply>;

    /// A page of the caller's resources, in a fixed order: `Resource` objects.
    fn list_resources<'a>(&'a self, schema: ListSchema, cursor: Option<&'a str>) -> CallFuture<'a, Listing>;

    /// `ResourceTemplate` objects: JSON text of an array, in a fixed order.
    fn resource_templates(&self, schema: ListSchema) -> Rc<str>;

    /// Reads a resource.
    fn read_resource<'a>(&'a self, uri: &'a str, client: &'a dyn ClientHandle) -> CallFuture<'a, Contents>;

    /// The caller's prompts: JSON text of an array of `Prompt` objects, in a fixed order.
    fn prompts(&self, schema: ListSchema) -> Rc<str>;

    /// Fills a prompt in.
    fn get_prompt<'a>(&'a self, call: PromptCall<'a>) -> CallFuture<'a, PromptReply>;

    /// At most 100 values that begin as the client typed, best first, and how many there are in all.
    fn complete<'a>(&'a self, completion: Completion<'a>) -> CallFuture<'a, (Vec<String>, usize)>;

    /// Skills (SEP-2640): JSON text of an array, in a fixed order.
    fn skills(&self) -> &'static str;

    /// What is in a folder of a skill: JSON text of an array of `Resource` objects; `None` when that is no folder.
    fn skill_folder(&self, uri: &str) -> Option<String>;

    /// Where a change is heard of; `Unknown` for a resource that is not there. Empty when it never happens.
    fn routes<'a>(&'a self, change: Change<'a>) -> CallFuture<'a, Vec<NotificationRoute>>;

    /// What is kept beyond this request.
    fn session_store(&self) -> &dyn SessionStore;

    /// The key that session ids and request states are sealed with.
    fn seal_key(&self) -> &[u8];

    /// The current time.
    fn now(&self) -> Timestamp;

    /// Sixteen random bytes from a cryptographic source.
    fn random(&self) -> [u8; 16];

    /// Waits.
    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()>;

    /// Logs a fault in full and returns the incident id to show instead.
    fn log_fault(&self, fault: &Fault) -> String;
}
