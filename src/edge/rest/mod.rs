//! REST: every route that is not MCP.
//!
//! `router` finds the row that a request means, `extract` reads its body and query, `envelope` and `response` write answers.
//! The routes: `agents` (a rig, for its agents), `mayor`, `towns`, `owners` (the registry), `container_token`.

pub mod agents;
pub(super) mod container_token;
pub mod envelope;
pub(crate) mod extract;
pub mod mayor;
pub(super) mod owners;
pub(crate) mod response;
pub mod router;
pub(super) mod towns;
