//! What a session can listen to in a town.

use crate::support::{Listener, Town};
use gastown_mcp::contract::ids::RigId;
use gastown_mcp::rpc::table as rpc;
use serde_json::json;

const ALL: [&str; 5] = ["town", "rigs", "convoys", "feed", "mayor"];

#[test]
fn each_change_of_a_town_is_told_under_its_topics() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let session = Listener::of(&town, "s");
    session.listen(&town.at, &ALL);
    assert!(session.heard().is_empty());
    town.sling(&rig, "t");
    assert_eq!(session.heard(), ["town"]);
    town.configure(json!({"default_model": "m"})).unwrap();
    assert_eq!(session.heard(), ["town"]);
    town.try_add_rig("backend", &RigId::from_random([3; 16])).unwrap();
    assert_eq!(session.heard(), ["feed", "rigs", "town"]);
    // The same rig again may have another name, and is no event.
    town.try_add_rig("server", &RigId::from_random([3; 16])).unwrap();
    assert_eq!(session.heard(), ["rigs", "town"]);
    town.fleet.tell(&town.at, &rpc::SEND_MAYOR_MESSAGE, ("hold off", (), (), ()), &town.owner()).unwrap();
    assert_eq!(session.heard(), ["feed", "mayor"]);
    let convoy = town.convoy(&rig, Some(true), &[&[], &[]]).convoy.id;
    assert_eq!(session.heard(), ["convoys", "feed", "town"]);
    town.start(&convoy).unwrap();
    assert_eq!(session.heard(), ["convoys", "feed", "town"]);
    // What is refused or only read is no change.
    town.start(&convoy).unwrap_err();
    town.alarm_status();
    assert!(session.heard().is_empty());
}

#[test]
fn a_convoy_tells_its_counts_and_that_it_has_ended() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(true), &[&[], &[]]);
    let id = convoy.convoy.id.clone();
    let about = format!("convoy:{id}");
    town.fleet.settle();
    let session = Listener::of(&town, "s");
    session.listen(&town.at, &[&about, "feed"]);
    let body = |terminal: bool, status: &str, closed: i64, failed: i64| json!({"terminal": terminal, "outcome": {"convoy_id": id, "status": status, "total_beads": 2, "closed_beads": closed, "failed_beads": failed}});
    town.start(&id).unwrap();
    assert_eq!(session.news(&about), body(false, "running", 0, 0));
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    assert_eq!(session.news(&about), body(false, "running", 1, 0));
    town.fail(&rig, &convoy.beads[1].bead.bead_id);
    let letters = session.letters();
    let said = |topic: &str| letters.iter().rfind(|letter| letter.subject == topic).unwrap().body.clone();
    assert_eq!(said(&about), body(true, "failed", 1, 1));
    assert_eq!(said("feed"), json!({"terminal": false, "outcome": {"number": 6, "kind": "convoy_ended", "subject": id}}));
    let text = serde_json::to_string(&letters).unwrap();
    assert!(!text.contains("task ") && !text.contains("Payments"), "{text}");
}
