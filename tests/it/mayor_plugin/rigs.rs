//! Rigs that the Mayor makes and deletes, which Kilo's Mayor cannot.

use super::{Deployment, NOTHING, data, has, invalid, refused};
use crate::support::tokens::{self, user_with};
use crate::support::{Fleet, code};
use base::error::Code;
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::rpc::call::{Context, Instance};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

#[test]
fn a_mayor_makes_a_rig_works_in_it_and_deletes_it() {
    let world = Deployment::new();
    let plugin = world.mayor();
    let (status, answer) = plugin.send("POST", "rigs", json!({"name": "docs", "git_url": "https://git.example/docs.git"}));
    assert_eq!(status, 201, "{answer}");
    let rig = &answer["data"];
    has(rig, &["id", "town_id", "name", "git_url", "default_branch", "platform_integration_id", "created_at", "updated_at"]);
    assert_eq!((&rig["name"], &rig["default_branch"]), (&json!("docs"), &json!("main")));
    assert_eq!(plugin.ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 3);
    let id = rig["id"].as_str().unwrap();
    plugin.ok("gt_sling", json!({"rig_id": id, "title": "t"}));
    let delete = |path: &str| plugin.send("DELETE", &format!("rigs/{path}"), Value::Null);
    refused(delete(id), 409, "A rig named \"docs\" has 1 active bead(s)");
    assert_eq!(delete(&format!("{id}?force=true")), (200, json!({"success": true, "data": {"deleted": true}})));
    refused(delete(&format!("{id}?force=true")), 403, "Rig not found in this town");
    assert_eq!(plugin.ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 2);
    let registered = world.town.fleet.ask::<Vec<Value>>(
        &Instance::User(tokens::OWNER.to_owned()),
        &rpc::LIST_REGISTRY_RIGS,
        (&world.town.id,),
        &world.town.owner(),
    );
    assert_eq!(registered.unwrap().len(), 2, "the registry knows it no more");
}

#[test]
fn what_makes_no_rig_is_refused_and_leaves_nothing() {
    let world = Deployment::new();
    let plugin = world.container();
    let make = |body: Value| plugin.send("POST", "rigs", body);
    invalid(make(json!({"git_url": "https://git.example/x.git"})), json!(["name"]));
    invalid(make(json!({"name": "x"})), json!(["git_url"]));
    invalid(make(json!({"name": "x", "git_url": "not an address"})), json!(["git_url"]));
    invalid(make(json!({"name": "x", "git_url": "https://git.example/x.git", "default_branch": 7})), json!(["default_branch"]));
    refused(make(json!({"name": "", "git_url": "https://git.example/x.git"})), 400, "name must have 1 to 64 characters");
    assert_eq!(make(json!({"name": "web", "git_url": "https://git.example/x.git"})).0, 409);
    assert_eq!(plugin.ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 2);
    let once = || {
        world.container().with("idempotency-key", "k").send("POST", "rigs", json!({"name": "x", "git_url": "https://git.example/x.git"}))
    };
    assert_eq!(data(once(), "rigs"), data(once(), "rigs"));
    assert_eq!(plugin.ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 3);
}

/// A rig goes by its town's own Mayor, or by whoever may administer; not by a container or an agent.
#[test]
fn a_rig_is_deleted_by_the_mayor_or_an_administrator_only() {
    let world = Deployment::new();
    let web = &world.web.id;
    let (status, answer) = world.container().send("DELETE", &format!("rigs/{web}?force=true"), Value::Null);
    assert_eq!(status, 403, "{answer}");
    let elsewhere = crate::support::Town::new(&world.town.fleet, 7);
    let foreign = elsewhere.add_rig("web", 8);
    for rig in [NOTHING, "web", foreign.id.as_str()] {
        refused(world.mayor().send("DELETE", &format!("rigs/{rig}?force=true"), Value::Null), 403, "Rig not found in this town");
    }
    let fleet = &world.town.fleet;
    let remove = |who: &Context| fleet.tell(&world.town.at, &rpc::REMOVE_RIG, (web, true), who);
    let agent = gastown_mcp::contract::ids::AgentId::from_random([5; 16]);
    for who in [
        tokens::container(fleet, &world.town.id),
        tokens::mayor(fleet, &elsewhere.id),
        tokens::refinery(fleet, &world.town.id, web, &agent),
        user_with(fleet, tokens::OWNER, Some(Scope::Write), &[]),
    ] {
        assert_eq!(code(remove(&who)), Code::Forbidden);
    }
    assert_eq!(code(fleet.tell(&world.town.at, &rpc::DESTROY_TOWN, (true,), &tokens::mayor(fleet, &world.town.id))), Code::Forbidden);
    assert_eq!(world.mayor().ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 2);
    remove(&tokens::mayor(fleet, &world.town.id)).unwrap();
    assert_eq!(world.mayor().ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 1);
}

/// Of an organization only its owners delete anything; its Mayor makes rigs all the same.
#[test]
fn the_mayor_of_an_organizations_town_makes_rigs_and_deletes_none() {
    let member = |fleet: &Fleet| user_with(fleet, tokens::OWNER, None, &[("acme", "member")]);
    let world = Deployment::of("orgs/acme", member);
    let (status, answer) = world.mayor().send("POST", "rigs", json!({"name": "docs", "git_url": "https://git.example/docs.git"}));
    assert_eq!(status, 201, "{answer}");
    let path = format!("rigs/{}?force=true", answer["data"]["id"].as_str().unwrap());
    refused(world.mayor().send("DELETE", &path, Value::Null), 403, "Only org owners can delete rigs");
    let registry = Instance::Org("acme".to_owned());
    let fleet = &world.town.fleet;
    let listed = |who: &Context| fleet.ask::<Vec<Value>>(&registry, &rpc::LIST_REGISTRY_RIGS, (&world.town.id,), who);
    assert_eq!(listed(&member(fleet)).unwrap().len(), 3);
    // Another town's Mayor learns nothing from it, and makes nothing in it.
    let other = crate::support::Town::new(fleet, 7);
    let stranger = tokens::mayor(fleet, &other.id);
    assert_eq!(code(listed(&stranger)), Code::Forbidden);
    assert_eq!(fleet.ask::<Vec<Value>>(&registry, &rpc::LIST_TOWNS, (), &stranger).unwrap(), Vec::<Value>::new());
    let rig = |town: &gastown_mcp::contract::ids::TownId| json!({"town_id": town, "name": "x", "git_url": "https://git.example/x.git", "default_branch": "main"});
    assert_eq!(code(fleet.ask::<Value>(&registry, &rpc::CREATE_RIG, (rig(&world.town.id),), &stranger)), Code::Forbidden);
    assert_eq!(code(fleet.ask::<Value>(&registry, &rpc::CREATE_RIG, (rig(&other.id),), &stranger)), Code::NotFound);
}
