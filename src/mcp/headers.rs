//! The headers of a modern request, held against its body (2026-07-28, streamable HTTP, request headers).
//!
//! Owns `Mcp-Method`, `Mcp-Name` and `Mcp-Param-*`: intermediaries route by them without reading the body, so a header
//! that says something else than the body must not get through. A header sent twice arrives joined by a comma and
//! fails the comparison. Legacy requests carry none of them and are not checked.

use crate::message::{present, read_number, read_object, read_string};
use crate::problem::Problem;
use crate::request::Mirrored;
use crate::server::Server;
use crate::types::HeaderParameter;
use base::http::{Headers, Request};
use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Which revision the client speaks.
pub const PROTOCOL_VERSION: &str = "mcp-protocol-version";
/// The legacy session.
pub const SESSION_ID: &str = "mcp-session-id";
/// The body's `method`.
const METHOD: &str = "mcp-method";
/// The last event of a stream that the client has.
pub const LAST_EVENT_ID: &str = "last-event-id";
/// What the request is about: `params.name`, `params.uri` or `params.taskId` of the body.
const NAME: &str = "mcp-name";
/// Followed by the name that the tool's schema gives in `x-mcp-header`.
const PARAM_PREFIX: &str = "mcp-param-";

#[derive(Deserialize)]
struct MirroredParams<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    name: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    uri: Option<&'a RawValue>,
    #[serde(borrow, rename = "taskId", default, deserialize_with = "present")]
    task_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// A header's value without the optional white space around it.
#[must_use]
pub fn value(headers: &dyn Headers, name: &str) -> Option<String> {
    let mut value = headers.get(name)?;
    let trimmed = value.trim_matches([' ', '\t']);
    if trimmed.len() != value.len() {
        value = trimmed.to_owned();
    }
    Some(value)
}

/// Whether `Content-Type` is JSON, whatever its parameters.
#[must_use]
pub fn is_json(headers: &dyn Headers) -> bool {
    headers
        .get("content-type")
        .is_some_and(|content_type| content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json"))
}

/// `Mcp-Method` against the body. A request must have it; on a notification it may be absent, but not wrong.
///
/// # Errors
/// −32020.
pub fn check_method(request: &Request<'_>, method: &str, is_required: bool) -> Result<(), Problem> {
    match value(request.headers, METHOD) {
        Some(header) if header == method => Ok(()),
        None if !is_required => Ok(()),
        None => Err(missing("Mcp-Method")),
        Some(_) => Err(differs("Mcp-Method", "method")),
    }
}

/// The parameters that the method's row says are repeated in headers. Parameters that are no good in themselves are
/// left to the handler, whose error says more.
///
/// # Errors
/// −32020.
pub fn check_mirrored(request: &Request<'_>, server: &dyn Server, mirrored: Mirrored, params: Option<&RawValue>) -> Result<(), Problem> {
    if mirrored == Mirrored::Nothing {
        return Ok(());
    }
    let Some(params) = params.and_then(|params| read_object::<MirroredParams<'_>>(params.get())) else { return Ok(()) };
    let (named, place) = match mirrored {
        Mirrored::Nothing => return Ok(()),
        Mirrored::Name | Mirrored::ToolCall => (params.name, "params.name"),
        Mirrored::Uri => (params.uri, "params.uri"),
        Mirrored::TaskId => (params.task_id, "params.taskId"),
    };
    let Some(name) = named.and_then(read_string) else { return Ok(()) };
    check_name(request, &name, place)?;
    match params.arguments {
        Some(arguments) if mirrored == Mirrored::ToolCall => check_arguments(request, server.header_parameters(&name), arguments),
        _ => Ok(()),
    }
}

fn check_name(request: &Request<'_>, name: &str, place: &str) -> Result<(), Problem> {
    let header = value(request.headers, NAME).ok_or_else(|| missing("Mcp-Name"))?;
    if decode("Mcp-Name", &header)? == name { Ok(()) } else { Err(differs("Mcp-Name", place)) }
}

fn check_arguments(request: &Request<'_>, parameters: &[HeaderParameter], arguments: &RawValue) -> Result<(), Problem> {
    for parameter in parameters {
        // A value that is null or absent has no header; should one be there all the same, it means nothing.
        let Some(argument) = look_up(arguments, parameter.path) else { continue };
        let name = format!("Mcp-Param-{}", parameter.header);
        let header = value(request.headers, &format!("{PARAM_PREFIX}{}", parameter.header.to_ascii_lowercase()));
        let header = header.ok_or_else(|| missing(&name))?;
        if !says_the_same(&decode(&name, &header)?, argument) {
            return Err(differs(&name, &format!("params.arguments.{}", parameter.path.join("."))));
        }
    }
    Ok(())
}

fn look_up<'a>(object: &'a RawValue, path: &[&str]) -> Option<&'a RawValue> {
    let mut found = object;
    for key in path {
        found = read_object::<BTreeMap<String, &RawValue>>(found.get())?.remove(*key)?;
    }
    (found.get() != "null").then_some(found)
}

/// Strings and booleans are compared as text, numbers by value: `42.0` is `42`.
fn says_the_same(header: &str, argument: &RawValue) -> bool {
    let text = argument.get();
    match text.as_bytes().first() {
        Some(b'"') => read_string(argument).as_deref() == Some(header),
        Some(b'-' | b'0'..=b'9') => match (header.parse::<i64>(), text.parse::<i64>()) {
            (Ok(header), Ok(argument)) => header == argument,
            _ => read_number(header).zip(read_number(text)).is_some_and(|(header, argument)| is_equal(header, argument)),
        },
        _ => header == text,
    }
}

fn is_equal(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits() || one == 0.0 && other == 0.0
}

/// `=?base64?…?=` carries what a header cannot: UTF-8 in standard base64 with padding. A value without exactly this
/// prefix and suffix means itself.
fn decode<'a>(name: &str, header: &'a str) -> Result<Cow<'a, str>, Problem> {
    let Some(encoded) = header.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) else {
        return Ok(Cow::Borrowed(header));
    };
    Base64::decode_vec(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .map(Cow::Owned)
        .ok_or_else(|| Problem::HeaderMismatch(format!("{name} is not base64 of UTF-8").into()))
}

fn missing(header: &str) -> Problem {
    Problem::HeaderMismatch(format!("{header} is missing").into())
}

fn differs(header: &str, place: &str) -> Problem {
    Problem::HeaderMismatch(format!("{header} does not match {place} of the body").into())
}
