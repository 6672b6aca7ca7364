//! Authentication in HTTP: the `Authorization` header in, `WWW-Authenticate` and RFC 9728 discovery out.
//!
//! Owns these three texts. Does not decide which status a refusal has, nor which paths exist.

use super::TokenError;
use super::principal::Scope;
use std::fmt::Write as _;

/// Where RFC 9728 metadata lives; the path of the resource follows it.
pub const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The token of an `Authorization: Bearer <token>` header.
///
/// # Errors
/// `Missing` without a bearer token, `MalformedHeader` when the text after `Bearer` is no token.
pub fn bearer(header: Option<&str>) -> Result<&str, TokenError> {
    let header = header.unwrap_or_default().trim();
    let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
    let token = token.trim_start();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(TokenError::Missing);
    }
    // A comma means two headers joined into one. Which of them would be meant?
    if token.bytes().any(|byte| !byte.is_ascii_graphic() || byte == b',') {
        return Err(TokenError::MalformedHeader);
    }
    Ok(token)
}

/// Why a challenge is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChallengeError {
    /// 400: the header cannot be read.
    InvalidRequest,
    /// 401: a token was sent, but not believed.
    InvalidToken(TokenError),
    /// 403: the token is good, but not for an operation that needs this scope.
    InsufficientScope(Scope),
}

impl ChallengeError {
    /// The `error` parameters for a token error; none for a missing token, as RFC 6750 3.1 wants it.
    #[must_use]
    pub const fn of(error: TokenError) -> Option<Self> {
        match error {
            TokenError::Missing => None,
            TokenError::MalformedHeader => Some(Self::InvalidRequest),
            other => Some(Self::InvalidToken(other)),
        }
    }
}

/// The value of `WWW-Authenticate`. `resource_metadata_url` comes from `metadata_url`.
#[must_use]
pub fn challenge(resource_metadata_url: &str, error: Option<ChallengeError>) -> String {
    let mut value = String::from("Bearer resource_metadata=\"");
    push_quoted(&mut value, resource_metadata_url);
    let (code, description, scope) = match error {
        None => ("", "", Scope::Write),
        Some(ChallengeError::InvalidRequest) => ("invalid_request", TokenError::MalformedHeader.message(), Scope::Write),
        Some(ChallengeError::InvalidToken(reason)) => ("invalid_token", reason.message(), Scope::Write),
        Some(ChallengeError::InsufficientScope(needed)) => {
            ("insufficient_scope", "the token may not do this: it needs a wider scope", needed)
        }
    };
    value.push_str("\", scope=\"");
    value.push_str(scope.granted());
    for (name, text) in [("error", code), ("error_description", description)] {
        if !text.is_empty() {
            for part in ["\", ", name, "=\"", text] {
                value.push_str(part);
            }
        }
    }
    value.push('"');
    value
}

/// Percent-encodes characters that may not stand in a quoted header value: the URL comes from the client's own Host and path.
fn push_quoted(value: &mut String, url: &str) {
    for byte in url.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\') {
            value.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
}

/// The RFC 9728 document of the resource at `path` of `origin` (scheme and authority). Without an `issuer` it names no
/// authorization server: tokens are Kilo's then, pasted by their owner.
#[must_use]
pub fn resource_metadata(origin: &str, path: &str, issuer: Option<&str>) -> String {
    let mut document = serde_json::json!({
        "resource": resource(origin, path),
        "bearer_methods_supported": ["header"],
        "scopes_supported": [Scope::Read.name(), Scope::Write.name(), Scope::Admin.name()],
    });
    if let (Some(issuer), Some(document)) = (issuer, document.as_object_mut()) {
        document.insert("authorization_servers".to_owned(), serde_json::json!([issuer]));
    }
    document.to_string()
}

/// The resource at `path`, as tokens for it name their audience (RFC 8707).
#[must_use]
pub fn resource(origin: &str, path: &str) -> String {
    canonical(origin, "", path)
}

/// Whether an audience names this resource (as `resource` made it). Clients disagree about a slash at the end.
#[must_use]
pub fn names_resource(audience: &str, resource: &str) -> bool {
    let path_at = audience.find("://").and_then(|at| audience.get(at + 3..)?.find('/').map(|path| at + 3 + path));
    let (origin, path) = audience.split_at(path_at.unwrap_or(audience.len()));
    self::resource(origin, path) == resource
}

/// Where the metadata of the resource at `path` is, as an absolute URL.
#[must_use]
pub fn metadata_url(origin: &str, path: &str) -> String {
    canonical(origin, WELL_KNOWN, path)
}

