//! What is listed: `tools/list`, `prompts/list`, `resources/list`, `resources/templates/list`.
//!
//! Owns pages and how long a list may be kept. What is on a list is the `Server`'s.

use super::errors::problem;
use crate::message::read_string;
use crate::problem::Problem;
use crate::reply::JsonRpcResponse;
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::types::Caching;
use futures::future::{FutureExt as _, LocalBoxFuture, ready};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// These lists depend on what the caller may do, so nobody may share them; they change with a deployment or a token.
pub(super) const FIXED: Caching = Caching { ttl_ms: 5 * 60 * 1000, scope: "private" };
/// Towns and rigs come and go.
const MOVING: Caching = Caching { ttl_ms: 30 * 1000, scope: "private" };

#[derive(Deserialize)]
struct Params<'a> {
    /// `null` is no cursor: there are clients that write it.
    #[serde(borrow, default)]
    cursor: Option<&'a RawValue>,
}

fn cursor<'a>(call: &RequestContext<'a>) -> Result<Option<Cow<'a, str>>, Problem> {
    let Some(cursor) = call.read_params::<Params<'a>>()?.cursor else { return Ok(None) };
    read_string(cursor).map(Some).ok_or(Problem::InvalidParams("cursor must be a string".into()))
}

/// A list of one page, for which no cursor was ever given out.
pub(super) fn whole(call: &RequestContext<'_>, name: &'static str, json: &str, caching: Caching) -> Result<JsonRpcResponse, Problem> {
    match cursor(call)? {
        Some(_) => Err(Problem::InvalidParams("unknown cursor; leave it out to begin at the start".into())),
        None => ResultWriter::open(call, json.len()).json_field(name, json).caching(caching).close(),
    }
}

/// `tools/list` (2026-07-28, tools, listing).
pub(super) fn tools<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    ready(whole(call, "tools", &call.server.tools(call.revision.list_schema()), FIXED)).boxed_local()
}

/// `prompts/list` (2026-07-28, prompts, listing).
pub(super) fn prompts<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    ready(whole(call, "prompts", &call.server.prompts(call.revision.list_schema()), FIXED)).boxed_local()
}

/// `resources/templates/list` (2026-07-28, resources, templates).
pub(super) fn templates<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    ready(whole(call, "resourceTemplates", &call.server.resource_templates(call.revision.list_schema()), FIXED)).boxed_local()
}

/// `resources/list` (2026-07-28, resources, listing).
pub(super) fn resources<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    async move {
        let cursor = cursor(call)?;
        let listing = call.server.list_resources(call.revision.list_schema(), cursor.as_deref()).await;
        let listing = listing.map_err(|error| problem(call, error, "list", "resources"))?;
        let result = ResultWriter::open(call, listing.json.len()).json_field("resources", &listing.json);
        match &listing.next_cursor {
            Some(cursor) => result.field("nextCursor", cursor),
            None => result,
        }
        .caching(MOVING)
        .close()
    }
    .boxed_local()
}
