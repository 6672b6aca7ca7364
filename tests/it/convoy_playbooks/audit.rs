//! `convoy_audit`: what the beads and the merges say, against what the town claims.

use super::{World, structured};
use crate::support::caller::Caller;
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble};
use base::error::Code;
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn audit(world: &World, arguments: Value) -> Value {
    world.call("convoy_audit", arguments)
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["convoys"][0]["findings"].as_array().map_or_else(Vec::new, |all| all.iter().map(|one| one["code"].as_str().unwrap()).collect())
}

fn evidence(answer: &Value) -> &Value {
    &answer["convoys"][0]["findings"][0]["evidence"]
}

/// A bead goes through its review, and is merged with this commit.
fn merge(town: &Town, rig: &Rig, bead: &BeadId, commit: Option<&str>) {
    let agent = town.agents(rig).into_iter().find(|agent| agent.current_hook_bead_id.as_ref() == Some(bead)).unwrap();
    town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&agent.id, json!({"branch": agent.branch})), &town.owner()).unwrap();
    let open = town.beads(rig, json!({"type": "merge_request", "status": "open"}));
    let request = open.into_iter().find(|request| request.metadata["source_bead_id"] == json!(bead)).unwrap();
    town.fleet
        .tell(
            &rig.at,
            &rpc::COMPLETE_REVIEW,
            (json!({"entry_id": request.bead_id, "status": "merged", "commit_sha": commit}),),
            &town.owner(),
        )
        .unwrap();
    town.fleet.settle();
}

// Truth rules 1 and 2: the town says 13 of 13, the rig says 2, and 11 that failed.
#[test]
fn thirteen_ended_beads_count_as_two_done_and_eleven_failed() {
    let world = World::new(&[&[] as &[i64]; 13]);
    for (index, bead) in world.beads.iter().enumerate() {
        if index < 2 {
            world.town.close(&world.rig, bead)
        } else {
            world.town.fail(&world.rig, bead)
        };
    }
    world.town.fleet.settle();
    let told = audit(&world, json!({}));
    assert_eq!(codes(&told), ["failed_beads"]);
    // What the town has is made wrong; the beads are as they are.
    let _: Vec<(i64,)> = world
        .town
        .sql(&world.town.at)
        .rows("UPDATE convoy_beads SET status = 'closed', mirror = json_set(mirror, '$.status', 'closed') RETURNING 1");
    let answer = audit(&world, json!({}));
    world.expect("audit_thirteen", &answer);
    let only = &answer["convoys"][0];
    assert!(only["verdict"].as_str().unwrap().starts_with("2 done, 11 failed, not complete."), "{only}");
    assert_eq!(
        (&only["claimed"]["closed"], &only["recounted"]["closed"], &only["recounted"]["failed"]),
        (&json!(13), &json!(2), &json!(11))
    );
    assert_eq!((codes(&answer), evidence(&answer).as_array().unwrap().len()), (vec!["failed_counted_as_done"], 11));
    // Of a rig that does not answer nothing is claimed.
    world.town.fleet.trouble(&world.rig.at, Some(Trouble::DropBefore));
    let blind = audit(&world, json!({}));
    assert_eq!((codes(&blind), &blind["convoys"][0]["unknown"]), (vec!["closed_but_not_landed"], &json!(13)));
    assert_eq!(blind["coverage"]["answered"], 0);
}

#[test]
fn a_merge_takes_a_commit_and_a_landing_takes_all_of_them() {
    let world = World::with(&json!({"convoy_merge_mode": "review-and-merge"}), Some(false), &[&[], &[]]);
    merge(&world.town, &world.rig, &world.beads[0], Some("c0ffee11"));
    merge(&world.town, &world.rig, &world.beads[1], None);
    let answer = audit(&world, json!({}));
    world.expect("audit_unmerged", &answer);
    assert_eq!((codes(&answer), evidence(&answer)), (vec!["closed_but_not_landed"], &json!([world.beads[1]])));
    // A town that calls it landed is contradicted.
    let _: Vec<(i64,)> = world.town.sql(&world.town.at).rows("UPDATE convoys SET status = 'landed', landed_at = created_at RETURNING 1");
    let landed = audit(&world, json!({}));
    assert_eq!((codes(&landed), evidence(&landed)), (vec!["landed_without_merge"], &json!([world.beads[1]])));
}

