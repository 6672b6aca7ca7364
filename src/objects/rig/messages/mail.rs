//! Mail and hand-offs: durable, in order, taken once.
//!
//! Owns how they are sent and taken. The table belongs to `messages`; mail to the Mayor goes on to the town (`mayor_mail`).

use crate::contract::ids::{AgentId, BeadId};
use crate::contract::names::MAYOR;
use crate::contract::shapes::{Channel, HandoffInput, Mail, MailInput};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::assignment::orders;
use crate::objects::rig::messages;
use crate::objects::rig::messages::NewMessage;
use crate::objects::rig::{agents, beads, state};
use crate::objects::store::sql::{execute, query};
use base::error::{Code, Failure, refuse};

/// Longest sender, in bytes: an agent's id, or `mayor`.
pub const SENDER_BYTES_MAX: usize = 128;
/// Longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 500;
/// Longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most messages handed out by one read.
pub const READ_MAX: i64 = 100;

/// `sendMail`. A recipient that does not exist is refused: the mail would be lost.
pub(crate) fn send_mail(cx: &Cx<'_>, caller: &Caller, (input,): (MailInput,)) -> Result<Answer, Failure> {
    send(cx, caller, Channel::Mail, &input, None)?;
    Ok(Answer::Void)
}

/// `sendHandoff`: mail by which work changes hands. It moves no bead; the sender unhooks, reassigns or closes.
/// Answers the message.
pub(crate) fn send_handoff(cx: &Cx<'_>, caller: &Caller, (input,): (HandoffInput,)) -> Result<Answer, Failure> {
    if let Some(bead) = &input.bead_id {
        beads::require(cx, bead)?;
    }
    let mail = MailInput { from_agent_id: input.from, to_agent_id: input.to, subject: input.subject, body: input.body };
    let id = send(cx, caller, Channel::Handoff, &mail, input.bead_id.as_ref())?;
    json(&messages::find(cx, id.as_str())?)
}

fn send(cx: &Cx<'_>, caller: &Caller, channel: Channel, input: &MailInput, bead: Option<&BeadId>) -> Result<BeadId, Failure> {
    caller.check_speaks_for(&input.from_agent_id)?;
    let rig = state::require(cx)?;
    let recipient = messages::recipient(cx, &rig, &input.to_agent_id)?;
    if input.subject.trim().is_empty() || input.subject.chars().count() > SUBJECT_CHARS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("subject must have 1 to {SUBJECT_CHARS_MAX} characters")));
    }
    if input.body.len() > BODY_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("body must have at most {BODY_BYTES_MAX} bytes")));
    }
    if input.from_agent_id.is_empty() || input.from_agent_id.len() > SENDER_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("from_agent_id must have 1 to {SENDER_BYTES_MAX} bytes")));
    }
    // The town keeps the Mayor's mail; the copy here can be looked at for a while.
    let expires_at = (recipient == MAYOR).then(|| cx.now.plus_millis(messages::READ_KEPT_MILLIS));
    let id = messages::insert(
        cx,
        &NewMessage {
            channel,
            sender: &input.from_agent_id,
            recipient: &recipient,
            subject: &input.subject,
            body: &input.body,
            bead,
            nudge: None,
            expires_at,
        },
    )?;
    messages::forward(cx, &rig, &recipient, &id)?;
    Ok(id)
}

/// `checkMail`: hands out mail and hand-offs that have not been read, oldest first, and marks them read.
pub(crate) fn check_mail(cx: &Cx<'_>, caller: &Caller, (agent_id,): (AgentId,)) -> Result<Answer, Failure> {
    caller.check_speaks_for(agent_id.as_str())?;
    agents::require(cx, &agent_id)?;
    orders::heard(cx, caller, &agent_id)?;
    json(&take(cx, &agent_id)?)
}

/// Takes the waiting messages, `READ_MAX` at once.
pub(in crate::objects::rig) fn take(cx: &Cx<'_>, agent_id: &AgentId) -> Result<Vec<Mail>, Failure> {
    let mail: Vec<Mail> = query(
        cx.sql,
        "-- mail_waiting\nSELECT id, sender AS from_agent_id, recipient AS to_agent_id, subject, body, 0 AS delivered, created_at, NULL AS delivered_at, channel, bead_id
         FROM messages
         WHERE recipient = ? AND channel IN ('mail', 'handoff') AND delivered_at IS NULL ORDER BY sequence LIMIT ?",
        (agent_id, READ_MAX),
    )?;
    if !mail.is_empty() {
        let until = cx.now.plus_millis(messages::READ_KEPT_MILLIS);
        execute(
            cx.sql,
            "-- mail_read\nUPDATE messages SET delivered_at = ?1, expires_at = ?2 WHERE id IN
               (SELECT id FROM messages WHERE recipient = ?3 AND channel IN ('mail', 'handoff') AND delivered_at IS NULL ORDER BY sequence LIMIT ?4)",
            (cx.now.millis(), until.millis(), agent_id, READ_MAX),
        )?;
        cx.wake_at(until);
    }
    Ok(mail)
}
