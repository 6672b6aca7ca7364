//! Tools that make a bead and change one.
//!
//! Owns their arguments and the sentence that says what has changed. What may change, the rig decides.

use super::bead::{bead_id, bead_ids};
use crate::contract::ids::{AgentId, BeadId, RigId};
use crate::contract::shapes::{Agent, Bead, BeadStatus, BeadUpdate, BlockedUntil, Priority, UpdatedBead};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{CREATE_BEAD, LIST_AGENTS, Method, REASSIGN_BEAD, START_HELD_BEAD, UPDATE_BEAD};
use crate::tools::bead_view::{BeadLine, bead_status};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::resolve::bead as find_bead;
use crate::tools::text::{name, word};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Fault, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Names shown in a refusal at most.
const NAMES_SHOWN_MAX: usize = 20;

/// What has become of a bead.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangedBead {
    town: String,
    rig: String,
    summary: String,
    bead: BeadLine,
    /// Fields that are not as they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
}

/// Makes a bead without giving it out at once: the rig's queue does, unless it is held or waits for others. Use it for work
/// that comes later; `sling` gives work out now.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBead {
    /// Rig id or name.
    rig: String,
    /// What to do, in the imperative.
    title: String,
    /// Everything the polecat must know.
    body: Option<String>,
    /// Default medium; P1, P2, P3 are high, medium, low.
    priority: Option<Priority>,
    /// Labels.
    labels: Option<Vec<String>>,
    /// Free data kept with the bead.
    metadata: Option<Map<String, Value>>,
    /// Ids of beads of this rig that must be done first.
    depends_on: Option<Vec<String>>,
    /// What must become of them: closed (default) or merged.
    until: Option<BlockedUntil>,
    /// true: nobody is given it before `start_bead`.
    held: Option<bool>,
}

impl Tool for CreateBead {
    const NAME: &'static str = "create_bead";
    const TITLE: &'static str = "Create a bead";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"web","title":"Add a health check endpoint","held":true}"#;
    type Output = ChangedBead;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let depends_on = self.depends_on.as_deref().map(|ids| bead_ids("depends_on", ids)).transpose()?;
        let input = json!({
            "type": "issue", "title": self.title, "body": self.body, "priority": self.priority, "labels": self.labels,
            "metadata": self.metadata, "depends_on": depends_on, "until": self.until, "held": self.held,
        });
        Ok(Plan::One(place.call_rig(&CREATE_BEAD, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ChangedBead, Failure> {
        let bead: Bead = answers.one(&CREATE_BEAD)?;
        let summary = match bead.blockers_open {
            _ if self.held == Some(true) => "Held: nobody is given it before start_bead.".to_owned(),
            0 => "It is given out when its turn comes.".to_owned(),
            blockers => format!("It waits for {blockers} other(s)."),
        };
        let (town, rig) = (place.town()?.to_string(), place.rig()?.to_string());
        Ok(ChangedBead { town, rig, summary, bead: bead.into(), changed: Vec::new() })
    }
}

/// Changes fields, labels, dependencies or the status of a bead; what is left out stays. A bead that has ended keeps its
/// status.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateBead {
    /// Bead id.
    bead: String,
    /// Rig id or name; saves a look into every rig.
    rig: Option<String>,
    /// New title.
    title: Option<String>,
    /// New body.
    body: Option<String>,
    /// New priority.
    priority: Option<Priority>,
    /// New status; closed is done without a merge.
    status: Option<BeadStatus>,
    /// Replaces all labels.
    labels: Option<Vec<String>>,
    /// Labels to add.
    add_labels: Option<Vec<String>>,
    /// Labels to take off.
    remove_labels: Option<Vec<String>>,
    /// Replaces all it waits for: ids of beads of its rig.
    depends_on: Option<Vec<String>>,
    /// Ids of beads of its rig that it waits for.
    add_depends_on: Option<Vec<String>>,
    /// Ids of beads that it waits for no more.
    remove_depends_on: Option<Vec<String>>,
    /// What must become of those added, or else of all it waits for.
    until: Option<BlockedUntil>,
    /// Metadata to set.
    merge_metadata: Option<Map<String, Value>>,
}

impl LiveTool for UpdateBead {
    const NAME: &'static str = "update_bead";
    const TITLE: &'static str = "Update a bead";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"bead":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","priority":"high","add_labels":["urgent"]}"#;
    type Output = ChangedBead;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.update(live))
    }
}

impl UpdateBead {
    async fn update(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let ids = |argument: &str, ids: &Option<Vec<String>>| ids.as_deref().map(|ids| bead_ids(argument, ids)).transpose();
        let fields = BeadUpdate {
            title: self.title.clone(),
            body: self.body.clone().map(Some),
            priority: self.priority,
            status: self.status,
            labels: self.labels.clone(),
            depends_on: ids("depends_on", &self.depends_on).map_err(Failure::from)?,
            add_labels: self.add_labels.clone(),
            remove_labels: self.remove_labels.clone(),
            add_depends_on: ids("add_depends_on", &self.add_depends_on).map_err(Failure::from)?,
            remove_depends_on: ids("remove_depends_on", &self.remove_depends_on).map_err(Failure::from)?,
            until: self.until,
            merge_metadata: self.merge_metadata.clone(),
            ..BeadUpdate::default()
        };
        let (rig, id) = find(live, &self.bead).await?;
        let UpdatedBead { bead, changed } =
            decode(&UPDATE_BEAD, &call(live, &in_rig(&rig, &UPDATE_BEAD, (id, fields, Value::Null))?).await?)?;
        let mut summary = if changed.is_empty() { "Nothing changed.".to_owned() } else { format!("Changed: {}.", changed.join(", ")) };
        if self.status.is_some_and(|asked| asked != bead.status) {
            let word = serde_json::to_value(bead_status(&bead)).unwrap_or_default();
            summary = format!("{summary} It has ended ({}), so its status stays.", word.as_str().unwrap_or_default());
        }
        reply(live, &rig, summary, bead, changed)
    }
}

