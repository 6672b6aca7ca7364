//! OAuth access tokens at the edge.
//!
//! `issuer` verifies them by the authorization server's keys; `protected_resource` is the audience they must name, and tells
//! clients where to get a token.

pub(super) mod issuer;
pub(super) mod protected_resource;
