//! Tools that put right what went wrong: deciding a triage request, resetting an agent.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{Bead, TriageInput};
use crate::rpc::table::{RESET_AGENT, RESOLVE_TRIAGE};
use crate::tools::bead_view::BeadLine;
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::resolve::agent;
use crate::tools::text::name;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Decides a triage request: carries out one action on the agent or bead it is about, closes it and acknowledges its escalation.
/// Use it for escalations of a rig whose agent is stuck.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveTriage {
    /// Rig id or name.
    rig: String,
    /// Id of the triage request, which is the escalation's id.
    request: String,
    /// What to do. Restart resets the agent; close fails its bead and reassign gives it back to the queue; nudge reminds the agent of
    /// `notes`; escalate asks the Mayor; discard does nothing.
    action: Action,
    /// Why; for a nudge, what to say.
    notes: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Action {
    Restart,
    CloseBead,
    ReassignBead,
    Nudge,
    Escalate,
    Discard,
}

/// The request, closed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TriageResolved {
    town: String,
    summary: String,
    request: BeadLine,
}

impl Tool for ResolveTriage {
    const NAME: &'static str = "resolve_triage";
    const TITLE: &'static str = "Resolve a triage request";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str =
        r#"{"rig":"api","request":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","action":"restart","notes":"It hung on a prompt."}"#;
    type Output = TriageResolved;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let wrong = |_| Refusal::new(Code::InvalidArgument, "request: expected an id").hint("Call escalations to see the ids.");
        let input = TriageInput {
            agent_id: String::new(),
            triage_request_bead_id: BeadId::parse(&self.request).map_err(wrong)?,
            action: self.word().to_owned(),
            resolution_notes: self.notes.clone().unwrap_or_default(),
        };
        Ok(Plan::One(place.call_rig(&RESOLVE_TRIAGE, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<TriageResolved, Failure> {
        let bead: Bead = answers.one(&RESOLVE_TRIAGE)?;
        let summary = format!("{}: done, and the request is closed.", self.word());
        Ok(TriageResolved { town: place.town()?.to_string(), summary, request: bead.into() })
    }
}

impl ResolveTriage {
    /// The contract's word for the action.
    const fn word(&self) -> &'static str {
        match self.action {
            Action::Restart => "RESTART",
            Action::CloseBead => "CLOSE_BEAD",
            Action::ReassignBead => "REASSIGN_BEAD",
            Action::Nudge => "NUDGE",
            Action::Escalate => "ESCALATE",
            Action::Discard => "DISCARD",
        }
    }
}

/// Puts an agent back to idle: the bead on its hook is open again and its attempts are forgotten. Use it for an agent that is stuck
/// and did not answer a nudge.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetAgent {
    /// Agent id or name.
    agent: String,
    /// Rig id or name, where several have an agent of that name.
    rig: Option<String>,
}

/// What became of the agent.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentReset {
    town: String,
    rig: String,
    summary: String,
    agent_id: String,
    name: String,
    /// Bead id that was on its hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
}

impl LiveTool for ResetAgent {
    const NAME: &'static str = "reset_agent";
    const TITLE: &'static str = "Reset an agent";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"agent":"Toast","rig":"api"}"#;
    type Output = AgentReset;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.reset(live))
    }
}

impl ResetAgent {
    async fn reset(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let town = live.place.town()?;
        let (rig, agent) = agent(live.client, town, live.place.rig.as_ref(), &self.agent).await?;
        let there = Place { town: Some(town.clone()), rig: Some(rig.clone()), agent: None };
        live.client.call(&there.call_rig(&RESET_AGENT, (&agent.id,))?, Some(town), live.idempotency_key).await?;
        let summary = match &agent.current_hook_bead_id {
            Some(_) => "It is idle; its bead is open and will be given out again within seconds.",
            None => "It is idle; nothing was on its hook.",
        };
        let reset = AgentReset {
            town: town.to_string(),
            rig: rig.to_string(),
            summary: summary.to_owned(),
            agent_id: agent.id.to_string(),
            name: name(&agent.name),
            bead: agent.current_hook_bead_id.map(|bead| bead.to_string()),
        };
        Ok(ToolReply::structured(Self::NAME, &reset)?)
    }
}
