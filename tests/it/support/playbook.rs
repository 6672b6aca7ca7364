//! Playbooks as a client calls them: answers as fixtures, and next calls made as they are given.
//!
//! Owns the calls. What an answer should say, the fixtures do.

use super::caller::Caller;
use super::{Town, expect};
use base::error::{Failure, Refusal};
use gastown_mcp::tools::find;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use serde_json::{Value, json};

/// What a typical answer may cost, in bytes.
pub const ANSWER_BYTES_MAX: usize = 4_000;

/// Calls a tool of the fleet's connection with exactly these arguments, as the owner.
pub fn call_as_given(town: &Town, tool: &str, arguments: &Value) -> Result<Value, Refusal> {
    match Caller::new(&town.fleet, &town.owner(), &[]).call(tool, arguments.clone()) {
        Ok(ToolReply::Structured(text)) => {
            let answer: Value = serde_json::from_str(&text).unwrap();
            let row = find(gastown_mcp::tools::profile::Profile::Coordinator, tool).unwrap();
            // Clients check it, too.
            let required = gastown_mcp::tools::describe(row)["outputSchema"]["required"].clone();
            for field in required.as_array().into_iter().flatten() {
                assert!(answer.get(field.as_str().unwrap()).is_some(), "{tool} answers without {field}");
            }
            Ok(answer)
        }
        Err(Interruption::Failed(Failure::Refused(refusal))) => Err(refusal),
        other => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

/// The same with the town added.
pub fn ask(town: &Town, tool: &str, more: Value) -> Value {
    let mut arguments = json!({"town": town.id});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call_as_given(town, tool, &arguments).unwrap_or_else(|refusal| panic!("{tool}: {}", refusal.message))
}

/// Makes a next call as it stands in an answer.
pub fn make(town: &Town, call: &Value) -> Value {
    let tool = call["tool"].as_str().unwrap_or_else(|| panic!("no call: {call}"));
    let answer = call_as_given(town, tool, &call["arguments"]).unwrap_or_else(|refusal| panic!("{call}: {}", refusal.message));
    town.fleet.settle();
    answer
}

/// Compares answers with a fixture in which ids are numbered in the order of their first mention.
pub fn expect_answer(name: &str, answer: &Value) {
    let text = expect::number_ids(&format!("{answer:#}\n"), &mut Vec::new(), |number| format!("id-{number}"));
    expect::file(&format!("tests/fixtures/playbooks/{name}.json"), &text);
}
