//! `completion/complete`.
//!
//! Owns its result. What an argument can be is the `Server`'s.

use super::errors::problem;
use super::prompts::read_arguments;
use crate::problem::Problem;
use crate::reply::JsonRpcResponse;
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::types::{Completion, Reference};
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Values in one answer at most (schema, `CompleteResult`).
const VALUES_MAX: usize = 100;

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(rename = "ref")]
    reference: WireReference,
    argument: Argument,
    #[serde(borrow, default)]
    context: Option<Context<'a>>,
}

#[derive(Deserialize)]
struct WireReference {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    uri: String,
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    value: String,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Completed {
    values: Vec<String>,
    total: usize,
    has_more: bool,
}

/// `completion/complete` (2026-07-28, completion).
pub(super) fn complete<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let params: Params<'_> =
            call.read_params().map_err(|_| Problem::InvalidParams("ref and argument {name, value} are required".into()))?;
        let context = read_arguments(params.context.and_then(|context| context.arguments))?;
        let reference = match params.reference.kind.as_str() {
            "ref/prompt" => Reference::Prompt(&params.reference.name),
            "ref/resource" => Reference::Resource(&params.reference.uri),
            _ => return Err(Problem::InvalidParams("ref.type must be ref/prompt or ref/resource".into())),
        };
        let completion = Completion { reference, argument: &params.argument.name, value: &params.argument.value, context: &context };
        let (mut values, total) =
            call.server.complete(completion).await.map_err(|error| problem(call, error, "reference", &params.argument.name))?;
        values.truncate(VALUES_MAX);
        let has_more = total > values.len();
        ResultWriter::open(call, 256).field("completion", &Completed { values, total, has_more }).close()
    }
    .boxed_local()
}
