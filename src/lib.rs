//! gastown-mcp: the MCP front door of Gastown.
//!
//! Modules in reading order: values (`ids`, `time`, `error`, `http`), the protocol (`mcp`), who is calling (`auth`),
//! the table of objects and methods (`rpc`), the objects' cores (`store`, `registry`, `town`, `rig`, `session`),
//! what clients call (`tools`, `apps`, `mayor`, `edge`), and last the only part that knows the runtime (`shell`).

pub mod apps;
pub mod auth;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod edge;
pub mod error;
pub mod http;
pub mod ids;
pub mod isolate;
pub mod kept;
pub mod mayor;
pub mod mcp;
pub mod offer;
pub mod peer;
pub mod registry;
pub mod rig;
pub mod rpc;
pub mod seal;
pub mod session;
pub mod sse;
pub mod store;
pub mod time;
pub mod tools;
pub mod town;

#[cfg(target_arch = "wasm32")]
mod shell;
