//! Tools that talk with the client while they run: logs, progress, questions, a stream that ends early.

use super::{Nothing, form_of, outcome, question, said, text};
use crate::tools::interactive::Live;
use mcp::client::{ClientCapability, InputRequest, Interruption, LogLevel};
use mcp::types::ToolReply;
use serde::Deserialize;
use serde_json::{Value, json};

/// Between two notifications, so that a client sees them come one by one.
const PAUSE_MILLIS: u32 = 50;
/// How long the result of a call lags behind the end of its connection: a client may already wait for it again.
const AWAY_MILLIS: u32 = 200;
const LOGGER: &str = "conformance";

/// Arguments of `test_sampling`.
#[derive(Deserialize)]
pub(super) struct Prompted {
    prompt: String,
}

/// Arguments of `test_elicitation`.
#[derive(Deserialize)]
pub(super) struct Asking {
    message: String,
}

pub(super) async fn with_logging(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.log(LogLevel::Info, LOGGER, json!("Tool execution started")).await;
    live.mcp_client.sleep(PAUSE_MILLIS).await;
    live.mcp_client.log(LogLevel::Info, LOGGER, json!("Tool processing data")).await;
    live.mcp_client.sleep(PAUSE_MILLIS).await;
    live.mcp_client.log(LogLevel::Info, LOGGER, json!("Tool execution completed")).await;
    Ok(text("Tool with logging executed successfully"))
}

pub(super) async fn logging_tool(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.log(LogLevel::Info, LOGGER, json!("A message that only those get who asked for it")).await;
    Ok(text("Logged, if the request asked for it"))
}

pub(super) async fn with_progress(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.progress(0.0, Some(100.0), "Started").await;
    live.mcp_client.sleep(PAUSE_MILLIS).await;
    live.mcp_client.progress(50.0, Some(100.0), "Half way").await;
    live.mcp_client.sleep(PAUSE_MILLIS).await;
    live.mcp_client.progress(100.0, Some(100.0), "Done").await;
    Ok(text("Tool with progress executed successfully"))
}

pub(super) async fn sampling(arguments: &Prompted, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let answer = ask(live, "response", InputRequest::sample(question(&arguments.prompt, 100))).await?;
    Ok(text(format!("LLM response: {}", said(&answer))))
}

pub(super) async fn elicitation(arguments: &Asking, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let schema = json!({
        "type": "object",
        "properties": {
            "username": {"type": "string", "description": "User's response"},
            "email": {"type": "string", "description": "User's email address"},
        },
        "required": ["username", "email"],
    });
    let answer = ask(live, "response", InputRequest::form(&arguments.message, &schema)).await?;
    Ok(text(format!("User response: {}", outcome(&answer))))
}

pub(super) async fn elicitation_defaults(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "User name", "default": "John Doe"},
            "age": {"type": "integer", "description": "User age", "default": 30},
            "score": {"type": "number", "description": "User score", "default": 95.5},
            "status": {"type": "string", "description": "User status", "enum": ["active", "inactive", "pending"], "default": "active"},
            "verified": {"type": "boolean", "description": "Verification status", "default": true},
        },
        "required": [],
    });
    completed(live, "Please review the values and change what is wrong", &schema).await
}

pub(super) async fn elicitation_enums(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let plain = json!(["option1", "option2", "option3"]);
    let titled = |word: &str| {
        let choice = |value: &str, number: &str| json!({"const": value, "title": format!("{number} {word}")});
        json!([choice("value1", "First"), choice("value2", "Second"), choice("value3", "Third")])
    };
    let schema = json!({
        "type": "object",
        "properties": {
            "untitledSingle": {"type": "string", "enum": plain},
            "titledSingle": {"type": "string", "oneOf": titled("Option")},
            "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option One", "Option Two", "Option Three"]},
            "untitledMulti": {"type": "array", "items": {"type": "string", "enum": plain}},
            "titledMulti": {"type": "array", "items": {"anyOf": titled("Choice")}},
        },
        "required": [],
    });
    completed(live, "Please choose", &schema).await
}

pub(super) async fn streaming_elicitation(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    completed(live, "What is your name?", &form_of("name", "string")).await
}

pub(super) async fn reconnection(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.hang_up().await;
    live.mcp_client.sleep(AWAY_MILLIS).await;
    Ok(text("Reconnection test completed: the result came after the connection had ended"))
}

pub(super) async fn missing_capability(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    if !live.mcp_client.can(ClientCapability::Sampling) {
        return Err(Interruption::MissingCapability(ClientCapability::Sampling));
    }
    Ok(text("The client has declared sampling"))
}

async fn completed(live: &Live<'_>, message: &str, schema: &Value) -> Result<ToolReply, Interruption> {
    let answer = ask(live, "response", InputRequest::form(message, schema)).await?;
    Ok(text(format!("Elicitation completed: {}", outcome(&answer))))
}

async fn ask(live: &Live<'_>, name: &'static str, question: InputRequest) -> Result<Value, Interruption> {
    Ok(live.mcp_client.ask(vec![(name, question)]).await?.pop().unwrap_or_default())
}
