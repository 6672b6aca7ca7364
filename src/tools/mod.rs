//! The tools: what clients call.
//!
//! `tool` says what a tool is, `TOOLS` lists them, `schema` makes what clients see of them and `list` shows it, `run` carries a call out,
//! `toolset` groups them, `place` turns names into ids, `source` says who tells of changes, `live` is for tools that do more than ask once, `confirm` asks before they destroy; the others hold one type per tool. A new tool is one type and one row.

pub mod agents;
mod argument;
pub mod beads;
pub mod confirm;
pub mod convoy_changes;
pub mod convoys;
pub mod list;
pub mod live;
pub mod messages;
pub mod page;
pub mod place;
pub mod polecats;
pub mod rigs;
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
pub mod view;
pub mod wait;

use tool::ToolDef;
use toolset::Toolset::{Admin, Agents, Convoys, Work};

/// Every tool, in the order in which clients see them.
pub const TOOLS: &[ToolDef] = &[
    ToolDef::of::<towns::ListTowns>(Work),
    ToolDef::of::<towns::GetTownStatus>(Work),
    ToolDef::of::<rigs::ListRigs>(Work),
    ToolDef::of::<beads::ListBeads>(Work),
    ToolDef::of::<agents::ListAgents>(Agents),
    ToolDef::of::<convoys::ListConvoys>(Convoys),
    ToolDef::of::<convoys::ConvoyStatus>(Convoys),
    ToolDef::live::<wait::WaitFor>(Work),
    ToolDef::of::<sling::Sling>(Work),
    ToolDef::of::<sling_batch::SlingBatch>(Convoys),
    ToolDef::of::<convoy_changes::CreateConvoy>(Convoys),
    ToolDef::of::<convoy_changes::StartConvoy>(Convoys),
    ToolDef::of::<convoy_changes::UpdateConvoy>(Convoys),
    ToolDef::of::<messages::SendMayorMessage>(Agents),
    ToolDef::live::<polecats::RemovePolecat>(Agents),
    ToolDef::live::<convoy_changes::CloseConvoy>(Convoys).on_request(),
    ToolDef::live::<town_check::TownCheck>(Admin).on_request(),
];

/// Every table of tools that this build serves: the product's, and in conformance builds the fixture's.
pub const TABLES: &[&[ToolDef]] = &[
    TOOLS,
    #[cfg(feature = "conformance")]
    crate::conformance::tools::TOOLS,
];

/// Every tool of this build.
pub fn all() -> impl Iterator<Item = &'static ToolDef> {
    TABLES.iter().copied().flatten()
}

/// The tool of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static ToolDef> {
    all().find(|tool| tool.name == name)
}
