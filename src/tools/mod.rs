//! The tools: what clients call.
//!
//! `tool` says what a tool is, `answers` what comes back, `TOOLS` lists them, `schema` makes what clients see of them and `list` shows it,
//! `run` carries a call out, `toolset` groups them, `profile` says for whom they are, `place` turns names into ids, `source` says who tells
//! of changes, `live` is for tools that do more than ask once, `confirm` asks before they destroy. `agent` and `mayor` have tables of their
//! own, `playbooks` what is done when things go wrong; the others hold one type per tool. A new tool is one type and one row.

pub mod admin;
pub mod agent;
pub mod alias;
pub mod answers;
pub(crate) mod argument;
pub mod bead_view;
pub mod confirm;
pub mod coordinator;
pub mod interactive;
pub mod list;
pub mod mayor;
pub mod paging;
pub mod playbooks;
pub mod profile;
pub mod resolve;
pub mod run;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
pub mod text;
pub mod tool;
pub mod tool_names;
pub mod toolset;
pub mod topic;

use profile::Profile;
use tool::ToolDef;
use toolset::Toolset::{Admin, Agents, Convoys, Playbooks, Work};

/// The tools of coordinators, in the order in which clients see them; those of Mayors are in `mayor`, those of agents in `agent`.
pub const TOOLS: &[ToolDef] = &[
    ToolDef::of::<coordinator::towns::ListTowns>(Work),
    ToolDef::of::<coordinator::towns::GetTownStatus>(Work),
    ToolDef::of::<coordinator::rigs::ListRigs>(Work),
    ToolDef::of::<coordinator::beads::ListBeads>(Work),
    ToolDef::of::<coordinator::bead::GetBead>(Work),
    ToolDef::of::<coordinator::bead_changes::CreateBead>(Work),
    ToolDef::live::<coordinator::bead_changes::UpdateBead>(Work),
    ToolDef::live::<coordinator::bead_changes::StartBead>(Work).on_request(),
    ToolDef::live::<coordinator::bead_changes::ReassignBead>(Work).on_request(),
    ToolDef::live::<coordinator::bead_deletion::DeleteBeads>(Work).on_request(),
    ToolDef::of::<coordinator::bead_events::ListBeadEvents>(Work).on_request(),
    ToolDef::of::<coordinator::agents::ListAgents>(Agents),
    ToolDef::of::<coordinator::convoys::ListConvoys>(Convoys),
    ToolDef::of::<coordinator::convoys::ConvoyStatus>(Convoys),
    ToolDef::of::<coordinator::feed::TownFeed>(Work),
    ToolDef::live::<coordinator::wait::WaitFor>(Work),
    ToolDef::of::<coordinator::sling::Sling>(Work),
    ToolDef::of::<coordinator::merge_queue::MergeQueue>(Work),
    ToolDef::of::<coordinator::sling_batch::SlingBatch>(Convoys),
    ToolDef::of::<coordinator::convoy_changes::CreateConvoy>(Convoys),
    ToolDef::of::<coordinator::convoy_changes::StartConvoy>(Convoys),
    ToolDef::of::<coordinator::convoy_changes::UpdateConvoy>(Convoys),
    ToolDef::of::<coordinator::messages::SendMayorMessage>(Agents),
    ToolDef::of::<coordinator::mayor_messages::MayorMessages>(Agents).on_request(),
    ToolDef::live::<coordinator::messages::SendMessage>(Agents),
    ToolDef::of::<coordinator::mailbox::ListMessages>(Agents),
    ToolDef::of::<playbooks::escalations::Escalations>(Agents),
    ToolDef::of::<coordinator::escalations::AcknowledgeEscalation>(Agents),
    ToolDef::of::<coordinator::escalations::Escalate>(Agents).on_request(),
    ToolDef::of::<coordinator::triage::ResolveTriage>(Agents).on_request(),
    ToolDef::live::<coordinator::triage::ResetAgent>(Agents).on_request(),
    ToolDef::live::<coordinator::polecats::RemovePolecat>(Agents),
    ToolDef::of::<coordinator::roster::AddPolecat>(Agents).on_request(),
    ToolDef::of::<coordinator::roster::StartMayor>(Agents).on_request(),
    // Administration.
    ToolDef::live::<admin::CreateTown>(Admin).on_request(),
    ToolDef::live::<admin::DeleteTown>(Admin).for_admins(),
    ToolDef::live::<admin::CreateRig>(Admin).on_request(),
    ToolDef::live::<admin::UpdateRig>(Admin).for_admins(),
    ToolDef::live::<admin::DeleteRig>(Admin).for_admins(),
    ToolDef::of::<admin::GetConfig>(Admin).on_request(),
    ToolDef::of::<admin::UpdateConfig>(Admin).for_admins(),
    ToolDef::of::<admin::SetParked>(Admin).on_request(),
    ToolDef::live::<admin::Drain>(Admin).on_request(),
    ToolDef::live::<coordinator::convoy_changes::CloseConvoy>(Convoys).on_request(),
    ToolDef::live::<coordinator::town_check::TownCheck>(Admin).for_admins(),
    // Playbooks of convoys.
    ToolDef::live::<playbooks::unstick::ConvoyUnstick>(Playbooks).on_request(),
    ToolDef::live::<playbooks::partial::ConvoyPartial>(Playbooks).on_request(),
    ToolDef::of::<playbooks::audit::ConvoyAudit>(Playbooks).on_request(),
    ToolDef::of::<playbooks::pool::PoolStatus>(Playbooks).on_request(),
    ToolDef::of::<playbooks::report::AgentReport>(Playbooks).on_request(),
    ToolDef::of::<playbooks::distribution::WorkDistribution>(Playbooks).on_request(),
];

/// The tables of the product.
pub const TABLES: &[&[ToolDef]] = &[TOOLS, mayor::TOOLS, agent::TOOLS];

/// Tools that a build adds to the product's.
#[derive(Clone, Copy)]
pub struct ToolTable {
    /// The tools.
    pub rows: &'static [ToolDef],
    /// Their entries of `tools/list`, in the same order: JSON text of an array.
    pub list: &'static str,
}

impl ToolTable {
    /// No tool.
    pub const EMPTY: Self = Self { rows: &[], list: "[]" };

    /// The tool that has this name in a profile.
    #[must_use]
    pub fn find(self, profile: Profile, name: &str) -> Option<&'static ToolDef> {
        self.rows.iter().find(|tool| tool.name == name && tool.audience.has(profile))
    }
}

/// Every tool of the product.
pub fn all() -> impl Iterator<Item = &'static ToolDef> {
    TABLES.iter().copied().flatten()
}

/// The tool that has this name in a profile.
#[must_use]
pub fn find(profile: Profile, name: &str) -> Option<&'static ToolDef> {
    all().find(|tool| tool.name == name && tool.audience.has(profile))
}
