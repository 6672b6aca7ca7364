//! Routes that give out work.
//!
//! Owns the field names of their bodies. What may be slung, and how a batch is checked, is the tools' business.

use crate::contract::ids::RigId;
use crate::contract::limits::convoy::TASKS_MAX;
use crate::edge::rest::call::Running;
use crate::edge::rest::extract::{invalid, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::Reply;
use crate::tools::coordinator::sling::Sling;
use crate::tools::coordinator::sling_batch::SlingBatch;
use crate::tools::run::{Connection, ask};
use crate::tools::tool::{Answers, ToolDef};
use crate::tools::toolset::Toolset;
use base::error::{Code, Failure, Fault};
use base::json::object;
use serde_json::{Map, Value};

/// Body fields of `sling` beside the rig.
const SLING_FIELDS: &[&str] = &["title", "body", "metadata", "labels"];
/// Body fields of `sling-batch` beside the rig.
const SLING_BATCH_FIELDS: &[&str] = &["convoy_title", "tasks", "merge_mode", "parallel", "staged", "metadata"];

pub(super) fn sling<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let body: Map<String, Value> = request.body()?;
        if !body.get("title").is_some_and(Value::is_string) {
            return Err(invalid("title: expected a string").into());
        }
        by_tool(request, &ToolDef::of::<Sling>(Toolset::Work), body, SLING_FIELDS).await
    })
}

pub(super) fn sling_batch<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let body: Map<String, Value> = request.body()?;
        let tasks = body.get("tasks").and_then(Value::as_array).map(Vec::len);
        if !tasks.is_some_and(|tasks| (1..=TASKS_MAX).contains(&tasks)) {
            return Err(invalid(format!("tasks: expected 1 to {TASKS_MAX} of them")).into());
        }
        by_tool(request, &ToolDef::of::<SlingBatch>(Toolset::Work), body, SLING_BATCH_FIELDS).await
    })
}

async fn by_tool(request: &RouteRequest<'_>, tool: &ToolDef, mut body: Map<String, Value>, fields: &[&str]) -> Result<Reply, Failure> {
    let rig: RigId = take(&mut body, "rig_id")?;
    let mut arguments = object([("rig", Value::from(rig.as_str()))]);
    for field in fields {
        if let Some(value) = body.remove(*field).filter(|value| !value.is_null()) {
            arguments.insert((*field).to_owned(), value);
        }
    }
    if let Some(key) = request.key() {
        arguments.insert("idempotency_key".to_owned(), Value::from(key));
    }
    let connection =
        Connection { client: &request.caller.client, memory: request.caller.edge.memory, pinned: Some(request.town()?), speaker: None };
    match ask(connection, tool, arguments).await.map_err(|failure| of_body(tool.name, failure))?.answers {
        Answers::One(data) => Ok(data.into()),
        Answers::Many(_) => Err(Fault::new(tool.name, "one answer was expected").into()),
    }
}

/// What a tool says of its arguments, said of the body.
fn of_body(tool: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.code == Code::InvalidArgument => {
            match refusal.message.strip_prefix(tool).and_then(|rest| rest.strip_prefix(": ")) {
                Some(what) => invalid(what).into(),
                None => refusal.into(),
            }
        }
        other => other,
    }
}
