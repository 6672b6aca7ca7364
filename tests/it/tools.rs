//! The tool table: what clients see of it, and the rules that every tool obeys.

use crate::support::edge::{Isolate, Sent};
use crate::support::tokens;
use crate::support::{Fleet, expect};
use base::error::Failure;
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::contract::ids::{AgentId, RigId, TownId};
use gastown_mcp::tools::profile::{Audience, Profile};
use gastown_mcp::tools::run::{View, visible};
use gastown_mcp::tools::tool::{Parsed, Place, Plan, Reach, ToolDef};
use gastown_mcp::tools::toolset::Toolsets;
use gastown_mcp::tools::{TOOLS, ToolTable, agent, list, mayor};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const WIDEST: View = View { profile: Profile::Coordinator, read_only: false, scope: Scope::Admin, pinned: false, toolsets: Toolsets::ALL };

fn described(tool: &ToolDef) -> Value {
    (tool.describe)(tool)
}

/// The tools of coordinators, of Mayors and of agents.
fn every() -> impl Iterator<Item = &'static ToolDef> {
    [TOOLS, mayor::TOOLS, agent::TOOLS].into_iter().flatten()
}

fn listed(view: View, full: bool) -> Vec<Value> {
    serde_json::from_str(&list::text(view, full, ToolTable::EMPTY)).unwrap()
}

#[test]
fn the_list_that_the_worker_carries_is_made_from_the_tools_types() {
    for (folder, profile, table) in
        [("coordinator", Profile::Coordinator, TOOLS), ("mayor", Profile::Mayor, mayor::TOOLS), ("agent", Profile::Polecat, agent::TOOLS)]
    {
        let tools: Vec<Value> = table.iter().map(described).collect();
        let names = || table.iter().map(|tool| tool.name);
        let file = |name: &str| format!("tests/snapshots/tools/{folder}/{name}.json");
        for (name, tool) in names().zip(&tools) {
            expect::file(&file(name), &format!("{tool:#}\n"));
        }
        // Last: a name in the index promises a file.
        expect::file(&file("index"), &format!("{:#}\n", names().collect::<Value>()));
        expect::folder(&format!("tests/snapshots/tools/{folder}"), names().chain(["index"]).map(|name| format!("{name}.json")).collect());
        // Files that were written just now are in the next build.
        if !expect::is_updating() {
            assert_eq!(serde_json::from_str::<Vec<Value>>(list::full(profile)).unwrap(), tools, "{folder}");
        }
    }
}

// S0-34.
#[test]
fn the_tools_are_exactly_these() {
    let names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    assert_eq!(
        names,
        [
            "list_towns",
            "get_town_status",
            "list_rigs",
            "list_beads",
            "get_bead",
            "create_bead",
            "update_bead",
            "start_bead",
            "reassign_bead",
            "delete_beads",
            "list_bead_events",
            "list_agents",
            "list_convoys",
            "convoy_status",
            "town_feed",
            "wait_for",
            "sling",
            "merge_queue",
            "sling_batch",
            "create_convoy",
            "start_convoy",
            "update_convoy",
            "send_mayor_message",
            "mayor_messages",
            "send_message",
            "list_messages",
            "escalations",
            "acknowledge_escalation",
            "escalate",
            "resolve_triage",
            "reset_agent",
            "remove_polecat",
            "add_polecat",
            "start_mayor",
            "create_town",
            "delete_town",
            "create_rig",
            "update_rig",
            "delete_rig",
            "get_config",
            "update_config",
            "set_parked",
            "drain",
            "close_convoy",
            "town_check",
            "convoy_unstick",
            "convoy_partial",
            "convoy_audit",
            "pool_status",
            "agent_report",
            "work_distribution"
        ]
    );
}

// S4-09, S0-34: each profile has its own tools, on list and on call alike.
#[test]
fn the_tools_of_agents_are_exactly_these_and_refineries_have_two_more() {
    let polecat = [
        "gt_prime",
        "gt_done",
        "gt_status",
        "gt_checkpoint",
        "gt_mail_check",
        "gt_mail_send",
        "gt_nudge",
        "gt_escalate",
        "gt_bead_status",
        "gt_mol_current",
        "gt_mol_advance",
    ];
    let names = |profile| -> Vec<String> {
        let view = View { profile, scope: Scope::Write, pinned: true, toolsets: Toolsets::DEFAULT, read_only: false };
        let listed: Vec<Value> = serde_json::from_str(&list::text(view, true, ToolTable::EMPTY)).unwrap();
        assert!(listed.iter().map(|tool| tool["name"].as_str().unwrap()).eq(visible(view).map(|tool| tool.name)));
        assert!(!listed.iter().any(|tool| tool["inputSchema"].to_string().contains("\"town\"")));
        // A choice of toolsets widens nothing.
        assert_eq!(visible(View { toolsets: Toolsets::ALL, ..view }).count(), listed.len());
        listed.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(Profile::Polecat), polecat);
    assert_eq!(names(Profile::Refinery), [&polecat[..], &["gt_request_changes", "gt_review_complete"]].concat());
    assert!(TOOLS.iter().all(|tool| tool.audience == Audience::Coordinators));
    assert!(agent::TOOLS.iter().all(|tool| tool.audience != Audience::Coordinators));
}

