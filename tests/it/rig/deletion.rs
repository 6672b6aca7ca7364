//! Beads deleted for good: what goes with them, what stays, and who is told.

use crate::support::town::Rig;
use crate::support::{Listener, Town, code, refusal, tokens};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId, RigId};
use gastown_mcp::contract::shapes::{Bead, BeadEventRecord, BeadStatus};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn issue(town: &Town, rig: &Rig, more: &Value) -> BeadId {
    let mut input = json!({"type": "issue", "title": "t"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    town.create_bead(rig, input).unwrap().bead_id
}

fn delete(town: &Town, rig: &Rig, bead: &BeadId) -> bool {
    town.fleet.ask(&rig.at, &rpc::DELETE_BEAD, (bead, &rig.id), &town.owner()).unwrap()
}

fn exists(town: &Town, rig: &Rig, bead: &BeadId) -> bool {
    town.fleet.ask::<Option<Bead>>(&rig.at, &rpc::GET_BEAD, (bead,), &town.owner()).unwrap().is_some()
}

fn events(town: &Town, rig: &Rig, bead: &BeadId) -> Vec<BeadEventRecord> {
    town.fleet.ask(&rig.at, &rpc::LIST_BEAD_EVENTS, (json!({"beadId": bead}),), &town.owner()).unwrap()
}

#[test]
fn a_bead_goes_with_all_that_is_below_it_and_its_events_stay() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let slung = town.sling(&rig, "on a hook");
    let bead = slung.bead.bead_id;
    let child = issue(&town, &rig, &json!({"parent_bead_id": bead}));
    let below = issue(&town, &rig, &json!({"parent_bead_id": child}));
    let queued = town.sling(&rig, "queued").bead.bead_id;
    let sql = town.sql(&rig.at);
    let request = town.create_bead(&rig, json!({"type": "merge_request", "title": "Review"})).unwrap().bead_id;
    sql.rows::<()>(&format!(
        "INSERT INTO merge_requests (bead_id, source_bead_id, branch, target_branch) VALUES ('{request}', '{below}', 'b', 'main')"
    ));
    sql.rows::<()>(&format!(
        "INSERT INTO molecules (id, bead_id, formula, current_step, status, summaries, created_at, updated_at) VALUES ('m', '{child}', '{{}}', 0, 'active', '[]', 0, 0)"
    ));
    assert!(delete(&town, &rig, &bead));
    for gone in [&bead, &child, &below, &request] {
        assert!(!exists(&town, &rig, gone));
        let newest = &events(&town, &rig, gone)[0];
        assert_eq!((newest.event_type.as_str(), newest.actor.as_deref()), ("deleted", Some(tokens::OWNER)));
        assert_eq!(newest.old_value.as_deref(), Some("open"));
    }
    assert_eq!(json!(events(&town, &rig, &bead)[0].metadata), json!({"title": "on a hook", "type": "issue"}));
    assert_eq!(sql.value::<i64>("SELECT (SELECT COUNT(*) FROM merge_requests) + (SELECT COUNT(*) FROM molecules)"), 0);
    // Its polecat is free for what waits; the child came before what was slung.
    assert_eq!(town.agents(&rig)[0].current_hook_bead_id, Some(queued));
    assert!(!delete(&town, &rig, &bead), "it is gone already");
}

#[test]
fn a_bead_that_is_not_there_or_of_another_rig_is_not_deleted() {
    let (town, rig) = Town::with_rig();
    let bead = issue(&town, &rig, &json!({}));
    let other = RigId::from_random([9; 16]);
    let ask = |args: (&BeadId, Option<&RigId>)| town.fleet.ask::<bool>(&rig.at, &rpc::DELETE_BEAD, args, &town.owner()).unwrap();
    assert!(!ask((&bead, Some(&other))));
    assert!(!ask((&BeadId::from_random([9; 16]), None)));
    let many = |rig_id: Option<&RigId>| town.fleet.ask::<i64>(&rig.at, &rpc::DELETE_BEADS, (json!([bead]), rig_id), &town.owner()).unwrap();
    let all = |rig_id: Option<&RigId>| {
        town.fleet.ask::<i64>(&rig.at, &rpc::DELETE_BEADS_BY_STATUS, ("open", Value::Null, rig_id), &town.owner()).unwrap()
    };
    assert_eq!((many(Some(&other)), all(Some(&other))), (0, 0));
    assert!(exists(&town, &rig, &bead));
    assert!(ask((&bead, None)));
    let polecat = town.polecat(&rig, &AgentId::from_random([8; 16]));
    let refused: Result<bool, Failure> = town.fleet.ask(&rig.at, &rpc::DELETE_BEAD, (&bead, Value::Null), &polecat);
    assert_eq!(code(refused), Code::Forbidden);
}

/// Contract, section 12: the most that HTTP takes in one call is more than a statement takes parameters.
#[test]
fn five_thousand_beads_are_deleted_in_one_call_and_more_are_refused() {
    let (town, rig) = Town::with_rig();
    let sql = town.sql(&rig.at);
    crate::support::fill::fill_beads(&sql, &rig.id, 6_000, town.fleet.now());
    let ids: Vec<BeadId> = (1..=5_001).map(crate::support::fill::bead_id).collect();
    let delete = |ids: &[BeadId]| town.fleet.ask::<i64>(&rig.at, &rpc::DELETE_BEADS, (ids, Value::Null), &town.owner());
    assert!(refusal(delete(&ids)).message.contains("at most 5000"));
    assert_eq!(delete(&[]).unwrap(), 0);
    assert_eq!(delete(&ids[..5_000]).unwrap(), 5_000);
    assert_eq!(delete(&ids[..5_000]).unwrap(), 0);
    assert_eq!(sql.value::<i64>("SELECT COUNT(*) FROM beads"), 1_000);
    assert_eq!(sql.value::<i64>("SELECT COUNT(*) FROM bead_events WHERE event_type = 'deleted'"), 5_000);
    assert_eq!(sql.value::<i64>("SELECT COUNT(DISTINCT bead_event_id) FROM bead_events WHERE event_type = 'deleted'"), 5_000);
    town.fleet.settle();
    assert_eq!(town.alarm_status().beads.open, 1_000);
}

#[test]
fn beads_of_a_status_and_type_are_deleted_and_no_others() {
    let (town, rig) = Town::with_rig();
    let make = |kind: &str| town.create_bead(&rig, json!({"type": kind, "title": kind, "held": true})).unwrap().bead_id;
    let (issue, closed, molecule, escalation) = (make("issue"), make("issue"), make("molecule"), make("escalation"));
    town.close(&rig, &closed);
    town.close(&rig, &escalation);
    let delete = |status: &str, kind: Value| {
        town.fleet.ask::<i64>(&rig.at, &rpc::DELETE_BEADS_BY_STATUS, (status, kind, &rig.id), &town.owner()).unwrap()
    };
    assert_eq!(delete("failed", Value::Null), 0);
    assert_eq!(delete("closed", json!("issue")), 1);
    assert_eq!([&issue, &closed, &molecule, &escalation].map(|bead| exists(&town, &rig, bead)), [true, false, true, true]);
    assert_eq!(delete("open", Value::Null), 2);
    assert_eq!([&issue, &molecule, &escalation].map(|bead| exists(&town, &rig, bead)), [false, false, true]);
    let wrong = town.fleet.ask::<i64>(&rig.at, &rpc::DELETE_BEADS_BY_STATUS, ("bogus", Value::Null, Value::Null), &town.owner());
    assert_eq!(code(wrong), Code::InvalidArgument);
}

/// Truth rule 4.
#[test]
fn a_deleted_blocker_goes_on_blocking_unless_it_was_met_before() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let hold = issue(&town, &rig, &json!({"held": true}));
    let (met, unmerged, open) = (issue(&town, &rig, &json!({})), issue(&town, &rig, &json!({})), issue(&town, &rig, &json!({})));
    town.close(&rig, &met);
    let waiter = issue(&town, &rig, &json!({"depends_on": [met, open, hold]}));
    let for_merge = issue(&town, &rig, &json!({"depends_on": [unmerged], "until": "merged"}));
    town.close(&rig, &unmerged);
    assert_eq!(town.bead(&rig, &waiter).blockers_open, 2);
    for bead in [&met, &unmerged, &open] {
        assert!(delete(&town, &rig, bead));
    }
    assert_eq!([&waiter, &for_merge].map(|bead| town.bead(&rig, bead).blockers_open), [2, 1]);
    town.close(&rig, &hold);
    town.fleet.advance(600_000);
    assert_eq!([&waiter, &for_merge].map(|bead| town.bead(&rig, bead).blockers_open), [1, 1]);
    let known: gastown_mcp::contract::shapes::BeadDetail =
        town.fleet.ask(&rig.at, &rpc::DEBUG_GET_BEAD, (&waiter,), &town.owner()).unwrap();
    let gone: Vec<&BeadId> = known.dependencies.iter().filter(|edge| edge.status.is_none()).map(|edge| &edge.depends_on_bead_id).collect();
    assert_eq!(gone, [&open], "it shows what it waits for in vain");
    // The way out is to say that it is not needed.
    let fields = json!({"remove_depends_on": [open]});
    let freed: Value = town.fleet.ask(&rig.at, &rpc::UPDATE_BEAD, (&waiter, fields, Value::Null), &town.owner()).unwrap();
    assert_eq!(freed["blockers_open"], 0);
}

