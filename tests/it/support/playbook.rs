//! Playbooks as a client calls them: answers as snapshots, and next calls made as they are given.
//!
//! Owns the calls, and how answers are made comparable. What an answer should say, the snapshots do.

use super::caller::Caller;
use super::{Town, expect};
use base::error::{Code, Failure, Refusal};
use gastown_mcp::tools::find;
use gastown_mcp::tools::profile::Profile;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use serde_json::{Value, json};

/// What a typical answer may cost the model that reads it, in bytes: about 1,200 tokens.
pub const ANSWER_BYTES_MAX: usize = 4_000;
/// Faults that a disaster makes: answers that were lost, and callers that went away.
const EXPECTED_FAULTS: [&str; 3] = ["lost", "died", "went away"];

/// Calls a tool of the fleet's connection with exactly these arguments, as the owner. A fault is a refusal too; one that is not
/// the disaster's own fails the test.
pub fn call_as_given(town: &Town, tool: &str, arguments: &Value) -> Result<Value, Refusal> {
    let outcome = Caller::new(&town.fleet, &town.owner(), &[]).call(tool, arguments.clone());
    let mut faults = town.fleet.take_faults();
    faults.retain(|fault| !EXPECTED_FAULTS.iter().any(|known| fault.contains(known)));
    assert_eq!(faults, Vec::<String>::new());
    let answer = structured(outcome)?;
    let row = find(Profile::Coordinator, tool).unwrap();
    fits(&gastown_mcp::tools::describe(row)["outputSchema"], &answer);
    Ok(answer)
}

/// The structured content of an outcome, or its refusal.
pub fn structured(outcome: Result<ToolReply, Interruption>) -> Result<Value, Refusal> {
    match outcome {
        Ok(ToolReply::Structured(text)) => Ok(serde_json::from_str(&text).unwrap()),
        Err(Interruption::Failed(Failure::Refused(refusal))) => Err(refusal),
        Err(Interruption::Failed(Failure::Broke(fault))) => Err(Refusal::new(Code::Unavailable, fault.log_text())),
        other => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

/// Everything is there that the schema requires: clients refuse an answer that lacks it.
fn fits(schema: &Value, value: &Value) {
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{name} is missing in {value}");
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        value.get(name).into_iter().for_each(|value| fits(property, value));
    }
    value.as_array().into_iter().flatten().for_each(|item| fits(&schema["items"], item));
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

/// Compares an answer with its snapshot, and holds it to what it may cost.
pub fn expect_answer(name: &str, answer: &Value) {
    expect_named(name, answer, &[]);
}

/// The same, with names for ids that the reader of the snapshot knows.
pub fn expect_named(name: &str, answer: &Value, names: &[(String, String)]) {
    let bytes = answer.to_string().len();
    assert!(bytes <= ANSWER_BYTES_MAX, "{name}: {bytes} bytes");
    snapshot(name, answer, names);
}

/// Compares with a snapshot, whatever its size. Ids without a name are numbered in the order of their first mention.
pub fn snapshot(name: &str, answer: &Value, names: &[(String, String)]) {
    let mut text = answer.to_string();
    for (id, name) in names {
        text = text.replace(id, &format!("<{name}>"));
    }
    let text = expect::number_ids(&text, &mut Vec::new(), |number| format!("<id {number}>"));
    let readable: Value = serde_json::from_str(&text).unwrap();
    expect::file(&format!("tests/snapshots/playbooks/{name}.json"), &format!("{readable:#}\n"));
}
