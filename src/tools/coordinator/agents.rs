//! Tools that look at agents.

use crate::contract::ids::AgentId;
use crate::contract::shapes::{Agent, AgentFilter, AgentRole, AgentStatus, Quality};
use crate::rpc::table::LIST_AGENTS;
use crate::tools::paging;
use crate::tools::text::{AgentText, name, word};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the agents of a rig, or of every rig of the town, with the bead each holds and its branch. Use it to see who is
/// busy, idle or stalled.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListAgents {
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Only agents of this role.
    role: Option<AgentRole>,
    /// Only agents with this status; `active`: that work, or hold a bead.
    status: Option<Listed>,
    /// Agents per page, 1 to 200 (default 50).
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A status, or `active` for all that have something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Listed {
    Active,
    Idle,
    Working,
    Waiting,
    Stalled,
    Dead,
}

impl Listed {
    /// The status that the rig is asked for.
    const fn status(self) -> Option<AgentStatus> {
        match self {
            Self::Active => None,
            Self::Idle => Some(AgentStatus::Idle),
            Self::Working => Some(AgentStatus::Working),
            Self::Waiting => Some(AgentStatus::Waiting),
            Self::Stalled => Some(AgentStatus::Stalled),
            Self::Dead => Some(AgentStatus::Dead),
        }
    }

    fn has(self, agent: &Agent) -> bool {
        let is_busy = matches!(agent.status, AgentStatus::Working | AgentStatus::Waiting) || agent.current_hook_bead_id.is_some();
        self != Self::Active || (is_busy && agent.status != AgentStatus::Dead)
    }
}

/// A page of agents, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentList {
    town: String,
    agents: Vec<AgentLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Rigs asked.
    coverage: Coverage,
}

/// An agent in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AgentLine {
    id: String,
    name: String,
    role: AgentRole,
    status: AgentStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    /// Bead id on its hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    hook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// How rigorously it works on the bead.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Quality>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<AgentText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_activity_at: Option<String>,
    /// Who runs its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    runner: Option<String>,
    /// Where its process works.
    #[serde(skip_serializing_if = "Option::is_none")]
    worktree: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_heartbeat_at: Option<String>,
}

/// Where a page of agents ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct AgentPosition(Timestamp, AgentId);

impl Tool for ListAgents {
    const NAME: &'static str = "list_agents";
    const TITLE: &'static str = "List agents";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"status":"idle"}"#;
    type Output = AgentList;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        paging::limit(self.limit)?;
        paging::position::<AgentPosition>(self.cursor.as_deref())?;
        let filter = AgentFilter { role: self.role, status: self.status.and_then(Listed::status), rig_id: None };
        Ok(place.ask_rigs(&LIST_AGENTS, (filter,))?)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<AgentList, Failure> {
        let after: Option<AgentPosition> = paging::position(self.cursor.as_deref())?;
        let gathered = answers.gather::<Vec<Agent>>(&LIST_AGENTS, place)?;
        let position = |agent: &Agent| AgentPosition(agent.created_at, agent.id.clone());
        let mut agents: Vec<Agent> = gathered.answered.into_iter().flat_map(|(_, agents)| agents).collect();
        agents.retain(|agent| after.as_ref().is_none_or(|after| position(agent) > *after));
        agents.retain(|agent| self.status.is_none_or(|status| status.has(agent)));
        let mut agents = paging::order(agents, false, |agent| (agent.created_at, agent.id.to_string()));
        let next_cursor = paging::cut(&mut agents, paging::limit(self.limit)?, position);
        let agents = agents.into_iter().map(AgentLine::from).collect();
        Ok(AgentList { town: place.town()?.to_string(), agents, next_cursor, coverage: gathered.coverage })
    }
}

impl From<Agent> for AgentLine {
    fn from(agent: Agent) -> Self {
        Self {
            id: agent.id.to_string(),
            name: name(&agent.name),
            role: agent.role,
            status: agent.status,
            rig: agent.rig_id.map(|rig| rig.to_string()),
            hook: agent.current_hook_bead_id.map(|bead| bead.to_string()),
            branch: agent.branch.as_deref().map(name),
            quality: agent.quality,
            message: agent.agent_status_message.as_deref().map(AgentText::line),
            last_activity_at: agent.last_activity_at.map(|at| at.to_string()),
            runner: agent.runner.as_deref().map(word),
            worktree: agent.worktree.as_deref().map(word),
            last_heartbeat_at: agent.last_heartbeat_at.map(|at| at.to_string()),
        }
    }
}
