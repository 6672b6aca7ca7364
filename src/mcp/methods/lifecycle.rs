//! `server/discover`, `initialize` and `ping`: who this server is, and that it is there.
//!
//! Owns these three answers. The session that `initialize` begins is made in `session`.

use super::capabilities;
use crate::message::{present, read_string};
use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, internal};
use crate::request::RequestContext;
use crate::response_stream::declared;
use crate::result::ResultWriter;
use crate::revision::Revision;
use crate::session;
use crate::types::Caching;
use base::error::Fault;
use futures::future::{FutureExt as _, LocalBoxFuture, ready};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Instructions differ by profile, so nobody may share them; they change with a deployment.
const DISCOVER_CACHING: Caching = Caching { ttl_ms: 5 * 60 * 1000, scope: "private" };

/// What is needed of `initialize`. `capabilities` and `clientInfo` are required by the schema, but their absence
/// takes nothing away from the answer: a client that declares nothing is asked nothing.
#[derive(Deserialize)]
struct InitializeParams<'a> {
    #[serde(borrow, rename = "protocolVersion", default, deserialize_with = "present")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    capabilities: Option<&'a RawValue>,
}

/// `Implementation` before 2025-06-18, which brought titles.
#[derive(Serialize)]
struct UntitledImplementation {
    name: &'static str,
    version: &'static str,
}

/// `server/discover` (2026-07-28, discovery).
pub(super) fn discover<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    let result = ResultWriter::open(call, 512 + call.server.instructions().len())
        .field("supportedVersions", &Revision::ALL.map(Revision::as_str))
        .json_field("capabilities", &capabilities(call.revision, &call.server.features()))
        .field("instructions", &call.server.instructions())
        .caching(DISCOVER_CACHING)
        .close();
    ready(result).boxed_local()
}

/// `initialize` (2025-11-25, lifecycle).
pub(super) fn initialize<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    ready(negotiate(call)).boxed_local()
}

/// `ping` (2025-11-25, ping).
pub(super) fn ping<'a>(call: &'a RequestContext<'a>) -> LocalBoxFuture<'a, Result<JsonRpcResponse, Problem>> {
    ready(ResultWriter::open(call, 0).close()).boxed_local()
}

fn negotiate(call: &RequestContext<'_>) -> Result<JsonRpcResponse, Problem> {
    let params: InitializeParams<'_> = call.read_params()?;
    let requested =
        params.protocol_version.and_then(read_string).ok_or(Problem::InvalidParams("protocolVersion must be a string".into()))?;
    let revision = Revision::negotiate(&requested);
    let server = call.server;
    let result = ResultWriter::open(call, 512 + server.instructions().len())
        .field("protocolVersion", &revision.as_str())
        .json_field("capabilities", &capabilities(revision, &server.features()));
    let implementation = server.implementation();
    let result = if revision.has_titles() {
        result.field("serverInfo", implementation)
    } else {
        result.field("serverInfo", &UntitledImplementation { name: implementation.name, version: implementation.version })
    };
    let JsonRpcResponse::Json(json) = result.field("instructions", &server.instructions()).close()? else {
        return Err(internal(server, &Fault::new("beginning a session", "no answer")));
    };
    let mut capabilities = params.capabilities.map(declared).unwrap_or_default();
    capabilities.retain(|capability| revision.has_capability(*capability));
    match session::begin(server, revision, &capabilities) {
        Ok(session_id) => Ok(JsonRpcResponse::Initialized(json, session_id)),
        Err(error) => Err(internal(server, &Fault::new("beginning a session", error))),
    }
}
