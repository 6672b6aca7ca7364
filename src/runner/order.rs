//! A dispatch order, as `GET /api/towns/{town}/rigs/{rig}/dispatch` gives it.
//!
//! Owns: its shape. Does not: act on it.

use serde::{Deserialize, Serialize};

/// One order: this agent is to work on this bead. Fields that are not known here are kept out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Its number, which is never given again.
    pub order: u64,
    /// The agent that works on it.
    pub agent: Agent,
    /// The bead to work on.
    pub bead: Bead,
    /// The branch to work on; for a refinery the branch to merge.
    pub branch: String,
    /// The branch that the work starts from and is merged into.
    pub base_branch: String,
    /// How many times the bead has been given out, this time included.
    #[serde(default)]
    pub attempt: u64,
    /// Where the rig's repository is.
    #[serde(default)]
    pub git_url: String,
    /// The rig's default branch.
    pub default_branch: String,
    /// The rig of the bead.
    pub rig: Rig,
    /// The town of the rig.
    pub town: Town,
    /// The agent's token, good for this order only.
    pub token: String,
    /// Seconds within which a sign of life must come.
    #[serde(default = "default_lease")]
    pub lease_seconds: u64,
    /// Where the agent reports.
    pub api: Paths,
}

fn default_lease() -> u64 {
    90
}

/// The agent of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its id.
    pub id: String,
    /// Its name, such as Toast.
    pub name: String,
    /// `polecat` or `refinery`.
    pub role: String,
    /// Its identity, which has the form of an e-mail address.
    #[serde(default)]
    pub identity: String,
}

/// The bead of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bead {
    /// Its id.
    pub bead_id: String,
    /// `issue`, `merge_request` and so on.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Its title, as its author wrote it.
    #[serde(default)]
    pub title: String,
}

/// The rig of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rig {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// The town of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Town {
    /// Its id.
    pub id: String,
}

/// Paths below the Worker's address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paths {
    /// The MCP endpoint of the agent's town.
    pub mcp_path: String,
    /// The REST routes of the agent, without a slash at the end.
    pub agent_path: String,
}

impl Order {
    /// Reads an event's data.
    pub fn parse(data: &str) -> Result<Self, String> {
        serde_json::from_str(data).map_err(|error| format!("an order that cannot be read: {error}"))
    }

    /// Whether it is for the rig's refinery.
    #[must_use]
    pub fn is_refinery(&self) -> bool {
        self.agent.role == "refinery"
    }

    /// The name of the folder that holds the order's files.
    #[must_use]
    pub fn slug(&self) -> String {
        let name: String = self.agent.name.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').take(40).collect();
        format!("{}-{}", self.order, name.to_lowercase())
    }
}
