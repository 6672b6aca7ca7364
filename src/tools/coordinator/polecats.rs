//! Tools that change who works in a rig.

use crate::contract::ids::AgentId;
use crate::contract::shapes::{Agent, AgentFilter, AgentRole, Bead};
use crate::rpc::call::decode;
use crate::rpc::table::{DELETE_AGENT, GET_BEAD, LIST_AGENTS};
use crate::tools::confirm::{Confirmation, Confirmed, DryRun, confirm};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Hints, Reach};
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Names shown in a refusal at most.
const NAMES_SHOWN_MAX: usize = 20;

/// Removes a polecat from its rig for good; the bead on its hook goes back to the queue. It asks before it does. Use it
/// for a polecat that is dead or not needed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemovePolecat {
    /// Rig id or name.
    rig: String,
    /// The polecat: its id, or its name.
    agent: String,
    /// True to have done what a dry run showed. Clients that can ask their user need neither this nor a token.
    #[serde(default)]
    confirm: bool,
    /// The token of that dry run.
    confirm_token: Option<String>,
}

/// What became of the polecat: removed, or in a dry run still there.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolecatRemoval {
    town: String,
    rig: String,
    summary: String,
    agent_id: String,
    name: String,
    /// Whether it is gone.
    removed: bool,
    /// Bead id that was, or is, on its hook.
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

impl LiveTool for RemovePolecat {
    const NAME: &'static str = "remove_polecat";
    const TITLE: &'static str = "Remove a polecat";
    const HINTS: Hints = Hints::DESTROY;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","agent":"Toast"}"#;
    type Output = PolecatRemoval;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.remove(live))
    }
}

impl RemovePolecat {
    async fn remove(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let (town, rig) = (live.place.town()?, live.place.rig()?);
        let polecat = self.find(live).await?;
        let hook = match &polecat.current_hook_bead_id {
            Some(bead) => Some(decode::<Bead>(&GET_BEAD, &call(live, &GET_BEAD, (bead,)).await?)?),
            None => None,
        };
        let what = what(&polecat, &name(&self.rig), hook.as_ref());
        // Names are given to new polecats again, ids are not.
        let arguments = json!({"town": town, "rig": rig, "agent": polecat.id});
        let given = Confirmation { confirm: self.confirm, token: self.confirm_token.clone() };
        let dry_run = match confirm(live, Self::NAME, &arguments, &what, &given).await? {
            Confirmed::DryRun(dry_run) => Some(dry_run),
            Confirmed::Yes => {
                let delete = live.place.call_rig(&DELETE_AGENT, (&polecat.id,))?;
                live.client.call(&delete, Some(town), live.idempotency_key).await?;
                None
            }
        };
        let shown = name(&polecat.name);
        let removal = PolecatRemoval {
            town: town.to_string(),
            rig: rig.to_string(),
            summary: if dry_run.is_some() { format!("{shown} is still there.") } else { format!("{shown} was removed.") },
            agent_id: polecat.id.to_string(),
            name: shown,
            removed: dry_run.is_none(),
            bead: polecat.current_hook_bead_id.map(|bead| bead.to_string()),
            dry_run,
        };
        Ok(ToolReply::structured(Self::NAME, &removal)?)
    }

    /// The polecat that the argument names.
    async fn find(&self, live: &Live<'_>) -> Result<Agent, Failure> {
        let filter = AgentFilter { role: Some(AgentRole::Polecat), ..AgentFilter::default() };
        let polecats: Vec<Agent> = decode(&LIST_AGENTS, &call(live, &LIST_AGENTS, (filter,)).await?)?;
        let id = AgentId::parse(&self.agent).ok();
        let names: Vec<String> = polecats.iter().map(|polecat| name(&polecat.name)).take(NAMES_SHOWN_MAX).collect();
        let is_meant = |polecat: &Agent| id.as_ref().map_or(polecat.name == self.agent, |id| *id == polecat.id);
        polecats.into_iter().find(is_meant).ok_or_else(|| {
            let refusal = Refusal::new(Code::NotFound, "agent: no polecat of this rig has that id or name");
            let known = if names.is_empty() { "The rig has none".to_owned() } else { format!("Polecats: {}", names.join(", ")) };
            refusal.hint(format!("{known}. One that was removed already is gone for good.")).into()
        })
    }
}

async fn call(live: &Live<'_>, method: &'static crate::rpc::table::Method, args: impl Serialize) -> Result<String, Failure> {
    live.client.call(&live.place.call_rig(method, args)?, Some(live.place.town()?), None).await
}

/// What is about to be lost, after "would".
fn what(polecat: &Agent, rig: &str, hook: Option<&Bead>) -> String {
    let who = format!("remove polecat {} ({}) from rig {rig} for good", name(&polecat.name), polecat.id);
    match hook {
        None => format!("{who}. No bead is on its hook."),
        Some(bead) => {
            format!("{who}. It holds bead {} {}, which goes back to the queue.", bead.bead_id, AgentText::line(&bead.title).as_str())
        }
    }
}
