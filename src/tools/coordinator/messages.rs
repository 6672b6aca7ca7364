//! Tools that talk to a town's Mayor and to its agents. Looking at what was said is `mailbox`'s.

use crate::contract::ids::BeadId;
use crate::contract::names::MAYOR;
use crate::contract::shapes::{HandoffInput, MailInput, MayorMessageResult, NudgeMode, NudgeOptions, NudgePriority};
use crate::rpc::call::decode;
use crate::rpc::table::{QUEUE_NUDGE, SEND_HANDOFF, SEND_MAIL, SEND_MAYOR_MESSAGE};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::resolve;
use crate::tools::text::name;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest subject made from a text, in characters.
const SUBJECT_CHARS_MAX: usize = 80;

/// Leaves a message for the town's Mayor, who runs the town's own work. Use it to delegate, to hold something off, or to ask;
/// `wait_for` hears the answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMayorMessage {
    /// What the Mayor should know or do.
    message: String,
}

/// What became of the message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageSent {
    town: String,
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    /// `queued`: kept, and nobody knows of it yet.
    delivery: String,
    mayor_agent_id: String,
    mayor_status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    queued_messages: Option<i64>,
}

impl Tool for SendMayorMessage {
    const NAME: &'static str = "send_mayor_message";
    const TITLE: &'static str = "Message the Mayor";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"message":"Hold off on the auth integration until Friday."}"#;
    type Output = MessageSent;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&SEND_MAYOR_MESSAGE, (&self.message, Value::Null, Value::Null, Value::Null))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<MessageSent, Failure> {
        let sent: MayorMessageResult = answers.one(&SEND_MAYOR_MESSAGE)?;
        let delivery = sent.delivery.unwrap_or_else(|| "unknown".to_owned());
        let waiting =
            sent.queued_messages.map_or_else(String::new, |waiting| format!(": {waiting} message(s) wait until the Mayor reads them"));
        let hear = sent.message_id.as_ref().map_or_else(String::new, answer_hint);
        let summary = format!("{delivery}{waiting}.{hear}");
        Ok(MessageSent {
            town: place.town()?.to_string(),
            summary,
            message_id: sent.message_id.map(|id| id.to_string()),
            delivery,
            mayor_agent_id: sent.agent_id.to_string(),
            mayor_status: sent.session_status,
            queued_messages: sent.queued_messages,
        })
    }
}

/// How its sender hears of an answer.
fn answer_hint(id: &BeadId) -> String {
    format!(" To hear the answer call wait_for with message {id}, or look with mayor_messages.")
}

/// Sends a message to an agent, or to the Mayor. Mail waits until it is read, a handoff gives work over, a nudge is a reminder
/// that is gone after a day; none waits for an answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Agent id or name, or `mayor`.
    to: String,
    /// What to say.
    body: String,
    /// How it travels (default mail).
    channel: Option<Sent>,
    /// Of mail and handoffs; otherwise the text begins it.
    subject: Option<String>,
    /// Rig id or name, where several have an agent of that name.
    rig: Option<String>,
    /// Of a handoff: the bead that changes hands.
    bead: Option<String>,
    /// Of a nudge: when it is shown (default wait-idle).
    mode: Option<NudgeMode>,
    /// Of a nudge: urgent ones come first.
    priority: Option<NudgePriority>,
    /// Of a nudge in mode queue: seconds until it is dropped, at most a day.
    ttl_seconds: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sent {
    Mail,
    Nudge,
    Handoff,
}

/// What became of the message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MessageAccepted {
    town: String,
    summary: String,
    /// Agent id, or `mayor`.
    to: String,
    channel: Sent,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
}

impl LiveTool for SendMessage {
    const NAME: &'static str = "send_message";
    const TITLE: &'static str = "Message an agent";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","to":"Toast","channel":"nudge","body":"Progress check: are you blocked?"}"#;
    type Output = MessageAccepted;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            self.check()?;
            let accepted = if self.to == MAYOR { self.to_mayor(live).await? } else { self.to_agent(live).await? };
            Ok(ToolReply::structured(Self::NAME, &accepted)?)
        })
    }
}

impl SendMessage {
    fn channel(&self) -> Sent {
        self.channel.unwrap_or(Sent::Mail)
    }

