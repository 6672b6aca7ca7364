//! The method table: one row per method and range of revisions.
//!
//! Owns which methods exist when, what they need from the headers, and which capability they stand for. A new method
//! is a new row and a handler; era routing, sessions, batches and errors follow from the row.

mod completion;
mod errors;
mod lifecycle;
mod lists;
mod logging;
mod prompts;
mod resources;
mod skills;
mod subscriptions;
mod task_result;
mod tasks;
mod tools;

use super::answer::Answer;
use super::message::{RequestId, read_object};
use super::problem::Problem;
use super::revision::Revision;
use super::server::{Features, Server};
use super::session::Session;
use crate::response_stream::Channel;
use futures::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::RangeInclusive;

pub use errors::failed;

/// One request on its way to its handler.
pub struct Call<'a> {
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
pub type Handler = for<'a> fn(&'a Call<'a>) -> LocalBoxFuture<'a, Result<Answer, Problem>>;

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
pub struct Method {
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

const LEGACY: RangeInclusive<Revision> = Revision::V2024_11_05..=Revision::V2025_11_25;
const MODERN: RangeInclusive<Revision> = Revision::V2026_07_28..=Revision::V2026_07_28;
const EVERY: RangeInclusive<Revision> = Revision::V2024_11_05..=Revision::V2026_07_28;
const FIRST: RangeInclusive<Revision> = Revision::V2024_11_05..=Revision::V2024_11_05;
const SINCE_2025_03: RangeInclusive<Revision> = Revision::V2025_03_26..=Revision::V2026_07_28;

const LIST_CHANGED: &str = r#"{"listChanged":true}"#;
const TOOLS: Capability = Capability::Plain("tools", |features| if features.tools_change { LIST_CHANGED } else { "{}" });
const PROMPTS: Capability = Capability::Plain("prompts", |features| if features.prompts_change { LIST_CHANGED } else { "{}" });
const RESOURCES: Capability = Capability::Plain("resources", |_| r#"{"subscribe":true,"listChanged":true}"#);
const LOGGING: Capability = Capability::Plain("logging", |_| "{}");
const COMPLETIONS: Capability = Capability::Plain("completions", |_| "{}");
const TASKS: Capability = Capability::Extension("io.modelcontextprotocol/tasks", "{}");
const SKILLS: Capability = Capability::Extension("io.modelcontextprotocol/skills", r#"{"directoryRead":true}"#);

/// Every row.
pub const TABLE: &[Method] = &[
    row("server/discover", MODERN, Kind::Request(lifecycle::discover)),
    row("initialize", LEGACY, Kind::Request(lifecycle::initialize)),
    row("notifications/initialized", LEGACY, Kind::Notification(None)),
    row("notifications/cancelled", LEGACY, Kind::Notification(Some(subscriptions::cancelled))),
    row("ping", LEGACY, Kind::Request(lifecycle::ping)),
    Method { capabilities: &[TOOLS], ..row("tools/list", EVERY, Kind::Request(lists::tools)) },
    Method {
        capabilities: &[TOOLS, LOGGING],
        mirrored: Mirrored::ToolCall,
        can_ask: true,
        ..row("tools/call", EVERY, Kind::Request(tools::call))
    },
    Method { capabilities: &[RESOURCES], ..row("resources/list", EVERY, Kind::Request(lists::resources)) },
    Method { capabilities: &[RESOURCES], ..row("resources/templates/list", EVERY, Kind::Request(lists::templates)) },
    Method {
        capabilities: &[RESOURCES],
        mirrored: Mirrored::Uri,
        can_ask: true,
        ..row("resources/read", EVERY, Kind::Request(resources::read))
    },
    row("resources/subscribe", LEGACY, Kind::Request(resources::subscribe)),
    row("resources/unsubscribe", LEGACY, Kind::Request(resources::unsubscribe)),
    Method { capabilities: &[PROMPTS], ..row("prompts/list", EVERY, Kind::Request(lists::prompts)) },
    Method { capabilities: &[PROMPTS], mirrored: Mirrored::Name, can_ask: true, ..row("prompts/get", EVERY, Kind::Request(prompts::get)) },
    // The capability is younger than the method.
    row("completion/complete", FIRST, Kind::Request(completion::complete)),
    Method { capabilities: &[COMPLETIONS], ..row("completion/complete", SINCE_2025_03, Kind::Request(completion::complete)) },
    Method { capabilities: &[LOGGING], ..row("logging/setLevel", LEGACY, Kind::Request(logging::set_level)) },
    row("subscriptions/listen", MODERN, Kind::Request(subscriptions::listen)),
    Method { capabilities: &[TASKS], mirrored: Mirrored::TaskId, ..row("tasks/get", MODERN, Kind::Request(tasks::get)) },
    Method { capabilities: &[TASKS], mirrored: Mirrored::TaskId, ..row("tasks/update", MODERN, Kind::Request(tasks::update)) },
    Method { capabilities: &[TASKS], mirrored: Mirrored::TaskId, ..row("tasks/cancel", MODERN, Kind::Request(tasks::cancel)) },
    Method { capabilities: &[SKILLS], ..row("skills/list", MODERN, Kind::Request(skills::list)) },
    Method { capabilities: &[SKILLS], ..row("skills/get", MODERN, Kind::Request(skills::get)) },
    Method { capabilities: &[SKILLS], ..row("resources/directory/read", MODERN, Kind::Request(skills::folder)) },
];

const fn row(name: &'static str, revisions: RangeInclusive<Revision>, kind: Kind) -> Method {
    Method { name, revisions, kind, mirrored: Mirrored::Nothing, can_ask: false, capabilities: &[] }
}

/// The row of a method in a revision.
#[must_use]
pub fn find(name: &str, revision: Revision) -> Option<&'static Method> {
    TABLE.iter().find(|method| method.name == name && method.revisions.contains(&revision))
}

/// `ServerCapabilities` of a revision, as JSON text: what the table has rows for, and nothing else.
#[must_use]
pub fn capabilities(revision: Revision, features: &Features) -> String {
    let mut plain: Vec<(&str, &str)> = Vec::new();
    let mut extensions: Vec<(&str, &str)> = features.extensions.to_vec();
    let rows = TABLE.iter().filter(|method| method.revisions.contains(&revision));
    for capability in rows.flat_map(|method| method.capabilities) {
        let (declared, entry) = match capability {
            Capability::Plain(name, value) => (&mut plain, (*name, value(features))),
            Capability::Extension(name, value) => (&mut extensions, (*name, *value)),
        };
        if declared.iter().all(|(name, _)| *name != entry.0) {
            declared.push(entry);
        }
    }
    let object = |entries: &[(&str, &str)]| {
        let fields: Vec<String> = entries.iter().map(|(name, json)| format!("\"{name}\":{json}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let extensions = object(&extensions);
    if revision.has_extensions() {
        plain.push(("extensions", &extensions));
    }
    object(&plain)
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
