//! gastown-mcp: the MCP front door of Gastown.
//!
//! Modules in reading order: values (`ids`, `time`, `error`, `http`), the protocol (`mcp`), who is calling (`auth`),
//! the table of objects and methods (`rpc`), the objects' cores (`store`, `registry`, `town`, `rig`, `session`),
//! what clients are offered (`tools`, `resources`, `prompts`, `completion`, `skills`, `apps`), where they come in (`mayor`,
//! `edge`). The only part that knows the runtime is a package of its own (`shell`).

pub mod apps;
pub mod auth;
pub mod completion;
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
pub mod prompts;
pub mod provision;
pub mod registry;
pub mod resources;
pub mod rig;
pub mod rpc;
pub mod seal;
pub mod session;
pub mod skills;
pub mod sse;
pub mod store;
pub mod time;
pub mod tools;
pub mod town;
