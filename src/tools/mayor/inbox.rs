//! The Mayor's desk: what it begins with, what it has to read, and what it replies.
//!
//! Owns how these are shown. Messages are shown whole, because they count as read; nobody else's call reads them.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{
    AgentCounts, MayorConvoy, MayorMail, MayorMessage, MayorMessageStatus, MayorPrime, MayorReplied, MayorRig, TownPause,
};
use crate::contract::tool_keys::{ESCALATIONS, START_CONVOY};
use crate::rpc::table::{CHECK_MAYOR_MAIL, PRIME_MAYOR, REPLY_AS_MAYOR};
use crate::tools::bead_view::some;
use crate::tools::names::Names;
use crate::tools::text::{AgentText, name, word};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Shows everything you begin with: rigs, messages to you that you have not read, escalations, convoys and counts. Call it
/// first, and again whenever you have lost the thread; messages in it count as read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GtPrime {}

/// What a Mayor begins with.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Primed {
    town: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    summary: String,
    /// Where work can go.
    rigs: Vec<RigLine>,
    messages: Vec<Letter>,
    /// Unread messages besides these.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_messages: Option<i64>,
    /// Messages that you have read and not replied to.
    unanswered: i64,
    open_escalations: i64,
    /// Those that have not landed, newest first.
    convoys: Vec<ConvoyLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more_convoys: Option<i64>,
    agents: AgentCounts,
    beads: BeadCountsView,
    /// Ready beads that wait for a polecat.
    queue_depth: i64,
    /// Why nothing new is given out in the whole town, if nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused: Option<TownPause>,
    /// What the user's dashboard shows just now.
    #[serde(skip_serializing_if = "Option::is_none")]
    dashboard: Option<AgentText>,
    /// Rigs whose numbers these are.
    coverage: Coverage,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RigLine {
    id: String,
    name: String,
    repository: String,
    branch: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<AgentText>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    parked: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct ConvoyLine {
    id: String,
    title: AgentText,
    /// It is not given out until it is started.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    staged: bool,
    total_beads: i64,
    closed_beads: i64,
    failed_beads: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ready_to_land: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BeadCountsView {
    open: i64,
    in_progress: i64,
    in_review: i64,
    failed: i64,
}

/// A message to the Mayor.
#[derive(Debug, Serialize, JsonSchema)]
struct Letter {
    message_id: String,
    from: String,
    sent_at: String,
    text: AgentText,
    /// What its sender was looking at.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<AgentText>,
}

impl Tool for GtPrime {
    const NAME: &'static str = "gt_prime";
    const TITLE: &'static str = "Begin as the Mayor";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = Primed;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&PRIME_MAYOR, ())?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Primed, Failure> {
        let now: MayorPrime = answers.one(&PRIME_MAYOR)?;
        Ok(Primed {
            town: place.town()?.to_string(),
            name: now.town_name.as_deref().map(name),
            summary: summarize(place.names, &now),
            rigs: now.rigs.into_iter().map(RigLine::from).collect(),
            messages: now.mail.messages.into_iter().map(Letter::from).collect(),
            more_messages: some(now.mail.more),
            unanswered: now.unanswered,
            open_escalations: now.open_escalations,
            convoys: now.convoys.into_iter().map(ConvoyLine::from).collect(),
            more_convoys: some(now.more_convoys),
            agents: now.agents,
            beads: BeadCountsView {
                open: now.beads.open,
                in_progress: now.beads.in_progress,
                in_review: now.beads.in_review,
                failed: now.beads.failed,
            },
            queue_depth: now.queue_depth,
            paused: now.paused,
            dashboard: now.dashboard_context.as_deref().map(AgentText::block),
            coverage: Coverage::of_rigs(&now.coverage, "has not reported yet: its numbers are unknown, not zero"),
        })
    }
}

/// What to do first.
fn summarize(names: Names, now: &MayorPrime) -> String {
    let mut parts = vec![read(now.mail.messages.len(), now.mail.more, now.is_read)];
    if now.open_escalations > 0 {
        parts.push(format!("{} escalation(s) wait: call {}.", now.open_escalations, names.of(ESCALATIONS)));
    }
    let staged = now.convoys.iter().filter(|convoy| convoy.staged).count();
    if staged > 0 {
        let start = names.of(START_CONVOY);
        parts.push(format!("{staged} convoy(s) are staged: nothing of them is given out until {start}."));
    }
    let paused = now.paused.map(|pause| match pause {
        TownPause::Parked => "The town is parked: nothing new is given out.",
        TownPause::Draining => "The town is draining: nothing new is given out until that is over.",
        TownPause::Breaker => "Too much has failed: nothing new is given out until the escalation dispatch_breaker is acknowledged.",
    });
    parts.extend(paused.map(str::to_owned));
    parts.join(" ")
}

/// What was read, and how to reply.
fn read(shown: usize, more: i64, is_read: bool) -> String {
    match (shown, more) {
        (0, _) => "No new messages.".to_owned(),
        (_, 0) if is_read => format!("{shown} new message(s): reply with {}.", GtReply::NAME),
        _ if is_read => {
            format!("{shown} new message(s), {more} more wait: reply with {}, then call {}.", GtReply::NAME, GtMailCheck::NAME)
        }
        _ => format!("{shown} message(s) that the Mayor has not read, {more} more; this call was not the Mayor's and read none."),
    }
}

/// Takes the messages to you that you have not read, oldest first, and counts them as read. Call it when a notification says
/// that there are some, and before you report that you are done.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GtMailCheck {}

/// What was not read before.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MailTaken {
    town: String,
    summary: String,
    messages: Vec<Letter>,
    /// Unread messages besides these.
    #[serde(skip_serializing_if = "Option::is_none")]
    more_messages: Option<i64>,
}

