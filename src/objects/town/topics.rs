//! The topics of a town that sessions can listen to: `town` (status and configuration), `rigs`, `convoys`, `convoy:<id>`, `feed`, `mayor`
//! (the conversation with it), `messages` (the Mayor's unread messages) and `message:<id>`.
//!
//! Owns these topics and the letter of each. While no session listens, a change asks the database nothing.

use super::convoys;
use super::state::{self, TownState};
use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::letters::session::News;
use crate::contract::outcome::Outcome;
use crate::contract::topics::{MESSAGES, RECEIPT};
use crate::objects::handler::{Answer, Caller, Cx};
use crate::objects::topics;
use crate::objects::town::mayor::mail;
use crate::objects::town::views::{feed, viewers};
use base::error::Failure;
use base::time::Timestamp;
use serde_json::{Value, json};

/// A rig's summary or the configuration changed.
pub(super) const TOWN: &str = "town";
/// A rig was added or removed, or its record changed.
pub(super) const RIGS: &str = "rigs";
/// A convoy was made, was started or has ended.
pub(super) const CONVOYS: &str = "convoys";
/// The feed has a new entry.
pub(super) const FEED: &str = "feed";
/// Something became of a message to the Mayor, or the Mayor came or went.
pub(super) const MAYOR: &str = "mayor";

/// `listen`.
pub(crate) fn listen(cx: &Cx<'_>, caller: &Caller, (topics, expires_at): (Vec<String>, Timestamp)) -> Result<Answer, Failure> {
    topics::listen(cx, caller, &topics, expires_at)?;
    state::note_listeners(cx)?;
    Ok(Answer::Void)
}

/// One of the topics above changed.
pub(super) fn changed(cx: &Cx<'_>, town: &TownState, topic: &str) -> Result<(), Failure> {
    viewers::status_changed(cx, town)?;
    if cx.now >= town.listened_until { Ok(()) } else { topics::notify(cx, topic) }
}

/// How a convoy stands changed.
pub(super) fn convoy_changed(cx: &Cx<'_>, town: &TownState, convoy: &ConvoyId) -> Result<(), Failure> {
    viewers::convoy_changed(cx, town, convoy)?;
    if cx.now >= town.listened_until { Ok(()) } else { topics::notify(cx, &format!("convoy:{convoy}")) }
}

/// A message for the Mayor was accepted.
pub(super) fn message_left(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    changed(cx, town, MAYOR)?;
    if cx.now >= town.listened_until { Ok(()) } else { topics::notify(cx, MESSAGES) }
}

/// Something became of these messages.
pub(super) fn messages_changed(cx: &Cx<'_>, town: &TownState, messages: &[BeadId]) -> Result<(), Failure> {
    if messages.is_empty() {
        return Ok(());
    }
    changed(cx, town, MAYOR)?;
    if cx.now >= town.listened_until {
        return Ok(());
    }
    messages.iter().try_for_each(|id| topics::notify(cx, &format!("message:{id}")))
}

/// The state of the topic, as its letter carries it. A convoy is shown from the mirror.
pub(super) fn news(cx: &Cx<'_>, topic: &str) -> Result<News, Failure> {
    let fields = |told: Option<Value>| News::of(told.and_then(|told| told.as_object().cloned()).unwrap_or_default());
    if topic == FEED {
        let newest = feed::newest(cx)?;
        return Ok(fields(newest.map(|entry| json!({"number": entry.number, "kind": entry.kind, "subject": entry.subject}))));
    }
    if topic == MESSAGES {
        let newest = mail::newest_unread(cx)?;
        let told = |(id, sequence)| Ok::<_, Failure>(json!({"message_id": id, "unread": mail::unread(cx)?, RECEIPT: sequence}));
        return Ok(fields(newest.map(told).transpose()?));
    }
    if topic == MAYOR {
        let newest = mail::newest_touched(cx)?;
        return Ok(fields(newest.map(|(id, status)| json!({"message_id": id, "status": status}))));
    }
    if let Some(id) = topic.strip_prefix("message:").and_then(|id| BeadId::parse(id).ok()) {
        return Ok(Outcome::of_message(&id, mail::find(cx, &id)?.as_ref()).into());
    }
    let Some(id) = topic.strip_prefix("convoy:").and_then(|id| ConvoyId::parse(id).ok()) else { return Ok(News::default()) };
    Ok(convoys::find(cx, &id)?.map_or_else(|| Outcome::of_deleted_convoy(&id), |convoy| Outcome::of_convoy(&convoy)).into())
}
