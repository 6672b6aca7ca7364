//! What a task has come to, as it is kept.
//!
//! Owns the `CallToolResult` of a call that is answered later.

use crate::types::ToolReply;
use serde_json::{Map, Value, json};

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
            let text = serde_json::to_string(refusal).unwrap_or_else(|_| refusal.message.clone());
            json!({"content": [{"type": "text", "text": text}], "isError": true})
        }
        ToolReply::Later(_) | ToolReply::Failed(_) => Value::Null,
    };
    if let Value::Object(result) = result { result } else { Map::new() }
}