// The fixture of the conformance suite is not for deployments.
#[test]
fn the_product_has_its_own_tools_and_no_others() {
    assert!(gastown_mcp::tools::all().map(|tool| tool.name).eq(every().map(|tool| tool.name)));
    assert!(every().all(|tool| !tool.name.starts_with("test_")));
    assert!(!list::full(Profile::Coordinator).contains("\"test_"));
}

#[test]
fn names_and_texts_are_what_clients_can_take() {
    for table in [TOOLS, mayor::TOOLS, agent::TOOLS] {
        assert_eq!(table.iter().map(|tool| tool.name).collect::<BTreeSet<_>>().len(), table.len());
    }
    for tool in every() {
        assert!(tool.name.len() <= 40 && tool.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", tool.name);
        let entry = described(tool);
        let description = entry["description"].as_str().unwrap();
        assert!((40..600).contains(&description.len()), "{}: {description}", tool.name);
        assert!(!description.contains('\n'), "{}", tool.name);
        assert!(!tool.title.is_empty());
    }
}

#[test]
fn every_schema_is_a_plain_object_with_described_arguments() {
    for tool in every() {
        let entry = described(tool);
        for schema in ["inputSchema", "outputSchema"] {
            let root = &entry[schema];
            assert_eq!(root["type"], "object", "{} {schema}", tool.name);
            for combinator in ["oneOf", "anyOf", "allOf", "if", "$ref", "$defs", "not"] {
                assert!(!root.to_string().contains(&format!("\"{combinator}\":")), "{} {schema} has {combinator}", tool.name);
            }
        }
        assert_eq!(entry["inputSchema"]["additionalProperties"], false, "{}", tool.name);
        for (name, property) in entry["inputSchema"]["properties"].as_object().unwrap() {
            // The Mayor's prompt explains its keys.
            let explains_itself = name == "idempotency_key" && tool.audience == Audience::Mayors;
            let described = property["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(described || explains_itself, "{}.{name} has no description", tool.name);
        }
        let hints = entry["annotations"].as_object().unwrap();
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(hints[hint].is_boolean(), "{} {hint}", tool.name);
        }
    }
}

// Truth rule 5: every tool that changes something takes an idempotency key.
#[test]
fn tools_that_change_something_and_no_others_take_an_idempotency_key() {
    for tool in every() {
        let takes_key = described(tool)["inputSchema"]["properties"].get("idempotency_key").is_some();
        assert_eq!(takes_key, !tool.hints.read_only, "{}", tool.name);
    }
}

// S0-22, S0-23: one tool set; on a town's URL the town is gone from the schema.
#[test]
fn a_town_connection_shows_the_same_tools_without_town() {
    let fleet = listed(WIDEST, true);
    let pinned = listed(View { pinned: true, ..WIDEST }, true);
    assert_eq!(fleet.len(), TOOLS.len());
    assert_eq!(pinned.len(), TOOLS.len());
    for ((tool, fleet), pinned) in TOOLS.iter().zip(&fleet).zip(&pinned) {
        assert_eq!(fleet["inputSchema"]["properties"].get("town").is_some(), tool.reach == Reach::Town, "{}", tool.name);
        let requires_town = fleet["inputSchema"]["required"].as_array().is_some_and(|required| required.contains(&json!("town")));
        assert_eq!(requires_town, tool.reach == Reach::Town, "{}", tool.name);
        assert!(!pinned["inputSchema"].to_string().contains("\"town\""), "{}", tool.name);
        assert_eq!(fleet["outputSchema"], pinned["outputSchema"]);
    }
}

#[test]
fn read_only_connections_and_tokens_show_only_tools_that_look() {
    let looking: Vec<&str> = TOOLS.iter().filter(|tool| tool.hints.read_only).map(|tool| tool.name).collect();
    for view in [View { read_only: true, ..WIDEST }, View { scope: Scope::Read, ..WIDEST }] {
        let names: Vec<String> = listed(view, true).iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, looking);
        assert!(visible(view).all(|tool| tool.hints.read_only));
    }
    let for_admins = TOOLS.iter().filter(|tool| tool.is_for_admins).count();
    assert_eq!(visible(View { scope: Scope::Write, ..WIDEST }).count(), TOOLS.len() - for_admins);
    assert_eq!(visible(WIDEST).count(), TOOLS.len());
}

