//! The life of a message to the Mayor: delivered, read, answered, and in the end dropped.
//!
//! Owns these moves, which only ever lead on, and the `mayor_replies` table. Only known facts are claimed: a message
//! is delivered when a session says that the Mayor's stream has taken a notification of it, read when the Mayor itself has
//! fetched it, answered with the first reply.

use crate::contract::ids::BeadId;
use crate::contract::letters::{FromSession, Letter};
use crate::contract::shapes::{MayorMail, MayorMessageStatus, MayorReplied};
use crate::contract::topics::MESSAGES;
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query};
use crate::objects::town::mayor::mail::{find, fitting, load, message_bytes, tally, unread};
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::{mayor, topics};
use base::error::{Code, Failure, Fault, Refusal, refuse};

/// Longest reply, in bytes.
pub const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Most replies to one message.
pub const REPLIES_MAX: usize = 20;
/// Messages that are kept once they were read or answered.
pub const SETTLED_MAX: i64 = 5_000;
/// Most messages that are read at once.
pub const READ_MAX: i64 = 20;
/// Unless the first alone has more bytes, so many are read at once at most.
pub const READ_BYTES_MAX: i64 = 32 * 1024;
/// Messages covered by one notification; earlier unread ones stay as they are.
const TOLD_MAX: i64 = 1_000;

/// A session has handed a notification to the Mayor, whose stream took it: it told of every message that had come by then.
pub(in crate::objects::town) fn taken(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    match letter.kind() {
        Some(FromSession::Taken) if letter.subject == MESSAGES => {}
        Some(FromSession::Taken | FromSession::Lease) | None => {
            return Err(refuse(Code::Unsupported, format!("A town takes no letters of kind {} from sessions", letter.kind)));
        }
    }
    let town = state::require(cx)?;
    let through: i64 = letter.read("read what a Mayor has heard of")?;
    let told: Vec<(BeadId,)> = query(
        cx.sql,
        "-- mayor_delivered\nUPDATE mayor_messages SET status = 'delivered', delivered_at = ?1 WHERE id IN (
           SELECT id FROM mayor_messages WHERE status = 'queued' AND touched <= ?2 ORDER BY touched DESC LIMIT ?3) RETURNING id",
        (cx.now.millis(), through, TOLD_MAX),
    )?;
    topics::messages_changed(cx, &town, &told.into_iter().map(|(id,)| id).collect::<Vec<_>>())
}

/// The messages that are read next, and how many more wait. They count as read from now on if the Mayor itself asks.
pub(in crate::objects::town) fn read(cx: &Cx<'_>, town: &TownState, is_own_call: bool) -> Result<MayorMail, Failure> {
    let next: Vec<(BeadId, i64)> = query(
        cx.sql,
        concat!(
            "-- mayor_unread\nSELECT id, bytes FROM (
               SELECT * FROM (SELECT id, sequence, ",
            message_bytes!(),
            " AS bytes FROM mayor_messages WHERE status = 'queued' ORDER BY touched LIMIT ?1)
               UNION ALL
               SELECT * FROM (SELECT id, sequence, ",
            message_bytes!(),
            " AS bytes FROM mayor_messages WHERE status = 'delivered' ORDER BY touched LIMIT ?1)
             ) ORDER BY sequence LIMIT ?1"
        ),
        (READ_MAX,),
    )?;
    let ids = fitting(next, READ_BYTES_MAX);
    if is_own_call {
        for id in &ids {
            execute(
                cx.sql,
                "-- mayor_read\nUPDATE mayor_messages SET status = 'read', read_at = ?, touched = ? WHERE id = ?",
                (cx.now.millis(), cx.next_number()?, id),
            )?;
        }
        topics::messages_changed(cx, town, &ids)?;
    }
    // Read before anything is dropped: the Mayor has it once at least.
    let messages = load(cx, &ids)?;
    drop_old(cx, town)?;
    let shown = if is_own_call { 0 } else { i64::try_from(messages.len()).unwrap_or_default() };
    Ok(MayorMail { messages, more: unread(cx)? - shown })
}

/// `checkMayorMail`: the Mayor takes its unread messages.
pub(crate) fn check_mail(cx: &Cx<'_>, caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    mayor::require_own_call(&town, caller)?;
    mayor::is_at_work(cx, &town)?;
    json(&read(cx, &town, true)?)
}

/// `replyAsMayor(messageId, text)`: as often as there is something to say.
pub(crate) fn reply(cx: &Cx<'_>, caller: &Caller, (id, text): (BeadId, String)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    mayor::require_own_call(&town, caller)?;
    if text.trim().is_empty() || text.len() > REPLY_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("text must have 1 to {REPLY_BYTES_MAX} bytes")));
    }
    let Some(message) = find(cx, &id)? else {
        let refusal = Refusal::new(Code::NotFound, format!("Message {id} not found in this town"));
        return Err(refusal.hint(format!("Read gastown://towns/{}/mayor to see the messages that there are.", town.town_id)).into());
    };
    if message.replies.len() >= REPLIES_MAX {
        let refusal = Refusal::new(Code::Conflict, format!("Message {id} has {REPLIES_MAX} replies already"));
        return Err(refusal.hint("Reply to a newer message of the same sender.").into());
    }
    let (reply_id, number) = (BeadId::from_random(cx.random()), cx.next_number()?);
    execute(
        cx.sql,
        "-- mayor_reply\nINSERT INTO mayor_replies (id, message_id, author, text, created_at, sequence) VALUES (?, ?, ?, ?, ?, ?)",
        (&reply_id, &id, caller.actor(), text, cx.now.millis(), number),
    )?;
    execute(
        cx.sql,
        "-- mayor_answered\nUPDATE mayor_messages SET status = 'answered', read_at = coalesce(read_at, ?1),
           answered_at = coalesce(answered_at, ?1), touched = ?2 WHERE id = ?3",
        (cx.now.millis(), number, &id),
    )?;
    mayor::is_at_work(cx, &town)?;
    topics::messages_changed(cx, &town, std::slice::from_ref(&id))?;
    drop_old(cx, &town)?;
    let replies = i64::try_from(message.replies.len()).unwrap_or_default() + 1;
    json(&MayorReplied { reply_id, message_id: id, status: MayorMessageStatus::Answered, sender: message.sender, replies })
}

/// Of what was read or answered, the newest is kept.
fn drop_old(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    let settled = tally(cx, &[MayorMessageStatus::Read, MayorMessageStatus::Answered])?;
    if settled <= SETTLED_MAX {
        return Ok(());
    }
    let dropped: Vec<(BeadId,)> = query(
        cx.sql,
        "-- mayor_drop\nDELETE FROM mayor_messages WHERE id IN (SELECT id FROM (
           SELECT * FROM (SELECT id, touched FROM mayor_messages WHERE status = 'read' ORDER BY touched LIMIT ?1)
           UNION ALL
           SELECT * FROM (SELECT id, touched FROM mayor_messages WHERE status = 'answered' ORDER BY touched LIMIT ?1)
         ) ORDER BY touched LIMIT ?1) RETURNING id",
        (settled - SETTLED_MAX,),
    )?;
    let dropped: Vec<BeadId> = dropped.into_iter().map(|(id,)| id).collect();
    forget_replies(cx, &dropped)?;
    topics::messages_changed(cx, town, &dropped)
}

fn forget_replies(cx: &Cx<'_>, messages: &[BeadId]) -> Result<(), Fault> {
    for message in messages {
        execute(cx.sql, "-- mayor_forget_replies\nDELETE FROM mayor_replies WHERE message_id = ?", (message,))?;
    }
    Ok(())
}
