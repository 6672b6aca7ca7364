//! OAuth access tokens at the edge.
//!
//! `issuer` verifies them by the authorization server's keys; `protected_resource` says what they must be for, and tells
//! clients where to get one.

pub(super) mod issuer;
pub(super) mod protected_resource;
