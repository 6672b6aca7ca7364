//! Messages: stored mail, nudges and hand-offs, and looking at them without taking them.
//!
//! Owns the `messages` table, and how an assignment (`hook`) looks as a message. `mail` and `nudges` send and take.
//! Durable messages wait until they are read; read messages and all nudges expire.

pub(super) mod escalations;
pub mod mail;
pub(super) mod mayor_mail;
pub mod nudges;
pub mod triage;

use super::retention::{BATCH, NEXT_BATCH_MILLIS};
use super::{agents, state};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::RigToTown;
use crate::contract::letters::rig::RigState;
use crate::contract::names::MAYOR;
use crate::contract::shapes::{BeadEventType, Channel, Message, MessageFilter, MessagePosition, NudgeMode, NudgePriority};
use crate::contract::tool_keys::LIST_AGENTS;
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::beads::events;
use crate::objects::rig::outbox_letters;
use crate::objects::store::sql::{execute, query, query_one, scalar};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::hint;
use base::order::sort;
use base::time::Timestamp;
use serde_json::{Value, json};

/// Messages of one channel that may wait for one recipient.
pub const WAITING_MAX: i64 = 1_000;
/// How long a durable message can still be looked at after it was read.
pub const READ_KEPT_MILLIS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// Longest page.
pub const LIST_LIMIT_MAX: i64 = 500;
/// A page unless the caller says otherwise.
const LIST_LIMIT_DEFAULT: i64 = 100;
/// How the id of a hook's message begins; the number of its event follows.
const HOOK_ID: &str = "hook-";

/// A message about to be written.
pub(super) struct NewMessage<'a> {
    pub(super) channel: Channel,
    pub(super) sender: &'a str,
    pub(super) recipient: &'a str,
    pub(super) subject: &'a str,
    pub(super) body: &'a str,
    pub(super) bead: Option<&'a BeadId>,
    pub(super) nudge: Option<NewNudge<'a>>,
    pub(super) expires_at: Option<Timestamp>,
}

/// The fields of nudges alone.
pub(super) struct NewNudge<'a> {
    pub(super) mode: NudgeMode,
    pub(super) priority: NudgePriority,
    pub(super) source: &'a str,
}

/// Columns of a stored message in the order of `Message`'s fields.
macro_rules! message_columns {
    () => {
        "id, sender AS \"from\", recipient AS \"to\", channel, CASE channel
           WHEN 'nudge' THEN json_object('message', body, 'mode', mode, 'priority', priority, 'source', source)
           ELSE json_patch(json_object('subject', subject, 'body', body), json_object('bead_id', bead_id)) END AS payload,
         created_at AS timestamp, channel <> 'nudge' AS durable, delivered_at"
    };
}

/// Columns of a `hooked` event in the same order.
macro_rules! hook_columns {
    () => {
        "printf('hook-%012d', sequence) AS id, coalesce(actor, 'rig') AS \"from\", agent_id AS \"to\", 'hook' AS channel,
         json_object('bead_id', bead_id, 'branch', new_value) AS payload, created_at AS timestamp, 1 AS durable, created_at AS delivered_at"
    };
}

/// Writes a message. The time it carries is its own within the rig, so that an address means one message and a page can
/// go on after it.
pub(super) fn insert(cx: &Cx<'_>, new: &NewMessage<'_>) -> Result<BeadId, Failure> {
    let is_full: i64 = scalar(
        cx.sql,
        "-- messages_full\nSELECT EXISTS (SELECT 1 FROM messages WHERE recipient = ? AND channel = ? AND delivered_at IS NULL LIMIT 1 OFFSET ?)",
        (new.recipient, new.channel, WAITING_MAX - 1),
    )?;
    if is_full == 1 {
        let refusal = Refusal::new(Code::Conflict, format!("{WAITING_MAX} messages wait for {} already", new.recipient));
        return Err(refusal.hint("Look at them with listMessages, and why they are not read.").into());
    }
    let at: i64 = scalar(cx.sql, "-- messages_moment\nSELECT max(coalesce(max(created_at), 0) + 1, ?) FROM messages", (cx.now.millis(),))?;
    let id = BeadId::from_random(cx.random());
    let nudge = new.nudge.as_ref();
    execute(
        cx.sql,
        "-- messages_insert\nINSERT INTO messages (id, channel, sender, recipient, subject, body, bead_id, source, mode, priority, created_at, expires_at, sequence)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            &id,
            new.channel,
            new.sender,
            new.recipient,
            new.subject,
            new.body,
            new.bead,
            nudge.map(|nudge| nudge.source),
            nudge.map(|nudge| nudge.mode),
            nudge.map(|nudge| nudge.priority),
            at,
            new.expires_at.map(Timestamp::millis),
            cx.next_number()?,
        ),
    )?;
    if let Some(at) = new.expires_at {
        cx.wake_at(at);
    }
    let about = json!({"message_id": id, "from": new.sender, "to": new.recipient});
    let event = events::Happened {
        kind: BeadEventType::MailSent,
        bead: new.bead.map_or(new.recipient, BeadId::as_str),
        agent: Some(new.recipient),
        old: None,
        new: Some(new.channel.as_str()),
        metadata: about,
    };
    events::write(cx, &event)?;
    Ok(id)
}

