//! Tools that answer at once: one per kind of content block.

use super::{Anything, Nothing, content, text, text_block};
use crate::conformance::{RED_DOT_PNG, SILENCE_WAV};
use crate::tools::interactive::Live;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use serde::Deserialize;
use serde_json::{Value, json};

/// Arguments of `test_x_mcp_header`.
#[derive(Deserialize)]
pub(super) struct Echoed {
    #[serde(default)]
    value: Option<String>,
}

fn image_block() -> Value {
    json!({"type": "image", "data": RED_DOT_PNG, "mimeType": "image/png"})
}

pub(super) async fn simple_text(_: &Nothing, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    Ok(text("This is a simple text response for testing."))
}

pub(super) async fn image(_: &Nothing, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    Ok(content(&json!([image_block()])))
}

pub(super) async fn audio(_: &Nothing, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    Ok(content(&json!([{"type": "audio", "data": SILENCE_WAV, "mimeType": "audio/wav"}])))
}

pub(super) async fn embedded_resource(_: &Nothing, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    let resource = json!({"uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content."});
    Ok(content(&json!([{"type": "resource", "resource": resource}])))
}

pub(super) async fn multiple_types(_: &Nothing, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    let resource =
        json!({"uri": "test://mixed-content-resource", "mimeType": "application/json", "text": r#"{"test":"data","value":123}"#});
    let blocks = json!([text_block("Multiple content types test:"), image_block(), {"type": "resource", "resource": resource}]);
    Ok(content(&blocks))
}

pub(super) async fn error_handling(_: &Nothing, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    let blocks = json!([text_block("This tool intentionally returns an error for testing")]).to_string();
    Ok(ToolReply::Content { blocks, is_error: true })
}

pub(super) async fn json_schema(arguments: &Anything, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    Ok(text(Value::Object(arguments.clone()).to_string()))
}

pub(super) async fn echo(arguments: &Echoed, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    Ok(text(arguments.value.as_deref().unwrap_or_default()))
}
