//! Waiting within a call, for clients that take no tasks.

use super::{TOOL, World, content, sessions};
use crate::support::client::{Client, tasks, watch};
use crate::support::edge::Reading;
use gastown_mcp::tools::coordinator::wait::CALL_SECONDS_MAX;
use serde_json::{Value, json};

/// From a change to the answer.
const SOON_MILLIS: u32 = 800;

/// A call under way, with progress.
fn begin(client: &Client, world: &World, arguments: &Value) -> Reading {
    let params = json!({"name": TOOL, "arguments": arguments, "_meta": {"progressToken": "p"}});
    let reading = client.open("tools/call", json!(7), params);
    // It waits.
    let (_, is_over) = watch(&reading, &world.town.fleet, 2_000);
    assert!(!is_over);
    reading
}

fn clients(world: &World) -> [Client; 2] {
    [Client::modern(&world.town.fleet, json!({})), Client::legacy(&world.town.fleet)]
}

/// The answer among messages, and what progress they tell.
fn told(messages: &[Value]) -> (Option<Value>, Vec<(i64, i64)>) {
    let answer = messages.iter().find(|message| message["id"] == 7).map(|answer| content(&answer["result"]));
    let progress = messages.iter().filter(|message| message["method"] == "notifications/progress").map(|message| {
        let params = &message["params"];
        assert_eq!(params["progressToken"], "p");
        (params["progress"].as_i64().unwrap(), params["total"].as_i64().unwrap())
    });
    (answer, progress.collect())
}

#[test]
fn a_change_wakes_it_soon() {
    for era in 0..2 {
        let world = World::new();
        let client = &clients(&world)[era];
        let reading = begin(client, &world, &world.for_convoy(600));
        world.town.close(&world.rig, &world.beads[0]);
        assert_eq!(told(&watch(&reading, &world.town.fleet, 2_000).0).0, None, "half of it is not all of it");
        world.town.fail(&world.rig, &world.beads[1]);
        let (messages, is_over) = watch(&reading, &world.town.fleet, SOON_MILLIS);
        let said = told(&messages).0.expect("an answer");
        assert!(is_over);
        assert_eq!((&said["done"], &said["status"], &said["waited_seconds"]), (&json!(true), &json!("failed"), &json!(4)));
        assert_eq!(world.town.fleet.take_faults(), Vec::<String>::new());
    }
}

#[test]
fn it_ends_before_clients_lose_patience_and_tells_how_far_it_is() {
    for era in 0..2 {
        let world = World::new();
        let client = &clients(&world)[era];
        let params = json!({"name": TOOL, "arguments": world.for_bead(600), "_meta": {"progressToken": "p"}});
        let began = world.town.fleet.now();
        let reading = client.open("tools/call", json!(7), params);
        let (messages, is_over) = watch(&reading, &world.town.fleet, 26_000);
        assert!(is_over);
        let (said, progress) = told(&messages);
        let said = said.unwrap();
        assert_eq!((&said["done"], &said["waited_seconds"]), (&json!(false), &json!(CALL_SECONDS_MAX)));
        assert!(said["status"].is_string() && said.get("as_of").is_none());
        assert!(said["next"].as_str().unwrap().contains("wait_for"));
        assert_eq!(progress, [(0, 25), (5, 25), (10, 25), (15, 25), (20, 25)]);
        assert!(world.town.fleet.now().since(began) < 27_000);
    }
}

#[test]
fn a_shorter_wait_is_as_long_as_asked() {
    let world = World::new();
    let began = world.town.fleet.now();
    let said = content(&Client::modern(&world.town.fleet, json!({})).call(TOOL, &world.for_convoy(3)));
    assert_eq!((&said["done"], &said["waited_seconds"]), (&json!(false), &json!(3)));
    assert!((3_000..3_500).contains(&world.town.fleet.now().since(began)));
}

// There is no method by which it could ask for a task.
#[test]
fn a_session_gets_no_task_whatever_it_declares() {
    let world = World::new();
    let client = Client::legacy_with(&world.town.fleet, &tasks());
    assert_eq!(content(&client.call(TOOL, &world.for_convoy(1)))["done"], false);
}

#[test]
fn a_cancelled_one_is_dropped_and_not_answered() {
    let world = World::new();
    for (era, client) in clients(&world).iter().enumerate() {
        let reading = begin(client, &world, &world.for_convoy(600));
        if era == 0 {
            drop(reading);
        } else {
            client.notify("notifications/cancelled", json!({"requestId": 7}));
            let (messages, is_over) = watch(&reading, &world.town.fleet, 1_000);
            assert_eq!((told(&messages).0, is_over), (None, true));
        }
        // Nobody goes on asking, except to hear what a client says.
        world.town.fleet.advance(6_000);
        world.town.sql(&world.town.at).take_log();
        world.town.sql(&sessions()).take_log();
        world.town.fleet.advance(18_000);
        let asked = world.town.sql(&sessions()).take_log();
        assert!(asked.iter().all(|(statement, _)| !statement.contains("watches_take")), "era {era}: {asked:?}");
        assert_eq!(world.town.sql(&world.town.at).take_log(), [], "era {era}");
    }
}

#[test]
fn the_session_object_may_leave_memory_meanwhile() {
    for era in 0..2 {
        let world = World::new();
        let client = &clients(&world)[era];
        let reading = begin(client, &world, &world.for_convoy(600));
        world.town.fleet.evict(&sessions());
        let (messages, is_over) = watch(&reading, &world.town.fleet, 3_000);
        assert_eq!((told(&messages).0, is_over), (None, false));
        world.close_all();
        let said = told(&watch(&reading, &world.town.fleet, SOON_MILLIS).0).0.expect("an answer");
        assert_eq!((&said["done"], &said["status"]), (&json!(true), &json!("complete")));
    }
}

#[test]
fn a_watch_is_forgotten_when_the_call_is_over() {
    let world = World::new();
    content(&Client::modern(&world.town.fleet, json!({})).call(TOOL, &world.for_convoy(2)));
    world.town.fleet.advance(15 * 60_000);
    let sql = world.town.sql(&sessions());
    for table in ["streams", "routes", "events", "leases"] {
        assert_eq!(sql.value::<i64>(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
}
