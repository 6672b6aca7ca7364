//! `convoy_partial`: nothing that failed is left out, and a follow-up is made once.

use super::{World, mayor, structured};
use crate::support::Trouble;
use crate::support::caller::Caller;
use base::error::Code;
use futures::future::join_all;
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::contract::shapes::{Bead, BeadStatus, ConvoyEntry, MergeMode};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// Four beads: done, failed, waiting for the failed one, and under way.
fn half() -> World {
    let world = World::new(&[&[], &[], &[1], &[], &[1, 3]]);
    world.town.close(&world.rig, &world.beads[0]);
    fail(&world, 1, "the tests «hang»");
    world.begins(3);
    world.town.fleet.settle();
    world
}

fn fail(world: &World, bead: usize, reason: &str) {
    let reason = json!({"code": "tests", "message": reason, "source": "agent"});
    let failed: Bead = world
        .town
        .fleet
        .ask(&world.rig.at, &rpc::UPDATE_BEAD_STATUS, (&world.beads[bead], "failed", "tester", reason), &world.town.owner())
        .unwrap();
    assert_eq!(failed.status, BeadStatus::Failed);
    world.town.fleet.settle();
}

fn make(world: &World) -> Value {
    world.call("convoy_partial", json!({"dry_run": false}))
}

fn convoys(world: &World) -> Vec<ConvoyEntry> {
    world.town.fleet.ask(&world.town.at, &rpc::LIST_CONVOYS, (), &world.town.owner()).unwrap()
}

fn bead_of(text: &Value) -> BeadId {
    BeadId::parse(text.as_str().unwrap()).unwrap()
}

// S2-36 to S2-39.
#[test]
fn what_failed_is_shown_until_it_is_handled_and_done_anew_in_a_follow_up() {
    let world = half();
    let looked = world.call("convoy_partial", json!({}));
    world.expect("partial", &looked);
    assert_eq!(convoys(&world).len(), 1, "a dry run makes nothing");
    let made = make(&world);
    world.expect("partial_made", &made);
    let follow_up = convoys(&world).into_iter().find(|convoy| convoy.id != world.convoy).unwrap();
    assert_eq!((made["created"].as_str(), follow_up.staged, follow_up.total_beads), (Some(follow_up.id.as_str()), true, 1));
    assert_eq!((follow_up.title.as_str(), follow_up.merge_mode), ("Payments API (follow-up 1)", Some(MergeMode::ReviewThenLand)));
    world.town.fleet.settle();
    let anew = world.town.bead(&world.rig, &bead_of(&made["failed"][0]["follow_up"]));
    assert_eq!((anew.title.as_str(), anew.status), ("task 1", BeadStatus::Open));
    assert_eq!(anew.metadata["follow_up_of"], json!(world.beads[1]));
    assert!(anew.metadata["args"].as_str().unwrap().ends_with("failed at this before: the tests «hang»"));
    // Each shows the other.
    let original = world.call("convoy_partial", json!({}));
    assert_eq!((&original["unhandled"], &original["follow_ups"]), (&json!(0), &json!([follow_up.id])));
    assert_eq!(original["failed"][0]["bead"], json!(world.beads[1]), "still listed");
    let other = structured(world.caller.call("convoy_partial", json!({"town": world.town.id, "convoy": follow_up.id}))).unwrap();
    assert_eq!(other["follow_up_of"], json!(world.convoy));
    // Taken out, it is handled, and what waited for it is free to go on.
    world.town.fleet.block_on(world.caller.start("update_convoy", original["calls"][0]["arguments"].clone())).unwrap();
    world.town.fleet.settle();
    assert_eq!(world.call("convoy_partial", json!({}))["failed"], json!([]));
    assert_eq!(super::verdict(&world, &world.look(), 2).0, "not_taken_up");
}

