//! The prompts: the table, and one function per row.
//!
//! Owns the list of prompts; their texts are the files beside it. Live values in them (rigs, a convoy, the user's wish) are
//! fenced. A new prompt is one row and one function.

use super::mayor::{self, fill, rig_lines};
use super::prompt::{Argument, Filled, PromptDef, Values};
use crate::resources::Offering;
use crate::tools::coordinator::convoys::ConvoyStatus;
use crate::tools::names;
use crate::tools::names::Names;
use crate::tools::profile::Profile;
use crate::tools::resolve::rigs_of;
use crate::tools::run::View;
use crate::tools::text::AgentText;
use crate::tools::tool::{Reach, Tool};
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

/// The same from a template: tools under the reader's names, then values in their places.
fn says(names: Names, template: &str, places: &[(&str, String)]) -> String {
    user_says(&fill(&names.text(template), places))
}

fn meta_mayor(filled: &Filled) -> String {
    let focus = filled.get("focus").map(|focus| format!("\nBegin with: {}\n", AgentText::block(focus).as_str())).unwrap_or_default();
    says(names(Profile::Coordinator, false), include_str!("meta_mayor.txt"), &[("{focus}", focus)])
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
    let places = [("{town}", town.to_string()), ("{status}", status)];
    Ok(says(at.names(), include_str!("unstick_convoy.txt"), &places))
}

async fn plan_release(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let rigs = rigs_of(at.client, &town).await?;
    let goal = AgentText::block(filled.text("goal")?);
    let names = at.names();
    let places = [("{town}", town.to_string()), ("{rigs}", rig_lines(&rigs, names)), ("{goal}", goal.as_str().to_owned())];
    Ok(says(names, include_str!("plan_release.txt"), &places))
}
