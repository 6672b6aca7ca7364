//! Messages to the Mayor: taking them in and looking at them.
//!
//! Owns the `mayor_messages` table and its tally. People, rigs and escalations leave messages, whether or not a Mayor is
//! there: each is `queued` until its delivery is known. `reading` owns the later moves.

use crate::contract::ids::BeadId;
use crate::contract::letters::Letter;
use crate::contract::letters::town::MailToMayor;
use crate::contract::shapes::{FeedKind, MayorMessage, MayorMessageFilter, MayorMessagePage, MayorMessageResult, MayorMessageStatus};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{mayor, topics};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::order::sort;
use serde_json::{Value, json as value};

/// Longest message, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// Longest UI context, in characters (Gastown contract 4.3).
pub const UI_CONTEXT_CHARS_MAX: usize = 10_000;
/// Most messages that may wait until they are read.
pub const UNREAD_MAX: i64 = 100_000;
/// The most messages on a page.
pub const LIST_LIMIT_MAX: i64 = 200;
/// A page unless the caller says otherwise.
const LIST_LIMIT_DEFAULT: i64 = 50;
/// A page that has this many bytes ends.
const LIST_BYTES_MAX: i64 = 1024 * 1024;

/// How many messages have which status, kept by triggers: the answer to a message says how many wait, and must not cost
/// more the more there are. Part of the first migration.
pub const CREATE_MESSAGE_TALLY: [&str; 4] = [
    "-- message_tally
CREATE TABLE message_tally (
  status TEXT PRIMARY KEY,
  messages INTEGER NOT NULL                 -- how many have it
) STRICT, WITHOUT ROWID",
    "-- message_tally_insert
CREATE TRIGGER message_tally_insert AFTER INSERT ON mayor_messages BEGIN
  INSERT INTO message_tally (status, messages) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET messages = messages + 1;
END",
    "-- message_tally_update
CREATE TRIGGER message_tally_update AFTER UPDATE OF status ON mayor_messages WHEN old.status <> new.status BEGIN
  UPDATE message_tally SET messages = messages - 1 WHERE status = old.status;
  INSERT INTO message_tally (status, messages) VALUES (new.status, 1) ON CONFLICT (status) DO UPDATE SET messages = messages + 1;
END",
    "-- message_tally_delete
CREATE TRIGGER message_tally_delete AFTER DELETE ON mayor_messages BEGIN
  UPDATE message_tally SET messages = messages - 1 WHERE status = old.status;
END",
];

/// Columns of a message in the order of `MayorMessage`'s fields.
macro_rules! message_columns {
    () => {
        "id, sender, message, ui_context, status, created_at, sequence, delivered_at, read_at, answered_at, touched,
         (SELECT json_group_array(json_object('id', id, 'text', text, 'created_at', created_at, 'sequence', sequence)) FROM (
            SELECT id, text, created_at, sequence FROM mayor_replies WHERE message_id = mayor_messages.id ORDER BY sequence)) AS replies"
    };
}

/// Bytes of a message with its replies.
macro_rules! message_bytes {
    () => {
        "length(CAST(message AS BLOB)) + coalesce(length(CAST(ui_context AS BLOB)), 0)
         + (SELECT coalesce(sum(length(CAST(text AS BLOB))), 0) FROM mayor_replies WHERE message_id = mayor_messages.id)"
    };
}
pub(in crate::objects::town) use message_bytes;

/// `sendMayorMessage(message, model, uiContext, actorUserId)`. The model is ignored, as the contract has it.
pub(crate) fn send_message(
    cx: &Cx<'_>,
    caller: &Caller,
    (message, _model, ui_context, _actor): (String, Value, Option<String>, Value),
) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if message.trim().is_empty() || message.len() > MESSAGE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("message must have 1 to {MESSAGE_BYTES_MAX} bytes")));
    }
    if ui_context.as_ref().is_some_and(|context| context.chars().count() > UI_CONTEXT_CHARS_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("uiContext must have at most {UI_CONTEXT_CHARS_MAX} characters")));
    }
    let actor = caller.actor();
    let Some(id) = leave(cx, &town, &actor, &message, ui_context.as_deref())? else { return Err(full(cx)?) };
    feed::write(cx, &town, FeedKind::MayorMessage, id.as_str(), Some(&actor), &value!({}))?;
    json(&MayorMessageResult {
        agent_id: town.mayor_agent_id.clone(),
        session_status: mayor::session_status(cx, &town).to_owned(),
        message_id: Some(id),
        // Whether a Mayor is told of it is known later at the earliest.
        delivery: Some(MayorMessageStatus::Queued.as_str().to_owned()),
        queued_messages: Some(unread(cx)?),
    })
}