impl Tool for GtMailCheck {
    const NAME: &'static str = "gt_mail_check";
    const TITLE: &'static str = "Read your messages";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = MailTaken;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&CHECK_MAYOR_MAIL, ())?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<MailTaken, Failure> {
        let mail: MayorMail = answers.one(&CHECK_MAYOR_MAIL)?;
        Ok(MailTaken {
            town: place.town()?.to_string(),
            summary: read(mail.messages.len(), mail.more, true),
            messages: mail.messages.into_iter().map(Letter::from).collect(),
            more_messages: some(mail.more),
        })
    }
}

/// Replies to a message that was left for you; its sender hears of it. Use it to answer, and again when there is more to say.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GtReply {
    /// `message_id` of the message.
    message_id: String,
    /// What to say, at most 64 KiB.
    body: String,
}

/// What became of the reply.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReplySent {
    town: String,
    summary: String,
    message_id: String,
    reply_id: String,
    /// Of the message.
    status: MayorMessageStatus,
    /// Replies to it, with this one.
    replies: i64,
}

impl Tool for GtReply {
    const NAME: &'static str = "gt_reply";
    const TITLE: &'static str = "Reply to a message";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"message_id":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","body":"Held off until Friday."}"#;
    type Output = ReplySent;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let wrong =
            |_| Refusal::argument("message_id", "expected the id of a message").hint(format!("{} shows the ids.", GtMailCheck::NAME));
        let id = BeadId::parse(self.message_id.trim()).map_err(wrong)?;
        Ok(Plan::One(place.call_town(&REPLY_AS_MAYOR, (id, &self.body))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ReplySent, Failure> {
        let replied: MayorReplied = answers.one(&REPLY_AS_MAYOR)?;
        Ok(ReplySent {
            town: place.town()?.to_string(),
            summary: format!("Kept for {}, who hears of it when looking or waiting for it.", word(&replied.sender)),
            message_id: replied.message_id.to_string(),
            reply_id: replied.reply_id.to_string(),
            status: replied.status,
            replies: replied.replies,
        })
    }
}

impl From<MayorMessage> for Letter {
    fn from(message: MayorMessage) -> Self {
        Self {
            message_id: message.id.to_string(),
            from: word(&message.sender),
            sent_at: message.created_at.to_string(),
            text: AgentText::whole(&message.message),
            context: message.ui_context.as_deref().map(AgentText::whole),
        }
    }
}

impl From<MayorRig> for RigLine {
    fn from(rig: MayorRig) -> Self {
        Self {
            id: rig.id.to_string(),
            name: name(&rig.name),
            repository: name(&rig.git_url),
            branch: name(&rig.default_branch),
            purpose: rig.purpose.as_deref().map(AgentText::line),
            parked: rig.parked,
        }
    }
}

impl From<MayorConvoy> for ConvoyLine {
    fn from(convoy: MayorConvoy) -> Self {
        Self {
            id: convoy.id.to_string(),
            title: AgentText::line(&convoy.title),
            staged: convoy.staged,
            total_beads: convoy.total_beads,
            closed_beads: convoy.closed_beads,
            failed_beads: convoy.failed_beads,
            ready_to_land: convoy.ready_to_land,
        }
    }
}
