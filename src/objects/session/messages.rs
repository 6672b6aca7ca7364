//! Messages of clients beside their calls: answers to our requests, and cancellations.
//!
//! Owns `client_messages`, where such a message waits for the call that it is meant for, and `spent`, the
//! tokens that can be used once only.

use super::clean_up_later;
use crate::objects::handler::{Answer, Caller, Cx, Wait, json};
use crate::objects::store::sql::{execute, query};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use mcp::session_types::ClientReplies;

/// How long a message waits for its call.
const MESSAGE_MILLIS: i64 = 5 * 60 * 1000;
/// Messages of one session that wait at most; the oldest give way.
const MESSAGES_MAX: i64 = 64;

fn key(session: &str) -> String {
    format!("client:{session}")
}

fn cancellation(request: &str) -> String {
    format!("cancel:{request}")
}

fn keep(cx: &Cx<'_>, session: &str, id: &str, answer: &str) -> Result<Answer, Failure> {
    execute(
        cx.sql,
        "-- messages_keep\nINSERT INTO client_messages (session, id, answer, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (session, id, answer, cx.now.plus_millis(MESSAGE_MILLIS).millis()),
    )?;
    execute(
        cx.sql,
        "-- messages_bound\nDELETE FROM client_messages WHERE session = ?1 AND id IN (
           SELECT id FROM client_messages WHERE session = ?1 ORDER BY expires_at DESC LIMIT -1 OFFSET ?2)",
        (session, MESSAGES_MAX),
    )?;
    cx.wake(key(session));
    clean_up_later(cx);
    Ok(Answer::Void)
}

/// `clientAnswered`: a client answers a request of ours. The first answer counts.
pub(crate) fn answered(cx: &Cx<'_>, _caller: &Caller, (session, id, answer): (String, String, String)) -> Result<Answer, Failure> {
    keep(cx, &session, &id, &answer)
}

/// `cancelled`: a client takes a call back.
pub(crate) fn cancelled(cx: &Cx<'_>, _caller: &Caller, (session, request): (String, String)) -> Result<Answer, Failure> {
    keep(cx, &session, &cancellation(&request), "{}")
}

/// The session ended: its calls are over too.
pub(super) fn end(cx: &Cx<'_>, session: &str) -> Result<(), Failure> {
    execute(cx.sql, "-- messages_end\nDELETE FROM client_messages WHERE session = ?", (session,))?;
    cx.wake(key(session));
    Ok(())
}

/// `hear`: waits for an answer to one of `ids`, or for the cancellation of `request`, until `until`. With its session a
/// call is cancelled too.
pub(crate) fn hear(
    cx: &Cx<'_>,
    _caller: &Caller,
    (session, request, ids, until): (String, String, Vec<String>, Timestamp),
) -> Result<Answer, Failure> {
    let mut heard = ClientReplies::default();
    for id in &ids {
        let taken: Vec<(String,)> =
            query(cx.sql, "-- messages_take\nDELETE FROM client_messages WHERE session = ? AND id = ? RETURNING answer", (&session, id))?;
        for (answer,) in taken {
            let answer = serde_json::from_str(&answer).map_err(|error| Fault::new("read a client's answer", error))?;
            heard.answers.insert(id.clone(), answer);
        }
    }
    let cancelled: Vec<(String,)> = query(
        cx.sql,
        "-- messages_cancelled\nSELECT id FROM client_messages WHERE session = ?1 AND id = ?2
         UNION ALL SELECT session_id FROM ended_sessions WHERE session_id = ?1",
        (&session, cancellation(&request)),
    )?;
    heard.is_cancelled = !cancelled.is_empty();
    if heard.is_cancelled || !heard.answers.is_empty() || cx.now >= until {
        return json(&heard);
    }
    Ok(Answer::Wait(Wait { key: key(&session), until }))
}

/// `spendOnce`: true the first time.
pub(crate) fn spend_once(cx: &Cx<'_>, _caller: &Caller, (what, expires_at): (String, Timestamp)) -> Result<Answer, Failure> {
    let first: Vec<(i64,)> = query(
        cx.sql,
        "-- spent_once\nINSERT INTO spent (what, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING expires_at",
        (&what, expires_at.millis()),
    )?;
    clean_up_later(cx);
    json(&!first.is_empty())
}