/// The durable messages that wait for an agent will never be read: it is gone.
pub(super) fn recipient_gone(cx: &Cx<'_>, id: &AgentId) -> Result<(), Fault> {
    let until = cx.now.plus_millis(READ_KEPT_MILLIS);
    cx.wake_at(until);
    execute(
        cx.sql,
        "-- messages_recipient_gone\nUPDATE messages SET expires_at = ? WHERE recipient = ? AND delivered_at IS NULL AND expires_at IS NULL",
        (until.millis(), id),
    )
}

/// Drops a batch of expired messages that are not owed to the town; returns how many of them were nudges not yet taken.
/// Asks for the alarm when there are more, or at the next expiry.
pub(super) fn expire(cx: &Cx<'_>) -> Result<i64, Failure> {
    let dropped: Vec<(i64,)> = query(
        cx.sql,
        "-- messages_expire\nDELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE expires_at <= ?
             AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.kind = 'message' AND outbox.subject = messages.id) ORDER BY expires_at LIMIT ?)
         RETURNING channel = 'nudge' AND delivered_at IS NULL",
        (cx.now.millis(), BATCH),
    )?;
    let next: Option<i64> =
        scalar(cx.sql, "-- messages_next_expiry\nSELECT min(expires_at) FROM messages WHERE expires_at > ?", (cx.now.millis(),))?;
    if i64::try_from(dropped.len()).is_ok_and(|dropped| dropped >= BATCH) {
        cx.wake_at(cx.now.plus_millis(NEXT_BATCH_MILLIS));
    } else if let Some(at) = next {
        cx.wake_at(Timestamp::from_millis(at));
    }
    Ok(dropped.iter().map(|(stale,)| stale).sum())
}

/// Whether the caller may look at the messages of this recipient: an agent sees its own.
pub(super) fn check_reads(caller: &Caller, recipient: Option<&str>) -> Result<(), Failure> {
    caller
        .check_speaks_for(recipient.unwrap_or_default())
        .map_err(|_| refuse(Code::Forbidden, "Forbidden: an agent reads its own messages only; name yourself as agentId"))
}

/// The name under which messages to this recipient are kept: an agent that lives here by its id, the Mayor as `mayor`.
///
/// # Errors
/// `NotFound`: a message without a recipient would be lost.
pub(super) fn recipient(cx: &Cx<'_>, rig: &RigState, to: &str) -> Result<String, Failure> {
    if to == MAYOR || rig.mayor_agent_id.as_ref().is_some_and(|mayor| mayor.as_str() == to) {
        return Ok(MAYOR.to_owned());
    }
    let id = AgentId::parse(to).map_err(|_| {
        Refusal::new(Code::InvalidArgument, "the recipient must be an agent's id, or mayor").hint(hint![
            "Call ",
            LIST_AGENTS,
            " to see the ids."
        ])
    })?;
    Ok(agents::require(cx, &id)?.id.to_string())
}

/// Forwards the Mayor's mail to the town.
pub(super) fn forward(cx: &Cx<'_>, rig: &RigState, recipient: &str, id: &BeadId) -> Result<(), Failure> {
    if recipient == MAYOR { outbox_letters::tell(cx, rig, RigToTown::Message, id.as_str()) } else { Ok(()) }
}

/// `listMessages`: oldest first, and nothing counts as read by it. Hooks are shown of one agent only.
pub(crate) fn list_messages(cx: &Cx<'_>, caller: &Caller, (filter,): (Option<MessageFilter>,)) -> Result<Answer, Failure> {
    let filter = filter.unwrap_or_default();
    state::require(cx)?;
    let agent = filter.agent_id.as_deref();
    check_reads(caller, agent)?;
    let limit = filter.limit.unwrap_or(LIST_LIMIT_DEFAULT).clamp(1, LIST_LIMIT_MAX);
    let mut messages = if filter.channel == Some(Channel::Hook) { Vec::new() } else { stored(cx, &filter, limit)? };
    if matches!(filter.channel, None | Some(Channel::Hook)) && filter.unread != Some(true) {
        match agent {
            Some(agent) => messages.extend(given(cx, agent, filter.after.as_ref(), limit)?),
            None if filter.channel.is_some() => {
                let refusal = Refusal::new(Code::InvalidArgument, "channel hook: agentId is needed");
                return Err(refusal.hint("Name the agent; what all agents were given is in the town's feed.").into());
            }
            None => {}
        }
    }
    let mut messages = sort(messages, false, |message| (message.timestamp.millis(), message.id.clone()));
    messages.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    messages.iter_mut().for_each(address);
    answer(&messages)
}

