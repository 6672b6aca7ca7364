//! The prompts: the table, and one function per row.
//!
//! Owns the list of prompts; their texts are the files beside it. Live values in them (rigs, a convoy, the user's wish) are
//! fenced. A new prompt is one row and one function.

use super::mayor::{self, rig_lines};
use super::prompt::{Argument, Filled, PromptDef, Values};
use crate::resources::Offering;
use crate::tools::coordinator::convoys::ConvoyStatus;
use crate::tools::profile::Profile;
use crate::tools::resolve::rigs_of;
use crate::tools::run::View;
use crate::tools::text::AgentText;
use crate::tools::tool::{Reach, Tool};
use crate::tools::tool_names::sentence;
use crate::tools::toolset::Toolsets;
use futures::future::ready;
use mcp::types::CallError;
use serde_json::json;

const TOWN: Argument = Argument { name: "town", description: "Town: id or unique name.", required: true, values: Values::Towns };

/// Every prompt of the product.
pub const PROMPTS: &[PromptDef] = &[
    PromptDef {
        name: "meta_mayor",
        title: "Coordinate the fleet",
        description: "Makes the conversation a coordinator of all your towns.",
        reach: Reach::Fleet,
        arguments: &[Argument { name: "focus", description: "What to begin with.", required: false, values: Values::Free }],
        get: |_, filled| Box::pin(ready(Ok(meta_mayor(&filled)))),
    },
    PromptDef {
        name: "mayor",
        title: "Run a town",
        description: "Makes the conversation the Mayor of a town, with its rigs and tools as they are now.",
        reach: Reach::Town,
        arguments: &[TOWN],
        get: |at, filled| Box::pin(mayor(at, filled)),
    },
    PromptDef {
        name: "unstick_convoy",
        title: "Unstick a convoy",
        description: "Finds out why a convoy does not move, and what to do about each bead.",
        reach: Reach::Town,
        arguments: &[TOWN, Argument { name: "convoy", description: "Convoy id.", required: true, values: Values::Convoys }],
        get: |at, filled| Box::pin(unstick_convoy(at, filled)),
    },
    PromptDef {
        name: "plan_release",
        title: "Plan a release",
        description: "Turns a goal into convoys for the rigs of a town, to be agreed before anything is given out.",
        reach: Reach::Town,
        arguments: &[TOWN, Argument { name: "goal", description: "What the release should bring.", required: true, values: Values::Free }],
        get: |at, filled| Box::pin(plan_release(at, filled)),
    },
];

/// One message of the user, as JSON text of an array.
#[must_use]
pub fn user_says(text: &str) -> String {
    json!([{"role": "user", "content": {"type": "text", "text": text}}]).to_string()
}

/// The same, on a Mayor's connection under the Mayor's names for tools.
fn says(at: &Offering<'_>, text: &str) -> String {
    if at.profile == Profile::Mayor { user_says(&sentence(text)) } else { user_says(text) }
}

fn meta_mayor(filled: &Filled) -> String {
    let focus = filled.get("focus").map(|focus| format!("\nBegin with: {}\n", AgentText::block(focus).as_str())).unwrap_or_default();
    user_says(&format!(include_str!("meta_mayor.txt"), focus = focus))
}

async fn mayor(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let view = View {
        profile: at.profile,
        read_only: false,
        scope: at.client.principal.scope,
        pinned: at.pinned.is_some(),
        toolsets: Toolsets::DEFAULT,
    };
    Ok(user_says(&mayor::text(at.client, &town, view).await?))
}

async fn unstick_convoy(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let convoy = filled.text("convoy")?;
    let status = at.view(ConvoyStatus::NAME, json!({"town": town, "convoy_id": convoy})).await?;
    Ok(says(at, &format!(include_str!("unstick_convoy.txt"), town = town, status = status)))
}

async fn plan_release(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let rigs = rigs_of(at.client, &town).await?;
    let goal = AgentText::block(filled.text("goal")?);
    Ok(says(at, &format!(include_str!("plan_release.txt"), town = town, rigs = rig_lines(&rigs, at.profile), goal = goal.as_str())))
}
