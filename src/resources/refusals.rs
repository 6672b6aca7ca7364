//! Refused look-ups as errors of a resource or prompt.
//!
//! Owns the translation. Looks nothing up.

use crate::tools::names::Names;
use base::error::{Code, Failure, Refusal};
use mcp::client::Interruption;
use mcp::types::CallError;

/// The refusal as a text, with its hint.
#[must_use]
pub fn explain(refusal: Refusal) -> String {
    match refusal.hint {
        Some(hint) => format!("{}. {hint}", refusal.message),
        None => refusal.message,
    }
}

/// A refusal for a named thing, as a resource error: a missing or foreign thing is unknown; an ambiguous name is invalid.
#[must_use]
pub fn unknown_thing(error: CallError, names: Names) -> CallError {
    match error {
        CallError::Interrupted(Interruption::Failed(Failure::Refused(refusal))) => match refusal.code {
            Code::NotFound | Code::Forbidden => CallError::Unknown,
            Code::InvalidArgument => CallError::Invalid(explain(names.hint(refusal))),
            _ => CallError::Interrupted(names.hint(refusal).into()),
        },
        other => other,
    }
}
