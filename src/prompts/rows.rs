//! The prompts: the table, and one function per row.
//!
//! Owns which prompts there are; the texts are the files beside it. What is put into them live (rigs, a convoy, what the
//! user wants) is fenced. A new prompt is one row and one function.

use super::{Argument, Filled, PromptDef};
use crate::completion::Values;
use crate::offer::CallError;
use crate::resources::Offering;
use crate::rpc::model::RigRecord;
use crate::tools::convoys::ConvoyStatus;
use crate::tools::list;
use crate::tools::place::rigs_of;
use crate::tools::profile::Profile;
use crate::tools::run::View;
use crate::tools::text::AgentText;
use crate::tools::tool::{Reach, Tool};
use crate::tools::toolset::Toolsets;
use futures::future::{ready, try_join};
use serde_json::{Value, json};

/// Room for the rigs in a prompt, in characters; whoever wants to see more of them calls the tool.
const RIGS_CHARS_MAX: usize = 1_500;
/// Arguments that go without saying.
const COMMON_ARGUMENTS: [&str; 3] = ["cursor", "limit", "idempotency_key"];

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

fn meta_mayor(filled: &Filled) -> String {
    let focus = filled.get("focus").map(|focus| format!("\nBegin with: {}\n", AgentText::block(focus).as_str())).unwrap_or_default();
    user_says(&format!(include_str!("meta_mayor.txt"), focus = focus))
}

async fn mayor(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let (name, rigs) = try_join(at.town_name(&town), rigs_of(at.client, &town)).await?;
    let text = format!(
        include_str!("mayor.txt"),
        name = AgentText::line(&name).as_str(),
        town = town,
        rigs = rig_lines(&rigs),
        tools = tool_lines(View {
            profile: Profile::Coordinator,
            read_only: false,
            scope: at.client.principal.scope,
            pinned: at.pinned.is_some(),
            toolsets: Toolsets::DEFAULT
        })
    );
    Ok(user_says(&text))
}

async fn unstick_convoy(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let convoy = filled.text("convoy")?;
    let status = at.view(ConvoyStatus::NAME, json!({"town": town, "convoy_id": convoy})).await?;
    Ok(user_says(&format!(include_str!("unstick_convoy.txt"), town = town, status = status)))
}

async fn plan_release(at: &Offering<'_>, filled: Filled) -> Result<String, CallError> {
    let town = filled.town(at).await?;
    let rigs = rigs_of(at.client, &town).await?;
    let goal = AgentText::block(filled.text("goal")?);
    Ok(user_says(&format!(include_str!("plan_release.txt"), town = town, rigs = rig_lines(&rigs), goal = goal.as_str())))
}

/// The rigs, one a line, as many as there is room for.
fn rig_lines(rigs: &[RigRecord]) -> String {
    if rigs.is_empty() {
        return "- none yet: somebody must add one first".to_owned();
    }
    let mut lines = String::new();
    for (shown, rig) in rigs.iter().enumerate() {
        let texts = [&rig.name, &rig.git_url, &rig.default_branch].map(|text| AgentText::line(text));
        let [name, url, branch] = texts.each_ref().map(AgentText::as_str);
        let line = format!("- {name}: {url}, branch {branch}\n");
        if lines.chars().count() + line.chars().count() > RIGS_CHARS_MAX {
            lines.extend(["- and ", &(rigs.len() - shown).to_string(), " more: call list_rigs"]);
            break;
        }
        lines.push_str(&line);
    }
    lines.trim_end().to_owned()
}

/// The tools, one a line: arguments with `?` where they may be left out, and what it does. Schemas are in `tools/list`.
fn tool_lines(view: View) -> String {
    let tools: Vec<Value> = serde_json::from_str(&list::text(view, true)).unwrap_or_default();
    let line = |tool: &Value| -> Option<String> {
        let schema = tool.get("inputSchema")?;
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|known| known == name));
        let names = schema.get("properties")?.as_object()?.keys().filter(|name| !COMMON_ARGUMENTS.contains(&name.as_str()));
        let (mut arguments, optional): (Vec<String>, Vec<String>) = names.cloned().partition(|name| is_required(name));
        arguments.extend(optional.into_iter().map(|name| format!("{name}?")));
        let (name, description) = (tool.get("name")?.as_str()?, tool.get("description")?.as_str()?);
        let purpose = description.split(". ").next()?.trim_end_matches('.');
        Some(format!("- {name}({}): {purpose}.", arguments.join(", ")))
    };
    tools.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}
