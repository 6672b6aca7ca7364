//! `/api/towns/{town}/…`: configuration with masked secrets, the Mayor, drains.

use crate::support::edge::{Isolate, Sent, header, text};
use crate::support::tokens::{self, OWNER};
use crate::support::{Fleet, Town};
use base::http::Response;
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::rpc::call::Context;
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct World {
    at: Isolate,
    town: Town,
}

impl World {
    fn new() -> Self {
        let (town, _rig) = Town::with_rig();
        Self { at: Isolate::new(&town.fleet), town }
    }

    fn response(&self, who: &Context, method: &str, path: &str, body: &Value) -> Response {
        let headers = BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", who.jwt))]);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.at.send(Sent { method: method.to_owned(), path: format!("/api/towns/{}/{path}", self.town.id), headers, body })
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let response = self.response(&self.town.owner(), method, path, body);
        (response.status, serde_json::from_str(&text(&response)).unwrap())
    }
}

#[test]
fn the_configuration_is_read_and_changed_with_its_secrets_masked() {
    let world = World::new();
    let (status, answer) = world.send("PATCH", "config", &json!({"env_vars": {"TOKEN": "a-long-secret"}, "max_polecats_per_rig": 3}));
    assert_eq!((status, &answer["data"]["env_vars"]), (200, &json!({"TOKEN": "****cret"})));
    let (status, answer) = world.send("GET", "config", &Value::Null);
    assert_eq!((status, &answer["success"], &answer["data"]["max_polecats_per_rig"]), (200, &json!(true), &json!(3)));
    assert!(!answer.to_string().contains("a-long-secret"));
    let (status, answer) = world.send("PATCH", "config", &json!({"max_polecats_per_rig": 99}));
    assert_eq!((status, answer["error"].as_str()), (400, Some("max_polecats_per_rig must be a whole number from 1 to 50")));
    assert_eq!(world.send("PATCH", "config", &json!([])).0, 400);
    let writer = tokens::user_with(&world.town.fleet, OWNER, Some(Scope::Write), &[]);
    let denied = world.response(&writer, "PATCH", "config", &json!({}));
    assert_eq!(denied.status, 403);
    assert!(header(&denied, "www-authenticate").unwrap().contains("gastown:admin"));
    assert_eq!(world.response(&tokens::user(&world.town.fleet, "stranger"), "GET", "config", &Value::Null).status, 403);
}

#[test]
fn the_mayor_is_messaged_and_looked_at() {
    let world = World::new();
    let (status, answer) = world.send("POST", "mayor/message", &json!({"message": "hold off", "uiContext": "<ui/>"}));
    assert_eq!((status, &answer["data"]["sessionStatus"]), (200, &json!("idle")));
    let (status, answer) = world.send("GET", "mayor/status", &Value::Null);
    assert_eq!((status, &answer["data"]["queuedMessages"]), (200, &json!(1)));
    assert_eq!(world.send("POST", "mayor/message", &json!({})).0, 400);
    assert_eq!(world.send("DELETE", "mayor/message", &Value::Null).0, 405);
}

#[test]
fn a_container_begins_and_ends_a_drain() {
    let world = World::new();
    let container = tokens::container(&world.town.fleet, &world.town.id);
    let send = |method: &str, path: &str, body: Value| -> Value {
        let response = world.response(&container, method, path, &body);
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
    assert_eq!(world.response(&observer, "POST", "container-eviction", &json!({})).status, 403);
}

#[test]
fn what_is_no_town_or_no_route_is_not_found() {
    let world = World::new();
    assert_eq!(world.send("GET", "castles", &Value::Null).0, 404);
    assert_eq!(world.send("PUT", "config", &json!({})).0, 405);
    let nowhere = Isolate::new(&Fleet::new());
    let headers = BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", tokens::user(&nowhere.fleet, OWNER).jwt))]);
    for town in ["no-uuid", "00000000-0000-4000-8000-000000000000"] {
        let path = format!("/api/towns/{town}/config");
        assert_eq!(nowhere.send(Sent { method: "GET".to_owned(), path, headers: headers.clone(), body: String::new() }).status, 404);
    }
}
