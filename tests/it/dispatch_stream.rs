//! The dispatch orders of a rig as an event stream: each once, with a token of its own, gone on with after a break.

use crate::support::Town;
use crate::support::edge::{Isolate, Reading, Sent, text};
use crate::support::tokens::{self, LIFE_SECONDS};
use crate::support::town::Rig;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn request(town: &Town, rig: &Rig, token: &str, query: &str, headers: &[(&str, &str)]) -> Sent {
    let path = format!("/api/towns/{}/rigs/{}/dispatch{query}", town.id, rig.id);
    Sent::new("GET", path).bearer(token).with_all(headers.iter().copied())
}

fn container(town: &Town) -> String {
    tokens::container(&town.fleet, &town.id).jwt
}

fn follow(town: &Town, rig: &Rig, query: &str, last: Option<i64>) -> Reading {
    let last = last.map(|last| last.to_string());
    let mut headers = vec![("accept", "text/event-stream")];
    headers.extend(last.iter().map(|last| ("last-event-id", last.as_str())));
    Isolate::new(&town.fleet).open(request(town, rig, &container(town), query, &headers))
}

/// The orders that come within so many milliseconds.
fn hear(town: &Town, reading: &Reading, millis: u32) -> Vec<Value> {
    let mut all = String::new();
    for _ in 0..millis.div_ceil(50) {
        town.fleet.run_background();
        all.push_str(&reading.within(50).0);
    }
    all.lines().filter_map(|line| line.strip_prefix("data: ")).map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn titles(orders: &[Value]) -> Vec<&str> {
    orders.iter().map(|order| order["bead"]["title"].as_str().unwrap()).collect()
}

/// S4-09, S4-12, S4-15: each order once, with a token that is good for nothing else.
#[test]
fn orders_come_as_they_are_made_and_each_has_its_own_token() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let reading = follow(&town, &rig, "?runner=north&max=2", None);
    let first = hear(&town, &reading, 200);
    assert_eq!(titles(&first), ["one"]);
    town.sling(&rig, "two");
    town.sling(&rig, "three");
    let second = hear(&town, &reading, 500);
    assert_eq!(titles(&second), ["two"], "two at once and no more");
    let order = &first[0];
    assert_eq!(order["api"]["mcp_path"], json!(format!("/towns/{}/mcp", town.id)));
    assert_ne!(order["token"], second[0]["token"]);
    let prime = Isolate::new(&town.fleet).send(request(&town, &rig, order["token"].as_str().unwrap(), "?runner=x", &[]));
    assert_eq!(prime.status, 403, "an agent takes no orders");
    // The place of one that is done is given to the next.
    let own = tokens::context(order["token"].as_str().unwrap().to_owned());
    town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&order["agent"]["id"], json!({"branch": order["branch"]})), &own).unwrap();
    assert_eq!(titles(&hear(&town, &reading, 500)), ["three"]);
}

#[test]
fn a_runner_that_comes_back_is_told_what_it_missed_and_nothing_twice() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    town.sling(&rig, "two");
    let orders = hear(&town, &follow(&town, &rig, "?runner=north", None), 200);
    let first = orders[0]["order"].as_i64();
    assert_eq!(titles(&hear(&town, &follow(&town, &rig, "?runner=north", first), 200)), ["two"]);
    assert!(hear(&town, &follow(&town, &rig, "?runner=south", None), 200).is_empty());
    let last = orders[1]["order"].as_i64();
    assert!(hear(&town, &follow(&town, &rig, "?runner=north", last), 200).is_empty());
}

#[test]
fn a_silent_stream_lives_and_ends_with_its_token() {
    let (town, rig) = Town::with_rig();
    let reading = follow(&town, &rig, "?runner=north", None);
    let (text, is_over) = reading.within(60_000);
    assert!(!is_over && text.matches(":\n\n").count() >= 3, "{text:?}");
    assert!(reading.within(u32::try_from(LIFE_SECONDS).unwrap() * 1_000).1);
}

#[test]
fn one_page_is_for_who_does_not_stream_and_refusals_are_answers() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let send = |token: &str, query: &str| {
        let response = Isolate::new(&town.fleet).send(request(&town, &rig, token, query, &[]));
        (response.status, serde_json::from_str::<Value>(&text(&response)).unwrap())
    };
    let (status, page) = send(&container(&town), "?runner=north");
    assert_eq!((status, titles(page["data"]["orders"].as_array().unwrap())), (200, vec!["one"]));
    let last = page["data"]["last_event_id"].as_str().unwrap();
    assert_eq!(send(&container(&town), &format!("?runner=north&last_event_id={last}")).1["data"]["orders"], json!([]));
    for query in ["", "?runner=", "?runner=r&max=x", "?runner=r&max=-1", "?runner=r&last_event_id=x"] {
        assert_eq!(send(&container(&town), query).0, 400, "{query}");
    }
    let elsewhere = Town::new(&town.fleet, 7);
    assert_eq!(send(&container(&elsewhere), "?runner=r").0, 403);
}