/// A merge request holds back whoever waits for its bead; deleted, it does not.
#[test]
fn those_that_wait_are_recounted_when_a_merge_request_is_deleted() {
    let (town, rig) = Town::with_rig();
    let source = issue(&town, &rig, &json!({"held": true}));
    let waiter = issue(&town, &rig, &json!({"depends_on": [source], "held": true}));
    let request = town.create_bead(&rig, json!({"type": "merge_request", "title": "Review"})).unwrap().bead_id;
    town.sql(&rig.at).rows::<()>(&format!(
        "INSERT INTO merge_requests (bead_id, source_bead_id, branch, target_branch) VALUES ('{request}', '{source}', 'b', 'main')"
    ));
    town.close(&rig, &source);
    assert_eq!(town.bead(&rig, &waiter).blockers_open, 1);
    assert!(delete(&town, &rig, &request));
    assert_eq!(town.bead(&rig, &waiter).blockers_open, 0);
}

#[test]
fn the_town_is_told_of_a_deleted_member_and_does_not_bring_it_back() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(true), &[&[], &[]]);
    let member = convoy.beads[0].bead.bead_id.clone();
    town.fleet.settle();
    assert!(delete(&town, &rig, &member));
    let owed = town.sql(&rig.at).rows::<(String, String)>("SELECT subject, target FROM outbox WHERE kind = 'bead'");
    assert_eq!(owed, [(member.to_string(), town.at.to_string())]);
    // A letter that was under way, or says how things were.
    town.start(&convoy.convoy.id).unwrap();
    assert!(!exists(&town, &rig, &member));
    assert!(exists(&town, &rig, &convoy.beads[1].bead.bead_id));
}

