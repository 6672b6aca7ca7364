//! Which web pages may talk to this deployment (2026-07-28, streamable HTTP, security: Origin validation).
//!
//! Owns the comparison of origins and the refusal, for every path. A client that is not a browser sends no `Origin`
//! and passes. What a page that passed may read is `cors`'s.

use crate::problem::{Problem, echo};
use crate::reply::error_response;
use base::http::Response;

/// Who may call, from the deployment's configuration.
#[derive(Debug, Clone, Copy)]
pub struct OriginPolicy<'a> {
    /// Origins allowed beside the deployment's own: `https://app.example`, one per entry.
    pub allowed: &'a [String],
    /// The deployment answers on this machine only. Then a request that names another host was sent by a page whose
    /// name was bound to this machine (DNS rebinding).
    pub is_loopback_only: bool,
}

/// An origin taken apart, in lower case, with the default port of its scheme made explicit.
#[derive(Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

/// Checks a request. `own` is scheme and authority of the deployment as the client named it (`http::Request::origin`),
/// `origin` the header.
///
/// # Errors
/// The 403 to answer with.
pub fn check_origin(policy: OriginPolicy<'_>, own: &str, origin: Option<&str>) -> Result<(), Response> {
    let own = Origin::parse(own);
    let own_is_loopback = own.as_ref().is_some_and(Origin::is_loopback);
    if policy.is_loopback_only && !own_is_loopback {
        return Err(refuse("this host".to_owned()));
    }
    let Some(text) = origin else { return Ok(()) };
    let is_allowed = Origin::parse(text.trim_matches([' ', '\t'])).is_some_and(|origin| {
        own.as_ref() == Some(&origin)
            || own_is_loopback && origin.is_loopback()
            || policy.allowed.iter().any(|entry| Origin::parse(entry).as_ref() == Some(&origin))
    });
    if is_allowed { Ok(()) } else { Err(refuse(format!("origin {}", echo(text)))) }
}

fn refuse(what: String) -> Response {
    error_response(true, None, &Problem::OriginRefused(what))
}

impl Origin {
    /// Reads `scheme://host[:port]` and nothing longer. `null`, which browsers send for pages without an origin of
    /// their own, is none.
    fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
        let is_authority = authority.chars().all(|char| char.is_ascii_alphanumeric() || "-._~:[]".contains(char));
        if !is_scheme || !is_authority {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        // The colons inside `[::1]` are the address's own.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok()?)),
            _ => (authority, None),
        };
        let is_host = !host.is_empty() && (host.starts_with('[') && host.ends_with(']') || !host.contains([':', '[', ']']));
        let default_port = match scheme.as_str() {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        };
        is_host.then(|| Self { scheme, host: host.to_ascii_lowercase(), port: port.or(default_port) })
    }

    fn is_loopback(&self) -> bool {
        matches!(self.scheme.as_str(), "http" | "https") && matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "[::1]")
    }
}