fn stored(cx: &Cx<'_>, filter: &MessageFilter, limit: i64) -> Result<Vec<Message>, Fault> {
    const LIST: &str = concat!("-- messages_list\nSELECT ", message_columns!(), " FROM messages WHERE ");
    let mut conditions = vec!["(created_at, id) > (?, ?)"];
    let start = MessagePosition { timestamp: Timestamp::from_millis(-1), id: String::new() };
    let MessagePosition { timestamp, id } = filter.after.clone().unwrap_or(start);
    let mut params = vec![Value::from(timestamp.millis()), Value::from(id)];
    if let Some(agent) = &filter.agent_id {
        conditions.push("recipient = ?");
        params.push(Value::from(agent.as_str()));
    }
    if let Some(channel) = filter.channel {
        conditions.push("channel = ?");
        params.push(Value::from(channel.as_str()));
    }
    if filter.unread == Some(true) {
        conditions.push("delivered_at IS NULL");
    }
    params.push(Value::from(limit));
    let condition = conditions.join(" AND ");
    query(cx.sql, &format!("{LIST}{condition} ORDER BY created_at, id LIMIT ?"), &params)
}

/// The assignments of an agent, as messages.
fn given(cx: &Cx<'_>, agent: &str, after: Option<&MessagePosition>, limit: i64) -> Result<Vec<Message>, Fault> {
    let at = after.map_or(-1, |after| after.timestamp.millis());
    // At the same moment hooks come after stored messages, whose ids are smaller than any of theirs.
    let number = after.and_then(|after| hook_number(&after.id)).unwrap_or(-1);
    query(
        cx.sql,
        concat!(
            "-- messages_hooks\nSELECT ",
            hook_columns!(),
            " FROM bead_events WHERE event_type = 'hooked' AND agent_id = ? AND (created_at, sequence) > (?, ?) ORDER BY created_at, sequence LIMIT ?"
        ),
        (agent, at, number, limit),
    )
}

fn hook_number(id: &str) -> Option<i64> {
    id.strip_prefix(HOOK_ID)?.parse().ok()
}

/// Durable messages can be found again.
fn address(message: &mut Message) {
    if message.durable {
        message.address = Some(format!("mail/{}/{}-{}", message.to, message.timestamp, message.from));
    }
}

/// `getMessage(address or id)`: or null. Reading it this way marks nothing as read.
pub(crate) fn get_message(cx: &Cx<'_>, caller: &Caller, (which,): (String,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    let found = find(cx, &which)?;
    if let Some(message) = &found {
        check_reads(caller, Some(&message.to))?;
    }
    answer(&found)
}

/// A message by its address or its id.
pub(super) fn find(cx: &Cx<'_>, which: &str) -> Result<Option<Message>, Fault> {
    let mut found = match which.strip_prefix("mail/") {
        Some(address) => by_address(cx, address)?,
        None => by_id(cx, which)?,
    };
    found.iter_mut().for_each(address);
    Ok(found)
}

fn by_id(cx: &Cx<'_>, id: &str) -> Result<Option<Message>, Fault> {
    match hook_number(id) {
        Some(number) => query_one(
            cx.sql,
            concat!("-- messages_hook\nSELECT ", hook_columns!(), " FROM bead_events WHERE sequence = ? AND event_type = 'hooked'"),
            (number,),
        ),
        None => query_one(cx.sql, concat!("-- messages_find\nSELECT ", message_columns!(), " FROM messages WHERE id = ?"), (id,)),
    }
}

/// The message at `{to}/{timestamp}-{from}`.
fn by_address(cx: &Cx<'_>, address: &str) -> Result<Option<Message>, Fault> {
    const STAMP_CHARS: usize = "2026-11-21T06:25:49.000Z".len();
    let parts = address.split_once('/').and_then(|(to, rest)| {
        let at = Timestamp::parse_iso(rest.get(..STAMP_CHARS)?)?;
        Some((to, at.millis(), rest.get(STAMP_CHARS..)?.strip_prefix('-')?))
    });
    let Some((to, at, from)) = parts else { return Ok(None) };
    let message = query_one(
        cx.sql,
        concat!(
            "-- messages_at\nSELECT ",
            message_columns!(),
            " FROM messages WHERE recipient = ? AND created_at = ? AND sender = ? AND channel <> 'nudge' ORDER BY id LIMIT 1"
        ),
        (to, at, from),
    )?;
    if message.is_some() {
        return Ok(message);
    }
    query_one(
        cx.sql,
        concat!(
            "-- messages_hook_at\nSELECT ",
            hook_columns!(),
            " FROM bead_events WHERE event_type = 'hooked' AND agent_id = ? AND created_at = ? AND coalesce(actor, 'rig') = ? ORDER BY sequence LIMIT 1"
        ),
        (to, at, from),
    )
}
