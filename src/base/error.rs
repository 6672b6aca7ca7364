//! The two ways a call can fail once it has been understood: it is refused, or something broke.
//!
//! Owns `Refusal` (expected; its text is written for the caller, who can act on it) and `Fault` (a bug or an
//! outage; its cause is for the log and never leaves). Protocol errors belong to `mcp`.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call was refused. A closed set: clients and tests match on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// No token, or one that cannot be trusted.
    Unauthenticated,
    /// The token is good, but not for this town, role or operation.
    Forbidden,
    /// The thing named does not exist (or is not visible to this caller).
    NotFound,
    /// An argument is missing, malformed or out of range.
    InvalidArgument,
    /// The state of the thing does not allow it, or somebody else holds it.
    Conflict,
    /// This idempotency key was used before with other arguments.
    IdempotencyConflict,
    /// The operation is known but this town does not have it.
    Unsupported,
    /// A part did not answer in time; trying again may work.
    Unavailable,
}

/// An expected refusal. `message` says what is wrong and what is allowed, `hint` names the next call to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of refusal.
    pub code: Code,
    /// What is wrong. The contract's own wording where it has one.
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal without a hint.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Something broke. `context` is logged beside an incident id; the caller sees the incident id only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    context: String,
    incident: Option<String>,
}

impl Fault {
    /// `doing` says which operation failed, `cause` is the error it met.
    #[must_use]
    pub fn new(doing: &str, cause: impl fmt::Display) -> Self {
        Self { context: format!("{doing}: {cause}"), incident: None }
    }

    /// A fault that another object has logged under `incident`.
    #[must_use]
    pub fn logged(incident: &str) -> Self {
        Self { context: "logged where it happened".to_owned(), incident: Some(incident.to_owned()) }
    }

    /// The incident id under which it is logged already.
    #[must_use]
    pub fn incident(&self) -> Option<&str> {
        self.incident.as_deref()
    }

    /// The full text, for the log only.
    #[must_use]
    pub fn log_text(&self) -> &str {
        &self.context
    }
}

/// Either of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Expected; tell the caller.
    Refused(Refusal),
    /// Unexpected; tell the log.
    Broke(Fault),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Broke(fault)
    }
}

/// Short for a refusal as a failure.
pub fn refuse(code: Code, message: impl Into<String>) -> Failure {
    Failure::Refused(Refusal::new(code, message))
}
