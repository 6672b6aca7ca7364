//! The tools of agents: what a polecat or a refinery does with the bead on its hook.
//!
//! Owns their table, and the answer of those that only report. Who calls, and from which rig, comes from the token
//! (`profile::Speaker`): no argument of any of these names the caller. What is reported, and what follows, is the rig's.

pub mod bead;
pub mod molecule;
pub mod prime;
pub mod review;
pub mod talk;
pub mod work;

use super::tool::ToolDef;
use super::toolset::Toolset::Work;
use schemars::JsonSchema;
use serde::Serialize;

/// Every tool of agents, in the order in which clients see them.
pub const TOOLS: &[ToolDef] = &[
    ToolDef::of::<prime::Prime>(Work).for_agents(),
    ToolDef::of::<work::Done>(Work).for_agents(),
    ToolDef::of::<work::Status>(Work).for_agents(),
    ToolDef::of::<work::Checkpoint>(Work).for_agents(),
    ToolDef::of::<talk::MailCheck>(Work).for_agents(),
    ToolDef::live::<talk::MailSend>(Work).for_agents(),
    ToolDef::live::<talk::Nudge>(Work).for_agents(),
    ToolDef::of::<talk::Escalate>(Work).for_agents(),
    ToolDef::of::<bead::BeadStatus>(Work).for_agents(),
    ToolDef::of::<molecule::MolCurrent>(Work).for_agents(),
    ToolDef::of::<molecule::MolAdvance>(Work).for_agents(),
    ToolDef::of::<review::RequestChanges>(Work).for_refineries(),
    ToolDef::of::<review::ReviewComplete>(Work).for_refineries(),
];

/// What was reported has been taken.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reported {
    summary: String,
}

impl Reported {
    fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into() }
    }
}
