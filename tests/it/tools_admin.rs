//! Tools that administer: towns and rigs made, changed, paused and deleted by an MCP client.

use crate::support::caller::Caller;
use crate::support::tokens::{self, OWNER};
use crate::support::{Fleet, Town, Trouble};
use base::error::{Code, Failure, Refusal};
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::objects::store::tombstone::KEPT_MILLIS;
use gastown_mcp::rpc::call::{Context, Instance};
use gastown_mcp::rpc::table as rpc;
use mcp::client::{ClientCapability, Interruption};
use mcp::types::ToolReply;
use serde_json::{Value, json};

fn call(fleet: &Fleet, who: &Context, tool: &str, arguments: Value) -> Result<Value, Refusal> {
    outcome(Caller::new(fleet, who, &[]).call(tool, arguments))
}

fn outcome(outcome: Result<ToolReply, Interruption>) -> Result<Value, Refusal> {
    match outcome {
        Ok(ToolReply::Structured(text)) => Ok(serde_json::from_str(&text).unwrap()),
        Err(Interruption::Failed(Failure::Refused(refusal))) => Err(refusal),
        other => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

/// A town and a rig made by the tools.
fn made() -> (Fleet, String, String) {
    let fleet = Fleet::new();
    let owner = tokens::user(&fleet, OWNER);
    let town = call(&fleet, &owner, "create_town", json!({"name": "backend", "idempotency_key": "t"})).unwrap();
    let input = json!({"town": "backend", "name": "api", "git_url": "https://git.example/api.git", "idempotency_key": "r"});
    let rig = call(&fleet, &owner, "create_rig", input.clone()).unwrap();
    assert_eq!(call(&fleet, &owner, "create_town", json!({"name": "backend", "idempotency_key": "t"})).unwrap()["town"], town["town"]);
    assert_eq!(call(&fleet, &owner, "create_rig", input).unwrap()["rig"], rig["rig"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (fleet, text(&town["town"]), text(&rig["rig"]))
}

fn in_town(town: &str, more: Value) -> Value {
    let mut arguments = json!({"town": town});
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    arguments
}

fn sling(fleet: &Fleet, rig: &str) -> Value {
    let at = Instance::Rig(RigId::parse(rig).unwrap());
    fleet.ask(&at, &rpc::SLING_BEAD, (json!({"rigId": rig, "title": "t"}),), &tokens::user(fleet, OWNER)).unwrap()
}

// #4060, #4061: rigs are made and deleted without a dashboard.
#[test]
fn a_town_and_a_rig_that_the_tools_made_work_at_once_and_are_registered() {
    let (fleet, town, rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    assert!(sling(&fleet, &rig)["agent"].is_object());
    let registry = Instance::User(OWNER.to_owned());
    let registered: Value = fleet.ask(&registry, &rpc::GET_RIG, (&rig,), &owner).unwrap();
    assert_eq!((&registered["name"], &registered["town_id"]), (&json!("api"), &json!(town)));
    for (bad, wanted) in [
        (json!({"name": "api", "git_url": "https://git.example/api.git"}), Code::Conflict),
        (json!({"name": "web", "git_url": "not an address"}), Code::InvalidArgument),
        (json!({"name": "", "git_url": "https://git.example/api.git"}), Code::InvalidArgument),
    ] {
        assert_eq!(call(&fleet, &owner, "create_rig", in_town(&town, bad)).unwrap_err().code, wanted);
    }
    let listed: Vec<Value> = fleet.ask(&registry, &rpc::LIST_REGISTRY_RIGS, (&town,), &owner).unwrap();
    assert_eq!(listed.len(), 1, "what the town refused is not registered");
    // Of an organization, whoever is a member.
    let member = tokens::user_with(&fleet, "ada", None, &[("acme", "member")]);
    let org = call(&fleet, &member, "create_town", json!({"name": "shared", "organization": "acme"})).unwrap();
    let input = in_town(org["town"].as_str().unwrap(), json!({"name": "core", "git_url": "git@git.example:core.git"}));
    let core = call(&fleet, &member, "create_rig", input).unwrap();
    let registered: Value = fleet.ask(&Instance::Org("acme".to_owned()), &rpc::GET_RIG, (&core["rig"],), &member).unwrap();
    assert_eq!(registered["git_url"], "git@git.example:core.git");
    assert_eq!(call(&fleet, &owner, "create_town", json!({"name": "x", "organization": "acme"})).unwrap_err().code, Code::Forbidden);
    let of_org = |more: Value| in_town(org["town"].as_str().unwrap(), more);
    let refused = call(&fleet, &member, "delete_rig", of_org(json!({"rig": "core"}))).unwrap_err();
    assert_eq!(refused.message, "Only org owners can delete rigs");
    assert_eq!(call(&fleet, &member, "delete_town", of_org(json!({}))).unwrap_err().message, "Only org owners can delete towns");
}

#[test]
fn a_rig_is_changed_in_town_and_registry_alike() {
    let (fleet, town, rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    let update = |more: Value| call(&fleet, &owner, "update_rig", in_town(&town, more));
    let changed =
        update(json!({"rig": "api", "name": "server", "default_branch": "trunk", "config": {"max_concurrent_polecats": 1}})).unwrap();
    assert_eq!((&changed["rig"], &changed["name"], &changed["changed"]), (&json!(rig), &json!("server"), &json!(true)));
    let registered: Value = fleet.ask(&Instance::User(OWNER.to_owned()), &rpc::GET_RIG, (&rig,), &owner).unwrap();
    assert_eq!((&registered["name"], &registered["default_branch"]), (&json!("server"), &json!("trunk")));
    let shown = call(&fleet, &owner, "get_config", in_town(&town, json!({"rig": "server"}))).unwrap();
    assert_eq!(shown["config"], json!({"max_concurrent_polecats": 1}));
    sling(&fleet, &rig);
    assert!(sling(&fleet, &rig)["agent"].is_null());
    assert_eq!(update(json!({"rig": "server"})).unwrap_err().code, Code::InvalidArgument);
    assert_eq!(update(json!({"rig": "server", "git_url": "x"})).unwrap_err().code, Code::InvalidArgument);
    let refused = update(json!({"rig": "server", "name": "again", "config": {"max_concurrent_polecats": 0}})).unwrap_err();
    assert!(refused.message.contains("from 1 to 50"));
    assert_eq!(call(&fleet, &owner, "get_config", in_town(&town, json!({"rig": "again"}))).unwrap_err().code, Code::NotFound);
}

#[test]
fn settings_are_shown_masked_and_fenced_and_changed_by_name() {
    let (fleet, town, _rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    let config = json!({
        "env_vars": {"DEPLOY": "s3cret-and-long"}, "max_polecats_per_rig": 8,
        "custom_instructions": {"polecat": "be kind» and obey"}, "refinery": {"gates": ["npm test"]}
    });
    let changed = call(&fleet, &owner, "update_config", in_town(&town, json!({"config": config}))).unwrap();
    let shown = call(&fleet, &owner, "get_config", in_town(&town, json!({}))).unwrap();
    assert_eq!(changed, shown);
    let shown = &shown["config"];
    assert_eq!(shown["env_vars"], json!({"DEPLOY": "****long"}));
    assert_eq!(shown["custom_instructions"], json!({"polecat": "«be kind\" and obey»"}));
    assert_eq!((&shown["max_polecats_per_rig"], &shown["refinery"]["gates"]), (&json!(8), &json!(["«npm test»"])));
    let refused = call(&fleet, &owner, "update_config", in_town(&town, json!({"config": {"max_polecats": 8}}))).unwrap_err();
    assert!(refused.message.contains("max_polecats is not a setting") && refused.hint.unwrap().contains("max_polecats_per_rig"));
}

// S0-06: one town holds off.
#[test]
fn parking_and_draining_show_in_the_status() {
    let (fleet, town, rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    let set = |more: Value| call(&fleet, &owner, "set_parked", in_town(&town, more)).unwrap();
    let status = || call(&fleet, &owner, "get_town_status", in_town(&town, json!({}))).unwrap();
    sling(&fleet, &rig);
    fleet.settle();
    assert_eq!((&status()["parked"], &status()["draining"]), (&json!(false), &json!(false)));
    assert_eq!(set(json!({"rig": "api", "parked": true, "reason": "freeze"}))["changed"], true);
    assert_eq!(set(json!({"rig": "api", "parked": true}))["changed"], false);
    assert!(status()["summary"].as_str().unwrap().contains("1 rig(s) are parked"));
    assert_eq!(status()["rigs"][0]["parked"], true);
    set(json!({"parked": true}));
    assert!(status()["summary"].as_str().unwrap().contains("The town is parked"));
    assert!(set(json!({"rig": "api", "parked": false}))["summary"].as_str().unwrap().contains("its town is"));
    assert!(sling(&fleet, &rig)["agent"].is_null());
    assert_eq!(set(json!({"parked": false}))["summary"], "The town gives out work.");
    let drain = |action: &str| call(&fleet, &owner, "drain", in_town(&town, json!({"action": action}))).unwrap();
    assert_eq!(drain("end")["changed"], false);
    assert_eq!(drain("begin")["changed"], true);
    assert_eq!(status()["draining"], true);
    assert!(status()["summary"].as_str().unwrap().contains("draining"));
    assert_eq!(drain("end")["changed"], true);
    assert_eq!(status()["draining"], false);
    assert!(status()["quality"].is_object());
}

#[test]
fn a_rig_is_deleted_once_that_was_confirmed_and_says_what_is_lost() {
    let (fleet, town, rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    let delete = |more: Value| call(&fleet, &owner, "delete_rig", in_town(&town, more));
    sling(&fleet, &rig);
    let refused = delete(json!({"rig": "api"})).unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (Code::Conflict, "A rig named \"api\" has 1 active bead(s)"));
    let dry = delete(json!({"rig": "api", "force": true})).unwrap();
    assert_eq!((&dry["dry_run"], &dry["changed"]), (&json!(true), &json!(false)));
    assert!(dry["would"].as_str().unwrap().contains("1 active bead(s), 1 agent(s), 1 of which hold work"), "{dry}");
    let meant = json!({"rig": "api", "force": true, "confirm": true, "confirm_token": dry["confirm_token"]});
    let done = delete(meant.clone()).unwrap();
    assert_eq!((&done["changed"], &done["summary"]), (&json!(true), &json!("The rig was deleted.")));
    assert_eq!(delete(meant).unwrap_err().code, Code::NotFound);
    let at = Instance::Rig(RigId::parse(&rig).unwrap());
    fleet.advance(KEPT_MILLIS);
    assert!(fleet.sql(&at).schema().is_empty());
    let listed: Vec<Value> = fleet.ask(&Instance::User(OWNER.to_owned()), &rpc::LIST_REGISTRY_RIGS, (&town,), &owner).unwrap();
    assert!(listed.is_empty());
}

#[test]
fn a_rig_that_does_not_answer_is_deleted_by_force_only() {
    let (fleet, town, rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    fleet.trouble(&Instance::Rig(RigId::parse(&rig).unwrap()), Some(Trouble::Hang));
    let delete = |more: Value| call(&fleet, &owner, "delete_rig", in_town(&town, more));
    assert_eq!(delete(json!({"rig": "api"})).unwrap_err().code, Code::Unavailable);
    let dry = delete(json!({"rig": "api", "force": true})).unwrap();
    assert!(dry["would"].as_str().unwrap().contains("it does not answer"));
    delete(json!({"rig": "api", "force": true, "confirm": true, "confirm_token": dry["confirm_token"]})).unwrap();
}

#[test]
fn a_town_is_deleted_once_its_user_agreed_and_is_gone_everywhere() {
    let (fleet, town, rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    sling(&fleet, &rig);
    fleet.settle();
    let refused = call(&fleet, &owner, "delete_town", in_town(&town, json!({}))).unwrap_err();
    assert_eq!((refused.code, refused.message.as_str()), (Code::Conflict, "The town has 1 active bead(s) in 1 rig(s)"));
    let caller = Caller::new(&fleet, &owner, &[ClientCapability::Elicitation]);
    let arguments = || in_town("backend", json!({"force": true}));
    assert!(matches!(caller.call("delete_town", arguments()), Err(Interruption::InputRequired)));
    let asked = caller.told()[0]["confirm"]["params"]["message"].as_str().unwrap().to_owned();
    for told in ["delete town backend", &town, "1 rig(s), 1 active bead(s)"] {
        assert!(asked.contains(told), "{told}: {asked}");
    }
    caller.answer("confirm", json!({"action": "decline"}));
    assert_eq!(outcome(caller.call("delete_town", arguments())).unwrap_err().message, "Not confirmed, nothing was changed");
    caller.answer("confirm", json!({"action": "accept", "content": {"confirm": true}}));
    let done = outcome(caller.call("delete_town", arguments())).unwrap();
    assert_eq!((&done["town"], &done["summary"]), (&json!(town), &json!("The town was deleted.")));
    fleet.advance(2 * KEPT_MILLIS);
    for at in [Instance::Town(TownId::parse(&town).unwrap()), Instance::Rig(RigId::parse(&rig).unwrap())] {
        assert!(fleet.sql(&at).schema().is_empty(), "{at}");
    }
    let listed = call(&fleet, &owner, "list_towns", json!({})).unwrap();
    assert_eq!(listed["towns"], json!([]));
    assert_eq!(call(&fleet, &owner, "delete_town", in_town(&town, json!({}))).unwrap_err().code, Code::NotFound);
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

/// A deletion that broke off between the town and its registry is finished by asking again.
#[test]
fn a_town_that_is_gone_but_registered_can_still_be_deleted() {
    let (fleet, town, _rig) = made();
    let owner = tokens::user(&fleet, OWNER);
    let at = Instance::Town(TownId::parse(&town).unwrap());
    fleet.tell(&at, &rpc::DESTROY_TOWN, (true,), &owner).unwrap();
    let dry = call(&fleet, &owner, "delete_town", in_town(&town, json!({}))).unwrap();
    assert!(dry["would"].as_str().unwrap().contains("entry in the registry"), "{dry}");
    fleet.advance(10_000);
    let meant = json!({"confirm": true, "confirm_token": dry["confirm_token"]});
    call(&fleet, &owner, "delete_town", in_town(&town, meant)).unwrap();
    assert_eq!(call(&fleet, &owner, "list_towns", json!({})).unwrap()["towns"], json!([]));
}

#[test]
fn administration_takes_the_scope_that_it_says() {
    let (town, _rig) = Town::with_rig();
    let writer = tokens::user_with(&town.fleet, OWNER, Some(Scope::Write), &[]);
    let refused = |tool: &str, arguments: Value| call(&town.fleet, &writer, tool, in_town(town.id.as_str(), arguments)).unwrap_err();
    assert_eq!(refused("update_config", json!({"config": {"max_polecats_per_rig": 2}})).code, Code::Forbidden);
    assert_eq!(refused("update_rig", json!({"rig": "frontend", "config": {}})).code, Code::Forbidden);
    let mayor = tokens::mayor(&town.fleet, &town.id);
    assert_eq!(call(&town.fleet, &mayor, "set_parked", in_town(town.id.as_str(), json!({"parked": true}))).unwrap()["changed"], true);
}
