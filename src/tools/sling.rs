//! The tool that gives out one task.

use super::text::AgentText;
use super::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use super::view::{WorkStatus, bead_status};
use crate::error::Failure;
use crate::rpc::model::{Priority, SlingInput, SlingResult};
use crate::rpc::table::SLING_BEAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Gives one task to a polecat of a rig and returns at once with who has it, or its place in the queue when all are busy.
/// Use it for a stand-alone task; for two or more related tasks use `sling_batch`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sling {
    /// Rig id or name.
    rig: String,
    /// What to do, in the imperative.
    title: String,
    /// Everything the polecat must know: it cannot ask back.
    body: Option<String>,
    /// Default medium.
    priority: Option<Priority>,
    /// Labels; `gt:held` keeps the bead from being given out.
    labels: Option<Vec<String>>,
    /// Free data kept with the bead.
    metadata: Option<Map<String, Value>>,
}

/// What was slung.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Slung {
    town: String,
    rig: String,
    summary: String,
    bead: SlungBead,
    /// Who has it; left out while the bead waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<SlungAgent>,
    /// Place in the queue, the first being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    queue_position: Option<i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SlungBead {
    id: String,
    title: AgentText,
    status: WorkStatus,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SlungAgent {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
}

impl Tool for Sling {
    const NAME: &'static str = "sling";
    const TITLE: &'static str = "Sling a task";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"web","title":"Add a health check endpoint","idempotency_key":"health-1"}"#;
    type Output = Slung;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let input = SlingInput {
            rig_id: place.rig()?.clone(),
            title: self.title.clone(),
            body: self.body.clone(),
            priority: self.priority.map(|priority| priority.as_str().to_owned()),
            metadata: self.metadata.clone(),
            labels: self.labels.clone(),
        };
        Ok(Plan::One(place.call_rig(&SLING_BEAD, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Slung, Failure> {
        let slung: SlingResult = answers.one(&SLING_BEAD)?;
        let summary = match (&slung.agent, slung.queue_position) {
            (Some(agent), _) => format!("{} has it.", agent.name),
            (None, Some(position)) => format!("All polecats of the rig are busy: queued at position {position}."),
            (None, None) => "Held: it is not given out until it is released.".to_owned(),
        };
        Ok(Slung {
            town: place.town()?.to_string(),
            rig: place.rig()?.to_string(),
            summary,
            bead: SlungBead {
                status: bead_status(&slung.bead),
                id: slung.bead.bead_id.to_string(),
                title: AgentText::line(&slung.bead.title),
            },
            agent: slung.agent.map(|agent| SlungAgent { id: agent.id.to_string(), name: agent.name, branch: agent.branch }),
            queue_position: slung.queue_position,
        })
    }
}
