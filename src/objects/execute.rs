//! The life of a call inside an object: authorization, idempotency, handler, in one transaction.
//!
//! Owns the order of the checks. Knows no method; sends nothing and waits for nothing: `object` does that.

use super::handler::{Answer, Caller, Cx, Effects, GatherThen};
use super::handlers::{core, handler};
use super::idempotency;
use super::store::sql::transaction;
use crate::auth::principal::TokenKind;
use crate::rpc::table::{Access, Method};
use base::error::{Failure, Fault};

/// Runs a method in one transaction: authorization, idempotency, handler. A handler that must know of other objects
/// before it changes anything answers `Gather`, and makes the change in its `then`.
///
/// # Errors
/// The refusal or fault; nothing is changed then.
pub fn run(cx: &Cx<'_>, caller: &Caller, method: &Method, args: &str) -> Result<Answer, Failure> {
    carry_out(cx, caller, method, args, || match handler(method)?(cx, caller, args)? {
        Answer::Gather(_) if !method.is_read() && cx.effects() != Effects::default() => {
            Err(Fault::new(method.name, "a change was made before others were asked").into())
        }
        answer @ (Answer::Json(_) | Answer::Void | Answer::Gather(_) | Answer::Wait(_) | Answer::Stream(_)) => Ok(answer),
    })
}

/// Goes on with a call whose questions have been answered. Access is checked again, and a key that another call has used
/// up meanwhile gives that call's answer.
///
/// # Errors
/// As `run`.
pub fn run_gathered(
    cx: &Cx<'_>,
    caller: &Caller,
    method: &Method,
    args: &str,
    then: GatherThen,
    answers: Vec<Result<String, Failure>>,
) -> Result<Answer, Failure> {
    carry_out(cx, caller, method, args, || then(cx, answers))
}

fn carry_out(
    cx: &Cx<'_>,
    caller: &Caller,
    method: &Method,
    args: &str,
    work: impl FnOnce() -> Result<Answer, Failure>,
) -> Result<Answer, Failure> {
    if caller.principal.kind != TokenKind::Internal {
        cx.actor.replace(Some(caller.actor()));
    }
    if !method.is_read() {
        return transaction(cx.sql, || {
            (core(method.object).authorize)(cx, caller)?;
            // A repeated call has its answer, even when its order has ended since.
            idempotency::once(cx, caller, method, args, || {
                match core(method.object).check_writer.filter(|_| method.access == Access::Agent) {
                    Some(check) => check(cx, caller).and_then(|()| work()),
                    None => work(),
                }
            })
        });
    }
    (core(method.object).authorize)(cx, caller)?;
    work()
}
