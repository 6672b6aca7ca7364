//! `tools/list` as text, built once per view and shape and then shared.
//!
//! Owns the JSON of a tool as clients see it.

use super::run::{View, visible};
use super::schema;
use super::tool::ToolDef;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

thread_local! {
    static LISTS: RefCell<HashMap<(View, bool), Rc<str>>> = RefCell::default();
}

/// The tools of a view as the JSON text of an array. `full`: with `title` and `outputSchema`, which revisions before
/// 2025-06-18 do not know.
#[must_use]
pub fn text(view: View, full: bool) -> Rc<str> {
    if let Some(list) = LISTS.with_borrow(|lists| lists.get(&(view, full)).cloned()) {
        return list;
    }
    let tools: Vec<Value> = visible(view).map(|tool| describe(tool, view.pinned, full)).collect();
    let list: Rc<str> = Value::Array(tools).to_string().into();
    LISTS.with_borrow_mut(|lists| lists.insert((view, full), Rc::clone(&list)));
    list
}

/// One tool.
#[must_use]
pub fn describe(tool: &ToolDef, pinned: bool, full: bool) -> Value {
    let mut entry = Map::new();
    entry.insert("name".to_owned(), Value::from(tool.name));
    if full {
        entry.insert("title".to_owned(), Value::from(tool.title));
    }
    entry.insert("description".to_owned(), Value::from(schema::description(&(tool.input_schema)())));
    entry.insert("inputSchema".to_owned(), schema::input(tool, pinned));
    if full {
        entry.insert("outputSchema".to_owned(), schema::output(tool));
    }
    entry.insert(
        "annotations".to_owned(),
        json!({
            "title": tool.title, "readOnlyHint": tool.hints.read_only, "destructiveHint": tool.hints.destructive,
            "idempotentHint": tool.hints.idempotent, "openWorldHint": tool.hints.open_world
        }),
    );
    Value::Object(entry)
}
