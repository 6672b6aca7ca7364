//! What can be wrong with a message.
//!
//! Owns the kinds of problem. How each is told, `reply` says.

use std::borrow::Cow;

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
