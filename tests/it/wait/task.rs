//! Waiting as a task: nobody's request keeps it alive.

use super::{TOOL, World, content, sessions, state};
use crate::support::Trouble;
use crate::support::client::{Client, messages, tasks};
use gastown_mcp::rpc::call::{Call, Wire as _};
use gastown_mcp::rpc::table::CLOSE_BEAD;
use serde_json::{Value, json};

/// Begins to wait; the id of the task.
fn begin(client: &Client, arguments: &Value) -> String {
    let result = client.call(TOOL, arguments);
    assert_eq!((&result["resultType"], &result["status"]), (&json!("task"), &json!("working")), "{result}");
    result["taskId"].as_str().unwrap().to_owned()
}

#[test]
fn an_event_ends_it_and_is_told_to_who_listens() {
    let world = World::new();
    let client = Client::modern(&world.town.fleet, tasks());
    let task = begin(&client, &world.for_convoy(600));
    let stream = client.open("subscriptions/listen", json!("s"), json!({"notifications": {"taskIds": [task]}}));
    world.town.close(&world.rig, &world.beads[0]);
    world.town.fleet.settle();
    assert_eq!(state(&client, &task)["status"], "working");
    world.town.fleet.advance(60_000);
    world.town.fail(&world.rig, &world.beads[1]);
    world.town.fleet.settle();
    let ended = state(&client, &task);
    assert_eq!(ended["status"], "completed");
    let said = content(&ended["result"]);
    assert_eq!((&said["done"], &said["status"], &said["failed_beads"]), (&json!(true), &json!("failed"), &json!(1)));
    assert!(said["waited_seconds"].as_i64().unwrap() >= 60 && said.get("as_of").is_none());
    let told = messages(&stream.within(100).0);
    let last = told.last().unwrap();
    assert_eq!((&last["method"], &last["params"]["status"]), (&json!("notifications/tasks"), &json!("completed")));
    assert_eq!(last["params"]["result"], ended["result"]);
    assert_eq!(world.town.fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn a_bead_is_waited_for_wherever_it_is_and_on_a_towns_connection_too() {
    let world = World::new();
    let other = world.town.add_rig("backend", 7);
    let bead = world.town.sling(&other, "x").bead.bead_id;
    let client = Client::of_town(&world.town, tasks());
    let task = begin(&client, &json!({"bead": bead}));
    world.town.close(&other, &bead);
    world.town.fleet.settle();
    let said = content(&state(&client, &task)["result"]);
    assert_eq!((&said["subject"], &said["status"], &said["rig_id"]), (&json!("bead"), &json!("done"), &json!(other.id)));
    assert!(said["next"].as_str().unwrap().contains(bead.as_str()));
}

#[test]
fn time_ends_it_with_what_was_known_and_since_when() {
    let world = World::new();
    let client = Client::modern(&world.town.fleet, tasks());
    let began = world.town.fleet.now().to_string();
    let task = begin(&client, &world.for_convoy(30));
    world.town.fleet.advance(29_000);
    assert_eq!(state(&client, &task)["status"], "working");
    world.town.fleet.advance(2_000);
    let ended = state(&client, &task);
    assert_eq!(ended["status"], "completed");
    let said = content(&ended["result"]);
    assert_eq!((&said["done"], &said["status"], &said["waited_seconds"]), (&json!(false), &json!("running"), &json!(30)));
    assert_eq!(said["as_of"].as_str().unwrap()[..19], began[..19]);
    assert!(said["next"].as_str().unwrap().contains("wait_for"));
    // What comes later is another wait's.
    world.end();
    world.town.fleet.settle();
    assert_eq!(state(&client, &task)["result"], ended["result"]);
}

#[test]
fn a_cancelled_one_stays_so_and_leaves_no_lease() {
    let world = World::new();
    let client = Client::modern(&world.town.fleet, tasks());
    let task = begin(&client, &world.for_convoy(600));
    client.result("tasks/cancel", json!({"taskId": task}));
    world.end();
    world.town.fleet.settle();
    let ended = state(&client, &task);
    assert_eq!(ended["status"], "cancelled");
    assert!(ended.get("result").is_none());
    assert_eq!(world.town.sql(&sessions()).value::<i64>("SELECT COUNT(*) FROM routes"), 0);
}

#[test]
fn it_outlives_everything_that_leaves_memory() {
    let world = World::new();
    let client = Client::modern(&world.town.fleet, tasks());
    let task = begin(&client, &world.for_convoy(3_600));
    world.town.fleet.restart();
    // Longer than a lease: it is renewed.
    world.town.fleet.advance(30 * 60_000);
    world.town.fleet.restart();
    world.close_all();
    world.town.fleet.settle();
    let client = Client::modern(&world.town.fleet, tasks());
    let said = content(&state(&client, &task)["result"]);
    assert_eq!((&said["done"], &said["status"], &said["closed_beads"]), (&json!(true), &json!("complete"), &json!(2)));
    assert!(said["waited_seconds"].as_i64().unwrap() >= 1_800);
}

#[test]
fn a_task_is_kept_for_a_day() {
    let world = World::new();
    let client = Client::modern(&world.town.fleet, tasks());
    let task = begin(&client, &world.for_convoy(1));
    world.town.fleet.advance(23 * 3_600_000);
    assert_eq!(state(&client, &task)["status"], "completed");
    world.town.fleet.advance(2 * 3_600_000);
    let answer = Client::modern(&world.town.fleet, tasks()).request("tasks/get", json!({"taskId": task}));
    assert_eq!(answer["error"]["code"], -32_602, "{answer}");
}

// Whenever it happens between the first look and the last, it is not missed, neither by a task nor within a call.
#[test]
fn an_end_between_look_and_listen_is_not_missed() {
    for (capabilities, millis) in [tasks(), json!({})].iter().flat_map(|one| (0..=700).step_by(25).map(move |millis| (one, millis))) {
        let world = World::new();
        let fleet = world.town.fleet.clone();
        for at in [&world.town.at, &world.rig.at, &sessions()] {
            fleet.trouble(at, Some(Trouble::Delay(50)));
        }
        let client = Client::modern(&fleet, capabilities.clone());
        let (beads, rig, owner, later) = (world.beads.clone(), world.rig.at.clone(), world.town.owner(), fleet.clone());
        fleet.spawn("somebody", async move {
            later.sleep(millis).await;
            for bead in &beads {
                let call = Call::new(rig.clone(), &CLOSE_BEAD, (bead, "tester")).unwrap();
                later.start(&call, &owner).await.unwrap();
                later.run_background();
            }
        });
        let result = client.call(TOOL, &world.for_convoy(20));
        let said = match result["taskId"].as_str() {
            Some(task) => {
                fleet.settle();
                content(&state(&client, task)["result"])
            }
            None => content(&result),
        };
        assert_eq!((&said["done"], &said["status"]), (&json!(true), &json!("complete")), "{millis} ms");
        assert!(said["waited_seconds"].as_i64().unwrap() < 5, "{millis} ms: {said}");
        fleet.close();
    }
}
