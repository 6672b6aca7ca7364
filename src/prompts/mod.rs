//! Prompts: beginnings of conversations, for people to choose from.
//!
//! `rows` has the table and one function per prompt, `prompt` what a row is, `mayor` what a Mayor is told, here and elsewhere,
//! `completion` what arguments may be completed to. Here is what all rows share: the list, and how arguments are checked.

pub mod completion;
pub mod mayor;
pub mod prompt;
pub mod rows;

use crate::prompts::prompt::{Argument, Filled, PromptDef};
use crate::resources::Offering;
use crate::resources::lookup::explain;
use crate::tools::tool::Reach;
use base::error::{Code, Failure};
use mcp::client::Interruption;
use mcp::types::{CallError, ListSchema, PromptReply};
use rows::PROMPTS;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// The prompts of a connection: the product's, then those that the build adds.
pub fn visible(is_pinned: bool, additions: &'static [PromptDef]) -> impl Iterator<Item = &'static PromptDef> {
    PROMPTS.iter().chain(additions).filter(move |row| !is_pinned || row.reach == Reach::Town)
}

/// The arguments of a prompt that a connection has.
pub fn arguments(row: &'static PromptDef, is_pinned: bool) -> impl Iterator<Item = &'static Argument> {
    row.arguments.iter().filter(move |argument| !is_pinned || argument.name != "town")
}

/// `prompts/list` as the JSON text of an array, built once per connection kind and schema.
#[must_use]
pub fn list(pinned: bool, schema: ListSchema, additions: &'static [PromptDef]) -> Rc<str> {
    thread_local! {
        static LISTS: RefCell<HashMap<(bool, ListSchema, usize), Rc<str>>> = RefCell::default();
    }
    let describe = |row: &'static PromptDef| {
        let argument =
            |argument: &Argument| json!({"name": argument.name, "description": argument.description, "required": argument.required});
        let arguments: Vec<Value> = arguments(row, pinned).map(argument).collect();
        let mut entry = json!({"name": row.name, "description": row.description, "arguments": arguments});
        if let Some(entry) = entry.as_object_mut().filter(|_| schema == ListSchema::Full) {
            entry.insert("title".to_owned(), row.title.into());
        }
        entry
    };
    let build = || Value::Array(visible(pinned, additions).map(describe).collect()).to_string().into();
    LISTS.with_borrow_mut(|lists| lists.entry((pinned, schema, additions.len())).or_insert_with(build).clone())
}

/// `prompts/get`.
///
/// # Errors
/// `Unknown` for an unknown name; `Invalid` for arguments that are missing, too many, or name no thing.
pub async fn get(
    at: &Offering<'_>,
    additions: &'static [PromptDef],
    name: &str,
    arguments: &Map<String, Value>,
) -> Result<PromptReply, CallError> {
    let row = visible(at.pinned.is_some(), additions).find(|row| row.name == name).ok_or(CallError::Unknown)?;
    let filled = fill(row, at.pinned.is_some(), arguments).map_err(CallError::Invalid)?;
    match (row.get)(at, filled).await {
        Ok(messages) => Ok(PromptReply { description: row.description, messages }),
        Err(error) => Err(bad_argument(error)),
    }
}

/// An argument that is only blank is left out, as forms have it.
fn fill(row: &'static PromptDef, is_pinned: bool, given: &Map<String, Value>) -> Result<Filled, String> {
    if let Some(surprise) = given.keys().find(|name| !row.arguments.iter().any(|argument| argument.name == **name)) {
        let known: Vec<&str> = arguments(row, is_pinned).map(|argument| argument.name).collect();
        return Err(format!("{surprise}: {} takes no such argument; it takes: {}", row.name, known.join(", ")));
    }
    let mut filled = Vec::new();
    for argument in row.arguments {
        match given.get(argument.name) {
            Some(Value::String(text)) if !text.trim().is_empty() => filled.push((argument.name, text.trim().to_owned())),
            None | Some(Value::Null | Value::String(_)) => {
                if argument.required && !(is_pinned && argument.name == "town") {
                    return Err(format!("{}: missing: {}", argument.name, argument.description));
                }
            }
            Some(_) => return Err(format!("{}: expected a string", argument.name)),
        }
    }
    Ok(Filled(filled))
}

/// A refused look-up is a refusal of the argument that named the thing.
fn bad_argument(error: CallError) -> CallError {
    match error {
        CallError::Interrupted(Interruption::Failed(Failure::Refused(refusal)))
            if matches!(refusal.code, Code::NotFound | Code::Forbidden | Code::InvalidArgument) =>
        {
            CallError::Invalid(explain(refusal))
        }
        other => other,
    }
}
