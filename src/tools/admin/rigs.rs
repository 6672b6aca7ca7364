//! Making a rig, changing one, and deleting one.
//!
//! Owns the three tools. The order of the steps is `provision`'s.

use super::super::confirm::{Confirmation, Confirmed, confirm};
use super::super::text::name;
use super::super::tool::{Hints, Reach};
use super::Administered;
use crate::contract::shapes::{CreateRigInput, RigChanges, RigFacts, RigRecord};
use crate::provision;
use crate::rpc::call::{Instance, decode};
use crate::rpc::table::{REMOVE_RIG, RIG_FACTS, UPDATE_RIG_CONFIG};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::resolve;
use base::error::{Code, Failure, Refusal};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Adds a rig, which is one repository, to a town. Use it before work is slung to that repository.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRig {
    /// Unique in the town; 1 to 64 characters.
    name: String,
    /// Where git clones from.
    git_url: String,
    /// Default main.
    default_branch: Option<String>,
}

impl LiveTool for CreateRig {
    const NAME: &'static str = "create_rig";
    const TITLE: &'static str = "Create a rig";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"name":"worker","git_url":"https://git.example/worker.git","idempotency_key":"rig-worker"}"#;
    type Output = Administered;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(async move {
            let town = live.place.town()?;
            provision::check_address(&self.git_url)?;
            let owner = provision::registry_of_town(live.client, town).await?;
            let input = CreateRigInput {
                town_id: town.clone(),
                name: self.name.clone(),
                git_url: self.git_url.clone(),
                default_branch: self.default_branch.clone().unwrap_or_else(|| provision::BRANCH_DEFAULT.to_owned()),
                platform_integration_id: None,
            };
            let rig = provision::rig(live.client, &owner, input, live.idempotency_key).await?;
            let done = Administered::new(town, Some(&rig.id), "The rig is there: sling takes work for it.".to_owned());
            Ok(done.named(&rig.name).reply(Self::NAME)?)
        })
    }
}

/// Changes a rig's name, repository, branch or settings; what is left out stays. Use it when a repository moved, or to give one
/// rig other settings than its town has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateRig {
    /// Rig id or name.
    rig: String,
    /// New name.
    name: Option<String>,
    /// New address.
    git_url: Option<String>,
    /// New branch.
    default_branch: Option<String>,
    /// Settings the rig has otherwise than its town, all of them: they replace those it had. `get_config` shows them.
    config: Option<Map<String, Value>>,
}

impl LiveTool for UpdateRig {
    const NAME: &'static str = "update_rig";
    const TITLE: &'static str = "Change a rig";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","config":{"max_concurrent_polecats":3}}"#;
    type Output = Administered;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.update(live))
    }
}

impl UpdateRig {
    async fn update(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let (town, rig) = (live.place.town()?, live.place.rig()?);
        let changes = RigChanges { name: self.name.clone(), git_url: self.git_url.clone(), default_branch: self.default_branch.clone() };
        let has_changes = changes != RigChanges::default();
        if !has_changes && self.config.is_none() {
            let refusal = Refusal::new(Code::InvalidArgument, "update_rig: nothing to change");
            return Err(refusal.hint("Give at least one of name, git_url, default_branch and config.").into());
        }
        if let Some(address) = &self.git_url {
            provision::check_address(address)?;
        }
        let mut record: Option<RigRecord> = None;
        if let Some(config) = &self.config {
            // First: it is what may be refused, and then nothing has changed. Doing it twice is doing it once.
            let call = live.place.call_town(&UPDATE_RIG_CONFIG, (rig, config))?;
            record = decode(&UPDATE_RIG_CONFIG, &live.client.call(&call, Some(town), None).await?)?;
        }
        if has_changes {
            let owner = provision::registry_of_town(live.client, town).await?;
            record = Some(provision::change_rig(live.client, &owner, town, rig, &changes, live.idempotency_key).await?);
        }
        let record = record.ok_or_else(|| Refusal::new(Code::NotFound, "rig: no rig of this town has that id"))?;
        let overrides = if record.config.is_empty() {
            "no settings of its own".to_owned()
        } else {
            format!("{} of its own settings", record.config.len())
        };
        let summary = format!("{} at {}, branch {}, {overrides}.", name(&record.name), name(&record.git_url), name(&record.default_branch));
        Ok(Administered::new(town, Some(rig), summary).named(&record.name).reply(Self::NAME)?)
    }
}

/// Deletes a rig for good, with its beads, agents and messages; its unfinished beads count as failed in their convoys. It asks
/// before it does, and refuses while there is unfinished work unless forced.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteRig {
    /// Rig id or name.
    rig: String,
    /// True to lose unfinished work too.
    #[serde(default)]
    force: bool,
    /// True to have done what a dry run showed. Clients that can ask their user need neither this nor a token.
    #[serde(default)]
    confirm: bool,
    /// The token of that dry run.
    confirm_token: Option<String>,
}

impl LiveTool for DeleteRig {
    const NAME: &'static str = "delete_rig";
    const TITLE: &'static str = "Delete a rig";
    const HINTS: Hints = Hints::DESTROY;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","force":true}"#;
    type Output = Administered;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.delete(live))
    }
}

impl DeleteRig {
    async fn delete(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let town = live.place.town()?;
        // As the town knows it, by this caller: a rig of somebody else's is none.
        let rig = resolve::rig(live.client, town, &self.rig).await?;
        let owner = provision::registry_of_town(live.client, town).await?;
        provision::check_may_delete(live.client, &owner, &REMOVE_RIG, "rigs")?;
        let what = format!("delete rig {} ({}) for good, with {}.", name(&rig.name), rig.id, self.loss(live, &rig).await?);
        let arguments = json!({"town": town, "rig": rig.id, "force": self.force});
        let given = Confirmation { confirm: self.confirm, token: self.confirm_token.clone() };
        let confirmed = confirm(live, Self::NAME, &arguments, &what, &given).await?;
        let mut done = Administered::new(town, Some(&rig.id), "The rig is still there.".to_owned()).named(&rig.name);
        match confirmed {
            Confirmed::DryRun(dry_run) => (done.changed, done.dry_run) = (false, Some(dry_run)),
            Confirmed::Yes => {
                provision::delete_rig(live.client, &owner, town, &rig.id, self.force, live.idempotency_key).await?;
                "The rig was deleted.".clone_into(&mut done.summary);
            }
        }
        Ok(done.reply(Self::NAME)?)
    }

    /// What goes with the rig, as it says itself.
    async fn loss(&self, live: &Live<'_>, rig: &RigRecord) -> Result<String, Failure> {
        let call = crate::rpc::call::Call::new(Instance::Rig(rig.id.clone()), &RIG_FACTS, ())?;
        let facts = live.client.call_internal(&call, live.place.town.as_ref()).await;
        match facts.and_then(|facts| decode::<RigFacts>(&RIG_FACTS, &facts)) {
            Ok(facts) if facts.active_beads > 0 && !self.force => {
                let refusal =
                    Refusal::new(Code::Conflict, format!("A rig named \"{}\" has {} active bead(s)", name(&rig.name), facts.active_beads));
                Err(refusal.hint("Finish them first, or call again with force: true to lose them.").into())
            }
            Ok(facts) => Ok(format!(
                "{} active bead(s), {} agent(s), {} of which hold work, and everything else in it",
                facts.active_beads, facts.agents, facts.hooked
            )),
            Err(_) if self.force => Ok("whatever is in it: it does not answer".to_owned()),
            Err(failure) => Err(failure),
        }
    }
}
