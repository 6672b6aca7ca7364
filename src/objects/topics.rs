//! News for listening sessions: that a topic changed, and how the thing behind it ended.
//!
//! Owns who may listen and the form of a `topic` letter. The cores know the topics and their changes.

use crate::contract::letters::ToSession;
use crate::contract::letters::session::News;
use crate::objects::handler::{Caller, Cx, Flush};
use crate::objects::outbox::{Composed, Owed, RESEND_MILLIS};
use crate::objects::{listeners, outbox};
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;

/// The calling session hears of these topics until `expires_at`, and of no others of this object.
///
/// # Errors
/// `Forbidden` unless a session calls; `InvalidArgument` as `listeners` says.
pub fn listen(cx: &Cx<'_>, caller: &Caller, topics: &[String], expires_at: Timestamp) -> Result<(), Failure> {
    match caller.principal.from.as_deref().and_then(Instance::parse) {
        Some(session @ Instance::Session(_)) => listeners::listen(cx.sql, &session.to_string(), topics, expires_at, cx.now),
        _ => Err(refuse(Code::Forbidden, "Forbidden: only a session listens")),
    }
}

/// The topic changed: its listeners are told after the reply. Call it in the transaction of the change. An object that
/// changes often asks first whether anyone listens at all.
pub fn notify(cx: &Cx<'_>, topic: &str) -> Result<(), Failure> {
    if listeners::post(cx.sql, topic, cx.number()?, cx.now)? {
        cx.flush(Flush::AfterReply);
        cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    }
    Ok(())
}

/// Writes the letter for an outbox row. A lease that ended meanwhile makes none, so a session that is gone
/// gets none beyond its lease.
pub fn compose(cx: &Cx<'_>, owed: &Owed, news: impl FnOnce(&str) -> Result<News, Failure>) -> Composed {
    match owed.kind()? {
        ToSession::Topic if listeners::listens(cx.sql, &owed.target, &owed.subject, cx.now)? => {
            Ok(Some(outbox::write(&news(&owed.subject)?)?))
        }
        ToSession::Topic => Ok(None),
        ToSession::Removed => Err(Fault::new("write a letter", "a town alone removes sessions").into()),
    }
}
