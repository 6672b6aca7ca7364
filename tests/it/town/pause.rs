//! Parking and drains: nothing new is given out, and what waits goes on at once when they end.

use crate::support::tokens::{OWNER, container, mayor};
use crate::support::town::Rig;
use crate::support::{Town, code, refusal};
use base::error::Code;
use base::time::Timestamp;
use gastown_mcp::contract::ids::RigId;
use gastown_mcp::contract::shapes::{FeedEntry, FeedKind, Parking};
use gastown_mcp::objects::town::rigs::pause::DRAIN_MILLIS_MAX;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn park(town: &Town, rig: Option<&Rig>, parked: bool) -> Parking {
    let args = (rig.map(|rig| rig.id.clone()), parked, "release freeze");
    town.fleet.ask(&town.at, &rpc::SET_PARKED, args, &town.owner()).unwrap()
}

fn kinds(town: &Town) -> Vec<FeedKind> {
    let entries: Vec<FeedEntry> = town.fleet.ask(&town.at, &rpc::LIST_FEED, (Value::Null, Value::Null), &town.owner()).unwrap();
    entries.into_iter().map(|entry| entry.kind).collect()
}

fn hooked(town: &Town, rig: &Rig) -> usize {
    town.agents(rig).iter().filter(|agent| agent.current_hook_bead_id.is_some()).count()
}

#[test]
fn a_parked_town_gives_out_nothing_and_catches_up_when_unparked() {
    let (town, rig) = Town::with_rig();
    let running = town.sling(&rig, "runs").bead.bead_id;
    assert!(park(&town, None, true).changed);
    let waiting = town.sling(&rig, "waits");
    assert_eq!((waiting.agent, waiting.queue_position), (None, Some(1)));
    assert_eq!(hooked(&town, &rig), 1, "what runs goes on");
    town.close(&rig, &running);
    assert_eq!(hooked(&town, &rig), 0, "and is followed by nothing");
    town.fleet.settle();
    let status = town.alarm_status();
    assert!(status.parked && status.rigs[0].parked);
    assert!(!park(&town, None, true).changed);
    assert!(park(&town, None, false).changed);
    assert_eq!(hooked(&town, &rig), 1, "at once");
    assert!(!town.alarm_status().parked);
    assert!(kinds(&town).ends_with(&[FeedKind::Parked, FeedKind::Unparked]));
}

#[test]
fn one_rig_is_parked_by_itself_and_stays_so_when_its_town_is_unparked() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let told = park(&town, Some(&rig), true);
    assert_eq!(told, Parking { rig_id: Some(rig.id.clone()), parked: true, changed: true, town_parked: false });
    assert!(town.sling(&rig, "a").agent.is_none());
    assert!(town.sling(&backend, "a").agent.is_some());
    park(&town, None, true);
    park(&town, None, false);
    assert_eq!(hooked(&town, &rig), 0);
    park(&town, None, true);
    let told = park(&town, Some(&rig), false);
    assert!(told.changed && told.town_parked);
    assert_eq!(hooked(&town, &rig), 0);
    park(&town, None, false);
    assert_eq!(hooked(&town, &rig), 1);
    assert_eq!(
        code(town.fleet.ask::<Value>(&town.at, &rpc::SET_PARKED, (RigId::from_random([9; 16]), true, ()), &town.owner())),
        Code::NotFound
    );
    let long = "r".repeat(501);
    assert_eq!(code(town.fleet.ask::<Value>(&town.at, &rpc::SET_PARKED, ((), true, long), &town.owner())), Code::InvalidArgument);
}

/// A rig that was away when its town was parked learns of it, and one that was added then is parked from the start.
#[test]
fn a_rig_learns_that_it_is_parked_over_restarts_and_from_its_first_letter() {
    let (town, rig) = Town::with_rig();
    town.fleet.trouble(&rig.at, Some(crate::support::Trouble::DropBefore));
    park(&town, None, true);
    town.fleet.restart();
    town.fleet.trouble(&rig.at, None);
    town.fleet.settle();
    assert!(town.sling(&rig, "t").agent.is_none());
    let later = town.add_rig("later", 3);
    assert!(town.sling(&later, "t").agent.is_none());
    // A parked town's Mayor may end it.
    town.fleet.ask::<Value>(&town.at, &rpc::SET_PARKED, ((), false, ()), &mayor(&town.fleet, &town.id)).unwrap();
    assert_eq!((hooked(&town, &rig), hooked(&town, &later)), (1, 1));
}

