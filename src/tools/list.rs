//! `tools/list` as text, built once per view and schema of lists, and then shared.
//!
//! Owns what of a full list a connection sees. The full lists are made on the host, from the tools' types by `schema`: the tests
//! keep one snapshot per tool (`tests/snapshots/tools`), which `build.rs` joins. No schema is derived in the Worker.

use super::profile::Profile;
use super::run::View;
use super::{ToolTable, find};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Every tool of a profile as clients of the fleet connection and the newest revision see it: JSON text of an array. Both roles
/// of agents share one list.
#[must_use]
pub const fn full(profile: Profile) -> &'static str {
    match profile {
        Profile::Coordinator => include_str!(concat!(env!("OUT_DIR"), "/tools-coordinator.json")),
        Profile::Mayor => include_str!(concat!(env!("OUT_DIR"), "/tools-mayor.json")),
        Profile::Polecat | Profile::Refinery => include_str!(concat!(env!("OUT_DIR"), "/tools-agent.json")),
    }
}

thread_local! {
    static LISTS: RefCell<HashMap<(View, bool, usize), Rc<str>>> = RefCell::default();
}

/// The tools of a view as the JSON text of an array. `full`: with `title` and `outputSchema`, which revisions before
/// 2025-06-18 do not know. Tools that the build adds come last.
#[must_use]
pub fn text(view: View, full: bool, additions: ToolTable) -> Rc<str> {
    let key = (view, full, additions.rows.len());
    if let Some(list) = LISTS.with_borrow(|lists| lists.get(&key).cloned()) {
        return list;
    }
    let mut tools: Vec<Value> = serde_json::from_str(self::full(view.profile)).unwrap_or_default();
    tools.extend(serde_json::from_str::<Vec<Value>>(additions.list).unwrap_or_default());
    tools.retain(|tool| {
        tool.get("name")
            .and_then(Value::as_str)
            .and_then(|name| find(view.profile, name).or_else(|| additions.find(view.profile, name)))
            .is_some_and(|tool| view.shows(tool))
    });
    for tool in &mut tools {
        narrow(tool, view.pinned, full);
    }
    let list: Rc<str> = Value::Array(tools).to_string().into();
    LISTS.with_borrow_mut(|lists| lists.insert(key, Rc::clone(&list)));
    list
}

/// Takes out what this connection does not have: the town, when the connection names it, and what old revisions lack.
fn narrow(tool: &mut Value, pinned: bool, full: bool) {
    if pinned && let Some(schema) = tool.get_mut("inputSchema") {
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties.remove("town");
        }
        if let Some(Value::Array(required)) = schema.get_mut("required") {
            required.retain(|name| name != "town");
        }
    }
    if !full && let Some(tool) = tool.as_object_mut() {
        tool.remove("title");
        tool.remove("outputSchema");
        tool.remove("_meta");
    }
}
