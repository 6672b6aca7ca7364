//! Skills (SEP-2640): `skills/list`, `skills/get`, which gives one of the list, and `resources/directory/read`.
//!
//! Owns their results. Which skills there are and what their folders hold is the `Server`'s; their files are resources.

use super::lists::{FIXED, whole};
use super::resources::{unread, uri};
use crate::problem::{Problem, echo};
use crate::reply::JsonRpcResponse;
use crate::request::RequestContext;
use crate::result::ResultWriter;
use crate::types::{Caching, CallError};
use futures::future::{FutureExt as _, LocalBoxFuture, ready};
use serde_json::Value;

/// They change with a deployment.
const CACHING: Caching = Caching { ttl_ms: 60 * 60 * 1000, scope: "private" };

/// `skills/list`.
pub(super) fn list<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    ready(whole(call, "skills", call.server.skills(), FIXED)).boxed_local()
}

/// `skills/get`.
pub(super) fn get<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    let found = uri(call).and_then(|uri| {
        let skills: Vec<Value> = serde_json::from_str(call.server.skills()).unwrap_or_default();
        let skill = skills.into_iter().find(|skill| skill.get("uri").and_then(Value::as_str) == Some(&uri));
        let skill = skill.ok_or_else(|| unread(call, CallError::Unknown, &uri))?;
        ResultWriter::open(call, 512).field("skill", &skill).caching(CACHING).close()
    });
    ready(found).boxed_local()
}

/// `resources/directory/read`: what is directly in a folder, in one page.
pub(super) fn folder<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    let found = uri(call).and_then(|uri| match call.server.skill_folder(&uri) {
        Some(entries) => whole(call, "resources", &entries, CACHING),
        None => Err(Problem::InvalidParams(format!("not a directory: {}", echo(&uri)).into())),
    });
    ready(found).boxed_local()
}
