//! What web pages may send here and read from the answers (Fetch standard, CORS protocol).
//!
//! Owns the preflight's answer and the headers of other answers, for every path. Which pages may call at all is
//! decided in `origin`, before either.

use base::http::Response;

const METHODS: &str = "GET, POST, DELETE, OPTIONS";

/// The clients' headers of both eras.
const REQUEST_HEADERS: &str = "Content-Type, Authorization, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID";

/// The answers' headers that a page's client needs.
const RESPONSE_HEADERS: &str = "Mcp-Session-Id, WWW-Authenticate, MCP-Protocol-Version";

/// Most headers beyond `REQUEST_HEADERS` that one preflight may ask for.
const PARAM_HEADERS_MAX: usize = 64;

/// Answers a preflight. `requested` is `Access-Control-Request-Headers`; of what it asks for, `Mcp-Param-*` is allowed
/// beside the fixed list, because tools name their own.
#[must_use]
pub fn preflight(origin: Option<&str>, requested: Option<&str>) -> Response {
    let mut allowed = REQUEST_HEADERS.to_owned();
    for name in requested.unwrap_or_default().split(',').map(str::trim).filter(|name| is_param_header(name)).take(PARAM_HEADERS_MAX) {
        allowed.push_str(", ");
        allowed.push_str(name);
    }
    let response = Response::empty(204)
        .header("access-control-allow-methods", METHODS)
        .header("access-control-allow-headers", allowed)
        .header("access-control-max-age", "7200");
    add_headers(response, origin)
}

/// Adds to any answer what its page may read. An answer to no page is left as it is.
#[must_use]
pub fn add_headers(response: Response, origin: Option<&str>) -> Response {
    let Some(origin) = origin else { return response };
    response
        .header("access-control-allow-origin", origin.to_owned())
        .header("access-control-expose-headers", RESPONSE_HEADERS)
        .header("vary", "Origin")
}

/// Whether this is `Mcp-Param-` and a token (RFC 9110, 5.6.2); anything else must not be written back into a header.
fn is_param_header(name: &str) -> bool {
    let Some((prefix, rest)) = name.split_at_checked("mcp-param-".len()) else { return false };
    prefix.eq_ignore_ascii_case("mcp-param-")
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
