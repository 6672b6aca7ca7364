//! Tasks (2026-07-28, extension `io.modelcontextprotocol/tasks`): calls that are answered later.
//!
//! Owns how a call becomes a task, how it goes on when its client has answered, and the three methods. A task does
//! nothing by itself: it runs when it begins and when answers come, and ends with an event or at a time that whoever
//! keeps it (`SessionStore`) waits for.

use super::errors::{lacks, problem};
use super::tool_result::result_of;
use crate::client::{ClientCapability, ClientHandle as _, Interruption, TaskOutcome};
use crate::message::{present, read_object, read_string};
use crate::multi_round::question_digest;
use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, internal};
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::server::ToolCall;
use crate::session_types::{InputResponse, Task, TaskStatus};
use crate::types::{CallError, ToolReply};
use base::error::Failure;
use base64ct::{Base64UrlUnpadded, Encoding};
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// How long a task is kept from its beginning, in milliseconds.
const TASK_LIFE_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Longest answers of one update, in bytes: forms filled in by people.
const RESPONSES_BYTES_MAX: usize = 256 * 1024;

/// A change is tried anew this often when something else has changed the task meanwhile.
const ATTEMPTS_MAX: usize = 5;

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "taskId", default, deserialize_with = "present")]
    task_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "inputResponses", default, deserialize_with = "present")]
    responses: Option<&'a RawValue>,
}

/// Makes a task of a call that has become one: runs it as such, keeps what came of it, and answers with the task.
pub(super) async fn begin(call: &RequestContext<'_>, tool: &str, arguments: &RawValue) -> Result<JsonRpcResponse, Problem> {
    let now = call.server.now();
    let mut task = Task {
        id: Base64UrlUnpadded::encode_string(&call.server.random()),
        principal: call.server.principal().to_owned(),
        tool: tool.to_owned(),
        arguments: arguments.get().to_owned(),
        status: TaskStatus::Working,
        message: None,
        created_at: now,
        updated_at: now,
        ttl_ms: TASK_LIFE_MILLIS,
        answers: call.channel.inputs.answers.clone(),
        questions: Map::new(),
        ending: None,
        routes: Vec::new(),
        frame: Map::new(),
        due: None,
        version: 1,
    };
    // Answers that were given to the call before it became a task authorize it once.
    match call.channel.spend().await {
        Ok(()) => {}
        Err(stop) => return Err(problem(call, CallError::Interrupted(stop), "tool", tool)),
    }
    run(call, &mut task).await?;
    call.server.session_store().create_task(&task).await.map_err(|fault| internal(call.server, &fault))?;
    if !task.routes.is_empty() {
        // What it waits for may have happened before anybody listened.
        go_on(call, &mut task).await?;
    }
    ResultWriter::open_as(call, "task").fields(&task.summary()).close()
}

/// Runs the tool once and notes what came of it.
async fn run(call: &RequestContext<'_>, task: &mut Task) -> Result<(), Problem> {
    let channel = call.channel.of_task(task.answers.clone());
    let arguments: Box<RawValue> =
        serde_json::from_str(&task.arguments).map_err(|error| internal(call.server, &base::error::Fault::new("reading a task", error)))?;
    let reply = call.server.call_tool(ToolCall { name: &task.tool, arguments: &arguments, client: &channel }).await;
    let now = call.server.now();
    task.updated_at = now;
    match reply {
        Ok(ToolReply::Deferred(later)) => {
            task.status = TaskStatus::Working;
            task.questions.clear();
            (task.message, task.routes, task.frame, task.due) = (later.status, later.routes, later.frame, later.due);
        }
        Ok(ToolReply::Failed(error)) => task.end(TaskOutcome::Error(error), now),
        Ok(reply) => task.end(TaskOutcome::Result(result_of(&reply)), now),
        Err(CallError::Interrupted(Interruption::InputRequired)) => {
            task.status = TaskStatus::InputRequired;
            task.questions = channel.questions.take();
        }
        Err(CallError::Interrupted(Interruption::Failed(Failure::Refused(refusal)))) => {
            task.end(TaskOutcome::Result(result_of(&ToolReply::Refused(refusal))), now);
        }
        Err(error) => return Err(problem(call, error, "tool", &task.tool)),
    }
    Ok(())
}

/// Runs a task again and keeps what came of it, unless it has changed meanwhile: then the newer state stands.
async fn go_on(call: &RequestContext<'_>, task: &mut Task) -> Result<bool, Problem> {
    let mut next = task.clone();
    run(call, &mut next).await?;
    let kept = call.server.session_store().save_task(&next).await.map_err(|fault| internal(call.server, &fault))?;
    if kept {
        *task = next;
        task.version += 1;
    }
    Ok(kept)
}

/// The task that a request names.
async fn find(call: &RequestContext<'_>, params: &Params<'_>) -> Result<Task, Problem> {
    if !call.channel.declares(ClientCapability::Tasks) {
        return Err(lacks(call, ClientCapability::Tasks));
    }
    let id = params.task_id.and_then(read_string).ok_or(Problem::InvalidParams("taskId must be a string".into()))?;
    let found = call.server.session_store().task(&id).await.map_err(|fault| internal(call.server, &fault))?;
    found.ok_or(Problem::InvalidParams("unknown taskId".into()))
}

/// `tasks/get`.
pub(super) fn get<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let task = find(call, &call.read_params()?).await?;
        ResultWriter::open(call, 512).fields(&task.detailed()).close()
    }
    .boxed_local()
}

/// `tasks/update`: answers to the task's questions, all or some. Others are ignored.
pub(super) fn update<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let params: Params<'_> = call.read_params()?;
        if params.responses.is_some_and(|responses| responses.get().len() > RESPONSES_BYTES_MAX) {
            return Err(Problem::InvalidParams(format!("inputResponses has at most {RESPONSES_BYTES_MAX} bytes").into()));
        }
        let responses: Option<Map<String, Value>> = params.responses.and_then(|responses| read_object(responses.get()));
        for _ in 0..ATTEMPTS_MAX {
            let mut task = find(call, &params).await?;
            let responses = responses.clone().ok_or(Problem::InvalidParams("inputResponses must be an object".into()))?;
            let mut is_news = false;
            for (name, answer) in responses {
                if let Some(question) = task.questions.get(&name) {
                    task.answers.insert(name, InputResponse { question: question_digest(question), answer });
                    is_news = true;
                }
            }
            if !is_news || task.has_ended() {
                break;
            }
            if go_on(call, &mut task).await? {
                break;
            }
        }
        ResultWriter::open(call, 0).close()
    }
    .boxed_local()
}

/// `tasks/cancel`. A task that has ended stays as it is.
pub(super) fn cancel<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let params: Params<'_> = call.read_params()?;
        for _ in 0..ATTEMPTS_MAX {
            let mut task = find(call, &params).await?;
            if task.has_ended() {
                break;
            }
            task.cancel(call.server.now());
            if call.server.session_store().save_task(&task).await.map_err(|fault| internal(call.server, &fault))? {
                break;
            }
        }
        ResultWriter::open(call, 0).close()
    }
    .boxed_local()
}
