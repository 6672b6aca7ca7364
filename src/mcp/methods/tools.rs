//! `tools/call`.
//!
//! Owns its results: the tool's own, the question that a client answers by calling again, and the task. Which tools
//! there are and what they do is the `Server`'s.

use super::Call;
use super::errors::problem;
use super::tasks;
use crate::answer::Answer;
use crate::client::Stop;
use crate::message::{present, read_string};
use crate::problem::Problem;
use crate::reply::internal;
use crate::response_stream::Channel;
use crate::result::ResultWriter;
use crate::server::ToolCall;
use crate::types::{CallError, ToolReply};
use base::error::Failure;
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    /// Absent and `null` are the same as `{}`: clients leave it out for a tool without parameters.
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// `TextContent`.
#[derive(Serialize)]
struct TextContent<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
}

/// `tools/call` (2026-07-28, tools, calling).
pub(super) fn call<'a>(call: &'a Call<'a>) -> LocalBoxFuture<'a, Result<Answer, Problem>> {
    run(call).boxed_local()
}

async fn run(call: &Call<'_>) -> Result<Answer, Problem> {
    let params: CallParams<'_> = call.read_params()?;
    let name = params.name.and_then(read_string).ok_or(Problem::InvalidParams("name must be a string".into()))?;
    let arguments = match params.arguments {
        Some(arguments) if arguments.get().starts_with('{') => arguments,
        Some(_) => return Err(Problem::InvalidParams("arguments must be an object".into())),
        None => serde_json::from_str("{}").map_err(|_| Problem::InvalidParams("arguments must be an object".into()))?,
    };
    match call.server.call_tool(ToolCall { name: &name, arguments, peer: call.channel }).await {
        Ok(reply) => write_reply(call, &reply),
        Err(CallError::Stopped(Stop::Suspended)) => input_required(call),
        Err(CallError::Stopped(Stop::BecameTask)) => tasks::begin(call, &name, arguments).await,
        Err(CallError::Stopped(Stop::Failed(Failure::Refused(refusal)))) => write_reply(call, &ToolReply::Refused(refusal)),
        Err(error) => Err(problem(call, error, "tool", &name)),
    }
}

fn write_reply(call: &Call<'_>, reply: &ToolReply) -> Result<Answer, Problem> {
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
            let json = serde_json::to_string(refusal).unwrap_or_else(|_| refusal.message.clone());
            ResultWriter::open(call, 2 * json.len()).field("content", &[text(&json)]).field("isError", &true).close()
        }
        ToolReply::Later(_) | ToolReply::Failed(_) => {
            Err(internal(call.server, &base::error::Fault::new("answering a call", "only a task is answered later")))
        }
    }
}

const fn text(text: &str) -> TextContent<'_> {
    TextContent { kind: "text", text }
}

/// What was asked of the client, which answers by calling again (2026-07-28, multi round-trip requests).
pub(super) fn input_required(call: &Call<'_>) -> Result<Answer, Problem> {
    let channel: &Channel<'_> = call.channel;
    let questions = channel.questions.take();
    let state = channel.inputs.seal(call.server, call.method, call.params, &questions)?;
    ResultWriter::open_as(call, "input_required").field("inputRequests", &questions).field("requestState", &state).close()
}
