//! The tools: what clients call.
//!
//! `tool` says what a tool is, `answers` what comes back, `TOOLS` lists them, `schema` makes what clients see of them and `list` shows it,
//! `run` carries a call out, `toolset` groups them, `profile` says for whom they are, `place` turns names into ids, `source` says who tells
//! of changes, `live` is for tools that do more than ask once, `confirm` asks before they destroy. `agent` and `mayor` have tables of their
//! own, `playbooks` what is done when things go wrong; the others hold one type per tool. A new tool is one type and one row.

pub mod admin;
pub mod agent;
pub mod agents;
pub mod answers;
pub(crate) mod argument;
pub mod bead;
pub mod bead_changes;
pub mod bead_deletion;
pub mod bead_events;
pub mod beads;
pub mod confirm;
pub mod convoy_changes;
pub mod convoys;
pub mod escalations;
pub mod feed;
pub mod list;
pub mod live;
pub mod mailbox;
pub mod mayor;
pub mod mayor_messages;
pub mod merge_queue;
pub mod messages;
pub mod page;
pub mod place;
pub mod playbooks;
pub mod polecats;
pub mod profile;
pub mod rigs;
pub mod roster;
pub mod run;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
pub mod sling;
pub mod sling_batch;
pub mod source;
pub mod text;
pub mod tool;
pub mod toolset;
pub mod town_check;
pub mod towns;
pub mod triage;
pub mod view;
pub mod wait;

use profile::Profile;
use tool::ToolDef;
use toolset::Toolset::{Admin, Agents, Convoys, Playbooks, Work};

/// The tools of coordinators, in the order in which clients see them; those of Mayors are in `mayor`, those of agents in `agent`.
pub const TOOLS: &[ToolDef] = &[
    ToolDef::of::<towns::ListTowns>(Work),
    ToolDef::of::<towns::GetTownStatus>(Work),
    ToolDef::of::<rigs::ListRigs>(Work),
    ToolDef::of::<beads::ListBeads>(Work),
    ToolDef::of::<bead::GetBead>(Work),
    ToolDef::of::<bead_changes::CreateBead>(Work),
    ToolDef::live::<bead_changes::UpdateBead>(Work),
    ToolDef::live::<bead_changes::StartBead>(Work).on_request(),
    ToolDef::live::<bead_changes::ReassignBead>(Work).on_request(),
    ToolDef::live::<bead_deletion::DeleteBeads>(Work).on_request(),
    ToolDef::of::<bead_events::ListBeadEvents>(Work).on_request(),
    ToolDef::of::<agents::ListAgents>(Agents),
    ToolDef::of::<convoys::ListConvoys>(Convoys),
    ToolDef::of::<convoys::ConvoyStatus>(Convoys),
    ToolDef::of::<feed::TownFeed>(Work),
    ToolDef::live::<wait::WaitFor>(Work),
    ToolDef::of::<sling::Sling>(Work),
    ToolDef::of::<merge_queue::MergeQueue>(Work),
    ToolDef::of::<sling_batch::SlingBatch>(Convoys),
    ToolDef::of::<convoy_changes::CreateConvoy>(Convoys),
    ToolDef::of::<convoy_changes::StartConvoy>(Convoys),
    ToolDef::of::<convoy_changes::UpdateConvoy>(Convoys),
    ToolDef::of::<messages::SendMayorMessage>(Agents),
    ToolDef::of::<mayor_messages::MayorMessages>(Agents).on_request(),
    ToolDef::live::<messages::SendMessage>(Agents),
    ToolDef::of::<mailbox::ListMessages>(Agents),
    ToolDef::of::<playbooks::escalations::Escalations>(Agents),
    ToolDef::of::<escalations::AcknowledgeEscalation>(Agents),
    ToolDef::of::<escalations::Escalate>(Agents).on_request(),
    ToolDef::of::<triage::ResolveTriage>(Agents).on_request(),
    ToolDef::live::<triage::ResetAgent>(Agents).on_request(),
    ToolDef::live::<polecats::RemovePolecat>(Agents),
    ToolDef::of::<roster::AddPolecat>(Agents).on_request(),
    ToolDef::of::<roster::StartMayor>(Agents).on_request(),
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
    ToolDef::live::<convoy_changes::CloseConvoy>(Convoys).on_request(),
    ToolDef::live::<town_check::TownCheck>(Admin).for_admins(),
    // Playbooks of convoys.
    ToolDef::live::<playbooks::unstick::ConvoyUnstick>(Playbooks).on_request(),
    ToolDef::live::<playbooks::partial::ConvoyPartial>(Playbooks).on_request(),
    ToolDef::of::<playbooks::audit::ConvoyAudit>(Playbooks).on_request(),
    ToolDef::of::<playbooks::pool::PoolStatus>(Playbooks).on_request(),
    ToolDef::of::<playbooks::report::AgentReport>(Playbooks).on_request(),
    ToolDef::of::<playbooks::distribution::WorkDistribution>(Playbooks).on_request(),
];

/// Every table of tools that this build serves: the product's three, and in conformance builds the fixture's.
pub const TABLES: &[&[ToolDef]] = &[
    TOOLS,
    mayor::TOOLS,
    agent::TOOLS,
    #[cfg(feature = "conformance")]
    crate::conformance::tools::TOOLS,
];

/// Every tool of this build.
pub fn all() -> impl Iterator<Item = &'static ToolDef> {
    TABLES.iter().copied().flatten()
}

/// The tool that has this name in a profile.
#[must_use]
pub fn find(profile: Profile, name: &str) -> Option<&'static ToolDef> {
    all().find(|tool| tool.name == name && tool.audience.has(profile))
}