#[test]
fn who_listens_to_a_bead_hears_that_it_is_deleted() {
    let (town, rig) = Town::with_rig();
    let bead = issue(&town, &rig, &json!({}));
    let session = Listener::of(&town, "s");
    session.listen(&rig.at, &[&format!("bead:{bead}")]);
    assert!(delete(&town, &rig, &bead));
    let news = session.news(&format!("bead:{bead}"));
    assert_eq!((&news["outcome"]["status"], &news["terminal"]), (&json!("deleted"), &json!(true)));
}

/// Nobody would ever review it again.
#[test]
fn a_bead_in_review_whose_merge_request_is_deleted_is_work_again() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "t");
    let done = json!({"branch": "polecat/toast/b"});
    town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&slung.agent.unwrap().id, done), &town.owner()).unwrap();
    assert_eq!(town.bead(&rig, &slung.bead.bead_id).status, BeadStatus::InReview);
    let request = town.beads(&rig, json!({"type": "merge_request"})).remove(0).bead_id;
    assert!(delete(&town, &rig, &request));
    let again = town.bead(&rig, &slung.bead.bead_id);
    assert_eq!(again.status, BeadStatus::Open);
    assert!(again.assignee_agent_bead_id.is_some(), "and given out");
    // Deleted together, neither is left.
    town.fleet
        .tell(&rig.at, &rpc::AGENT_DONE, (again.assignee_agent_bead_id, json!({"branch": "polecat/toast/c"})), &town.owner())
        .unwrap();
    let all = town.beads(&rig, json!({})).into_iter().map(|bead| bead.bead_id).collect::<Vec<_>>();
    assert_eq!(town.fleet.ask::<i64>(&rig.at, &rpc::DELETE_BEADS, (all, &rig.id), &town.owner()).unwrap(), 2);
}