/// Releases a bead that was held back: it is given out when its turn comes. A bead of a staged convoy goes on waiting for
/// that convoy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartBead {
    /// Bead id.
    bead: String,
    /// Rig id or name; saves a look into every rig.
    rig: Option<String>,
}

impl LiveTool for StartBead {
    const NAME: &'static str = "start_bead";
    const TITLE: &'static str = "Start a held bead";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"bead":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d"}"#;
    type Output = ChangedBead;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            let (rig, id) = find(live, &self.bead).await?;
            let bead: Bead = decode(&START_HELD_BEAD, &call(live, &in_rig(&rig, &START_HELD_BEAD, (id, &rig))?).await?)?;
            let summary = match (&bead.assignee_agent_bead_id, bead.blockers_open) {
                (Some(agent), _) => format!("Agent {agent} has it."),
                (None, 0) if bead.status.is_terminal() => "It has ended: nothing is given out.".to_owned(),
                (None, 0) => "It is held no more by its label, and waits for its turn.".to_owned(),
                (None, blockers) => format!("It is held no more, and waits for {blockers} other(s)."),
            };
            reply(live, &rig, summary, bead, Vec::new())
        })
    }
}

/// Gives an open or running bead to another agent of its rig, in one step: who had it is free then. The work begins anew on
/// a branch of the new agent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReassignBead {
    /// Bead id.
    bead: String,
    /// Who gets it: agent id or name.
    agent: String,
    /// Rig id or name; saves a look into every rig.
    rig: Option<String>,
}

impl LiveTool for ReassignBead {
    const NAME: &'static str = "reassign_bead";
    const TITLE: &'static str = "Reassign a bead";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"bead":"7b0f4b1c-2f6e-4c0e-9a55-0d6f1a2b3c4d","agent":"Maple"}"#;
    type Output = ChangedBead;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            let (rig, id) = find(live, &self.bead).await?;
            let agent = find_agent(live, &rig, &self.agent).await?;
            let bead: Bead = decode(&REASSIGN_BEAD, &call(live, &in_rig(&rig, &REASSIGN_BEAD, (id, &agent.id))?).await?)?;
            let branch = agent_branch(&bead);
            reply(live, &rig, format!("{} has it{branch}.", name(&agent.name)), bead, Vec::new())
        })
    }
}

fn agent_branch(bead: &Bead) -> String {
    bead.metadata.get("branch").and_then(Value::as_str).map(|branch| format!(" on branch {}", word(branch))).unwrap_or_default()
}

/// The bead that an argument names, and its rig: the one that was named, or whichever has it.
async fn find(live: &Live<'_>, bead: &str) -> Result<(RigId, BeadId), Failure> {
    if let Some(rig) = &live.place.rig {
        return Ok((rig.clone(), bead_id("bead", bead)?));
    }
    let (rig, bead) = find_bead(live.client, live.place.town()?, bead.trim()).await?;
    Ok((rig, bead.bead_id))
}

async fn find_agent(live: &Live<'_>, rig: &RigId, named: &str) -> Result<Agent, Failure> {
    let agents: Vec<Agent> = decode(&LIST_AGENTS, &call(live, &in_rig(rig, &LIST_AGENTS, (Value::Null,))?).await?)?;
    let id = AgentId::parse(named).ok();
    let known: Vec<String> = agents.iter().map(|agent| name(&agent.name)).take(NAMES_SHOWN_MAX).collect();
    let is_meant = |agent: &Agent| id.as_ref().map_or(agent.name == named, |id| *id == agent.id);
    agents.into_iter().find(is_meant).ok_or_else(|| {
        let refusal = Refusal::new(Code::NotFound, "agent: no agent of the bead's rig has that id or name");
        refusal.hint(format!("Agents: {}.", known.join(", "))).into()
    })
}

fn in_rig(rig: &RigId, method: &'static Method, args: impl Serialize) -> Result<Call, Fault> {
    Call::new(Instance::Rig(rig.clone()), method, args)
}

async fn call(live: &Live<'_>, call: &Call) -> Result<String, Failure> {
    live.client.call(call, Some(live.place.town()?), live.idempotency_key.filter(|_| !call.method.is_read())).await
}

fn reply(live: &Live<'_>, rig: &RigId, summary: String, bead: Bead, changed: Vec<String>) -> Result<ToolReply, Interruption> {
    let shown = ChangedBead { town: live.place.town()?.to_string(), rig: rig.to_string(), summary, bead: bead.into(), changed };
    Ok(ToolReply::structured("show a bead", &shown)?)
}
