//! Mail to the town's Mayor, who lives in no rig: it is kept here for a while and goes to the town as a letter.
//!
//! Owns the body of that letter. The town owns the message from there on.

use crate::contract::letters::rig::RigState;
use crate::contract::letters::town::MailToMayor;
use crate::contract::names::MAYOR;
use crate::contract::shapes::Channel;
use crate::objects::handler::Cx;
use crate::objects::outbox::{Composed, write};
use crate::objects::rig::agents;
use crate::objects::rig::messages;
use crate::objects::rig::messages::NewMessage;
use crate::objects::store::sql::query_one;
use base::error::Failure;

/// Writes to the Mayor in the name of the caller.
pub(in crate::objects::rig) fn tell(cx: &Cx<'_>, rig: &RigState, subject: &str, body: &str) -> Result<(), Failure> {
    let new = NewMessage {
        channel: Channel::Mail,
        sender: &cx.actor().unwrap_or_else(|| rig.rig_id.to_string()),
        recipient: MAYOR,
        subject,
        body,
        bead: None,
        nudge: None,
        expires_at: Some(cx.now.plus_millis(messages::READ_KEPT_MILLIS)),
    };
    let id = messages::insert(cx, &new)?;
    messages::forward(cx, rig, MAYOR, &id)
}

/// Writes the letter: sender and text. `None` when the message is gone.
pub(in crate::objects::rig) fn letter(cx: &Cx<'_>, id: &str) -> Composed {
    let found: Option<(String, String, String, Option<String>)> =
        query_one(cx.sql, "-- mayor_mail_letter\nSELECT sender, subject, body, bead_id FROM messages WHERE id = ?", (id,))?;
    let Some((sender, subject, body, bead_id)) = found else { return Ok(None) };
    let agent = agents::find_named(cx, Some(&sender))?;
    let sender = agent.map_or_else(|| sender.clone(), |agent| format!("agent {} ({sender})", agent.name));
    Ok(Some(write(&MailToMayor { sender, subject, body, bead_id })?))
}
