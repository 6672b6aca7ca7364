//! What a call that has no result is answered with.
//!
//! Owns the way from the product's errors to the protocol's.

use crate::client::{ClientCapability, Interruption};
use crate::problem::{Problem, echo};
use crate::reply::internal;
use crate::request::RequestContext;
use crate::server::Server;
use crate::types::CallError;
use base::error::{Failure, Refusal};

/// A failure outside tools, where a refusal has no other place than an error.
#[must_use]
pub fn failed(server: &dyn Server, failure: Failure) -> Problem {
    match failure {
        Failure::Refused(refusal) => Problem::InvalidParams(in_words(&refusal).into()),
        Failure::Broke(fault) => internal(server, &fault),
    }
}

/// A refusal in one line.
fn in_words(refusal: &Refusal) -> String {
    match &refusal.hint {
        Some(hint) => format!("{}. {hint}", refusal.message.trim_end_matches('.')),
        None => refusal.message.clone(),
    }
}

/// What the client lacks.
#[must_use]
pub fn lacks(call: &RequestContext<'_>, capability: ClientCapability) -> Problem {
    // −32021 is an error of the modern schema only.
    if call.revision.is_modern() {
        return Problem::MissingCapability(capability.required());
    }
    Problem::InvalidParams(format!("this needs a client with the capability {}", capability.required()).into())
}

/// Why a call has no result; `what` and `name` say what was not found.
#[must_use]
pub fn problem(call: &RequestContext<'_>, error: CallError, what: &str, name: &str) -> Problem {
    match error {
        CallError::Unknown => Problem::InvalidParams(format!("unknown {what}: {}", echo(name)).into()),
        CallError::Invalid(why) => Problem::InvalidParams(why.into()),
        CallError::InsufficientScope(challenge) => Problem::InsufficientScope(challenge),
        CallError::Interrupted(Interruption::MissingCapability(capability)) => lacks(call, capability),
        CallError::Interrupted(Interruption::Failed(failure)) => failed(call.server, failure),
        // Only tools become tasks, and only they and two more suspend; all of them look for it themselves.
        CallError::Interrupted(Interruption::InputRequired | Interruption::BecameTask) => {
            Problem::InvalidParams("this cannot be asked for here".into())
        }
    }
}
