//! The modern era: one message per POST, and each request says everything itself (2026-07-28).
//!
//! Owns what a modern request must carry and the order in which that is checked. Nothing here reads a session: a
//! session id on a modern request is ignored, and none is given out.

use super::headers::{self, PROTOCOL_VERSION};
use super::message::{Message, present, read_object, read_string};
use super::methods::{self, Call, Kind};
use super::reply::{Problem, echo, error_response};
use super::revision::Revision;
use super::server::Server;
use crate::http::{Request, Response};
use serde::Deserialize;
use serde_json::value::RawValue;

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
pub async fn answer(request: &Request<'_>, server: &dyn Server, message: Message<'_>, meta: Option<Meta<'_>>) -> Response {
    match message {
        Message::Request { id, method, params } => {
            let call = match check_request(request, &method, meta.as_ref()) {
                Ok((revision, client_capabilities)) => {
                    Call { server, revision, id, params, client_capabilities: Some(client_capabilities) }
                }
                Err(problem) => return error_response(true, Some(id), &problem),
            };
            match run(request, &call, &method).await {
                Ok(json) => Response::json(200, json),
                Err(problem) => error_response(true, Some(id), &problem),
            }
        }
        Message::Notification { method, .. } => match check_notification(request, &method, meta.as_ref()) {
            Ok(()) => Response::empty(202),
            Err(problem) => error_response(true, None, &problem),
        },
        Message::Response => error_response(true, None, &Problem::InvalidRequest("this server asks nothing of its clients".into())),
    }
}

async fn run(request: &Request<'_>, call: &Call<'_>, method: &str) -> Result<String, Problem> {
    let not_found = || Problem::MethodNotFound(echo(method));
    let row = methods::find(method, call.revision).ok_or_else(not_found)?;
    let Kind::Request(handler) = row.kind else { return Err(not_found()) };
    headers::check_mirrored(request, call.server, row.mirrored, call.params)?;
    Ok(handler(call).await?.json)
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
