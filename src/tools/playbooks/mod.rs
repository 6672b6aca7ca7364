//! Playbooks: what to do when things go wrong, and how it went so far.
//!
//! Each is one tool that can be called again and again: what it has done it reads from the objects, so it keeps nothing, and
//! an interrupted one goes on where it was. It only looks unless `dry_run` is false, and then takes the next safe step.
//! Owns how their answers name a next call. What each does is its own file's.

pub mod audit;
pub mod decisions;
pub mod distribution;
pub mod escalations;
pub mod findings;
pub mod inspect;
pub mod partial;
pub mod pool;
pub mod report;
pub mod unstick;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// A call that the reader can make as it is. A connection sees it under its own names for tools and arguments, and without
/// `town` where that goes without saying (`run`).
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct NextCall {
    tool: &'static str,
    arguments: Map<String, Value>,
}

impl NextCall {
    /// `arguments`: an object, with `town`.
    #[must_use]
    pub fn new(tool: &'static str, arguments: Value) -> Self {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        Self { tool, arguments }
    }
}
