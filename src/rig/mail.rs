//! Mail between agents: durable, in order, read once.
//!
//! Owns what is mail in the `messages` table.

use super::{agents, hooks, state};
use crate::error::{Code, Failure, refuse};
use crate::ids::{AgentId, BeadId};
use crate::rpc::model::{Mail, MailInput};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::sql::{execute, query};

/// Longest sender, in bytes: an agent's id, or `mayor`.
pub const SENDER_BYTES_MAX: usize = 128;
/// Longest subject, in characters.
pub const SUBJECT_CHARS_MAX: usize = 500;
/// Longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// Most messages handed out by one read.
pub const READ_MAX: i64 = 100;

/// `sendMail`. A recipient that does not exist is refused: mail to nobody would be lost.
pub(crate) fn send_mail(cx: &Cx<'_>, caller: &Caller, (input,): (MailInput,)) -> Result<Answer, Failure> {
    hooks::check_speaks_for(caller, &input.from_agent_id)?;
    state::require(cx)?;
    agents::require(cx, &input.to_agent_id)?;
    if input.subject.trim().is_empty() || input.subject.chars().count() > SUBJECT_CHARS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("subject must have 1 to {SUBJECT_CHARS_MAX} characters")));
    }
    if input.body.len() > BODY_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("body must have at most {BODY_BYTES_MAX} bytes")));
    }
    if input.from_agent_id.is_empty() || input.from_agent_id.len() > SENDER_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("from_agent_id must have 1 to {SENDER_BYTES_MAX} bytes")));
    }
    let sequence = cx.next_number()?;
    execute(
        cx.sql,
        "-- mail_send\nINSERT INTO messages (id, channel, sender, recipient, subject, body, created_at, sequence) VALUES (?, 'mail', ?, ?, ?, ?, ?, ?)",
        (
            BeadId::from_random(cx.random()),
            &input.from_agent_id,
            &input.to_agent_id,
            &input.subject,
            &input.body,
            cx.now.millis(),
            sequence,
        ),
    )?;
    Ok(Answer::Void)
}

/// `checkMail`: hands out what has not been read, oldest first, and marks it read.
pub(crate) fn check_mail(cx: &Cx<'_>, caller: &Caller, (agent_id,): (AgentId,)) -> Result<Answer, Failure> {
    hooks::check_speaks_for(caller, agent_id.as_str())?;
    agents::require(cx, &agent_id)?;
    let mail: Vec<Mail> = query(
        cx.sql,
        "-- mail_waiting\nSELECT id, sender, recipient, subject, body, 0, created_at, NULL FROM messages
         WHERE recipient = ? AND channel = 'mail' AND delivered_at IS NULL ORDER BY sequence LIMIT ?",
        (&agent_id, READ_MAX),
    )?;
    if !mail.is_empty() {
        execute(
            cx.sql,
            "-- mail_read\nUPDATE messages SET delivered_at = ?1 WHERE id IN
               (SELECT id FROM messages WHERE recipient = ?2 AND channel = 'mail' AND delivered_at IS NULL ORDER BY sequence LIMIT ?3)",
            (cx.now.millis(), &agent_id, READ_MAX),
        )?;
    }
    json(&mail)
}
