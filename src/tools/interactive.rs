//! Tools that do more than ask once: they wait, tell how far they are, or ask the client back.
//!
//! Owns the trait and its type-erased form. A tool that asks one question of one or several objects is a `tool::Tool`;
//! only what cannot be said as a plan and a rendering is written this way.

use super::tool::{Hints, Place, Reach};
use crate::cache::Memory;
use crate::rpc::call::Instance;
use crate::rpc::client::Client;
use futures::future::LocalBoxFuture;
use mcp::client::{ClientHandle, Interruption};
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a live tool works with.
pub struct Live<'a> {
    /// Calls in the caller's name.
    pub client: &'a Client<'a>,
    /// The memory of the isolate.
    pub memory: &'a Memory,
    /// Where the call goes.
    pub place: &'a Place,
    /// The client that made the call.
    pub mcp_client: &'a dyn ClientHandle,
    /// Makes a retry safe.
    pub idempotency_key: Option<&'a str>,
    /// The object that keeps what this connection waits for.
    pub sessions: &'a Instance,
}

/// A live tool. As with `tool::Tool`, the type is its arguments, and its doc is what models read.
pub trait LiveTool: DeserializeOwned + JsonSchema + 'static {
    /// Public and permanent.
    const NAME: &'static str;
    /// For people.
    const TITLE: &'static str;
    /// See `Hints`.
    const HINTS: Hints;
    /// What it looks at.
    const REACH: Reach;
    /// Arguments that parse, without `town`; for documents and tests.
    const EXAMPLE: &'static str;
    /// What it answers when it answers with structure.
    type Output: Serialize + JsonSchema;

    /// The rig that the arguments name, by id or name.
    fn rig(&self) -> Option<&str> {
        None
    }

    /// Does it. It may be run more than once for one call: see `ClientHandle`.
    ///
    /// # Errors
    /// See `Interruption`.
    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>>;
}

/// Arguments that were parsed, with their tool's type forgotten.
pub trait PreparedLive {
    /// See `LiveTool::rig`.
    fn rig(&self) -> Option<&str>;
    /// See `LiveTool::run`.
    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>>;
}

impl<T: LiveTool> PreparedLive for T {
    fn rig(&self) -> Option<&str> {
        LiveTool::rig(self)
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        LiveTool::run(self, live)
    }
}
