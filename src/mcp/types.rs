//! What a product offers its clients, as values: replies of tools, pages of lists, contents of resources, prompts.
//!
//! Owns the shapes that tools, resources and prompts hand to whoever speaks the protocol. Knows no wire format beyond
//! the JSON texts that are spliced into answers as they are.

use crate::client::{DeferredResult, Interruption};
use base::error::{Fault, Refusal};
use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::{Map, Value};

/// How long and by whom a result may be kept (2026-07-28, caching). Legacy results do not say.
#[derive(Debug, Clone, Copy)]
pub struct Caching {
    /// `ttlMs`.
    pub ttl_ms: u32,
    /// `cacheScope`: `public` or `private`.
    pub scope: &'static str,
}

/// A property of a tool's arguments that clients of the modern revision mirror into a `Mcp-Param-*` header
/// (2026-07-28, `x-mcp-header`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderParameter {
    /// Property path in the arguments.
    pub path: &'static [&'static str],
    /// Header name without the `Mcp-Param-` prefix.
    pub header: &'static str,
}

/// What a tool answered: the protocol makes a `CallToolResult` or a task of it.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolReply {
    /// Structured content as JSON text of an object. The same text is the text content.
    Structured(String),
    /// Content blocks as JSON text of an array.
    Content {
        /// The array.
        blocks: String,
        /// The tool failed.
        is_error: bool,
    },
    /// `isError: true`; the refusal becomes the text content and there is no structured content.
    Refused(Refusal),
    /// Only from a call that has become a task.
    Deferred(DeferredResult),
    /// Only from a call that has become a task: it failed as a call, with this JSON-RPC error object.
    Failed(Map<String, Value>),
}

impl ToolReply {
    /// A value as structured content. `doing` is what a fault's log says was under way.
    ///
    /// # Errors
    /// The value is no JSON: a bug.
    pub fn structured(doing: &str, value: &impl Serialize) -> Result<Self, Fault> {
        Ok(Self::Structured(serde_json::to_string(value).map_err(|error| Fault::new(doing, error))?))
    }
}

/// Why a call has no result.
#[derive(Debug)]
pub enum CallError {
    /// No tool, prompt, resource or skill of that name for this caller: JSON-RPC −32602.
    Unknown,
    /// A parameter is no good: −32602. The text says which and why.
    Invalid(String),
    /// The token does not reach so far: 403 with this challenge.
    InsufficientScope(String),
    /// It stopped on the way.
    Interrupted(Interruption),
}

impl<T: Into<Interruption>> From<T> for CallError {
    fn from(stop: T) -> Self {
        Self::Interrupted(stop.into())
    }
}

/// Which form of a list a client can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListSchema {
    /// Revisions 2025-06-18 and later.
    Full,
    /// Earlier revisions: nothing has a `title`, and tools have no `outputSchema`.
    Before2025June,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// JSON text of an array.
    pub json: String,
    /// Where it goes on. Opaque to clients.
    pub next_cursor: Option<String>,
}

/// What a resource holds.
#[derive(Debug, Clone)]
pub struct Contents {
    /// `contents`: JSON text of an array, never empty.
    pub json: String,
    /// See `Caching`.
    pub caching: Caching,
}

/// A prompt filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptReply {
    /// What it is for.
    pub description: &'static str,
    /// `messages`: JSON text of an array.
    pub messages: String,
}

/// What an argument that is being completed belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'a> {
    /// A prompt, by name.
    Prompt(&'a str),
    /// A resource template, by its URI template.
    Resource(&'a str),
}

/// One `completion/complete`.
pub struct Completion<'a> {
    /// What the argument belongs to.
    pub reference: Reference<'a>,
    /// The argument's name.
    pub argument: &'a str,
    /// What has been typed of it.
    pub value: &'a str,
    /// Other arguments, as far as they are known.
    pub context: &'a Map<String, Value>,
}

/// Something that clients may want to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// `notifications/tools/list_changed`
    Tools,
    /// `notifications/prompts/list_changed`
    Prompts,
    /// `notifications/resources/list_changed`
    Resources,
    /// `notifications/resources/updated` for this URI.
    Resource(&'a str),
}

/// A call that is answered later or not at all.
pub type CallFuture<'a, T> = LocalBoxFuture<'a, Result<T, CallError>>;
