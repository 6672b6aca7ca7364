//! Errors on the wire: how each problem is told.
//!
//! Owns every JSON-RPC error: code, HTTP status, message, data. Results are written by `result`. Refusals of a tool
//! are results, not errors.

use super::message::RequestId;
use super::problem::Problem;
use super::revision::Revision;
use super::server::Server;
use base::error::Fault;
use base::http::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How much of what a client sent is shown back in a message.
const ECHO_CHARS_MAX: usize = 128;

#[derive(Serialize)]
struct ErrorResponse<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<RequestId<'a>>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i32,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Versions {
        supported: [&'static str; Revision::ALL.len()],
        requested: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Capabilities {
        required_capabilities: &'a RawValue,
    },
    Resource {
        uri: &'a str,
    },
}

/// The error as JSON text.
///
/// Without a readable id there is no `id` at all, in both eras. The modern schema has no null id. Legacy transports
/// speak of "a JSON-RPC error response that has no `id`", and no legacy schema admits null either; JSON-RPC's own
/// `"id": null` would therefore be legal nowhere.
#[must_use]
pub fn error_json(is_modern: bool, id: Option<RequestId<'_>>, problem: &Problem) -> String {
    let error = ErrorObject { code: problem.code(is_modern), message: problem.message(), data: problem.data() };
    serde_json::to_string(&ErrorResponse { jsonrpc: "2.0", id, error })
        .unwrap_or_else(|_| r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"}}"#.to_owned())
}

/// The error as the whole answer to one HTTP request.
#[must_use]
pub fn error_response(is_modern: bool, id: Option<RequestId<'_>>, problem: &Problem) -> Response {
    let response = Response::json(problem.status(is_modern, id.is_some()), error_json(is_modern, id, problem));
    match problem {
        Problem::InsufficientScope(challenge) => response.header("www-authenticate", challenge.clone()),
        _ => response,
    }
}

/// Logs what broke and gives what the client may know of it.
#[must_use]
pub fn internal(server: &dyn Server, fault: &Fault) -> Problem {
    Problem::Internal(server.log_fault(fault))
}

/// Text of the client's, short enough to be repeated to it.
#[must_use]
pub fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARS_MAX).collect()
}

impl Problem {
    const fn code(&self, is_modern: bool) -> i32 {
        match self {
            Self::Parse(_) => -32700,
            // The legacy range −32000 … −32019 is not for new servers (2026-07-28, error codes). Clients go by the
            // HTTP status of these anyway.
            Self::InvalidRequest(_)
            | Self::UnsupportedMediaType
            | Self::TooLarge
            | Self::OriginRefused(_)
            | Self::SessionMissing
            | Self::SessionNotFound
            | Self::InsufficientScope(_)
            | Self::VersionHeaderInvalid(_) => -32600,
            Self::MethodNotFound(_) => -32601,
            Self::ResourceNotFound(_) if !is_modern => -32002,
            Self::MetaInvalid(_) | Self::InvalidParams(_) | Self::ResourceNotFound(_) => -32602,
            // The modern schema alone knows it.
            Self::MissingCapability(_) if !is_modern => -32602,
            Self::Internal(_) => -32603,
            Self::HeaderMismatch(_) => -32020,
            Self::MissingCapability(_) => -32021,
            Self::UnsupportedVersion(_) => -32022,
        }
    }

    const fn status(&self, is_modern: bool, has_id: bool) -> u16 {
        match self {
            Self::OriginRefused(_) | Self::InsufficientScope(_) => 403,
            Self::SessionNotFound => 404,
            Self::TooLarge => 413,
            Self::UnsupportedMediaType => 415,
            // Legacy revisions give a status of its own only to input that is not accepted; an unknown method is an
            // answer like any other. 2026-07-28 wants 404.
            Self::MethodNotFound(_) => {
                if is_modern {
                    404
                } else {
                    200
                }
            }
            Self::InvalidParams(_) | Self::ResourceNotFound(_) => 200,
            Self::MissingCapability(_) if !is_modern => 200,
            Self::Internal(_) => {
                if has_id {
                    200
                } else {
                    500
                }
            }
            Self::Parse(_)
            | Self::InvalidRequest(_)
            | Self::SessionMissing
            | Self::VersionHeaderInvalid(_)
            | Self::MetaInvalid(_)
            | Self::HeaderMismatch(_)
            | Self::MissingCapability(_)
            | Self::UnsupportedVersion(_) => 400,
        }
    }

    fn message(&self) -> Cow<'_, str> {
        match self {
            Self::Parse(why) => format!("Parse error: {why}").into(),
            Self::InvalidRequest(why) => format!("Invalid request: {why}").into(),
            Self::UnsupportedMediaType => "Unsupported media type: Content-Type must be application/json".into(),
            Self::TooLarge => format!("Request body is larger than {} bytes", base::http::BODY_BYTES_MAX).into(),
            Self::OriginRefused(what) => format!("Forbidden: {what} is not allowed here").into(),
            Self::SessionMissing => "Mcp-Session-Id header is required; send initialize first".into(),
            Self::SessionNotFound => "Session not found; start a new one with initialize".into(),
            Self::VersionHeaderInvalid(version) => {
                format!("Unsupported MCP-Protocol-Version: {version} (supported: {})", supported().join(", ")).into()
            }
            Self::MethodNotFound(method) => format!("Method not found: {method}").into(),
            Self::MetaInvalid(why) => format!("Invalid params: {why}").into(),
            Self::InvalidParams(why) => format!("Invalid params: {why}").into(),
            Self::HeaderMismatch(why) => format!("Header mismatch: {why}").into(),
            Self::UnsupportedVersion(_) => "Unsupported protocol version".into(),
            Self::MissingCapability(needed) => format!("Missing required client capability: {needed}").into(),
            Self::ResourceNotFound(_) => "Resource not found".into(),
            Self::InsufficientScope(_) => "Forbidden: the token's scope does not cover this; WWW-Authenticate names what does".into(),
            Self::Internal(incident) => format!("Internal error (incident {incident})").into(),
        }
    }

    fn data(&self) -> Option<Data<'_>> {
        match self {
            Self::UnsupportedVersion(requested) => Some(Data::Versions { supported: supported(), requested }),
            Self::MissingCapability(json) => {
                serde_json::from_str(json).ok().map(|required_capabilities| Data::Capabilities { required_capabilities })
            }
            Self::ResourceNotFound(uri) => Some(Data::Resource { uri }),
            _ => None,
        }
    }
}

fn supported() -> [&'static str; Revision::ALL.len()] {
    Revision::ALL.map(Revision::as_str)
}
