//! The modern era: one message per POST, and each request says everything itself (2026-07-28).
//!
//! Owns what a modern request must carry and the order in which that is checked. Nothing here reads a session: a
//! session id on a modern request is ignored, and none is given out.

use crate::headers::{self, PROTOCOL_VERSION};
use crate::message::{Message, RequestId, present, read_object, read_string};
use crate::methods;
use crate::multi_round::Inputs;
use crate::problem::{Problem, echo};
use crate::reply::{JsonRpcResponse, error_response};
use crate::request::{Handler, Kind, MethodRow, RequestContext};
use crate::response_stream::{Channel, Era};
use crate::revision::Revision;
use crate::server::Server;
use base::http::body_sink::Outlet;
use base::http::{Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::cell::OnceCell;

/// What era routing and the checks need of `params`.
#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, rename = "_meta", default, deserialize_with = "present")]
    meta: Option<&'a RawValue>,
}

/// What every modern request carries in `params._meta`. `clientInfo` is optional there, and not needed.
#[derive(Deserialize)]
pub struct Meta<'a> {
    #[serde(borrow, rename = "io.modelcontextprotocol/protocolVersion", default, deserialize_with = "present")]
    protocol_version: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities", default, deserialize_with = "present")]
    client_capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "io.modelcontextprotocol/logLevel", default, deserialize_with = "present")]
    log_level: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken", default, deserialize_with = "present")]
    progress_token: Option<&'a RawValue>,
}

/// Reads `params._meta`, if it can be read.
#[must_use]
pub fn read_meta<'a>(message: &Message<'a>) -> Option<Meta<'a>> {
    let (Message::Request { params, .. } | Message::Notification { params, .. }) = message else { return None };
    read_object::<Params<'_>>((*params)?.get()).and_then(|params| read_object(params.meta?.get()))
}

/// Whether a message belongs to this era (as the official SDKs route it): it claims a revision in `_meta`, whichever it is, or
/// its header names a modern one.
#[must_use]
pub fn is_claimed(meta: Option<&Meta<'_>>, header: Option<&str>) -> bool {
    meta.is_some_and(|meta| meta.protocol_version.is_some()) || header.and_then(Revision::parse).is_some_and(Revision::is_modern)
}

/// Answers one message.
pub async fn answer(
    request: &Request<'_>,
    server: &dyn Server,
    outlet: Option<&Outlet>,
    message: Message<'_>,
    meta: Option<Meta<'_>>,
) -> Response {
    match message {
        Message::Request { id, method, params } => {
            let (revision, capabilities) = match check_request(request, &method, meta.as_ref()) {
                Ok(checked) => checked,
                Err(problem) => return error_response(true, Some(id), &problem),
            };
            let mut channel = Channel::new(server, revision, Era::Modern { capabilities }, outlet);
            if let Some(meta) = &meta {
                channel.progress_token = meta.progress_token.filter(|token| is_progress_token(token));
            }
            let outcome = run(request, &mut channel, &method, id, params, meta.as_ref()).await;
            channel.respond(id, outcome).await
        }
        Message::Notification { method, .. } => match check_notification(request, &method, meta.as_ref()) {
            Ok(()) => Response::empty(202),
            Err(problem) => error_response(true, None, &problem),
        },
        Message::Response { .. } => {
            error_response(true, None, &Problem::InvalidRequest("answers to this server come with the next call".into()))
        }
    }
}

async fn run(
    request: &Request<'_>,
    channel: &mut Channel<'_>,
    method: &str,
    id: RequestId<'_>,
    params: Option<&RawValue>,
    meta: Option<&Meta<'_>>,
) -> Option<Result<JsonRpcResponse, Problem>> {
    let (row, handler) = match find(request, channel, method, params, meta) {
        Ok(found) => found,
        Err(problem) => return Some(Err(problem)),
    };
    let channel = &*channel;
    let call = RequestContext { server: channel.server, revision: channel.revision, id, method: row.name, params, channel };
    channel.drive(handler(&call)).await
}

/// The row of the method and its handler, with everything checked that the request says about itself.
fn find(
    request: &Request<'_>,
    channel: &mut Channel<'_>,
    method: &str,
    params: Option<&RawValue>,
    meta: Option<&Meta<'_>>,
) -> Result<(&'static MethodRow, Handler), Problem> {
    let row = methods::find(method, channel.revision);
    let Some((row, Kind::Request(handler))) = row.map(|row| (row, row.kind)) else {
        return Err(Problem::MethodNotFound(echo(method)));
    };
    headers::check_mirrored(request, channel.server, row.mirrored, params)?;
    if let Some(level) = meta.and_then(|meta| meta.log_level) {
        let level = serde_json::from_str(level.get())
            .map_err(|_| Problem::InvalidParams("_meta io.modelcontextprotocol/logLevel is no log level".into()))?;
        channel.log_level = OnceCell::from(Some(level));
    } else {
        channel.log_level = OnceCell::from(None);
    }
    if row.can_ask {
        channel.inputs = Inputs::read(channel.server, row.name, params)?;
    }
    Ok((row, handler))
}

/// `ProgressToken`: a string or an integer, as ids are.
fn is_progress_token(token: &RawValue) -> bool {
    RequestId::read(token).is_some()
}

/// The progress token of a message of either era.
#[must_use]
pub fn read_progress_token<'a>(message: &Message<'a>) -> Option<&'a RawValue> {
    read_meta(message)?.progress_token.filter(|token| is_progress_token(token))
}

/// The version comes first, because how to read the rest depends on it.
fn check_request<'a>(request: &Request<'_>, method: &str, meta: Option<&Meta<'a>>) -> Result<(Revision, &'a RawValue), Problem> {
    let meta = meta.ok_or(Problem::MetaInvalid("_meta is missing or not an object"))?;
    let revision = check_version(request, meta)?;
    let client_capabilities = meta
        .client_capabilities
        .filter(|capabilities| capabilities.get().starts_with('{'))
        .ok_or(Problem::MetaInvalid("_meta lacks io.modelcontextprotocol/clientCapabilities, an object"))?;
    headers::check_method(request, method, true)?;
    Ok((revision, client_capabilities))
}

/// A notification needs no `_meta`, but what it has must be right.
fn check_notification(request: &Request<'_>, method: &str, meta: Option<&Meta<'_>>) -> Result<(), Problem> {
    let revision = match meta {
        Some(meta) if meta.protocol_version.is_some() => check_version(request, meta)?,
        _ => Revision::V2026_07_28,
    };
    headers::check_method(request, method, false)?;
    if methods::may_be_notification(method, revision) {
        Ok(())
    } else {
        Err(Problem::InvalidRequest(format!("{} needs an id", echo(method)).into()))
    }
}

fn check_version(request: &Request<'_>, meta: &Meta<'_>) -> Result<Revision, Problem> {
    let claimed = meta
        .protocol_version
        .and_then(read_string)
        .ok_or(Problem::MetaInvalid("_meta lacks io.modelcontextprotocol/protocolVersion, a string"))?;
    match headers::value(request.headers, PROTOCOL_VERSION) {
        None => return Err(Problem::HeaderMismatch("MCP-Protocol-Version is missing".into())),
        Some(header) if header != claimed => {
            return Err(Problem::HeaderMismatch("MCP-Protocol-Version does not match params._meta of the body".into()));
        }
        Some(_) => {}
    }
    // A legacy revision has no such `_meta`; whoever claims one here cannot be served in it.
    Revision::parse(&claimed).filter(|revision| revision.is_modern()).ok_or_else(|| Problem::UnsupportedVersion(echo(&claimed)))
}
