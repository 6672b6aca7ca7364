//! News for listening sessions: that a topic changed, and how the thing behind it ended.
//!
//! Owns who may listen and the form of a `topic` letter. The cores know the topics and their changes.

use crate::contract::outcome::Outcome;
use crate::objects::handler::{Caller, Cx, Flush};
use crate::objects::store::listeners;
use crate::objects::store::outbox;
use crate::objects::store::outbox::{Composed, Owed, RESEND_MILLIS};
use crate::rpc::call::Instance;
use base::error::{Code, Failure, refuse};
use base::time::Timestamp;
use serde_json::{Value, json};

/// The kind of letter by which a session tells a source that a notification was taken; its subject is the topic, its
/// body the number that the source gave the notification under `RECEIPT`.
pub const TAKEN: &str = "taken";
/// The key of that number in the news of a topic. It only ever grows.
pub const RECEIPT: &str = "sequence";

/// The calling session hears of these topics until `expires_at`, and of no others of this object.
///
/// # Errors
/// `Forbidden` unless a session calls; `InvalidArgument` as `store::listeners` says.
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

/// The body of a topic letter: whether the thing has ended, and its state as far as it may be told. Never text that
/// agents or users wrote.
#[must_use]
pub fn news(terminal: bool, outcome: &Value) -> Value {
    json!({"terminal": terminal, "outcome": outcome})
}

/// The body that says how something stands.
#[must_use]
pub fn standing(outcome: &Outcome) -> Value {
    news(outcome.terminal, &outcome.told)
}

/// The body when all there is to say is that something changed.
#[must_use]
pub fn changed() -> Value {
    news(false, &json!({}))
}

/// Writes the letter for an outbox row. A lease that ended meanwhile makes none, so a session that is gone
/// gets none beyond its lease.
pub fn compose(cx: &Cx<'_>, owed: &Owed, news: impl FnOnce(&str) -> Result<Value, Failure>) -> Composed {
    if !listeners::listens(cx.sql, &owed.target, &owed.subject, cx.now)? {
        return Ok(None);
    }
    Ok(Some(outbox::write(&news(&owed.subject)?)?))
}
