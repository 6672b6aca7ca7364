//! The fixture of the official conformance suite: more tools, resources and prompts, and a user of its own.
//!
//! Owns what the suite expects a server to offer. It is compiled with the feature `conformance` only, so no deployment
//! has it. It knows nothing that a tool does not know: what it cannot do here, no tool can.

pub mod prompts;
pub mod resources;
pub mod tools;

use crate::auth::mint::{UserClaims, mint_user};
use crate::edge::Edge;

/// The user in whose name the suite calls: it sends no token.
pub const USER: &str = "conformance";
/// How long a token of that user is good for, in seconds; each request gets a new one.
const TOKEN_LIFE_SECONDS: i64 = 60;

/// A picture of one red pixel, as base64 of `image/png`.
pub const RED_DOT_PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC";
/// A millisecond of silence, as base64 of `audio/wav`.
pub const SILENCE_WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

/// The `Authorization` of a request to an MCP door that came without one. Only where nobody else can call.
#[must_use]
pub fn authorization(edge: Edge<'_>, is_mcp: bool) -> Option<String> {
    if !is_mcp || !edge.settings.is_loopback_only {
        return None;
    }
    let claims = UserClaims { user_id: USER, orgs: &[], scope: None };
    match mint_user(edge.runtime.keys(), &claims, TOKEN_LIFE_SECONDS, edge.runtime.now()) {
        Ok(token) => Some(format!("Bearer {token}")),
        Err(fault) => {
            edge.runtime.log_fault(&fault);
            None
        }
    }
}