#[test]
fn landed_with_evidence_has_no_findings_and_closed_by_hand_has() {
    let world = World::with(&json!({"convoy_merge_mode": "review-and-merge"}), Some(false), &[&[]]);
    merge(&world.town, &world.rig, &world.beads[0], Some("c0ffee11"));
    let good = audit(&world, json!({}));
    assert_eq!((&good["convoys"][0]["phase"], codes(&good)), (&json!("landed"), vec![]));
    assert_eq!(good["summary"], "1 merged, landed. No findings.");
    let closed = World::new(&[&[], &[]]);
    closed.town.fail(&closed.rig, &closed.beads[0]);
    let _: Value = closed.town.fleet.ask(&closed.town.at, &rpc::CLOSE_CONVOY, (&closed.convoy,), &closed.town.owner()).unwrap();
    closed.town.fleet.settle();
    let answer = audit(&closed, json!({}));
    closed.expect("audit_closed", &answer);
    assert_eq!(codes(&answer), ["closed_but_not_landed", "failed_counted_as_done"]);
}

#[test]
fn what_is_forgotten_or_quiet_for_too_long_is_named_and_a_pause_is_not() {
    let staged = World::with(&json!({}), Some(true), &[&[]]);
    assert_eq!(codes(&audit(&staged, json!({}))), Vec::<&str>::new());
    staged.seconds(25 * 3_600);
    assert_eq!(codes(&audit(&staged, json!({}))), ["staged_and_forgotten"]);
    assert_eq!(codes(&audit(&staged, json!({"staged_hours": 48}))), Vec::<&str>::new());
    let quiet = World::new(&[&[], &[0]]);
    let agent = quiet.begins(0);
    quiet.seconds(3_000);
    quiet.says(&agent);
    quiet.seconds(3_000);
    assert_eq!(codes(&audit(&quiet, json!({}))), Vec::<&str>::new(), "it said something");
    let answer = audit(&quiet, json!({"quiet_minutes": 50}));
    assert_eq!((codes(&answer), evidence(&answer)), (vec!["no_progress"], &json!(quiet.beads)));
    quiet.town.fleet.tell(&quiet.town.at, &rpc::SET_PARKED, (Value::Null, true, Value::Null), &quiet.town.owner()).unwrap();
    quiet.town.fleet.settle();
    assert_eq!(codes(&audit(&quiet, json!({"quiet_minutes": 0}))), Vec::<&str>::new());
}

#[test]
fn members_that_their_rig_does_not_have_are_missing() {
    let world = World::new(&[&[], &[]]);
    world.town.fleet.tell(&world.rig.at, &rpc::DELETE_BEAD, (&world.beads[0], Value::Null), &world.town.owner()).unwrap();
    world.town.fleet.settle();
    let answer = audit(&world, json!({}));
    assert_eq!((codes(&answer), evidence(&answer)), (vec!["missing_beads"], &json!([world.beads[0]])));
}

#[test]
fn all_convoys_are_audited_page_by_page_those_with_findings_first() {
    let (town, rig) = Town::with_rig();
    town.unwatched();
    let made: Vec<ConvoyId> = (0..5).map(|_| town.convoy(&rig, Some(true), &[&[]]).convoy.id).collect();
    town.fleet.settle();
    let call = |arguments: Value| {
        let mut all = json!({"town": town.id});
        all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
        structured(Caller::new(&town.fleet, &town.owner(), &[]).call("convoy_audit", all))
    };
    let (mut cursor, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = call(json!({"limit": 2, "cursor": cursor})).unwrap();
        seen.extend(page["convoys"].as_array().unwrap().iter().map(|convoy| convoy["convoy"].as_str().unwrap().to_owned()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let expected: Vec<String> = made.iter().rev().map(ToString::to_string).collect();
    assert_eq!(seen, expected);
    town.start(&made[0]).unwrap();
    town.fleet.settle();
    let first = town.beads(&rig, json!({})).into_iter().find(|bead| bead.metadata["convoy_id"] == json!(made[0])).unwrap();
    town.fail(&rig, &first.bead_id);
    town.fleet.settle();
    let all = call(json!({})).unwrap();
    assert_eq!((&all["convoys"][0]["convoy"], &all["summary"]), (&json!(made[0]), &json!("5 convoys were counted anew. 1 finding.")));
    assert_eq!(call(json!({"limit": 21})).unwrap_err().code, Code::InvalidArgument);
    assert_eq!(call(json!({"convoy": "nothing"})).unwrap_err().code, Code::NotFound);
    let empty = Town::new(&Fleet::new(), 7);
    let nothing = structured(Caller::new(&empty.fleet, &empty.owner(), &[]).call("convoy_audit", json!({"town": empty.id}))).unwrap();
    assert_eq!(nothing["summary"], "0 convoys were counted anew. No findings.");
}