/// Leaves a message for the Mayor; `None` when too many wait already.
pub(in crate::objects::town) fn leave(
    cx: &Cx<'_>,
    town: &TownState,
    sender: &str,
    message: &str,
    context: Option<&str>,
) -> Result<Option<BeadId>, Failure> {
    if unread(cx)? >= UNREAD_MAX {
        return Ok(None);
    }
    let id = BeadId::from_random(cx.random());
    write(cx, town, &id, sender, message, context)?;
    Ok(Some(id))
}

fn write(cx: &Cx<'_>, town: &TownState, id: &BeadId, sender: &str, message: &str, context: Option<&str>) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- mayor_send\nINSERT INTO mayor_messages (id, sender, message, ui_context, status, created_at, sequence, touched)
         VALUES (?1, ?2, ?3, ?4, 'queued', ?5, ?6, ?6)",
        (id, sender, message, context, cx.now.millis(), cx.next_number()?),
    )?;
    topics::message_left(cx, town)
}

fn full(cx: &Cx<'_>) -> Result<Failure, Failure> {
    let refusal = Refusal::new(Code::Conflict, format!("{} messages wait for this Mayor already", unread(cx)?));
    Ok(refusal.hint("Start a Mayor for the town; it reads them in order.").into())
}

/// Mail that an agent of a rig has sent to the Mayor. The same letter again is no second message.
pub(in crate::objects::town) fn receive(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let town = state::require(cx)?;
    let id = BeadId::parse(&letter.subject).map_err(|_| Fault::new("read a message letter", "no id"))?;
    if is_known(cx, &id)? {
        return Ok(());
    }
    if unread(cx)? >= UNREAD_MAX {
        return Err(full(cx)?);
    }
    let mail: MailToMayor = letter.read("read a message letter")?;
    let about = mail.bead_id.filter(|bead| !bead.is_empty()).map(|bead| format!("\n\nHands over bead {bead}.")).unwrap_or_default();
    let message = format!("{}\n\n{}{about}", mail.subject, mail.body);
    write(cx, &town, &id, &mail.sender, message.trim(), None)?;
    feed::write(cx, &town, FeedKind::MayorMessage, id.as_str(), Some(&mail.sender), &value!({}))
}

fn is_known(cx: &Cx<'_>, id: &BeadId) -> Result<bool, Fault> {
    let known: Option<(i64,)> = query_one(cx.sql, "-- mayor_known\nSELECT 1 FROM mayor_messages WHERE id = ?", (id,))?;
    Ok(known.is_some())
}

/// Messages that no Mayor has read.
pub(in crate::objects::town) fn unread(cx: &Cx<'_>) -> Result<i64, Fault> {
    tally(cx, &[MayorMessageStatus::Queued, MayorMessageStatus::Delivered])
}

/// How many messages have one of these statuses.
pub(in crate::objects::town) fn tally(cx: &Cx<'_>, statuses: &[MayorMessageStatus]) -> Result<i64, Fault> {
    let statuses = value!(statuses).to_string();
    scalar(
        cx.sql,
        "-- mayor_tally\nSELECT coalesce(sum(messages), 0) FROM message_tally WHERE status IN (SELECT value FROM json_each(?))",
        (statuses,),
    )
}

