//! The Mayor's texts: the system prompt, and the opening text of its connection, from one template.
//!
//! Owns the choice of lines, and the live values in them. A line of the template begins with `+` when it is not part of the opening
//! text, with `*` when only the Mayor's own connection has it, and with `~` when only others do. Tools stand in it under the names of
//! coordinators; a Mayor reads its own.

use crate::auth::principal::Scope;
use crate::contract::ids::TownId;
use crate::contract::shapes::{RigRecord, TownConfig, TownIdentityState};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::Client;
use crate::rpc::table::{GET_IDENTITY_STATE, GET_TOWN_CONFIG, LIST_RIGS};
use crate::tools::ToolTable;
use crate::tools::list;
use crate::tools::profile::Profile;
use crate::tools::run::View;
use crate::tools::text::AgentText;
use crate::tools::tool_names::sentence;
use crate::tools::toolset::Toolsets;
use base::error::Failure;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::LazyLock;

const TEMPLATE: &str = include_str!("mayor.txt");
/// Room for the rigs, in characters; the tool lists all.
const RIGS_CHARS_MAX: usize = 1_500;
/// Room for the owner's custom instructions, in characters (Gastown contract 7).
const CUSTOM_CHARS_MAX: usize = 2_000;
/// Arguments that go without saying.
const COMMON_ARGUMENTS: [&str; 5] = ["cursor", "limit", "idempotency_key", "confirm", "confirm_token"];

/// The opening text of a Mayor's connection.
#[must_use]
pub fn instructions() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| sentence(&lines(true, false)).replace("{town}", "this town").replace("{pool}", ""));
    &TEXT
}

/// The whole prompt for a town, as it is now.
///
/// # Errors
/// The refusal or fault of the town.
pub async fn text(client: &Client<'_>, town: &TownId, view: View) -> Result<String, Failure> {
    let at = || Instance::Town(town.clone());
    let calls = [Call::new(at(), &GET_IDENTITY_STATE, ())?, Call::new(at(), &LIST_RIGS, ())?, Call::new(at(), &GET_TOWN_CONFIG, ())?];
    let mut answers = client.call_each(&calls, Some(town)).await.into_iter();
    let mut next = || answers.next().unwrap_or_else(|| Ok("null".to_owned()));
    let state: TownIdentityState = decode(&GET_IDENTITY_STATE, &next()?)?;
    let rigs: Vec<RigRecord> = decode(&LIST_RIGS, &next()?)?;
    let config: TownConfig = decode(&GET_TOWN_CONFIG, &next()?)?;
    let name = state.identity().and_then(|identity| identity.town_name).unwrap_or_default();
    let is_mayors = view.profile == Profile::Mayor;
    let pool = if is_mayors { ": pool_status says how many and how long" } else { ": get_town_status says how many" };
    let mut whole = lines(is_mayors, true).replace("{pool}", pool);
    if is_mayors {
        whole = sentence(&whole);
    }
    // Live values are put in last, so that no text in them is taken for a placeholder.
    let places = [
        ("{town}", format!("the Gastown town {} ({town})", AgentText::line(&name).as_str())),
        ("{rigs}", rig_lines(&rigs, view.profile)),
        ("{tools}", tool_lines(view)),
        ("{custom}", custom(&config)),
    ];
    Ok(fill(&whole, &places))
}

/// The view of a Mayor without an MCP connection of its own.
#[must_use]
pub const fn view(scope: Scope) -> View {
    View { profile: Profile::Mayor, read_only: false, scope, pinned: true, toolsets: Toolsets::DEFAULT }
}

/// The lines of the template that this reader has.
fn lines(is_mayors: bool, is_whole: bool) -> String {
    let mut text = String::new();
    for line in TEMPLATE.lines() {
        let (mark, rest) = match line.split_once(' ') {
            Some((mark @ ("+" | "*" | "~"), rest)) => (mark, rest),
            _ => ("", line),
        };
        let is_shown = match mark {
            "+" => is_whole,
            "*" => is_mayors,
            "~" => !is_mayors,
            _ => true,
        };
        if is_shown {
            text.push_str(rest);
            text.push('\n');
        }
    }
    text
}

fn fill(template: &str, places: &[(&str, String)]) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((at, (place, value))) =
        places.iter().filter_map(|entry| rest.find(entry.0).map(|at| (at, entry))).min_by_key(|(at, _)| *at)
    {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        text.push_str(value);
        rest = after.strip_prefix(place).unwrap_or_default();
    }
    text + rest
}

/// The rigs, one a line, as many as there is room for.
#[must_use]
pub fn rig_lines(rigs: &[RigRecord], profile: Profile) -> String {
    if rigs.is_empty() {
        return "- none yet: somebody must add one first; tell the human".to_owned();
    }
    let mut lines = String::new();
    for (shown, rig) in rigs.iter().enumerate() {
        let [name, url, branch] = [&rig.name, &rig.git_url, &rig.default_branch].map(|text| AgentText::line(text));
        let mut line = format!("- {}: {}, branch {}", name.as_str(), url.as_str(), branch.as_str());
        if let Some(purpose) = rig.config.get("purpose").and_then(Value::as_str) {
            _ = write!(line, ", for {}", AgentText::line(purpose).as_str());
        }
        line.push('\n');
        if lines.chars().count() + line.chars().count() > RIGS_CHARS_MAX {
            let list = if profile == Profile::Mayor { "gt_list_rigs" } else { "list_rigs" };
            _ = write!(lines, "- and {} more: call {list}", rigs.len() - shown);
            break;
        }
        lines.push_str(&line);
    }
    lines.trim_end().to_owned()
}

/// The tools, one a line: arguments with `?` where they may be left out, and its purpose. Schemas are in `tools/list`.
fn tool_lines(view: View) -> String {
    let tools: Vec<Value> = serde_json::from_str(&list::text(view, true, ToolTable::EMPTY)).unwrap_or_default();
    let line = |tool: &Value| -> Option<String> {
        let schema = tool.get("inputSchema")?;
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|required| required.iter().any(|known| known == name));
        let names = schema.get("properties")?.as_object()?.keys().filter(|name| !COMMON_ARGUMENTS.contains(&name.as_str()));
        let (mut arguments, optional): (Vec<String>, Vec<String>) = names.cloned().partition(|name| is_required(name));
        arguments.extend(optional.into_iter().map(|name| format!("{name}?")));
        let (name, description) = (tool.get("name")?.as_str()?, tool.get("description")?.as_str()?);
        let purpose = description.split(['.', ';', ':']).next()?;
        Some(format!("- {name}({}): {purpose}.", arguments.join(", ")))
    };
    tools.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// The owner's custom instructions. They are instructions, not data: only administrators of the town can set them.
fn custom(config: &TownConfig) -> String {
    let text = config.get("custom_instructions").and_then(|instructions| instructions.get("mayor")).and_then(Value::as_str);
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => format!("\nCustom Instructions\n{}\n", text.chars().take(CUSTOM_CHARS_MAX).collect::<String>()),
        None => String::new(),
    }
}