    /// Arguments that only some channels have.
    fn check(&self) -> Result<(), Refusal> {
        let channel = self.channel();
        let misplaced = match channel {
            Sent::Nudge if self.subject.is_some() => Some("subject"),
            Sent::Nudge | Sent::Mail if self.bead.is_some() => Some("bead"),
            Sent::Mail | Sent::Handoff if self.mode.is_some() => Some("mode"),
            Sent::Mail | Sent::Handoff if self.priority.is_some() => Some("priority"),
            Sent::Mail | Sent::Handoff if self.ttl_seconds.is_some() => Some("ttl_seconds"),
            _ => None,
        };
        let refuse = |message: String, hint: &str| Err(Refusal::new(Code::InvalidArgument, message).hint(hint));
        match misplaced {
            Some(argument) => refuse(format!("{argument}: not for this channel"), "Leave it out, or choose another channel."),
            None if self.to == MAYOR && channel != Sent::Mail => {
                refuse("channel: the Mayor takes mail".to_owned(), "Leave channel out, or name an agent.")
            }
            None => Ok(()),
        }
    }

    fn subject(&self) -> String {
        let first = self.body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        self.subject.clone().unwrap_or_else(|| first.chars().take(SUBJECT_CHARS_MAX).collect())
    }

    async fn to_mayor(&self, live: &Live<'_>) -> Result<MessageAccepted, Failure> {
        let town = live.place.town()?;
        let text = self.subject.as_ref().map_or_else(|| self.body.clone(), |subject| format!("{subject}\n\n{}", self.body));
        let call = live.place.call_town(&SEND_MAYOR_MESSAGE, (text, Value::Null, Value::Null, Value::Null))?;
        let sent: MayorMessageResult = decode(&SEND_MAYOR_MESSAGE, &live.client.call(&call, Some(town), live.idempotency_key).await?)?;
        Ok(MessageAccepted {
            town: town.to_string(),
            summary: format!("It waits until the Mayor reads it.{}", sent.message_id.as_ref().map_or_else(String::new, answer_hint)),
            to: MAYOR.to_owned(),
            channel: Sent::Mail,
            rig: None,
            message_id: sent.message_id.map(|id| id.to_string()),
        })
    }

    async fn to_agent(&self, live: &Live<'_>) -> Result<MessageAccepted, Failure> {
        let town = live.place.town()?;
        let (rig, agent) = resolve::agent(live.client, town, live.place.rig.as_ref(), &self.to).await?;
        let there = Place { town: Some(town.clone()), rig: Some(rig.clone()), agent: None };
        let principal = live.client.principal;
        let from = principal.agent_id.clone().unwrap_or_else(|| principal.user_id.clone());
        let to = agent.id.to_string();
        let shown = name(&agent.name);
        let (call, summary) = match self.channel() {
            Sent::Mail => {
                let mail = MailInput { from_agent_id: from, to_agent_id: to, subject: self.subject(), body: self.body.clone() };
                (there.call_rig(&SEND_MAIL, (mail,))?, format!("It waits until {shown} reads its mail."))
            }
            Sent::Handoff => {
                let handoff = HandoffInput { from, to, subject: self.subject(), body: self.body.clone(), bead_id: self.bead()? };
                let next = "It moves no bead: the bead stays on its hook until that agent is unhooked or reset.";
                (there.call_rig(&SEND_HANDOFF, (handoff,))?, format!("It waits until {shown} reads its mail. {next}"))
            }
            Sent::Nudge => {
                let options = NudgeOptions { mode: self.mode, priority: self.priority, source: Some(from), ttl_seconds: self.ttl_seconds };
                let call = there.call_rig(&QUEUE_NUDGE, (&agent.id, &self.body, options))?;
                (call, format!("{shown} sees it at its next look; it is dropped after a day at the latest."))
            }
        };
        let answer = live.client.call(&call, Some(town), live.idempotency_key).await?;
        let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
        let message_id = answer.as_str().or_else(|| answer.get("id").and_then(Value::as_str)).map(str::to_owned);
        Ok(MessageAccepted {
            town: town.to_string(),
            summary,
            to: agent.id.to_string(),
            channel: self.channel(),
            rig: Some(rig.to_string()),
            message_id,
        })
    }

    fn bead(&self) -> Result<Option<BeadId>, Refusal> {
        let wrong = |_| Refusal::new(Code::InvalidArgument, "bead: expected a bead id").hint("Call list_beads to see the ids.");
        self.bead.as_deref().map(BeadId::parse).transpose().map_err(wrong)
    }
}
