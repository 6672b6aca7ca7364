//! `docs/mayor.md`, the guide to a town's own Mayor: its table of tools and its session, which is recorded here.

use crate::support::client::Client;
use crate::support::expect::{number_ids, section};
use crate::support::{Town, tokens};
use gastown_mcp::tools::mayor;
use gastown_mcp::tools::tool::ToolDef;
use serde_json::{Value, json};
use std::fmt::Write as _;

const GUIDE: &str = "docs/mayor.md";
const MINUTE_MILLIS: i64 = 60_000;

#[test]
fn the_guide_lists_the_mayors_tools() {
    let row = |tool: &ToolDef| {
        let entry = (tool.describe)(tool);
        let first = entry["description"].as_str().unwrap().split(". ").next().unwrap().trim_end_matches('.').to_owned();
        let kind = if tool.hints.read_only { "" } else { " *(changes)*" };
        let arguments: Vec<String> = entry["inputSchema"]["properties"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| !["town", "idempotency_key"].contains(&name.as_str()))
            .map(|name| format!("`{name}`"))
            .collect();
        format!("| `{}` | {} | {} | {first}.{kind} |\n", tool.name, tool.toolset.as_str(), arguments.join(", "))
    };
    let table = |by_default: bool| {
        let rows: String = mayor::TOOLS.iter().filter(|tool| tool.by_default == by_default).map(row).collect();
        format!("| tool | toolset | arguments | what it does |\n|---|---|---|---|\n{rows}")
    };
    let shown = format!("{}\nShown only to connections that ask for their toolset (`?toolsets=all`):\n\n{}", table(true), table(false));
    section(GUIDE, "tools", &shown);
}

/// What was said and answered, as the guide shows it.
struct Recording {
    text: String,
    ids: Vec<String>,
}

impl Recording {
    fn told(&mut self, what: &str) {
        _ = write!(self.text, "\n{what}\n");
    }

    /// Calls a tool, and writes down the call and its answer.
    fn call(&mut self, who: &str, client: &Client, tool: &str, arguments: &Value) -> Value {
        let result = client.call(tool, arguments);
        let answer = result["structuredContent"].clone();
        assert!(answer.is_object(), "{tool}: {result}");
        let shown = format!("// {who}: {tool}\n{}\n// answer\n{}", fields(arguments), fields(&answer));
        let shown = number_ids(&shown, &mut self.ids, |number| format!("00000000-0000-4000-8000-{number:012}"));
        _ = write!(self.text, "\n```jsonc\n{shown}\n```\n");
        answer
    }
}

/// An object, a field a line.
fn fields(object: &Value) -> String {
    let lines: Vec<String> = object.as_object().unwrap().iter().map(|(name, value)| format!("  \"{name}\": {value}")).collect();
    if lines.is_empty() { "{}".to_owned() } else { format!("{{\n{}\n}}", lines.join(",\n")) }
}

// S1-11, S1-22, S2-25.
#[test]
fn the_guides_session_is_what_the_tools_answer() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let owner = Client::of(&town, &town.owner()).with("x-mcp-toolsets", "all");
    let mayor = Client::of(&town, &tokens::mayor(&town.fleet, &town.id));
    let mut session = Recording { text: String::new(), ids: Vec::new() };

    session.told("A coordinator asks for something.");
    let request = json!({"message": "Please add a health check to the web app, with tests, and tell me how you split it."});
    let sent = session.call("coordinator", &owner, "send_mayor_message", &request);
    session.told("The Mayor starts, and finds the message.");
    let primed = session.call("Mayor", &mayor, "gt_prime", &json!({}));
    assert_eq!(primed["messages"][0]["message_id"], sent["message_id"]);
    session.told("It plans two tasks, the second after the first. The convoy is staged, so nothing runs yet.");
    let plan = json!({
        "rig_id": primed["rigs"][0]["name"],
        "convoy_title": "Health check",
        "tasks": [
            {"title": "Add GET /health", "body": "Answers 200 with the version. Touch nothing else.", "quality": "shiny"},
            {"title": "Test GET /health", "body": "Cover 200 and an unknown method.", "depends_on": [0]},
        ],
    });
    let convoy = session.call("Mayor", &mayor, "gt_sling_batch", &plan);
    assert_eq!(convoy["staged"], true);
    session.told("It reports the plan, and starts the convoy.");
    let reply = json!({"message_id": sent["message_id"], "body": "Two tasks: the endpoint, then its tests. I start them now."});
    session.call("Mayor", &mayor, "gt_reply", &reply);
    session.call("Mayor", &mayor, "gt_convoy_start", &json!({"convoy_id": convoy["convoy_id"]}));
    session.told("The coordinator reads the answer.");
    let answered = session.call("coordinator", &owner, "mayor_messages", &json!({}));
    assert_eq!(answered["messages"][0]["status"], "answered");

    session.told("Half an hour later the polecat is still silent. The first call only diagnoses; the second takes the step that the first one named.");
    town.fleet.advance(31 * MINUTE_MILLIS);
    town.fleet.settle();
    let stuck = json!({"convoy_id": convoy["convoy_id"]});
    session.call("Mayor", &mayor, "gt_convoy_unstick", &stuck);
    let nudged = session.call("Mayor", &mayor, "gt_convoy_unstick", &json!({"convoy_id": convoy["convoy_id"], "dry_run": false}));
    assert!(nudged["did"].to_string().contains("nudge"), "{nudged}");
    let hook = town.agents(&rig).into_iter().find(|agent| agent.current_hook_bead_id.is_some());
    assert!(hook.is_some(), "the bead stays where it is until the nudge was given time");
    section(GUIDE, "session", &format!("{}\n", session.text));
}
