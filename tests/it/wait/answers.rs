//! What is said of what has ended, and what is refused.

use super::{TOOL, World, content, refused, sessions};
use crate::support::client::{Client, tasks};
use gastown_mcp::contract::ids::BeadId;
use serde_json::{Value, json};

#[test]
fn what_has_ended_is_answered_at_once_and_nothing_is_kept() {
    let world = World::new();
    world.end();
    for capabilities in [json!({}), tasks()] {
        let client = Client::modern(&world.town.fleet, capabilities);
        let result = client.call(TOOL, &world.for_convoy(600));
        assert_eq!(result["resultType"], "complete");
        let said = content(&result);
        assert_eq!((&said["done"], &said["status"], &said["subject"]), (&json!(true), &json!("failed"), &json!("convoy")));
        assert_eq!((&said["total_beads"], &said["closed_beads"], &said["failed_beads"]), (&json!(2), &json!(1), &json!(1)));
        assert_eq!((&said["waited_seconds"], &said["convoy_id"]), (&json!(0), &json!(world.convoy)));
        assert!(said["next"].as_str().unwrap().contains("convoy_status"));
    }
    assert!(world.town.sql(&sessions()).schema().is_empty(), "nobody had to wait");
}

// Truth rules 1 and 2.
#[test]
fn done_merged_and_failed_are_different_words() {
    let world = World::new();
    let client = Client::legacy(&world.town.fleet);
    let status = |arguments: &Value| content(&client.call(TOOL, arguments))["status"].clone();
    world.town.close(&world.rig, &world.beads[0]);
    assert_eq!(status(&world.for_bead(1)), "done");
    world.merge(&world.beads[0]);
    assert_eq!(status(&world.for_bead(1)), "merged");
    world.town.close(&world.rig, &world.beads[1]);
    assert_eq!(status(&world.for_convoy(1)), "complete");

    let other = World::new();
    let client = Client::legacy(&other.town.fleet);
    other.town.fail(&other.rig, &other.beads[0]);
    let said = content(&client.call(TOOL, &other.for_bead(1)));
    assert_eq!((&said["done"], &said["status"], &said["rig_id"]), (&json!(true), &json!("failed"), &json!(other.rig.id)));
    let said = content(&client.call(TOOL, &other.for_convoy(1)));
    assert_eq!((&said["done"], &said["status"], &said["failed_beads"]), (&json!(false), &json!("running"), &json!(1)));
}

#[test]
fn a_staged_convoy_says_why_nothing_happens() {
    let world = World::new();
    let staged = world.town.convoy(&world.rig, Some(true), &[&[]]).convoy.id;
    let client = Client::modern(&world.town.fleet, json!({}));
    let said = content(&client.call(TOOL, &json!({"town": world.town.id, "convoy": staged, "timeout_seconds": 1})));
    assert_eq!((&said["done"], &said["status"]), (&json!(false), &json!("staged")));
    assert!(said["next"].as_str().unwrap().contains("until it is started"));
}

#[test]
fn what_makes_no_sense_or_is_not_there_is_refused_and_says_what_to_do() {
    let world = World::new();
    let nobody = BeadId::from_random([9; 16]);
    let town = &world.town.id;
    for (arguments, why) in [
        (json!({"town": town}), "exactly one thing to wait for"),
        (json!({"town": town, "convoy": world.convoy, "bead": world.beads[0]}), "exactly one thing to wait for"),
        (world.for_convoy(0), "timeout_seconds must be 1 to 3600"),
        (world.for_convoy(3_601), "timeout_seconds must be 1 to 3600"),
        (json!({"town": town, "convoy": "the big one"}), "convoy: not a convoy id"),
        (json!({"town": town, "convoy": nobody}), "Convoy not found"),
        (json!({"town": town, "bead": "the big one"}), "no rig of this town has it"),
        (json!({"town": town, "bead": nobody}), "no rig of this town has it"),
        (json!({"town": town, "message": "the last one"}), "no message to this town's Mayor has that id"),
        (json!({"town": town, "message": nobody}), "no message to this town's Mayor has that id"),
        (json!({"convoy": world.convoy}), "missing field `town`"),
    ] {
        for capabilities in [json!({}), tasks()] {
            let client = Client::modern(&world.town.fleet, capabilities);
            let said = refused(&client.call(TOOL, &arguments));
            assert!(said.contains(why) && said.contains("hint"), "{arguments}: {said}");
        }
    }
    assert!(world.town.sql(&sessions()).schema().is_empty());
    assert_eq!(world.town.fleet.take_faults(), Vec::<String>::new());
}