#[test]
fn a_drain_is_ended_by_its_nonce_or_by_itself_after_seven_minutes() {
    let (town, rig) = Town::with_rig();
    let ask = |method| town.fleet.ask::<Value>(&town.at, method, (), &container(&town.fleet, &town.id)).unwrap();
    let ready =
        |nonce: &Value| town.fleet.ask::<bool>(&town.at, &rpc::ACKNOWLEDGE_READY, (nonce,), &container(&town.fleet, &town.id)).unwrap();
    let state = || (ask(&rpc::IS_DRAINING), ask(&rpc::GET_DRAIN_NONCE), ask(&rpc::GET_DRAIN_STARTED_AT));
    let rest = (json!(false), Value::Null, Value::Null);
    assert_eq!(state(), rest);
    assert!(!ready(&json!("x")));

    let began = town.fleet.now();
    let nonce = ask(&rpc::RECORD_EVICTION);
    assert_eq!(state(), (json!(true), nonce.clone(), json!(began)));
    let status = town.alarm_status();
    assert_eq!((status.draining, status.drain_started_at), (Some(true), Some(began)));
    assert!(town.sling(&rig, "t").agent.is_none());
    assert!(!ready(&json!("another")));
    let second = ask(&rpc::RECORD_EVICTION);
    assert!(!ready(&nonce), "the newer drain is not ended by the older one's nonce");
    assert!(ready(&second));
    assert_eq!(state(), rest);
    assert_eq!(hooked(&town, &rig), 1);
    assert_eq!(town.alarm_status().draining, None);

    ask(&rpc::RECORD_EVICTION);
    let third = town.sling(&rig, "u");
    assert!(third.agent.is_none());
    town.fleet.settle();
    town.fleet.restart();
    town.fleet.advance(DRAIN_MILLIS_MAX - 60_000);
    assert_eq!(ask(&rpc::IS_DRAINING), json!(true));
    assert_eq!(hooked(&town, &rig), 1);
    town.fleet.advance(61_000);
    assert_eq!(state(), rest);
    assert_eq!(hooked(&town, &rig), 2, "nobody asked for it");
    assert!(kinds(&town).ends_with(&[
        FeedKind::DrainStarted,
        FeedKind::DrainStarted,
        FeedKind::DrainEnded,
        FeedKind::DrainStarted,
        FeedKind::DrainEnded
    ]));
    town.fleet.settle();
    town.fleet.advance(10_000);
    assert_eq!(town.fleet.alarm_of(&town.at), None, "the alarm rests");
}

#[test]
fn what_a_town_says_of_its_health() {
    let (town, rig) = Town::with_rig();
    let ask = |method| town.fleet.ask::<Value>(&town.at, method, (), &town.owner()).unwrap();
    assert_eq!(ask(&rpc::HEALTH_CHECK), json!({"townId": town.id, "alarmSet": false, "activeAgents": 0, "pendingBeads": 0}));
    for number in 0..6 {
        town.sling(&rig, &format!("{number}"));
    }
    town.fleet.settle();
    ask(&rpc::RECORD_EVICTION);
    assert_eq!(ask(&rpc::HEALTH_CHECK), json!({"townId": town.id, "alarmSet": true, "activeAgents": 5, "pendingBeads": 6}));
    assert_eq!(ask(&rpc::REQUIRES_RUNTIME), json!(false));
    assert_eq!(ask(&rpc::GET_BILLING), json!({"enabled": false, "enforcing": false, "state": "idle", "runPolicy": "automatic"}));
    assert_eq!(town.alarm_status().billing, ask(&rpc::GET_BILLING));
    let identity = ask(&rpc::GET_IDENTITY);
    assert_eq!((&identity["ownerUserId"], &identity["ownerType"]), (&json!(OWNER), &json!("user")));
    assert!(ask(&rpc::GET_DRAIN_STARTED_AT).as_str().and_then(Timestamp::parse_iso).is_some());
}

/// Neither by the queue nor by name; but a review of what is done goes on.
#[test]
fn nothing_is_given_out_by_hand_either_while_a_rig_is_parked() {
    let (town, rig) = Town::with_rig();
    let first = town.sling(&rig, "first");
    let (held_by, other) = (first.agent.unwrap().id, town.agent(&rig).unwrap().id);
    let blocked = town.create_bead(&rig, json!({"type": "issue", "title": "t", "depends_on": [first.bead.bead_id]})).unwrap().bead_id;
    let waiting = town.create_bead(&rig, json!({"type": "issue", "title": "t"})).unwrap().bead_id;
    park(&town, Some(&rig), true);
    let assign = |bead| town.fleet.ask::<Value>(&rig.at, &rpc::REASSIGN_BEAD, (bead, &other), &town.owner());
    for refused in [refusal(town.hook(&rig, &other, &waiting)), refusal(assign(&waiting)), refusal(assign(&first.bead.bead_id))] {
        assert_eq!((refused.code, refused.message.as_str()), (Code::Conflict, "Rig frontend is parked: nothing is given out"));
    }
    assert_eq!(town.bead(&rig, &first.bead.bead_id).assignee_agent_bead_id.as_ref(), Some(&held_by), "nothing was changed");
    town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&held_by, json!({"branch": "polecat/toast/b"})), &town.owner()).unwrap();
    let refinery: Value = town.fleet.ask(&rig.at, &rpc::GET_OR_CREATE_AGENT, ("refinery", Value::Null), &town.owner()).unwrap();
    let refinery = serde_json::from_value(refinery["id"].clone()).unwrap();
    let request = town.beads(&rig, json!({"type": "merge_request"})).remove(0).bead_id;
    town.hook(&rig, &refinery, &request).unwrap();
    let merged = json!({"entry_id": request, "status": "merged", "commit_sha": "abcdef0"});
    town.fleet.tell(&rig.at, &rpc::COMPLETE_REVIEW, (merged,), &town.owner()).unwrap();
    town.fleet.tell(&rig.at, &rpc::RESET_AGENT, (&held_by,), &town.owner()).unwrap();
    town.fleet.tell(&rig.at, &rpc::DELETE_AGENT, (&other,), &town.owner()).unwrap();
    town.fleet.settle();
    town.fleet.advance(600_000);
    assert_eq!((hooked(&town, &rig), town.bead(&rig, &blocked).blockers_open), (0, 0));
    park(&town, Some(&rig), false);
    assert_eq!(hooked(&town, &rig), 2);
}
