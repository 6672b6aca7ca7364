//! Provisioning through the REST routes: all of it or none of it, and again with the same key.

use crate::support::edge::{Isolate, Sent};
use crate::support::{Fleet, Trouble, tokens};
use gastown_mcp::contract::ids::TownId;
use gastown_mcp::rpc::call::Instance;
use serde_json::{Value, json};

fn send(at: &Isolate, method: &str, path: &str, key: Option<&str>, body: &Value) -> (u16, Value) {
    let owner = tokens::user(&at.fleet, "owner").jwt;
    at.ask(Sent::new(method, path).bearer(&owner).with_all(key.map(|key| ("idempotency-key", key))).json(body))
}

fn town(at: &Isolate) -> TownId {
    let (status, answer) = send(at, "POST", "/api/users/owner/towns", None, &json!({"name": "backend"}));
    assert_eq!(status, 201, "{answer}");
    TownId::parse(answer["data"]["id"].as_str().unwrap()).unwrap()
}

#[test]
fn a_rig_its_town_never_heard_of_is_undone_and_made_by_the_same_key() {
    let at = Isolate::new(&Fleet::new());
    let town = town(&at);
    let body = json!({"town_id": town, "name": "api", "git_url": "https://git.example/api.git"});
    let listed = |at: &Isolate| send(at, "GET", &format!("/api/users/owner/towns/{town}/rigs"), None, &Value::Null).1["data"].clone();

    at.fleet.trouble(&Instance::Town(town.clone()), Some(Trouble::DropBefore));
    let (status, answer) = send(&at, "POST", "/api/users/owner/rigs", Some("k"), &body);
    assert_eq!(status, 500, "{answer}");
    at.fleet.trouble(&Instance::Town(town.clone()), None);
    assert_eq!(listed(&at), json!([]), "the registry's row is gone again");

    let (status, answer) = send(&at, "POST", "/api/users/owner/rigs", Some("k"), &body);
    assert_eq!(status, 201, "{answer}");
    let rig = answer["data"]["id"].clone();
    assert_eq!(listed(&at)[0]["id"], rig);
    let (status, answer) = send(&at, "POST", "/api/users/owner/rigs", Some("k"), &body);
    assert_eq!((status, &answer["data"]["id"]), (201, &rig), "and once it is made, the key gives the same rig");
    assert_eq!(listed(&at).as_array().unwrap().len(), 1);
    assert_eq!(at.fleet.take_faults().len(), 1, "the failure was logged");
}

#[test]
fn a_town_made_with_a_key_is_made_once() {
    let at = Isolate::new(&Fleet::new());
    let make = || send(&at, "POST", "/api/users/owner/towns", Some("k"), &json!({"name": "backend"}));
    let (first, again) = (make(), make());
    assert_eq!(first.0, 201, "{}", first.1);
    assert_eq!(first, again);
    assert_eq!(send(&at, "GET", "/api/users/owner/towns", None, &Value::Null).1["data"].as_array().unwrap().len(), 1);
}

#[test]
fn a_fault_shows_an_incident_and_nothing_else() {
    let at = Isolate::new(&Fleet::new());
    let town = town(&at);
    at.fleet.trouble(&Instance::Town(town.clone()), Some(Trouble::DropBefore));
    let (status, answer) = send(
        &at,
        "POST",
        "/api/users/owner/rigs",
        None,
        &json!({"town_id": town, "name": "api", "git_url": "https://git.example/api.git"}),
    );
    assert_eq!(status, 500);
    let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["error", "incident", "success"]);
    assert_eq!(answer["error"], "Internal server error");
}
