//! Which protected resource a request is for, in the terms of RFC 8707 and RFC 9728.
//!
//! Owns the rule which audiences a token may have at a door, and the URLs that challenges and metadata name. The texts are
//! `auth`'s.

use crate::auth::challenge::{ChallengeError, challenge, metadata_url, names_resource, resource, resource_metadata};
use crate::auth::principal::Scope;
use crate::edge::route::Door;
use crate::edge::settings::{OAuth, Settings};
use base::http::Request;

/// The fleet's resource. It covers all towns of the user and the REST routes, so a token for it is good at every door.
const FLEET: &str = "/mcp";

/// A resource, as this deployment is known to its clients.
#[derive(Clone, Copy)]
pub(in crate::edge) struct Resource<'a> {
    origin: &'a str,
    path: &'a str,
}

impl<'a> Resource<'a> {
    /// The resource behind a door: each MCP endpoint is one of its own, the REST routes are part of the fleet's.
    pub(in crate::edge) fn of(settings: &'a Settings, request: &'a Request<'_>, door: &Door) -> Self {
        let path = if matches!(door, Door::Mcp { .. }) { request.path.as_str() } else { FLEET };
        Self { origin: origin(settings, request), path }
    }

    /// Whether a token with this audience is for this resource.
    pub(in crate::edge) fn takes(&self, audience: &str) -> bool {
        [self.path, FLEET].iter().any(|path| names_resource(audience, &resource(self.origin, path)))
    }

    /// The `WWW-Authenticate` of a refusal.
    pub(in crate::edge) fn challenge(&self, error: Option<ChallengeError>) -> String {
        challenge(&metadata_url(self.origin, self.path), error)
    }

    /// The same for a token whose scope is too narrow.
    pub(in crate::edge) fn insufficient_scope(&self, needed: Scope) -> String {
        self.challenge(Some(ChallengeError::InsufficientScope(needed)))
    }
}

/// The metadata of the resource at `path`.
pub(in crate::edge) fn metadata(settings: &Settings, request: &Request<'_>, path: &str) -> String {
    resource_metadata(origin(settings, request), path, settings.oauth.as_ref().map(|OAuth { issuer, .. }| issuer.as_str()))
}

/// With `PUBLIC_URL` no host that a client names counts: a token for another deployment of this software stays with that one.
fn origin<'a>(settings: &'a Settings, request: &'a Request<'_>) -> &'a str {
    settings.public_url.as_deref().unwrap_or(&request.origin)
}
