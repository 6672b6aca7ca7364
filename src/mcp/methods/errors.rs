//! What a call that has no result is answered with.
//!
//! Owns the way from the product's errors to the protocol's.

use super::Call;
use crate::client::{Ability, Stop};
use crate::problem::Problem;
use crate::reply::{echo, internal};
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
pub fn lacks(call: &Call<'_>, ability: Ability) -> Problem {
    // −32021 is an error of the modern schema only.
    if call.revision.is_modern() {
        return Problem::MissingCapability(ability.required());
    }
    Problem::InvalidParams(format!("this needs a client with the capability {}", ability.required()).into())
}

/// Why a call has no result; `what` and `name` say what was not found.
#[must_use]
pub fn problem(call: &Call<'_>, error: CallError, what: &str, name: &str) -> Problem {
    match error {
        CallError::Unknown => Problem::InvalidParams(format!("unknown {what}: {}", echo(name)).into()),
        CallError::Invalid(why) => Problem::InvalidParams(why.into()),
        CallError::InsufficientScope(challenge) => Problem::InsufficientScope(challenge),
        CallError::Stopped(Stop::Lacks(ability)) => lacks(call, ability),
        CallError::Stopped(Stop::Failed(failure)) => failed(call.server, failure),
        // Only tools become tasks, and only they and two more suspend; all of them look for it themselves.
        CallError::Stopped(Stop::Suspended | Stop::BecameTask) => Problem::InvalidParams("this cannot be asked for here".into()),
    }
}
