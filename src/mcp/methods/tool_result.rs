//! `CallToolResult`: what a tool's reply becomes, in the answer to its call and in the task that it became.
//!
//! Owns both writings.

use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, internal};
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::types::ToolReply;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// `TextContent`.
#[derive(Serialize)]
struct TextContent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

/// The answer to the call.
///
/// # Errors
/// −32603 when the result cannot be written.
pub(super) fn write_reply(call: &RequestContext<'_>, reply: &ToolReply) -> Result<JsonRpcResponse, Problem> {
    match reply {
        ToolReply::Structured(json) => {
            let result = ResultWriter::open(call, 3 * json.len()).field("content", &[text(json)]);
            if call.revision.has_structured_content() { result.json_field("structuredContent", json) } else { result }.close()
        }
        ToolReply::Content { blocks, is_error } => {
            let result = ResultWriter::open(call, blocks.len()).json_field("content", blocks);
            if *is_error { result.field("isError", &true) } else { result }.close()
        }
        // No structured content beside a refusal: strict clients hold it against the tool's output schema.
        ToolReply::Refused(refusal) => {
            let json = refusal.shown();
            ResultWriter::open(call, 2 * json.len()).field("content", &[text(&json)]).field("isError", &true).close()
        }
        ToolReply::Deferred(_) | ToolReply::Failed(_) => {
            Err(internal(call.server, &base::error::Fault::new("answering a call", "only a task is answered later")))
        }
    }
}

/// The `CallToolResult` of a task, which is kept until its client fetches it.
pub(super) fn result_of(reply: &ToolReply) -> Map<String, Value> {
    let result = match reply {
        ToolReply::Structured(text) => {
            let structured: Value = serde_json::from_str(text).unwrap_or_default();
            json!({"content": [{"type": "text", "text": text}], "structuredContent": structured})
        }
        ToolReply::Content { blocks, is_error } => {
            let blocks: Value = serde_json::from_str(blocks).unwrap_or_default();
            if *is_error { json!({"content": blocks, "isError": true}) } else { json!({"content": blocks}) }
        }
        ToolReply::Refused(refusal) => {
            let text = refusal.shown();
            json!({"content": [{"type": "text", "text": text}], "isError": true})
        }
        ToolReply::Deferred(_) | ToolReply::Failed(_) => Value::Null,
    };
    if let Value::Object(result) = result { result } else { Map::new() }
}

const fn text(text: &str) -> TextContent<'_> {
    TextContent { kind: "text", text }
}
