//! Tools that bring somebody into a town: a polecat by name, the Mayor.
//!
//! Owns what a name must be said to mean. Who lives where, and how many may, is the rig's.

use crate::contract::names::identity;
use crate::contract::shapes::{Agent, AgentRole, AgentStatus, RegisterAgentInput};
use crate::rpc::table::{ENSURE_MAYOR, REGISTER_AGENT};
use crate::tools::text::name;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Adds a polecat of a name of your choice to a rig, idle until work is given out. Use it when a certain worker should exist;
/// sling makes polecats by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPolecat {
    /// Rig id or name.
    rig: String,
    /// Its name: 1 to 40 letters, digits, - or _, and nobody else's in the rig.
    name: String,
}

/// A polecat that is there now.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolecatAdded {
    town: String,
    rig: String,
    summary: String,
    agent_id: String,
    name: String,
    identity: String,
    status: AgentStatus,
}

impl Tool for AddPolecat {
    const NAME: &'static str = "add_polecat";
    const TITLE: &'static str = "Add a polecat";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","name":"Juniper"}"#;
    type Output = PolecatAdded;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let role = AgentRole::Polecat;
        let input = RegisterAgentInput {
            role,
            name: self.name.clone(),
            identity: identity(&self.name, role.as_str(), place.rig()?, place.town()?),
            rig_id: None,
        };
        Ok(Plan::One(place.call_rig(&REGISTER_AGENT, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<PolecatAdded, Failure> {
        let agent: Agent = answers.one(&REGISTER_AGENT)?;
        Ok(PolecatAdded {
            town: place.town()?.to_string(),
            rig: place.rig()?.to_string(),
            summary: format!("{} lives in the rig and waits for work.", name(&agent.name)),
            agent_id: agent.id.to_string(),
            name: name(&agent.name),
            identity: name(&agent.identity),
            status: agent.status,
        })
    }
}

/// Makes sure that a town has a Mayor, and tells how it is. Use it before you leave the Mayor something to do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartMayor {}

/// The Mayor.
#[derive(Debug, Serialize, JsonSchema)]
pub struct MayorStarted {
    town: String,
    summary: String,
    agent_id: String,
    /// `active` when its process was heard of lately.
    session_status: String,
}

/// Contract 2.4 `ensureMayor`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ensured {
    agent_id: String,
    session_status: String,
}

impl Tool for StartMayor {
    const NAME: &'static str = "start_mayor";
    const TITLE: &'static str = "Start the Mayor";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = MayorStarted;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&ENSURE_MAYOR, (Value::Null,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<MayorStarted, Failure> {
        let Ensured { agent_id, session_status } = answers.one(&ENSURE_MAYOR)?;
        let summary = if session_status == "idle" {
            "The town has a Mayor, but nobody speaks for it yet: connect an MCP client with the Mayor's token to /towns/{town}/mcp. Messages wait."
        } else {
            "The Mayor is at work."
        };
        Ok(MayorStarted { town: place.town()?.to_string(), summary: summary.to_owned(), agent_id, session_status })
    }
}
