//! Tools by which an agent talks: mail, nudges, and what it cannot settle itself.
//!
//! Owns whom an agent can reach: the agents of its own rig, and the Mayor.

use super::Reported;
use crate::contract::names::MAYOR;
use crate::contract::shapes::{Channel, EscalationEntry, EscalationInput, Mail, MailInput, NudgeMode, NudgeOptions, Severity};
use crate::rpc::table::{CHECK_MAIL, Method, QUEUE_NUDGE, ROUTE_ESCALATION, SEND_MAIL};
use crate::tools::coordinator::escalations::waits;
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::resolve;
use crate::tools::text::{AgentText, word};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes your mail: it is not shown again. Use it between calls of `gt_prime`, which takes mail too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailCheck {}

/// What was taken, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Mailbag {
    summary: String,
    mail: Vec<MailLine>,
}

/// A message.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MailLine {
    id: String,
    from: String,
    subject: AgentText,
    body: AgentText,
    /// Work that changes hands with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<Channel>,
    sent_at: String,
}

impl From<&Mail> for MailLine {
    fn from(mail: &Mail) -> Self {
        Self {
            id: mail.id.to_string(),
            from: word(&mail.from_agent_id),
            subject: AgentText::line(&mail.subject),
            // It is taken for good, so nothing of it is left out.
            body: AgentText::whole(&mail.body),
            bead: mail.bead_id.as_ref().map(ToString::to_string),
            channel: (mail.channel != Channel::Mail).then_some(mail.channel),
            sent_at: mail.created_at.to_string(),
        }
    }
}

impl Tool for MailCheck {
    const NAME: &'static str = "gt_mail_check";
    const TITLE: &'static str = "Take mail";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = Mailbag;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_rig(&CHECK_MAIL, (place.agent()?,))?))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<Mailbag, Failure> {
        let mail: Vec<Mail> = answers.one(&CHECK_MAIL)?;
        Ok(Mailbag { summary: format!("{} messages.", mail.len()), mail: mail.iter().map(MailLine::from).collect() })
    }
}

/// Leaves mail for another agent of your rig, or for the Mayor; it waits until it is read. Use it for what somebody else must
/// know.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailSend {
    /// An agent of your rig by name or id, or `mayor`.
    to: String,
    /// What it is about.
    subject: String,
    /// The message.
    body: String,
}

impl LiveTool for MailSend {
    const NAME: &'static str = "gt_mail_send";
    const TITLE: &'static str = "Send mail";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"to":"mayor","subject":"Two beads overlap","body":"Both change the router."}"#;
    type Output = Reported;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            let to = if self.to == MAYOR { MAYOR.to_owned() } else { recipient(live, &self.to).await? };
            let from_agent_id = live.place.agent()?.to_string();
            let mail = MailInput { from_agent_id, to_agent_id: to, subject: self.subject.clone(), body: self.body.clone() };
            tell(live, &SEND_MAIL, (mail,)).await?;
            Ok(ToolReply::structured(Self::NAME, &Reported::new("It waits until it is read."))?)
        })
    }
}

/// Reminds another agent of your rig; dropped after a day. Use it when somebody seems stuck on what you need.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nudge {
    /// An agent of your rig by name or id.
    to: String,
    /// A short reminder.
    message: String,
    /// When it is to be seen (default wait-idle).
    mode: Option<NudgeMode>,
}

impl LiveTool for Nudge {
    const NAME: &'static str = "gt_nudge";
    const TITLE: &'static str = "Nudge an agent";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"to":"Maple","message":"Is the schema pushed?"}"#;
    type Output = Reported;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            if self.to == MAYOR {
                let refusal = Refusal::new(Code::InvalidArgument, "to: the Mayor takes mail, not nudges");
                return Err(refusal.hint("Call gt_mail_send with to mayor, or gt_escalate.").into());
            }
            let to = recipient(live, &self.to).await?;
            let source = Some(live.place.agent()?.to_string());
            let options = NudgeOptions { mode: self.mode, source, ..NudgeOptions::default() };
            tell(live, &QUEUE_NUDGE, (to, &self.message, options)).await?;
            Ok(ToolReply::structured(Self::NAME, &Reported::new("It is seen at the next look."))?)
        })
    }
}

/// The id of an agent of the caller's rig. An id needs no look-up.
async fn recipient(live: &Live<'_>, named: &str) -> Result<String, Failure> {
    if crate::contract::ids::AgentId::parse(named).is_ok() {
        return Ok(named.to_owned());
    }
    let found = resolve::agent(live.client, live.place.town()?, Some(live.place.rig()?), named).await;
    let (_, agent) = found.map_err(|failure| match failure {
        Failure::Refused(refusal) if refusal.code == Code::NotFound => {
            let missing = Refusal::new(Code::NotFound, "to: no agent of your rig has that id or name");
            missing.hint("An agent reaches the agents of its own rig, and the Mayor by mail.").into()
        }
        other => other,
    })?;
    Ok(agent.id.to_string())
}

async fn tell(live: &Live<'_>, method: &'static Method, args: impl Serialize) -> Result<(), Failure> {
    live.client.call(&live.place.call_rig(method, args)?, Some(live.place.town()?), live.idempotency_key).await.map(drop)
}

/// Puts a question into the town's inbox; the Mayor is told unless its severity is low. Use it when you cannot go on.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalate {
    /// How bad it is.
    severity: Severity,
    /// What happened, what you tried, and what is to be decided.
    message: String,
    /// A word for what sort of thing it is.
    category: Option<String>,
}

/// An escalation that was raised.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Escalated {
    summary: String,
    escalation_id: String,
}

impl Tool for Escalate {
    const NAME: &'static str = "gt_escalate";
    const TITLE: &'static str = "Escalate";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str =
        r#"{"severity":"medium","category":"blocked","message":"The test database is gone. May I make a new one?"}"#;
    type Output = Escalated;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let input = EscalationInput {
            town_id: None,
            source_rig_id: Some(place.rig()?.to_string()),
            source_agent_id: Some(place.agent()?.to_string()),
            severity: self.severity,
            category: self.category.clone(),
            message: self.message.clone(),
        };
        Ok(Plan::One(place.call_town(&ROUTE_ESCALATION, (input,))?))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<Escalated, Failure> {
        let entry: EscalationEntry = answers.one(&ROUTE_ESCALATION)?;
        let summary = format!("{} Answers come as mail or nudges.", waits(&entry));
        Ok(Escalated { summary, escalation_id: entry.id.to_string() })
    }
}
