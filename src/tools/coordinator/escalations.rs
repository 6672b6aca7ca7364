//! Tools that put something into a town's inbox and take it out. Looking at it is `playbooks::escalations`'.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{EscalationEntry, EscalationInput, Severity};
use crate::contract::tool_keys::{ESCALATIONS, RESOLVE_TRIAGE};
use crate::rpc::table::{ACKNOWLEDGE_ESCALATION, ROUTE_ESCALATION};
use crate::tools::text::{AgentText, word};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::hint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An escalation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EscalationLine {
    id: String,
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<AgentText>,
    message: AgentText,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    created_at: String,
    /// How often it was raised again because nobody acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    raised_again: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_by: Option<String>,
}

impl From<EscalationEntry> for EscalationLine {
    fn from(entry: EscalationEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            severity: entry.severity,
            category: entry.category.as_deref().map(AgentText::line),
            message: AgentText::line(&entry.message),
            rig: (!entry.source_rig_id.is_empty()).then_some(entry.source_rig_id),
            agent: entry.source_agent_id.as_deref().map(word),
            created_at: entry.created_at.to_string(),
            raised_again: (entry.re_escalation_count > 0).then_some(entry.re_escalation_count),
            acknowledged_at: entry.acknowledged_at.map(|at| at.to_string()),
            acknowledged_by: entry.acknowledged_by.as_deref().map(word),
        }
    }
}

/// Marks an escalation as dealt with; its bead in the rig is closed. Use it once you, or somebody you asked, took care of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeEscalation {
    /// Escalation id.
    escalation: String,
}

/// One escalation, as it is now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EscalationShown {
    town: String,
    summary: String,
    escalation: EscalationLine,
}

impl Tool for AcknowledgeEscalation {
    const NAME: &'static str = "acknowledge_escalation";
    const TITLE: &'static str = "Acknowledge an escalation";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"escalation":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#;
    type Output = EscalationShown;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let id = BeadId::parse(&self.escalation).map_err(|_| unknown())?;
        Ok(Plan::One(place.call_town(&ACKNOWLEDGE_ESCALATION, (id,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<EscalationShown, Failure> {
        let entry: Option<EscalationEntry> = answers.one(&ACKNOWLEDGE_ESCALATION)?;
        let escalation = EscalationLine::from(entry.ok_or_else(unknown)?);
        Ok(EscalationShown {
            town: place.town()?.to_string(),
            summary: "It is dealt with and will not be raised again.".to_owned(),
            escalation,
        })
    }
}

fn unknown() -> Refusal {
    Refusal::of_argument(Code::NotFound, "escalation", "this town has none of that id").hint(hint!["Call ", ESCALATIONS, " to see them."])
}

/// What becomes of an escalation that was just raised.
pub(in crate::tools) fn waits(entry: &EscalationEntry) -> String {
    let told = if entry.severity == Severity::Low { "" } else { " The Mayor is told." };
    format!("It waits in the inbox.{told}")
}

/// Puts something into the town's inbox that somebody must decide; the Mayor is told unless its severity is low. Use it for what you
/// cannot settle yourself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalate {
    /// How bad it is.
    severity: Severity,
    /// What happened, and what is to be decided.
    message: String,
    /// A word for what sort of thing it is.
    category: Option<String>,
    /// Rig id or name, if it is about one.
    rig: Option<String>,
    /// Agent id, if it is about one.
    agent: Option<String>,
}

impl Tool for Escalate {
    const NAME: &'static str = "escalate";
    const TITLE: &'static str = "Escalate";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str =
        r#"{"severity":"high","category":"stalled_agent","message":"Toast has said nothing for an hour.","rig":"api"}"#;
    type Output = EscalationShown;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let input = EscalationInput {
            town_id: None,
            source_rig_id: place.rig.as_ref().map(ToString::to_string),
            source_agent_id: self.agent.clone(),
            severity: self.severity,
            category: self.category.clone(),
            message: self.message.clone(),
        };
        Ok(Plan::One(place.call_town(&ROUTE_ESCALATION, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<EscalationShown, Failure> {
        let entry: EscalationEntry = answers.one(&ROUTE_ESCALATION)?;
        let resolve = place.names.of(RESOLVE_TRIAGE);
        let triage = if entry.bead_id.is_some() { format!(" {resolve} decides it with an action.") } else { String::new() };
        let summary = format!("{}{triage}", waits(&entry));
        Ok(EscalationShown { town: place.town()?.to_string(), summary, escalation: entry.into() })
    }
}