#[test]
fn a_follow_up_is_made_once_for_each_state_of_its_convoy() {
    let world = half();
    let first = make(&world);
    let again = make(&world);
    assert_eq!((again.get("created"), &again["follow_ups"]), (None, &json!([first["created"]])));
    fail(&world, 3, "no space left");
    let second = make(&world);
    assert_eq!((&second["follow_ups"][0], &second["follow_ups"][1]), (&first["created"], &second["created"]));
    let titles: Vec<String> = convoys(&world).into_iter().map(|convoy| convoy.title).collect();
    assert_eq!(titles, ["Payments API (follow-up 2)", "Payments API (follow-up 1)", "Payments API"]);
    let follow_ups: Vec<&str> = second["failed"].as_array().unwrap().iter().map(|line| line["follow_up"].as_str().unwrap()).collect();
    assert!(follow_ups.len() == 2 && follow_ups[0] != follow_ups[1]);
}

// Truth rule 5.
#[test]
fn two_calls_at_once_and_a_lost_reply_make_one_follow_up() {
    let world = half();
    let other = Caller::new(&world.town.fleet, &mayor(&world), &[]);
    let arguments = json!({"town": world.town.id, "convoy": world.convoy, "dry_run": false});
    let calls: Vec<_> = [&world.caller, &other].into_iter().map(|caller| caller.start("convoy_partial", arguments.clone())).collect();
    world.town.fleet.block_on(join_all(calls)).into_iter().for_each(|outcome| drop(structured(outcome).unwrap()));
    assert_eq!(convoys(&world).len(), 2);
    for steps in 0..30 {
        let world = half();
        world.town.sql(&world.town.at).doom.die_after(steps);
        let _ = world.try_call("convoy_partial", json!({"dry_run": false}));
        world.town.sql(&world.town.at).doom.lift();
        world.town.fleet.take_faults();
        let made = make(&world);
        assert_eq!((convoys(&world).len(), made["follow_ups"].as_array().unwrap().len()), (2, 1), "step {steps}");
    }
}

// S2-38: what waits for the failed bead only comes along, what waits for something that stays does not.
#[test]
fn waiting_beads_come_along_when_asked_for_and_not_held_otherwise() {
    let world = half();
    let made = world.call("convoy_partial", json!({"dry_run": false, "include_open": true, "title": "Second try"}));
    assert_eq!(made["moved"], json!([world.beads[2]]));
    world.town.fleet.settle();
    let follow_up = convoys(&world).into_iter().find(|convoy| convoy.title == "Second try").unwrap();
    let status = world.town.convoy_status(&follow_up.id);
    let anew = bead_of(&made["failed"][0]["follow_up"]);
    assert_eq!(status.beads.iter().map(|bead| bead.bead_id.clone()).collect::<Vec<_>>(), [anew.clone(), world.beads[2].clone()]);
    assert_eq!((&status.dependency_edges[0].bead_id, &status.dependency_edges[0].depends_on_bead_id), (&world.beads[2], &anew));
    assert_eq!(world.town.convoy_status(&world.convoy).beads.len(), 4);
    // It goes on when the new one is done, and not before.
    assert_eq!(world.town.bead(&world.rig, &world.beads[2]).blockers_open, 1);
    world.town.start(&follow_up.id).unwrap();
    world.town.fleet.settle();
    assert!(world.holder(2).is_none());
    world.town.close(&world.rig, &anew);
    world.town.fleet.settle();
    assert!(world.holder(2).is_some());
    let check: Value = world.town.fleet.ask(&world.town.at, &rpc::CHECK_TOWN, (json!({}),), &world.town.owner()).unwrap();
    assert_eq!((&check["ok"], &check["findings"]), (&json!(true), &json!([])));
}

#[test]
fn a_rig_that_does_not_answer_makes_no_half_of_a_follow_up() {
    let world = half();
    world.town.fleet.trouble(&world.rig.at, Some(Trouble::DropBefore));
    let refused = world.try_call("convoy_partial", json!({"dry_run": false})).unwrap_err();
    assert_eq!(refused.code, Code::Unavailable);
    world.town.fleet.trouble(&world.rig.at, None);
    assert_eq!(convoys(&world).len(), 1);
    // What was deleted is shown, and not done anew.
    world.town.fleet.tell(&world.rig.at, &rpc::DELETE_BEAD, (&world.beads[1], Value::Null), &world.town.owner()).unwrap();
    world.town.fleet.settle();
    let made = make(&world);
    assert_eq!((made.get("created"), &made["failed"][0]["deleted"], &made["unhandled"]), (None, &json!(true), &json!(1)));
}
