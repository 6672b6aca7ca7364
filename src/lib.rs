//! gastown-mcp: the MCP front door of Gastown.
//!
//! Rooms, from the bottom: `contract` (ids and shapes that everybody shares), `auth` (tokens into principals), `rpc` (the
//! methods of objects, seen from outside), `objects` (the objects themselves), `tools`, `resources` and `prompts` (what
//! clients are offered), `edge` (where they come in). Below them are two packages, `base` and `mcp` (the protocol); above
//! them a third, `shell`, the only part that knows the runtime.

pub mod apps;
pub mod auth;
pub mod cache;
pub mod contract;
pub mod edge;
pub mod objects;
pub mod prompts;
pub mod provision;
pub mod resources;
pub mod rpc;
pub mod tools;
