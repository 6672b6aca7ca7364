//! `prompts/get`.
//!
//! Owns its result. Which prompts there are and what they say is the `Server`'s.

use super::errors::problem;
use super::tools::input_required;
use crate::client::Interruption;
use crate::message::{present, read_object, read_string};
use crate::problem::Problem;
use crate::reply::JsonRpcResponse;
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::server::PromptCall;
use crate::types::CallError;
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    /// Absent and `null` are the same as `{}`.
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// `prompts/get` (2026-07-28, prompts, getting).
pub(super) fn get<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    fill_in(call).boxed_local()
}

/// An object of strings.
///
/// # Errors
/// −32602.
pub(super) fn read_arguments(arguments: Option<&RawValue>) -> Result<Map<String, Value>, Problem> {
    let Some(arguments) = arguments else { return Ok(Map::new()) };
    let arguments: Option<Map<String, Value>> = read_object(arguments.get());
    arguments
        .filter(|arguments| arguments.values().all(Value::is_string))
        .ok_or(Problem::InvalidParams("arguments must be an object of strings".into()))
}

async fn fill_in(call: &RequestContext<'_>) -> Result<JsonRpcResponse, Problem> {
    let params: Params<'_> = call.read_params()?;
    let name = params.name.and_then(read_string).ok_or(Problem::InvalidParams("name must be a string".into()))?;
    let arguments = read_arguments(params.arguments)?;
    match call.server.get_prompt(PromptCall { name: &name, arguments: &arguments, client: call.channel }).await {
        Ok(reply) => ResultWriter::open(call, reply.messages.len())
            .field("description", &reply.description)
            .json_field("messages", &reply.messages)
            .close(),
        Err(CallError::Interrupted(Interruption::InputRequired)) => input_required(call),
        Err(error) => Err(problem(call, error, "prompt", &name)),
    }
}
