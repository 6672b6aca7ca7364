//! The tools: what clients call.
//!
//! `tool` says what a tool is, `TOOLS` lists them, `schema` makes what clients see of them and `list` shows it, `run` carries a call out,
//! `place` turns names into ids; the others hold one type per tool. A new tool is one type and one row.

pub mod agents;
pub mod beads;
pub mod convoys;
pub mod list;
pub mod live;
pub mod messages;
pub mod page;
pub mod place;
pub mod rigs;
pub mod run;
#[cfg(not(target_arch = "wasm32"))]
pub mod schema;
pub mod sling;
pub mod text;
pub mod tool;
pub mod towns;
pub mod view;

use tool::ToolDef;

/// Every tool, in the order in which clients see them.
pub const TOOLS: &[ToolDef] = &[
    ToolDef::of::<towns::ListTowns>(),
    ToolDef::of::<towns::GetTownStatus>(),
    ToolDef::of::<rigs::ListRigs>(),
    ToolDef::of::<beads::ListBeads>(),
    ToolDef::of::<agents::ListAgents>(),
    ToolDef::of::<convoys::ListConvoys>(),
    ToolDef::of::<convoys::ConvoyStatus>(),
    ToolDef::of::<sling::Sling>(),
    ToolDef::of::<sling::SlingBatch>(),
    ToolDef::of::<messages::SendMayorMessage>(),
];

/// The tool of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static ToolDef> {
    TOOLS.iter().find(|tool| tool.name == name)
}
