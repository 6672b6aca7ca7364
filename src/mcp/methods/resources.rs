//! `resources/read`, `resources/subscribe` and `resources/unsubscribe`.
//!
//! Owns their results. What a resource is and who may read it is the `Server`'s.

use super::errors::problem;
use super::tools::input_required;
use crate::client::Interruption;
use crate::message::{present, read_string};
use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, internal};
use crate::request::RequestContext;
use crate::response_stream::Era;
use crate::result::ResultWriter;
use crate::types::{CallError, Change};
use futures::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    uri: Option<&'a RawValue>,
}

pub(super) fn uri<'a>(call: &RequestContext<'a>) -> Result<Cow<'a, str>, Problem> {
    let params: Params<'a> = call.read_params()?;
    params.uri.and_then(read_string).ok_or(Problem::InvalidParams("uri must be a string".into()))
}

pub(super) fn unread(call: &RequestContext<'_>, error: CallError, uri: &str) -> Problem {
    match error {
        CallError::Unknown => Problem::ResourceNotFound(uri.to_owned()),
        other => problem(call, other, "resource", uri),
    }
}

/// `resources/read` (2026-07-28, resources, reading).
pub(super) fn read<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let uri = uri(call)?;
        match call.server.read_resource(&uri, call.channel).await {
            Ok(contents) => {
                ResultWriter::open(call, contents.json.len()).json_field("contents", &contents.json).caching(contents.caching).close()
            }
            Err(CallError::Interrupted(Interruption::InputRequired)) => input_required(call),
            Err(error) => Err(unread(call, error, &uri)),
        }
    }
    .boxed_local()
}

/// `resources/subscribe` (2025-11-25, resources, subscriptions). What is heard comes on the session's own stream.
pub(super) fn subscribe<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let uri = uri(call)?;
        let routes = call.server.routes(Change::Resource(&uri)).await.map_err(|error| unread(call, error, &uri))?;
        if let Era::Legacy { session, .. } = &call.channel.era {
            call.server.session_store().subscribe(&session.key, &uri, routes).await.map_err(|fault| internal(call.server, &fault))?;
        }
        ResultWriter::open(call, 0).close()
    }
    .boxed_local()
}

/// `resources/unsubscribe` (2025-11-25, resources, subscriptions). What was never subscribed to is not an error.
pub(super) fn unsubscribe<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let uri = uri(call)?;
        if let Era::Legacy { session, .. } = &call.channel.era {
            call.server.session_store().unsubscribe(&session.key, &uri).await.map_err(|fault| internal(call.server, &fault))?;
        }
        ResultWriter::open(call, 0).close()
    }
    .boxed_local()
}
