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
mod tasks;
mod tool_result;
mod tools;

use super::revision::Revision;
use super::server::Features;
use crate::request::{Capability, Kind, MethodRow, Mirrored};
use std::ops::RangeInclusive;

pub use errors::failed;

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
pub const TABLE: &[MethodRow] = &[
    row("server/discover", MODERN, Kind::Request(lifecycle::discover)),
    row("initialize", LEGACY, Kind::Request(lifecycle::initialize)),
    row("notifications/initialized", LEGACY, Kind::Notification(None)),
    row("notifications/cancelled", LEGACY, Kind::Notification(Some(subscriptions::cancelled))),
    row("ping", LEGACY, Kind::Request(lifecycle::ping)),
    MethodRow { capabilities: &[TOOLS], ..row("tools/list", EVERY, Kind::Request(lists::tools)) },
    MethodRow {
        capabilities: &[TOOLS, LOGGING],
        mirrored: Mirrored::ToolCall,
        can_ask: true,
        ..row("tools/call", EVERY, Kind::Request(tools::call))
    },
    MethodRow { capabilities: &[RESOURCES], ..row("resources/list", EVERY, Kind::Request(lists::resources)) },
    MethodRow { capabilities: &[RESOURCES], ..row("resources/templates/list", EVERY, Kind::Request(lists::templates)) },
    MethodRow {
        capabilities: &[RESOURCES],
        mirrored: Mirrored::Uri,
        can_ask: true,
        ..row("resources/read", EVERY, Kind::Request(resources::read))
    },
    row("resources/subscribe", LEGACY, Kind::Request(resources::subscribe)),
    row("resources/unsubscribe", LEGACY, Kind::Request(resources::unsubscribe)),
    MethodRow { capabilities: &[PROMPTS], ..row("prompts/list", EVERY, Kind::Request(lists::prompts)) },
    MethodRow {
        capabilities: &[PROMPTS],
        mirrored: Mirrored::Name,
        can_ask: true,
        ..row("prompts/get", EVERY, Kind::Request(prompts::get))
    },
    // The capability is younger than the method.
    row("completion/complete", FIRST, Kind::Request(completion::complete)),
    MethodRow { capabilities: &[COMPLETIONS], ..row("completion/complete", SINCE_2025_03, Kind::Request(completion::complete)) },
    MethodRow { capabilities: &[LOGGING], ..row("logging/setLevel", LEGACY, Kind::Request(logging::set_level)) },
    row("subscriptions/listen", MODERN, Kind::Request(subscriptions::listen)),
    MethodRow { capabilities: &[TASKS], mirrored: Mirrored::TaskId, ..row("tasks/get", MODERN, Kind::Request(tasks::get)) },
    MethodRow { capabilities: &[TASKS], mirrored: Mirrored::TaskId, ..row("tasks/update", MODERN, Kind::Request(tasks::update)) },
    MethodRow { capabilities: &[TASKS], mirrored: Mirrored::TaskId, ..row("tasks/cancel", MODERN, Kind::Request(tasks::cancel)) },
    MethodRow { capabilities: &[SKILLS], ..row("skills/list", MODERN, Kind::Request(skills::list)) },
    MethodRow { capabilities: &[SKILLS], ..row("skills/get", MODERN, Kind::Request(skills::get)) },
    MethodRow { capabilities: &[SKILLS], ..row("resources/directory/read", MODERN, Kind::Request(skills::folder)) },
];

const fn row(name: &'static str, revisions: RangeInclusive<Revision>, kind: Kind) -> MethodRow {
    MethodRow { name, revisions, kind, mirrored: Mirrored::Nothing, can_ask: false, capabilities: &[] }
}

/// The names of all methods and notifications, as on the wire. A name whose meaning changed stands here once for each meaning.
pub fn methods() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|row| row.name)
}

/// The row of a method in a revision.
#[must_use]
pub fn find(name: &str, revision: Revision) -> Option<&'static MethodRow> {
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
    !matches!(find(name, revision), Some(MethodRow { kind: Kind::Request(_), .. }))
}
