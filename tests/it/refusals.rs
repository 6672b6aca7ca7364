//! How a refusal reads to each profile: tools and arguments under its reader's names, and nothing of what is meant for code.

use crate::support::Town;
use crate::support::client::Client;
use crate::support::tokens;
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::contract::shapes::Agent;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn refused(client: &Client, tool: &str, arguments: Value) -> Value {
    let result = client.call(tool, &arguments);
    assert_eq!(result["isError"], true, "{tool}: {result}");
    let refusal: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    let fields: Vec<&str> = refusal.as_object().unwrap().keys().map(String::as_str).collect();
    assert!(fields.iter().all(|field| ["code", "message", "hint"].contains(field)), "{refusal}");
    refusal
}

/// An object's hint, which it writes without knowing who reads it.
#[test]
fn a_hint_of_an_object_names_the_tools_of_its_reader() {
    let (town, _) = Town::with_rig();
    let nothing = BeadId::from_random([9; 16]);
    let told = |client: &Client, tool: &str, argument: &str| refused(client, tool, json!({ argument: nothing }))["hint"].clone();
    let mayor = Client::of(&town, &tokens::mayor(&town.fleet, &town.id));
    assert_eq!(told(&mayor, "gt_convoy_start", "convoy_id"), "Call gt_list_convoys to see the convoys of the town.");
    let coordinator = Client::of(&town, &town.owner());
    assert_eq!(told(&coordinator, "start_convoy", "convoy"), "Call list_convoys to see the convoys of the town.");
}

#[test]
fn an_argument_that_names_nothing_is_called_as_its_caller_calls_it() {
    let (town, _) = Town::with_rig();
    let mayor = Client::of(&town, &tokens::mayor(&town.fleet, &town.id));
    let refusal = refused(&mayor, "gt_list_beads", json!({"rig_id": "nowhere"}));
    assert_eq!(refusal["message"], "rig_id: no rig of this town has that id or name");
    let refusal = refused(&mayor, "gt_list_beads", json!({"rig_id": 5}));
    assert_eq!(refusal["message"], "gt_list_beads: rig_id: invalid type: integer `5`, expected a string");
    let coordinator = Client::of(&town, &town.owner());
    let refusal = refused(&coordinator, "list_beads", json!({"rig": "nowhere"}));
    assert_eq!(refusal["message"], "rig: no rig of this town has that id or name");
}

#[test]
fn an_agent_is_not_sent_to_a_tool_that_it_lacks() {
    let (town, rig) = Town::with_rig();
    let refinery: Agent = town.fleet.ask(&rig.at, &rpc::GET_OR_CREATE_AGENT, ("refinery", Value::Null), &town.owner()).unwrap();
    let client = Client::of(&town, &tokens::refinery(&town.fleet, &town.id, &rig.id, &refinery.id));
    let nothing = BeadId::from_random([9; 16]);
    let refusal = refused(&client, "gt_review_complete", json!({"entry_id": nothing, "status": "merged", "commit_sha": "abcdef1"}));
    assert_eq!((&refusal["code"], &refusal["hint"]), (&json!("not_found"), &Value::Null), "{refusal}");
}
