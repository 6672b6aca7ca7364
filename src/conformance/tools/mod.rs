//! The fixture's tools, one function each: arguments and a `Live` in, a reply out.
//!
//! Owns their table and what they share. Their descriptions are written by hand in `tools.json`: the suite compares
//! schemas word for word, and one of them uses what no type of ours would become.

mod changes;
mod content;
mod input_required;
mod interaction;
mod tasks;

use crate::tools::interactive::{Live, PreparedLive};
use crate::tools::tool::{Hints, Parsed, Reach, ToolDef, parse};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::{HeaderParameter, ToolReply};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// What `tools/list` shows of them, in the order of the table.
pub const LIST: &str = include_str!("../tools.json");

/// No arguments.
#[derive(Deserialize)]
struct Nothing {}

/// Arguments of any kind.
type Anything = Map<String, Value>;

type Replied<'a> = LocalBoxFuture<'a, Result<ToolReply, Interruption>>;

/// Parsed arguments and what is done with them.
struct Fixture<A> {
    arguments: A,
    run: for<'a> fn(&'a A, &'a Live<'a>) -> Replied<'a>,
}

impl<A> PreparedLive for Fixture<A> {
    fn rig(&self) -> Option<&str> {
        None
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> Replied<'a> {
        (self.run)(&self.arguments, live)
    }
}

macro_rules! fixture {
    ($($name:literal $arguments:ty => $run:path $(, $path:literal / $header:literal)?;)*) => {
        /// Every one.
        pub const TOOLS: &[ToolDef] = &[$(
            ToolDef {
                name: $name,
                title: "",
                hints: Hints::READ,
                reach: Reach::Fleet,
                example: "{}",
                alias: None,
                audience: crate::tools::profile::Audience::Coordinators,
                toolset: crate::tools::toolset::Toolset::Work,
                by_default: true,
                is_for_admins: false,
                header_parameters: &[$(HeaderParameter { path: &[$path], header: $header })?],
                meta: None,
                #[cfg(not(target_arch = "wasm32"))]
                describe: |_| Value::Null,
                prepare: |arguments| {
                    let arguments: $arguments = parse($name, arguments)?;
                    Ok(Parsed::Live(Box::new(Fixture { arguments, run: |arguments, live| Box::pin($run(arguments, live)) })))
                },
            },
        )*];
    };
}

fixture! {
    "test_simple_text" Nothing => content::simple_text;
    "test_image_content" Nothing => content::image;
    "test_audio_content" Nothing => content::audio;
    "test_embedded_resource" Nothing => content::embedded_resource;
    "test_multiple_content_types" Nothing => content::multiple_types;
    "test_tool_with_logging" Nothing => interaction::with_logging;
    "test_tool_with_progress" Nothing => interaction::with_progress;
    "test_error_handling" Nothing => content::error_handling;
    "test_sampling" interaction::Prompted => interaction::sampling;
    "test_elicitation" interaction::Asking => interaction::elicitation;
    "test_elicitation_sep1034_defaults" Nothing => interaction::elicitation_defaults;
    "test_elicitation_sep1330_enums" Nothing => interaction::elicitation_enums;
    "json_schema_2020_12_tool" Anything => content::json_schema;
    "test_reconnection" Nothing => interaction::reconnection;
    "test_missing_capability" Nothing => interaction::missing_capability;
    "test_streaming_elicitation" Nothing => interaction::streaming_elicitation;
    "test_logging_tool" Nothing => interaction::logging_tool;
    "test_trigger_tool_change" Nothing => changes::of_tools;
    "test_trigger_prompt_change" Nothing => changes::of_prompts;
    "test_x_mcp_header" content::Echoed => content::echo, "value" / "Value";
    "test_input_required_result_elicitation" Nothing => input_required::elicitation;
    "test_input_required_result_sampling" Nothing => input_required::sampling;
    "test_input_required_result_list_roots" Nothing => input_required::list_roots;
    "test_input_required_result_request_state" Nothing => input_required::request_state;
    "test_input_required_result_multiple_inputs" Nothing => input_required::multiple_inputs;
    "test_input_required_result_multi_round" Nothing => input_required::multi_round;
    "test_input_required_result_tampered_state" Nothing => input_required::tampered_state;
    "test_input_required_result_capabilities" Nothing => input_required::capabilities;
    "greet" tasks::Named => tasks::greet;
    "slow_compute" tasks::Computation => tasks::slow_compute;
    "failing_job" Nothing => tasks::failing_job;
    "protocol_error_job" Nothing => tasks::protocol_error_job;
    "confirm_delete" tasks::File => tasks::confirm_delete;
    "multi_input" Nothing => tasks::multi_input;
    "test_tool_with_task" Nothing => tasks::with_task;
}

/// A reply of one text.
fn text(text: impl Into<String>) -> ToolReply {
    content(&json!([text_block(&text.into())]))
}

fn content(blocks: &Value) -> ToolReply {
    ToolReply::Content { blocks: blocks.to_string(), is_error: false }
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

/// The schema of a form with one required field.
fn form_of(field: &str, kind: &str) -> Value {
    json!({"type": "object", "properties": {field: {"type": kind}}, "required": [field]})
}

/// A question to the client's model.
fn question(text: &str, max_tokens: u32) -> Value {
    json!({"messages": [{"role": "user", "content": text_block(text)}], "maxTokens": max_tokens})
}

/// What an answer says in this field of its form; nothing unless the form was accepted.
fn field<'a>(answer: &'a Value, name: &str) -> &'a Value {
    answer.get("content").and_then(|content| content.get(name)).unwrap_or(&Value::Null)
}

/// The text in an answer's form.
fn field_text<'a>(answer: &'a Value, name: &str) -> &'a str {
    field(answer, name).as_str().unwrap_or("nobody")
}

/// What a model said.
fn said(answer: &Value) -> &str {
    let content = answer.get("content");
    let block = content.and_then(|content| content.get(0)).or(content);
    block.and_then(|block| block.get("text")).and_then(Value::as_str).unwrap_or_default()
}

/// What became of a form.
fn outcome(answer: &Value) -> String {
    let action = answer.get("action").and_then(Value::as_str).unwrap_or_default();
    format!("action={action}, content={}", answer.get("content").unwrap_or(&Value::Null))
}
