//! The Mayor's REST door, over the same tools that MCP clients call.
//!
//! Owns the routes under `/api/mayor/{town}/tools`.

pub mod prompt;
pub mod routes;
