//! The body of what sessions are told.
//!
//! Owns its fields. Of how things stand it says what `contract::outcome` says, never text that agents or users wrote.

use crate::contract::outcome::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body of a `topic` letter.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct News {
    /// The thing has ended.
    pub terminal: bool,
    /// What may be told of how it stands; empty when all there is to say is that something changed.
    pub outcome: Map<String, Value>,
}

impl News {
    /// Something changed, and here is what may be told of it.
    #[must_use]
    pub fn of(told: Map<String, Value>) -> Self {
        Self { terminal: false, outcome: told }
    }
}

impl From<Outcome> for News {
    fn from(outcome: Outcome) -> Self {
        Self { terminal: outcome.terminal, outcome: outcome.fields() }
    }
}
