//! What can be wrong with a message: code, HTTP status, words and data of every JSON-RPC error.
//!
//! Owns the list of problems. How an error travels is `reply`'s. Refusals of a tool are results, not errors.

use crate::revision::Revision;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How much of what a client sent is shown back in a message.
const ECHO_CHARS_MAX: usize = 128;

/// Everything the protocol refuses. Codes and statuses: 2026-07-28, streamable HTTP and schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Not JSON.
    Parse(&'static str),
    /// Not a message, or not one that may come here.
    InvalidRequest(Cow<'static, str>),
    /// `Content-Type` is not `application/json`.
    UnsupportedMediaType,
    /// The body is larger than `BODY_BYTES_MAX`.
    TooLarge,
    /// `Origin` or `Host` is not one of ours.
    OriginRefused(String),
    /// A legacy request without `Mcp-Session-Id`.
    SessionMissing,
    /// The session is unknown, over, or somebody else's; which of the three is nobody's business.
    SessionNotFound,
    /// A legacy request whose `MCP-Protocol-Version` is not served.
    VersionHeaderInvalid(String),
    /// This revision has no such method.
    MethodNotFound(String),
    /// `params._meta` lacks what every modern request must carry.
    MetaInvalid(&'static str),
    /// The method refuses its parameters.
    InvalidParams(Cow<'static, str>),
    /// A header is missing or says something else than the body.
    HeaderMismatch(Cow<'static, str>),
    /// A modern request names a revision that is not served.
    UnsupportedVersion(String),
    /// The client did not declare the capability whose JSON is given.
    MissingCapability(&'static str),
    /// No resource has this URI.
    ResourceNotFound(String),
    /// The token does not reach so far; the challenge says what would.
    InsufficientScope(String),
    /// Something broke, and is logged under this incident id.
    Internal(String),
}

/// `data` of an error object.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Data<'a> {
    /// Of an unsupported version.
    Versions {
        /// What is served.
        supported: [&'static str; Revision::ALL.len()],
        /// What was asked for.
        requested: &'a str,
    },
    /// Of a missing client capability.
    #[serde(rename_all = "camelCase")]
    Capabilities {
        /// What the client must declare.
        required_capabilities: &'a RawValue,
    },
    /// Of a resource that is not there.
    Resource {
        /// Its URI.
        uri: &'a str,
    },
}

/// Text of the client's, short enough to be repeated to it.
#[must_use]
pub fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARS_MAX).collect()
}

impl Problem {
    /// The JSON-RPC error code in this era.
    #[must_use]
    pub const fn code(&self, is_modern: bool) -> i32 {
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

    /// The HTTP status in this era; `has_id`: the message could be read so far that its id is known.
    #[must_use]
    pub const fn status(&self, is_modern: bool, has_id: bool) -> u16 {
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

    /// The message of the error object.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
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

    /// Its `data`, where the schema has some.
    #[must_use]
    pub fn data(&self) -> Option<Data<'_>> {
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
