//! The Mayor's connection to MCP: its tools under its own names, and nobody else's.

use crate::support::client::Client;
use crate::support::{Town, tokens};
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::rpc::table::METHODS;
use gastown_mcp::tools::alias::Fit;
use gastown_mcp::tools::mayor;
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::tools::run::{View, visible};
use gastown_mcp::tools::toolset::Toolsets;
use gastown_mcp::tools::{TOOLS, find};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Gastown contract 6: the Mayor's plugin, without what only towns with a wasteland, a GitHub account or babysitting have.
const CORE: &[(&str, &[&str])] = &[
    ("gt_sling", &["rig_id", "title", "body", "metadata", "labels"]),
    ("gt_sling_batch", &["rig_id", "convoy_title", "tasks", "merge_mode", "parallel", "staged", "metadata"]),
    ("gt_list_rigs", &[]),
    ("gt_list_beads", &["rig_id", "status", "type"]),
    ("gt_list_agents", &["rig_id"]),
    ("gt_list_convoys", &[]),
    ("gt_convoy_status", &["convoy_id"]),
    ("gt_convoy_start", &["convoy_id"]),
    ("gt_convoy_close", &["convoy_id"]),
    ("gt_convoy_update", &["convoy_id", "merge_mode", "feature_branch"]),
    ("gt_convoy_add_bead", &["convoy_id", "bead_id", "depends_on"]),
    ("gt_convoy_remove_bead", &["convoy_id", "bead_id"]),
    ("gt_mail_send", &["rig_id", "to_agent_id", "subject", "body"]),
    ("gt_nudge", &["rig_id", "target_agent_id", "message", "mode"]),
    ("gt_bead_update", &["rig_id", "bead_id", "title", "body", "status", "priority", "labels", "depends_on"]),
    ("gt_bead_reassign", &["rig_id", "bead_id", "agent_id"]),
    ("gt_bead_delete", &["rig_id", "bead_id"]),
    ("gt_agent_reset", &["rig_id", "agent_id"]),
    ("gt_escalation_acknowledge", &["escalation_id"]),
    ("gt_ui_action", &["action_json"]),
];

/// What a list may show without being asked for more.
const DEFAULT_MAX: usize = 25;

fn view(profile: Profile, toolsets: Toolsets) -> View {
    View { profile, read_only: false, scope: Scope::Write, pinned: true, toolsets }
}

fn properties(tool: &gastown_mcp::tools::tool::ToolDef) -> BTreeSet<String> {
    gastown_mcp::tools::describe(tool)["inputSchema"]["properties"].as_object().unwrap().keys().cloned().collect()
}

/// The Mayor's connection, with every tool.
fn at_mayor(town: &Town) -> Client {
    Client::of(town, &tokens::mayor(&town.fleet, &town.id)).with("x-mcp-toolsets", "all")
}

/// What a tool answers.
fn answer(client: &Client, tool: &str, arguments: Value) -> Value {
    let result = client.call(tool, &arguments);
    assert!(result["structuredContent"].is_object(), "{tool}: {result}");
    result["structuredContent"].clone()
}

/// How a tool refuses.
fn refused(client: &Client, tool: &str, arguments: Value) -> String {
    let result = client.call(tool, &arguments);
    assert_eq!(result["isError"], true, "{tool}: {result}");
    result["content"][0]["text"].as_str().unwrap().to_owned()
}

// S1-01 to S1-07.
#[test]
fn every_tool_of_the_plugin_is_there_with_its_arguments() {
    for (name, arguments) in CORE {
        let tool = find(Profile::Mayor, name).unwrap_or_else(|| panic!("no {name}"));
        let offered = properties(tool);
        for argument in *arguments {
            assert!(offered.contains(*argument), "{name} does not take {argument}");
        }
    }
    // What towns cannot do is not offered: the table of methods says so.
    for (method, tools) in [
        ("slingExistingPr", &["gt_babysit_pr"][..]),
        ("getWastelandConnection", &["gt_wasteland_browse", "gt_wasteland_claim", "gt_wasteland_post", "gt_wasteland_done"]),
    ] {
        assert!(METHODS.iter().any(|row| row.name == method && row.is_unsupported), "{method}");
        assert!(tools.iter().all(|name| find(Profile::Mayor, name).is_none()), "{tools:?}");
    }
    let delete = find(Profile::Mayor, "gt_bead_delete").unwrap().alias.unwrap();
    assert!(delete.arguments.iter().any(|argument| argument.name == "bead_id" && argument.fit == Fit::List));
}