/// The newest unread message: its id and sequence.
pub(in crate::objects::town) fn newest_unread(cx: &Cx<'_>) -> Result<Option<(BeadId, i64)>, Fault> {
    query_one(
        cx.sql,
        "-- mayor_newest_unread\nSELECT id, sequence FROM (
           SELECT * FROM (SELECT id, sequence FROM mayor_messages WHERE status = 'queued' ORDER BY touched DESC LIMIT 1)
           UNION ALL
           SELECT * FROM (SELECT id, sequence FROM mayor_messages WHERE status = 'delivered' ORDER BY touched DESC LIMIT 1)
         ) ORDER BY sequence DESC LIMIT 1",
        (),
    )
}

/// The message of which something became last.
pub(in crate::objects::town) fn newest_touched(cx: &Cx<'_>) -> Result<Option<(BeadId, MayorMessageStatus)>, Fault> {
    query_one(cx.sql, "-- mayor_newest_touched\nSELECT id, status FROM mayor_messages ORDER BY touched DESC LIMIT 1", ())
}

/// A message, if there is one of that id.
pub(in crate::objects::town) fn find(cx: &Cx<'_>, id: &BeadId) -> Result<Option<MayorMessage>, Fault> {
    query_one(cx.sql, concat!("-- mayor_find\nSELECT ", message_columns!(), " FROM mayor_messages WHERE id = ?"), (id,))
}

/// These messages, in the order of their arrival.
pub(in crate::objects::town) fn load(cx: &Cx<'_>, ids: &[BeadId]) -> Result<Vec<MayorMessage>, Fault> {
    let ids = value!(ids).to_string();
    query(
        cx.sql,
        concat!(
            "-- mayor_load\nSELECT ",
            message_columns!(),
            " FROM mayor_messages WHERE id IN (SELECT value FROM json_each(?)) ORDER BY sequence"
        ),
        (ids,),
    )
}

/// The ids that fit, the first one always. `sized`: ids with their bytes.
pub(in crate::objects::town) fn fitting(sized: Vec<(BeadId, i64)>, bytes_max: i64) -> Vec<BeadId> {
    let mut bytes = 0;
    let mut fits = |(_, size): &(BeadId, i64)| {
        let is_first = bytes == 0;
        bytes += size;
        is_first || bytes <= bytes_max
    };
    sized.into_iter().take_while(|entry| fits(entry)).map(|(id, _)| id).collect()
}

/// `getMayorMessage`: or null.
pub(crate) fn get(cx: &Cx<'_>, _caller: &Caller, (id,): (BeadId,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    json(&find(cx, &id)?)
}

/// `listMayorMessages`: the messages that changed after `after`, or without it the newest; the last change comes last. Marks
/// nothing as read.
pub(crate) fn list(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<MayorMessageFilter>,)) -> Result<Answer, Failure> {
    state::require(cx)?;
    let MayorMessageFilter { after, limit, status } = filter.unwrap_or_default();
    let limit = limit.unwrap_or(LIST_LIMIT_DEFAULT).clamp(1, LIST_LIMIT_MAX);
    let mut params = vec![value!(after.unwrap_or_default())];
    params.extend(status.map(|status| value!(status)));
    // One more than shown tells whether there is more.
    params.push(value!(limit + 1));
    let statement = format!(
        concat!("-- mayor_list\nSELECT id, ", message_bytes!(), " FROM mayor_messages WHERE touched > ?{} ORDER BY touched{} LIMIT ?"),
        if status.is_some() { " AND status = ?" } else { "" },
        if after.is_some() { "" } else { " DESC" },
    );
    let mut sized: Vec<(BeadId, i64)> = query(cx.sql, &statement, &params)?;
    let found = sized.len();
    sized.truncate(usize::try_from(limit).unwrap_or_default());
    let ids = fitting(sized, LIST_BYTES_MAX);
    // Without a cursor this is the end of the list: messages left out are older.
    let more = after.is_some() && found > ids.len();
    let messages = sort(load(cx, &ids)?, false, |message| (message.touched, String::new()));
    let next = messages.last().map_or(after.unwrap_or_default(), |last| last.touched);
    json(&MayorMessagePage { messages, next, more, unread: unread(cx)? })
}