/// The path of the resource that a metadata path asks about: `""` for the whole origin, `None` for another path.
#[must_use]
pub fn described_path(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(WELL_KNOWN)?.trim_end_matches('/');
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Clients compare it with the URL they were given: lower-case scheme and host, no slash at the end.
fn canonical(origin: &str, between: &str, path: &str) -> String {
    let origin = origin.trim_end_matches('/').to_ascii_lowercase();
    format!("{origin}{between}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_is_taken_whatever_the_case_of_its_scheme() {
        for header in ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c", " Bearer a.b.c "] {
            assert_eq!(bearer(Some(header)), Ok("a.b.c"), "{header}");
        }
        for header in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic dTpw"), Some("a.b.c"), Some("Bearera.b.c")] {
            assert_eq!(bearer(header), Err(TokenError::Missing), "{header:?}");
        }
        for header in ["Bearer a b", "Bearer a.b.c, Bearer d.e.f", "Bearer a\tb", "Bearer ä"] {
            assert_eq!(bearer(Some(header)), Err(TokenError::MalformedHeader), "{header}");
        }
    }

    #[test]
    fn a_challenge_names_the_metadata_and_of_a_token_the_error() {
        let url = metadata_url("https://Mcp.Example", "/towns/t/mcp/");
        assert_eq!(url, "https://mcp.example/.well-known/oauth-protected-resource/towns/t/mcp");
        assert_eq!(
            challenge(&url, ChallengeError::of(TokenError::Missing)),
            format!("Bearer resource_metadata=\"{url}\", scope=\"gastown:read gastown:write\"")
        );
        assert_eq!(
            challenge(&url, ChallengeError::of(TokenError::Expired)),
            format!(
                "Bearer resource_metadata=\"{url}\", scope=\"gastown:read gastown:write\", \
                 error=\"invalid_token\", error_description=\"the token has expired\""
            )
        );
        let narrow = challenge(&url, Some(ChallengeError::InsufficientScope(Scope::Admin)));
        assert!(narrow.contains("scope=\"gastown:read gastown:write gastown:admin\", error=\"insufficient_scope\""), "{narrow}");
    }

    #[test]
    fn a_host_cannot_break_out_of_the_header() {
        let value = challenge(&metadata_url("https://x\", error=\"\r\nset-cookie: a\\", "/ü"), None);
        assert!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{value}");
        assert_eq!(value.matches('"').count(), 4, "{value}");
        assert!(!value.contains('\\'), "{value}");
    }

    #[test]
    fn the_metadata_names_the_resource_as_clients_type_it() {
        let document: serde_json::Value = serde_json::from_str(&resource_metadata("https://Mcp.Example", "/mcp/", None)).unwrap();
        let without = serde_json::json!({
            "resource": "https://mcp.example/mcp",
            "bearer_methods_supported": ["header"],
            "scopes_supported": ["gastown:read", "gastown:write", "gastown:admin"],
        });
        assert_eq!(document, without);
        let document = resource_metadata("https://Mcp.Example", "/mcp/", Some("https://Login.example/a"));
        let document: serde_json::Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["authorization_servers"], serde_json::json!(["https://Login.example/a"]), "to the letter");
    }

    #[test]
    fn an_audience_may_differ_in_case_of_host_and_last_slash_only() {
        let resource = resource("https://Mcp.example", "/towns/T/mcp");
        for same in ["https://mcp.example/towns/T/mcp", "https://mcp.example/towns/T/mcp/", "HTTPS://MCP.example/towns/T/mcp"] {
            assert!(names_resource(same, &resource), "{same}");
        }
        for other in [
            "",
            "/towns/T/mcp",
            "https://mcp.example",
            "https://mcp.example/",
            "https://mcp.example/mcp",
            "https://mcp.example/towns/t/mcp",
            "https://mcp.example/towns/T",
            "https://mcp.example/towns/T/mcp/readonly",
            "https://mcp.example/towns/T/mcp?a",
            "https://mcp.example/towns/T/mcp#a",
            "http://mcp.example/towns/T/mcp",
            "https://mcp.example:443/towns/T/mcp",
            "https://mcp.example.evil/towns/T/mcp",
            "https://evil@mcp.example/towns/T/mcp",
        ] {
            assert!(!names_resource(other, &resource), "{other}");
        }
    }

    #[test]
    fn a_metadata_path_leads_back_to_its_resource() {
        assert_eq!(described_path("/.well-known/oauth-protected-resource/mcp"), Some("/mcp"));
        assert_eq!(described_path("/.well-known/oauth-protected-resource"), Some(""));
        assert_eq!(described_path("/.well-known/oauth-protected-resource/"), Some(""));
        assert_eq!(described_path("/.well-known/oauth-protected-resources"), None);
        assert_eq!(described_path("/mcp"), None);
    }
}
