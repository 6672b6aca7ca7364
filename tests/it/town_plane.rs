//! `/api/towns/{town}/…`: configuration with masked secrets, the Mayor, drains.

use crate::support::edge::{Isolate, Sent, header, text};
use crate::support::tokens::{self, OWNER};
use crate::support::{Fleet, World};
use base::http::Response;
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::rpc::call::Context;
use serde_json::{Value, json};

/// A request to one of the town's routes.
fn request(world: &World, who: &Context, method: &str, path: &str, body: &Value) -> Sent {
    Sent::new(method, format!("/api/towns/{}/{path}", world.town.id)).bearer(&who.jwt).json(body)
}

fn response(world: &World, who: &Context, method: &str, path: &str, body: &Value) -> Response {
    world.at.send(request(world, who, method, path, body))
}

/// As the owner.
fn send(world: &World, method: &str, path: &str, body: &Value) -> (u16, Value) {
    world.at.ask(request(world, &world.town.owner(), method, path, body))
}

#[test]
fn the_configuration_is_read_and_changed_with_its_secrets_masked() {
    let world = World::new();
    let (status, answer) = send(&world, "PATCH", "config", &json!({"env_vars": {"TOKEN": "a-long-secret"}, "max_polecats_per_rig": 3}));
    assert_eq!((status, &answer["data"]["env_vars"]), (200, &json!({"TOKEN": "****cret"})));
    let (status, answer) = send(&world, "GET", "config", &Value::Null);
    assert_eq!((status, &answer["success"], &answer["data"]["max_polecats_per_rig"]), (200, &json!(true), &json!(3)));
    assert!(!answer.to_string().contains("a-long-secret"));
    let (status, answer) = send(&world, "PATCH", "config", &json!({"max_polecats_per_rig": 99}));
    assert_eq!((status, answer["error"].as_str()), (400, Some("max_polecats_per_rig must be a whole number from 1 to 50")));
    assert_eq!(send(&world, "PATCH", "config", &json!([])).0, 400);
    let writer = tokens::user_with(&world.town.fleet, OWNER, Some(Scope::Write), &[]);
    let denied = response(&world, &writer, "PATCH", "config", &json!({}));
    assert_eq!(denied.status, 403);
    assert!(header(&denied, "www-authenticate").unwrap().contains("gastown:admin"));
    assert_eq!(response(&world, &tokens::user(&world.town.fleet, "stranger"), "GET", "config", &Value::Null).status, 403);
}

#[test]
fn the_mayor_is_messaged_and_looked_at() {
    let world = World::new();
    let (status, answer) = send(&world, "POST", "mayor/message", &json!({"message": "hold off", "uiContext": "<ui/>"}));
    assert_eq!((status, &answer["data"]["sessionStatus"]), (200, &json!("idle")));
    let (status, answer) = send(&world, "GET", "mayor/status", &Value::Null);
    assert_eq!((status, &answer["data"]["queuedMessages"]), (200, &json!(1)));
    assert_eq!(send(&world, "POST", "mayor/message", &json!({})).0, 400);
    assert_eq!(send(&world, "DELETE", "mayor/message", &Value::Null).0, 405);
}

#[test]
fn a_container_begins_and_ends_a_drain() {
    let world = World::new();
    let container = tokens::container(&world.town.fleet, &world.town.id);
    let send = |method: &str, path: &str, body: Value| -> Value {
        let response = response(&world, &container, method, path, &body);
        assert_eq!(response.status, 200, "{path}");
        serde_json::from_str::<Value>(&text(&response)).unwrap()["data"].clone()
    };
    assert_eq!(send("GET", "drain-status", Value::Null), json!({"draining": false, "drainNonce": null, "drainStartedAt": null}));
    let nonce = send("POST", "container-eviction", json!({}))["nonce"].clone();
    let status = send("GET", "drain-status", Value::Null);
    assert_eq!((&status["draining"], &status["drainNonce"]), (&json!(true), &nonce));
    assert_eq!(send("POST", "container-ready", json!({"nonce": "another"})), json!({"cleared": false}));
    assert_eq!(send("POST", "container-ready", json!({"nonce": nonce})), json!({"cleared": true}));
    let observer = tokens::observer(&world.town.fleet, OWNER);
    assert_eq!(response(&world, &observer, "POST", "container-eviction", &json!({})).status, 403);
}

#[test]
fn what_is_no_town_or_no_route_is_not_found() {
    let world = World::new();
    assert_eq!(send(&world, "GET", "castles", &Value::Null).0, 404);
    assert_eq!(send(&world, "PUT", "config", &json!({})).0, 405);
    let nowhere = Isolate::new(&Fleet::new());
    let owner = tokens::user(&nowhere.fleet, OWNER).jwt;
    for town in ["no-uuid", "00000000-0000-4000-8000-000000000000"] {
        let path = format!("/api/towns/{town}/config");
        assert_eq!(nowhere.send(Sent::new("GET", path).bearer(&owner)).status, 404);
    }
}
