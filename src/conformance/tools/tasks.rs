//! Tools that become tasks (extension `io.modelcontextprotocol/tasks`).

use super::input_required::name_form;
use super::{Nothing, field, field_text, form_of, text, text_block};
use crate::tools::interactive::Live;
use mcp::client::{ClientCapability, DeferredResult, InputRequest, Interruption, TaskOutcome};
use mcp::types::ToolReply;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How long the jobs take that always end the same way.
const JOB_MILLIS: i64 = 1_000;
/// Longest computation, in seconds; clients ask for a minute at most.
const SECONDS_MAX: u32 = 3_600;
/// Longest that a client is kept waiting that takes no tasks.
const WAIT_MILLIS_MAX: u32 = 5_000;
/// JSON-RPC's own code for what went wrong inside.
const INTERNAL_ERROR: i32 = -32_603;

/// Arguments of `greet`.
#[derive(Deserialize)]
pub(super) struct Named {
    name: String,
}

/// Arguments of `slow_compute`.
#[derive(Deserialize)]
pub(super) struct Computation {
    seconds: u32,
    label: Option<String>,
}

/// Arguments of `confirm_delete`.
#[derive(Deserialize)]
pub(super) struct File {
    filename: String,
}

pub(super) async fn greet(arguments: &Named, _: &Live<'_>) -> Result<ToolReply, Interruption> {
    Ok(text(format!("Hello, {}!", arguments.name)))
}

pub(super) async fn slow_compute(arguments: &Computation, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    let seconds = arguments.seconds.min(SECONDS_MAX);
    let done = format!("Computed {} for {seconds} s", arguments.label.as_deref().unwrap_or("something"));
    if seconds > 0 && live.mcp_client.can(ClientCapability::Tasks) {
        live.mcp_client.become_task()?;
        return Ok(later(live, i64::from(seconds) * 1_000, result(&done, false)));
    }
    live.mcp_client.cancellable();
    live.mcp_client.sleep((seconds * 1_000).min(WAIT_MILLIS_MAX)).await;
    Ok(text(done))
}

/// A tool that failed: the task is completed all the same.
pub(super) async fn failing_job(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.become_task()?;
    Ok(later(live, JOB_MILLIS, result("This job always fails", true)))
}

/// A call that failed: so does the task.
pub(super) async fn protocol_error_job(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.become_task()?;
    let error = object(json!({"code": INTERNAL_ERROR, "message": "This job always ends with a protocol error"}));
    Ok(later(live, JOB_MILLIS, TaskOutcome::Error(error)))
}

pub(super) async fn confirm_delete(arguments: &File, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.become_task()?;
    let form = InputRequest::form(&format!("Delete {}?", arguments.filename), &form_of("confirm", "boolean"));
    let answers = live.mcp_client.ask(vec![("confirm", form)]).await?;
    let confirmed = answers.first().is_some_and(|answer| field(answer, "confirm") == &Value::Bool(true));
    Ok(text(if confirmed { format!("Deleted {}", arguments.filename) } else { format!("Kept {}", arguments.filename) }))
}

pub(super) async fn multi_input(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    live.mcp_client.become_task()?;
    let confirm = InputRequest::form("Go ahead?", &form_of("confirm", "boolean"));
    let answers = live.mcp_client.ask(vec![("name", name_form()), ("confirm", confirm)]).await?;
    Ok(text(format!("Both answered: {}", Value::from(answers))))
}

/// What is asked before a task begins is asked as in any other call.
pub(super) async fn with_task(_: &Nothing, live: &Live<'_>) -> Result<ToolReply, Interruption> {
    // Nobody is asked for what cannot be used.
    if !live.mcp_client.can(ClientCapability::Tasks) {
        return Err(Interruption::MissingCapability(ClientCapability::Tasks));
    }
    let answers = live.mcp_client.ask(vec![("user_name", name_form())]).await?;
    live.mcp_client.become_task()?;
    let name = answers.first().map_or("nobody", |answer| field_text(answer, "name"));
    Ok(text(format!("Hello from a task, {name}!")))
}

fn later(live: &Live<'_>, millis: i64, ending: TaskOutcome) -> ToolReply {
    let due = live.client.runtime.now().plus_millis(millis);
    ToolReply::Deferred(DeferredResult {
        routes: Vec::new(),
        frame: Map::new(),
        due: Some((due, ending)),
        status: Some("Working".to_owned()),
    })
}

/// A `CallToolResult` of one text.
fn result(text: &str, is_error: bool) -> TaskOutcome {
    let mut result = object(json!({"content": [text_block(text)]}));
    if is_error {
        result.insert("isError".to_owned(), Value::Bool(true));
    }
    TaskOutcome::Result(result)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