// S1-08.
#[test]
fn the_mayors_names_are_the_mayors_alone() {
    let all = |profile| visible(view(profile, Toolsets::ALL)).map(|tool| tool.name).collect::<BTreeSet<_>>();
    let (mayors, coordinators) = (all(Profile::Mayor), all(Profile::Coordinator));
    assert_eq!(mayors.len(), mayor::TOOLS.len());
    assert!(mayors.iter().all(|name| name.starts_with("gt_")));
    assert!(coordinators.iter().all(|name| !name.starts_with("gt_")));
    let default = visible(view(Profile::Mayor, Toolsets::DEFAULT)).count();
    assert!(default <= DEFAULT_MAX, "{default} tools");
    // The same code underneath: a row is a tool of coordinators, or the Mayor's desk.
    for row in mayor::TOOLS {
        match row.alias {
            Some(alias) => {
                let behind = TOOLS.iter().find(|tool| tool.name == alias.behind).unwrap();
                assert_eq!((row.hints, row.reach), (behind.hints, behind.reach), "{}", row.name);
                let own = properties(behind);
                for argument in alias.arguments {
                    assert!(own.contains(argument.behind), "{}: {} has no {}", row.name, alias.behind, argument.behind);
                }
                assert!(alias.fixed.iter().all(|(name, text)| own.contains(*name) && serde_json::from_str::<Value>(text).is_ok()));
            }
            None => assert!(TOOLS.iter().all(|tool| tool.name != row.name), "{}", row.name),
        }
    }
    let (town, _) = Town::with_rig();
    for (client, foreign) in [(at_mayor(&town), "list_rigs"), (Client::of(&town, &town.owner()), "gt_list_rigs")] {
        let answer = client.request("tools/call", json!({"name": foreign, "arguments": {}}));
        assert_eq!(answer["error"]["code"], -32_602, "{foreign}: {answer}");
    }
}

// S1-11, S1-22, S1-24.
#[test]
fn a_mayor_slings_and_hears_in_its_own_words() {
    let (town, rig) = Town::with_rig();
    let client = at_mayor(&town);
    let slung = answer(&client, "gt_sling", json!({"rig_id": rig.id, "title": "Add a health check", "labels": ["api"]}));
    assert_eq!(slung["agent"]["name"], "Toast");
    let said = refused(&client, "gt_sling", json!({"rig_id": "nowhere", "title": "x"}));
    assert!(said.contains(r#""message":"rig_id: no rig"#), "{said}");
    let said = refused(&client, "gt_sling", json!({"rig_id": rig.id}));
    assert!(said.contains("gt_sling: missing field `title`"), "{said}");
    let said = refused(&client, "gt_sling", json!({"rig": rig.id, "title": "x"}));
    assert!(said.contains("gt_sling: unknown field `rig`"), "{said}");
    let two = json!({"rig_id": rig.id, "convoy_title": "Health", "tasks": [{"title": "a"}, {"title": "b"}]});
    let said = refused(&client, "gt_sling_batch", two.clone());
    assert!(said.contains("parallel"), "{said}");
    let mut parallel = two;
    parallel["parallel"] = json!(true);
    let convoy = answer(&client, "gt_sling_batch", parallel);
    assert_eq!(convoy["staged"], true);
    let next = convoy["summary"].as_str().unwrap().to_owned() + &convoy.to_string();
    assert!(!next.contains("start_convoy"), "{next}");
    let started = answer(&client, "gt_convoy_start", json!({"convoy_id": convoy["convoy_id"]}));
    assert_eq!(started["convoy"]["phase"], "running");
}

#[test]
fn one_call_adds_a_bead_to_a_convoy_and_takes_it_out_again() {
    let (town, rig) = Town::with_rig();
    let client = at_mayor(&town);
    let bead = answer(&client, "gt_bead_create", json!({"rig_id": rig.id, "title": "t", "held": true}))["bead"]["id"].clone();
    let convoy = answer(&client, "gt_convoy_create", json!({"name": "Batch"}))["convoy"]["id"].clone();
    let beads = || answer(&client, "gt_convoy_status", json!({"convoy_id": convoy}))["beads"].as_array().map_or(0, Vec::len);
    answer(&client, "gt_convoy_add_bead", json!({"convoy_id": convoy, "bead_id": bead}));
    assert_eq!(beads(), 1);
    answer(&client, "gt_convoy_remove_bead", json!({"convoy_id": convoy, "bead_id": bead}));
    assert_eq!(beads(), 0);
    let said = refused(&client, "gt_convoy_add_bead", json!({"convoy_id": convoy}));
    assert!(said.contains("missing field `bead_id`"), "{said}");
}

#[test]
fn a_nudge_is_seen_as_pending_and_mail_is_not() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "t");
    let client = at_mayor(&town);
    answer(&client, "gt_mail_send", json!({"rig_id": rig.id, "to_agent_id": "Toast", "subject": "s", "body": "mail"}));
    answer(&client, "gt_nudge", json!({"rig_id": rig.id, "target_agent_id": "Toast", "message": "Progress check: are you blocked?"}));
    let agent = town.agents(&rig)[0].id.clone();
    let pending = answer(&client, "gt_pending_nudges", json!({"rig_id": rig.id, "agent_id": agent}));
    let texts: Vec<&str> = pending["messages"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["«Progress check: are you blocked?»"]);
}
