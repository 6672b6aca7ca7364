//! `tools/call`.
//!
//! Owns which of three results it has: the tool's own (`tool_result`), the question that a client answers by calling again,
//! or the task (`tasks`). Which tools there are and what they do is the `Server`'s.

use super::errors::problem;
use super::tasks;
use super::tool_result::write_reply;
use crate::client::Interruption;
use crate::message::{present, read_string};
use crate::problem::Problem;
use crate::reply::JsonRpcResponse;
use crate::request::RequestContext;
use crate::response_stream::Channel;
use crate::result::ResultWriter;
use crate::server::ToolCall;
use crate::types::{CallError, ToolReply};
use base::error::Failure;
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct CallParams<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    /// Absent and `null` are the same as `{}`: clients leave it out for a tool without parameters.
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// `tools/call` (2026-07-28, tools, calling).
pub(super) fn call<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    run(call).boxed_local()
}

async fn run(call: &RequestContext<'_>) -> Result<JsonRpcResponse, Problem> {
    let params: CallParams<'_> = call.read_params()?;
    let name = params.name.and_then(read_string).ok_or(Problem::InvalidParams("name must be a string".into()))?;
    let arguments = match params.arguments {
        Some(arguments) if arguments.get().starts_with('{') => arguments,
        Some(_) => return Err(Problem::InvalidParams("arguments must be an object".into())),
        None => serde_json::from_str("{}").map_err(|_| Problem::InvalidParams("arguments must be an object".into()))?,
    };
    match call.server.call_tool(ToolCall { name: &name, arguments, client: call.channel }).await {
        Ok(reply) => write_reply(call, &reply),
        Err(CallError::Interrupted(Interruption::InputRequired)) => input_required(call),
        Err(CallError::Interrupted(Interruption::BecameTask)) => tasks::begin(call, &name, arguments).await,
        Err(CallError::Interrupted(Interruption::Failed(Failure::Refused(refusal)))) => write_reply(call, &ToolReply::Refused(refusal)),
        Err(error) => Err(problem(call, error, "tool", &name)),
    }
}

/// What was asked of the client, which answers by calling again (2026-07-28, multi round-trip requests).
pub(super) fn input_required(call: &RequestContext<'_>) -> Result<JsonRpcResponse, Problem> {
    let channel: &Channel<'_> = call.channel;
    let questions = channel.questions.take();
    let state = channel.inputs.seal(call.server, call.method, call.params, &questions)?;
    ResultWriter::open_as(call, "input_required").field("inputRequests", &questions).field("requestState", &state).close()
}
