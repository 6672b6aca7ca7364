//! What an agent's process is given: its command, environment and MCP configuration.
//!
//! Owns: the names of the variables (docs/runner.md lists them). Does not: start it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::api::PROCESS_HEADER;
use crate::order::Order;
use crate::process;
use crate::store::write_private;

/// The runner's own token must not reach an agent: it is good for the whole town.
const WITHHELD: [&str; 1] = ["GASTOWN_CONTAINER_TOKEN"];

/// Everything that an agent's process is told.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// The order that the process works on.
    pub order: &'a Order,
    /// The Worker's address.
    pub url: &'a str,
    /// The id that the process sends in `X-Gastown-Process-Id`.
    pub process_id: &'a str,
    /// The folder that the process starts in.
    pub worktree: &'a Path,
    /// The repository that the worktree belongs to: commits are written there.
    pub repository: &'a Path,
    /// Where its MCP configuration is.
    pub mcp_config: &'a Path,
}

/// Writes the MCP configuration beside the order's file, outside of the worktree: it has the token in it.
pub fn write_mcp_config(folder: &Path, order: &Order, url: &str, process_id: &str) -> Result<PathBuf, String> {
    let path = folder.join("mcp.json");
    let config = json!({ "mcpServers": { "gastown": {
        "type": "http",
        "url": format!("{url}{}", order.api.mcp_path),
        "headers": { "Authorization": format!("Bearer {}", order.token), PROCESS_HEADER: process_id },
    } } });
    write_private(&path, format!("{config:#}\n").as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

/// The command, in its worktree, with its environment. The token is in the environment and in no argument.
#[must_use]
pub fn command(shell_command: &str, given: &Given) -> Command {
    let mut command = process::gated(shell_command);
    command.current_dir(given.worktree);
    for name in WITHHELD {
        command.env_remove(name);
    }
    command.envs(variables(given));
    // The agent is the author of its commits unless the runner's own environment names another.
    for (name, value) in identity(given.order) {
        if std::env::var_os(name).is_none() {
            command.env(name, value);
        }
    }
    command
}

/// The variables of an agent's process.
#[must_use]
pub fn variables(given: &Given) -> Vec<(&'static str, OsString)> {
    let Given { order, url, process_id, worktree, repository, mcp_config } = given;
    vec![
        ("GASTOWN_API_URL", (*url).into()),
        ("GASTOWN_MCP_URL", format!("{url}{}", order.api.mcp_path).into()),
        ("GASTOWN_MCP_CONFIG", (*mcp_config).into()),
        ("GASTOWN_TOKEN", order.token.as_str().into()),
        ("GASTOWN_AGENT_PATH", order.api.agent_path.as_str().into()),
        ("GASTOWN_PROCESS_ID", (*process_id).into()),
        ("GASTOWN_AGENT_ID", order.agent.id.as_str().into()),
        ("GASTOWN_AGENT_NAME", order.agent.name.as_str().into()),
        ("GASTOWN_AGENT_ROLE", order.agent.role.as_str().into()),
        ("GASTOWN_TOWN_ID", order.town.id.as_str().into()),
        ("GASTOWN_RIG_ID", order.rig.id.as_str().into()),
        ("GASTOWN_RIG_NAME", order.rig.name.as_str().into()),
        ("GASTOWN_BEAD_ID", order.bead.bead_id.as_str().into()),
        ("GASTOWN_BEAD_TYPE", order.bead.kind.as_str().into()),
        ("GASTOWN_BEAD_TITLE", one_line(&order.bead.title).into()),
        ("GASTOWN_BRANCH", order.branch.as_str().into()),
        ("GASTOWN_BASE_BRANCH", order.base_branch.as_str().into()),
        ("GASTOWN_DEFAULT_BRANCH", order.default_branch.as_str().into()),
        ("GASTOWN_ORDER", order.order.to_string().into()),
        ("GASTOWN_ATTEMPT", order.attempt.to_string().into()),
        ("GASTOWN_WORKTREE", (*worktree).into()),
        ("GASTOWN_REPOSITORY", (*repository).into()),
    ]
}

fn identity(order: &Order) -> [(&'static str, String); 4] {
    let name = one_line(&order.agent.name);
    let email =
        if order.agent.identity.is_empty() { format!("{}@gastown.invalid", order.agent.id) } else { one_line(&order.agent.identity) };
    [("GIT_AUTHOR_NAME", name.clone()), ("GIT_AUTHOR_EMAIL", email.clone()), ("GIT_COMMITTER_NAME", name), ("GIT_COMMITTER_EMAIL", email)]
}

/// A variable holds no NUL, and a shell's reader expects one line.
fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
