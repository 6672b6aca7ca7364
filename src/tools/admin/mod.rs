//! Tools that make, change and delete towns and rigs: what only their owner does.
//!
//! `towns`, `rigs`, `config` and `pause` have the tools. This file owns what most of them answer.

mod config;
mod pause;
mod rigs;
mod towns;

pub use config::{GetConfig, UpdateConfig};
pub use pause::{Drain, SetParked};
pub use rigs::{CreateRig, DeleteRig, UpdateRig};
pub use towns::{CreateTown, DeleteTown};

use super::confirm::DryRun;
use super::text::name;
use crate::contract::ids::{RigId, TownId};
use crate::contract::shapes::TownRecord;
use crate::contract::tool_keys::LIST_TOWNS;
use crate::tools::interactive::Live;
use crate::tools::resolve::towns_of;
use base::error::{Code, Failure, Fault, Refusal};
use base::hint;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::Serialize;

/// What was done, or in a dry run would be.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Administered {
    town: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
    /// Name of the rig, or else of the town.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    summary: String,
    /// False in a dry run, and when it was so before.
    changed: bool,
    #[serde(flatten)]
    dry_run: Option<DryRun>,
}

impl Administered {
    fn new(town: &TownId, rig: Option<&RigId>, summary: String) -> Self {
        Self { town: town.to_string(), rig: rig.map(RigId::to_string), name: None, summary, changed: true, dry_run: None }
    }

    fn named(mut self, text: &str) -> Self {
        self.name = Some(name(text));
        self
    }

    fn reply(&self, tool: &str) -> Result<ToolReply, Fault> {
        ToolReply::structured(tool, self)
    }
}

/// The town as its registry has it: its name, and whose it is.
async fn registered(live: &Live<'_>, town: &TownId) -> Result<TownRecord, Failure> {
    towns_of(live.client).await?.into_iter().find(|record| record.id == *town).ok_or_else(|| {
        let refusal = Refusal::of_argument(Code::NotFound, "town", "no town of yours has that id");
        refusal.hint(hint!["Call ", LIST_TOWNS, " to see the towns that you may use."]).into()
    })
}