#[test]
fn revisions_without_titles_and_output_schemas_get_none() {
    for tool in listed(WIDEST, false) {
        assert!(tool.get("title").is_none() && tool.get("outputSchema").is_none(), "{}", tool["name"]);
        assert!(tool.get("inputSchema").is_some());
    }
}

#[test]
fn every_example_parses_and_plans_and_has_only_known_arguments() {
    let place = Place {
        town: Some(TownId::from_random([1; 16])),
        rig: Some(RigId::from_random([2; 16])),
        agent: Some(AgentId::from_random([3; 16])),
    };
    for tool in every() {
        let mut example: serde_json::Map<String, Value> = serde_json::from_str(tool.example).unwrap();
        let schema = described(tool);
        for name in example.keys() {
            assert!(schema["inputSchema"]["properties"].get(name).is_some(), "{}: {name}", tool.name);
        }
        example.remove("idempotency_key");
        let prepared = tool.parse(example).unwrap_or_else(|refusal| panic!("{}: {}", tool.name, refusal.message));
        let Parsed::Planned(prepared) = prepared else { continue };
        let methods = match prepared.plan(&place) {
            Ok(Plan::One(call)) => vec![call.method],
            Ok(Plan::EachRig { method, .. } | Plan::EachRegistry { method, .. }) => vec![method],
            Err(Failure::Refused(refusal)) => panic!("{}: {}", tool.name, refusal.message),
            Err(Failure::Broke(fault)) => panic!("{}: {}", tool.name, fault.log_text()),
        };
        for method in methods {
            assert_eq!(method.is_read(), tool.hints.read_only, "{} plans {}", tool.name, method.name);
            assert_eq!(method.access.scope(), tool.scope(), "{} plans {}", tool.name, method.name);
        }
    }
}

#[test]
fn an_unknown_argument_and_a_wrong_type_are_refused_by_name() {
    for tool in every() {
        let mut arguments: serde_json::Map<String, Value> = serde_json::from_str(tool.example).unwrap();
        arguments.remove("idempotency_key");
        arguments.insert("surprise".to_owned(), json!(1));
        let Err(refusal) = tool.parse(arguments) else { panic!("{} takes anything", tool.name) };
        assert!(refusal.message.contains("surprise"), "{}: {}", tool.name, refusal.message);
    }
    let sling = gastown_mcp::tools::find(Profile::Coordinator, "sling").unwrap();
    let wrong = json!({"rig": "api", "title": 5}).as_object().unwrap().clone();
    let Err(refusal) = (sling.prepare)(wrong) else { panic!("a number is no title") };
    assert!(refusal.message.contains("title: invalid type: integer `5`, expected a string"), "{}", refusal.message);
    let wrong = json!({"rig": "api", "title": "x", "priority": "urgent"}).as_object().unwrap().clone();
    let Err(refusal) = (sling.prepare)(wrong) else { panic!("urgent is no priority") };
    assert!(refusal.message.contains("`P3`, `low`, `P2`, `medium`, `P1`, `high`, `critical`"), "{}", refusal.message);
}

#[test]
fn the_document_on_tools_lists_them() {
    let row = |tool: &ToolDef| {
        let entry = described(tool);
        let first = entry["description"].as_str().unwrap().split(". ").next().unwrap().trim_end_matches('.').to_owned();
        let kind = if tool.hints.read_only { "" } else { " *(changes)*" };
        format!("| `{}` | {} | {first}.{kind} |", tool.name, tool.toolset.as_str())
    };
    let table = |by_default: bool| {
        let rows = TOOLS.iter().filter(|tool| tool.by_default == by_default).map(row);
        ["| tool | toolset | what it does |".to_owned(), "|---|---|---|".to_owned()].into_iter().chain(rows).collect::<Vec<_>>()
    };
    let mut rows = table(true);
    if TOOLS.iter().any(|tool| !tool.by_default) {
        rows.extend(["", "Shown only to connections that ask for their toolset:", ""].map(str::to_owned));
        rows.extend(table(false));
    }
    expect::section("docs/tools.md", "tools", &format!("{}\n", rows.join("\n")));
}

#[test]
fn a_caller_that_calls_too_often_is_refused_with_the_time_to_wait() {
    let at = Isolate::with(&Fleet::new(), &[("CALLS_PER_MINUTE", "2")]);
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let call = |user: &str| {
        let params = json!({"name": "list_towns", "_meta": meta});
        let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", "list_towns")];
        let sent = Sent::new("POST", "/mcp").bearer(&tokens::user(&at.fleet, user).jwt).with_all(headers);
        at.ask(sent.json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}))).1["result"].clone()
    };
    assert!(call("ada")["structuredContent"].is_object() && call("ada")["structuredContent"].is_object());
    let refused = call("ada");
    assert_eq!(refused["isError"], true);
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("2 a minute are allowed"), "{refused}");
    assert!(call("bob")["structuredContent"].is_object());
    at.fleet.advance(60_000);
    assert!(call("ada")["structuredContent"].is_object());
}
