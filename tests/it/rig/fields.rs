//! What is changed on a bead: fields, labels, metadata, what it waits for, whether it is held, and who has it.

use crate::support::town::Rig;
use crate::support::{Town, code, refusal, tokens};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId, RigId};
use gastown_mcp::contract::shapes::{Bead, BeadDetail, BeadEventRecord, BeadStatus, UpdatedBead};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn update(town: &Town, rig: &Rig, bead: &BeadId, fields: Value) -> Result<UpdatedBead, Failure> {
    town.fleet.ask(&rig.at, &rpc::UPDATE_BEAD, (bead, fields, "me"), &town.owner())
}

/// A bead that nobody is given, because nothing has rung yet.
fn issue(town: &Town, rig: &Rig, more: &Value) -> Bead {
    let mut input = json!({"type": "issue", "title": "t"});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    town.create_bead(rig, input).unwrap()
}

fn events(town: &Town, rig: &Rig, bead: &BeadId) -> Vec<BeadEventRecord> {
    town.fleet.ask(&rig.at, &rpc::LIST_BEAD_EVENTS, (json!({"beadId": bead}),), &town.owner()).unwrap()
}

fn detail(town: &Town, rig: &Rig, bead: &BeadId) -> BeadDetail {
    town.fleet.ask(&rig.at, &rpc::DEBUG_GET_BEAD, (bead,), &town.owner()).unwrap()
}

/// S2-07, for what comes after the creation.
#[test]
fn an_update_changes_what_it_names_and_says_what_has_changed() {
    let (town, rig) = Town::with_rig();
    let parent = issue(&town, &rig, &json!({})).bead_id;
    let bead = issue(&town, &rig, &json!({"body": "b", "labels": ["a", "b"], "metadata": {"x": 1, "y": {"z": 2}}, "held": true})).bead_id;
    town.fleet.advance(1_000);
    let fields = json!({
        "title": "new", "body": null, "priority": "critical", "labels": ["gt:held", "c"], "metadata": {"w": [1]}, "parent_bead_id": parent,
        "depends_on": [parent], "rig_id": rig.id, "type": "issue"
    });
    let after = update(&town, &rig, &bead, fields.clone()).unwrap();
    assert_eq!(after.changed, ["title", "body", "priority", "labels", "metadata", "parent_bead_id", "depends_on"]);
    let read = town.bead(&rig, &bead);
    assert_eq!(read, after.bead);
    assert_eq!((read.title.as_str(), &read.body, read.priority.as_str(), read.blockers_open), ("new", &None, "critical", 1));
    assert_eq!((json!(read.labels), json!(read.metadata)), (json!(["gt:held", "c"]), json!({"w": [1]})));
    assert_eq!((read.parent_bead_id, read.updated_at), (Some(parent.clone()), town.fleet.now()));

    let event = &events(&town, &rig, &bead)[0];
    assert_eq!(
        (event.event_type.as_str(), event.agent_id.as_deref(), event.actor.as_deref()),
        ("fields_updated", Some("me"), Some(tokens::OWNER))
    );
    assert_eq!(event.metadata["changed"], json!(after.changed));

    // The same again changes nothing and writes nothing.
    town.fleet.advance(1_000);
    let again = update(&town, &rig, &bead, fields).unwrap();
    assert_eq!((again.changed.len(), again.bead.updated_at), (0, read.updated_at));
    assert_eq!(events(&town, &rig, &bead).len(), 2);

    let cleared = update(&town, &rig, &bead, json!({"parent_bead_id": null, "depends_on": []})).unwrap();
    assert_eq!((cleared.bead.parent_bead_id, cleared.bead.blockers_open), (None, 0));
}

#[test]
fn labels_and_metadata_are_added_to_and_taken_from() {
    let (town, rig) = Town::with_rig();
    let bead = issue(&town, &rig, &json!({"labels": ["a", "b"], "metadata": {"x": 1, "y": 2}, "held": true})).bead_id;
    let fields = json!({"add_labels": ["c", "a"], "remove_labels": ["b", "none"], "merge_metadata": {"y": 3, "z": null}, "remove_metadata": ["x", "none"]});
    let after = update(&town, &rig, &bead, fields).unwrap();
    assert_eq!((json!(after.bead.labels), json!(after.bead.metadata)), (json!(["a", "gt:held", "c"]), json!({"y": 3, "z": null})));
    assert_eq!(after.changed, ["labels", "metadata"]);
}

/// What was there when something was refused is still there, all of it.
#[test]
fn an_update_is_made_whole_or_not_at_all() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let elsewhere = issue(&town, &backend, &json!({})).bead_id;
    let bead = issue(&town, &rig, &json!({"body": "b", "labels": ["a"]}));
    let child = issue(&town, &rig, &json!({"parent_bead_id": bead.bead_id})).bead_id;
    let waiter = issue(&town, &rig, &json!({"depends_on": [bead.bead_id]})).bead_id;
    let cases = [
        (json!({"title": ""}), "title must have 1 to 500"),
        (json!({"body": "b".repeat(65_537)}), "body must have at most"),
        (json!({"labels": vec!["l"; 51]}), "labels: at most 50"),
        (json!({"add_labels": ["l".repeat(101)]}), "labels: at most 50"),
        (json!({"merge_metadata": {"x": "x".repeat(16_384)}}), "metadata: at most"),
        (json!({"labels": [], "add_labels": []}), "Give either labels"),
        (json!({"metadata": {}, "remove_metadata": []}), "Give either metadata"),
        (json!({"depends_on": [], "remove_depends_on": []}), "Give either depends_on"),
        (json!({"depends_on": [BeadId::from_random([77; 16])]}), "is not in this rig"),
        (json!({"add_depends_on": [elsewhere]}), "is not in this rig"),
        (json!({"add_depends_on": [bead.bead_id]}), "cannot wait for a bead that waits for it"),
        (json!({"add_depends_on": [waiter]}), "cannot wait for a bead that waits for it"),
        (json!({"parent_bead_id": bead.bead_id}), "which is below it"),
        (json!({"parent_bead_id": child}), "which is below it"),
        (json!({"parent_bead_id": elsewhere}), "not found"),
        (json!({"rig_id": RigId::from_random([9; 16])}), "rig_id cannot change"),
        (json!({"rig_id": null}), "rig_id cannot change"),
        (json!({"type": "molecule"}), "type cannot change"),
        (json!({"status": "in_progress"}), "cannot become in_progress"),
        (json!({"status": "merged"}), "unknown variant"),
        (json!({"priority": "urgent"}), "unknown variant"),
        (json!({"tilte": "typo"}), "unknown field"),
    ];
    for (mut fields, reason) in cases {
        if fields.get("title").is_none() {
            // What could be done by itself is not done either.
            fields["title"] = json!("half done");
        }
        let refusal = refusal(update(&town, &rig, &bead.bead_id, fields.clone()));
        assert!(refusal.message.contains(reason), "{fields}: {}", refusal.message);
        assert_eq!(town.bead(&rig, &bead.bead_id), bead, "{fields}");
    }
    assert_eq!(events(&town, &rig, &bead.bead_id).len(), 1);
    assert_eq!(code(update(&town, &rig, &BeadId::from_random([77; 16]), json!({}))), Code::NotFound);
    let polecat = town.polecat(&rig, &AgentId::from_random([8; 16]));
    assert_eq!(code(town.fleet.ask::<Bead>(&rig.at, &rpc::UPDATE_BEAD, (&bead.bead_id, json!({}), "me"), &polecat)), Code::Forbidden);
}

#[test]
fn a_bead_waits_for_at_most_a_hundred_others() {
    let (town, rig) = Town::with_rig();
    let held = json!({"held": true});
    let blockers: Vec<BeadId> = (0..101).map(|_| issue(&town, &rig, &held).bead_id).collect();
    let waiter = issue(&town, &rig, &json!({"depends_on": blockers[..100]})).bead_id;
    assert_eq!(town.bead(&rig, &waiter).blockers_open, 100);
    assert!(refusal(update(&town, &rig, &waiter, json!({"add_depends_on": [blockers[100]]}))).message.contains("at most 100"));
    let swapped = json!({"add_depends_on": [blockers[100]], "remove_depends_on": [blockers[0]]});
    assert_eq!(update(&town, &rig, &waiter, swapped).unwrap().bead.blockers_open, 100);
    let many = json!({"type": "issue", "title": "t", "depends_on": blockers});
    assert_eq!(code(town.create_bead(&rig, many)), Code::InvalidArgument);
}

#[test]
fn an_ended_bead_keeps_its_status_and_its_other_fields_can_be_changed() {
    let (town, rig) = Town::with_rig();
    let bead = town.sling(&rig, "t").bead.bead_id;
    let closed = town.close(&rig, &bead);
    let after = update(&town, &rig, &bead, json!({"status": "open", "title": "new"})).unwrap();
    assert_eq!((after.bead.status, after.bead.closed_at), (BeadStatus::Closed, closed.closed_at));
    assert_eq!(after.changed, ["title"]);
    assert!(update(&town, &rig, &bead, json!({"status": "failed"})).unwrap().changed.is_empty());
}

#[test]
fn a_status_is_changed_as_its_own_method_changes_it() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "t");
    let waiter = issue(&town, &rig, &json!({"depends_on": [slung.bead.bead_id]})).bead_id;
    let after = update(&town, &rig, &slung.bead.bead_id, json!({"status": "closed", "priority": "high"})).unwrap();
    assert_eq!(after.changed, ["priority", "status"]);
    assert!(after.bead.closed_at.is_some());
    let waiter = town.bead(&rig, &waiter);
    assert_eq!((waiter.blockers_open, waiter.assignee_agent_bead_id), (0, Some(slung.agent.unwrap().id)));
}

#[test]
fn what_the_rig_keeps_in_metadata_stays_whatever_is_given() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "t");
    let branch = slung.bead.metadata["branch"].clone();
    let after = update(&town, &rig, &slung.bead.bead_id, json!({"metadata": {"branch": "main", "x": 1}})).unwrap();
    assert_eq!(json!(after.bead.metadata), json!({"branch": branch, "x": 1}));
    let convoy = town.convoy(&rig, Some(true), &[&[]]);
    let member = &convoy.beads[0].bead;
    let after = update(&town, &rig, &member.bead_id, json!({"metadata": {}})).unwrap();
    assert_eq!(after.bead.metadata["convoy_id"], json!(convoy.convoy.id));
    // Nobody holds it: a branch is the caller's to name.
    let after = update(&town, &rig, &member.bead_id, json!({"merge_metadata": {"branch": "mine"}})).unwrap();
    assert_eq!((after.bead.metadata["branch"].clone(), after.changed), (json!("mine"), vec!["metadata".to_owned()]));
}

#[test]
fn a_held_bead_waits_until_it_is_started() {
    let (town, rig) = Town::with_rig();
    let held: Bead =
        town.fleet.ask(&rig.at, &rpc::CREATE_HELD_BEAD, (json!({"rigId": null, "title": "t", "labels": ["x"]}),), &town.owner()).unwrap();
    assert_eq!(json!(held.labels), json!(["x", "gt:held"]));
    town.fleet.advance(600_000);
    assert_eq!(town.bead(&rig, &held.bead_id).assignee_agent_bead_id, None);
    let start = |rig_id: Option<&RigId>| town.fleet.ask::<Bead>(&rig.at, &rpc::START_HELD_BEAD, (&held.bead_id, rig_id), &town.owner());
    let other = RigId::from_random([9; 16]);
    assert_eq!(refusal(start(Some(&other))).message, format!("Bead {} does not belong to rig {other}", held.bead_id));
    for _ in 0..2 {
        let started = start(Some(&rig.id)).unwrap();
        assert_eq!(json!(started.labels), json!(["x"]));
        assert!(started.assignee_agent_bead_id.is_some());
    }
    let gone = town.fleet.ask::<Bead>(&rig.at, &rpc::START_HELD_BEAD, (BeadId::from_random([9; 16]), Value::Null), &town.owner());
    assert_eq!(code(gone), Code::NotFound);
    let wrong = town.fleet.ask::<Bead>(&rig.at, &rpc::CREATE_HELD_BEAD, (json!({"rigId": other, "title": "t"}),), &town.owner());
    assert_eq!(code(wrong), Code::InvalidArgument);
}

/// A label holds a bead back, and so does a staged convoy; neither lets go of what the other holds.
#[test]
fn a_bead_that_is_held_twice_waits_for_both() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(true), &[&[], &[]]);
    let [first, second] = [0, 1].map(|index: usize| convoy.beads[index].bead.bead_id.clone());
    let is_given = |bead: &BeadId| town.bead(&rig, bead).assignee_agent_bead_id.is_some();
    for bead in [&first, &second] {
        update(&town, &rig, bead, json!({"add_labels": ["gt:held"]})).unwrap();
    }
    update(&town, &rig, &first, json!({"remove_labels": ["gt:held"]})).unwrap();
    town.fleet.advance(600_000);
    assert!(!is_given(&first) && !is_given(&second), "the convoy is staged");
    town.start(&convoy.convoy.id).unwrap();
    town.fleet.settle();
    assert!(is_given(&first) && !is_given(&second), "the second has the label");
    update(&town, &rig, &second, json!({"labels": []})).unwrap();
    assert!(is_given(&second));
}

/// S0-15: merged, not merely closed.
#[test]
fn a_closed_blocker_does_not_release_those_that_wait_for_its_merge() {
    let (town, rig) = Town::with_rig();
    let blocker = issue(&town, &rig, &json!({})).bead_id;
    let waits = |until: &str| issue(&town, &rig, &json!({"depends_on": [blocker], "until": until})).bead_id;
    let (for_merge, for_close) = (waits("merged"), waits("closed"));
    let closed = town.close(&rig, &blocker);
    assert_eq!(closed.merge_commit, None);
    assert_eq!([&for_merge, &for_close].map(|bead| town.bead(&rig, bead).blockers_open), [1, 0]);
    town.fleet.advance(600_000);
    assert_eq!(town.bead(&rig, &for_merge).assignee_agent_bead_id, None);
    // The evidence comes later; whatever counts anew then sees it.
    let edge = detail(&town, &rig, &for_merge).dependencies.remove(0);
    assert_eq!((edge.depends_on_bead_id, edge.until.as_str(), edge.status), (blocker.clone(), "merged", Some(BeadStatus::Closed)));
    town.sql(&rig.at).rows::<()>(&format!("UPDATE beads SET merge_commit = 'abc' WHERE bead_id = '{blocker}'"));
    let after = update(&town, &rig, &for_merge, json!({"add_depends_on": [blocker]})).unwrap();
    assert_eq!((after.bead.blockers_open, after.changed.len()), (0, 0));
    assert!(after.bead.assignee_agent_bead_id.is_some());
}

#[test]
fn a_bead_of_another_rig_is_waited_for_once_the_town_has_told_of_it() {
    let (town, rig) = Town::with_rig();
    let remote = BeadId::from_random([66; 16]);
    let waiter = issue(&town, &rig, &json!({})).bead_id;
    let wait = || update(&town, &rig, &waiter, json!({"add_depends_on": [remote]}));
    assert_eq!(code(wait()), Code::InvalidArgument);
    let sql = town.sql(&rig.at);
    sql.rows::<()>(&format!("INSERT INTO remote_blockers (bead_id, status, merged) VALUES ('{remote}', 'open', 0)"));
    assert_eq!(wait().unwrap().bead.blockers_open, 1);
    let edge = detail(&town, &rig, &waiter).dependencies.remove(0);
    assert_eq!((edge.depends_on_bead_id, edge.status), (remote.clone(), Some(BeadStatus::Open)));
    sql.rows::<()>("UPDATE remote_blockers SET status = 'closed'");
    assert_eq!(wait().unwrap().bead.blockers_open, 0);
    assert_eq!(update(&town, &rig, &waiter, json!({"until": "merged"})).unwrap().bead.blockers_open, 1);
}

#[test]
fn what_a_blocker_must_become_can_be_changed() {
    let (town, rig) = Town::with_rig();
    let blockers = [(); 2].map(|()| issue(&town, &rig, &json!({})).bead_id);
    let waiter = issue(&town, &rig, &json!({"depends_on": blockers})).bead_id;
    for blocker in &blockers {
        town.close(&rig, blocker);
    }
    let until = |fields: Value| update(&town, &rig, &waiter, fields).unwrap();
    let (only, all) = (json!({"add_depends_on": [blockers[0]], "until": "merged"}), json!({"until": "merged"}));
    // The polecats that the test made by the way are of no interest here.
    assert_eq!(until(only).bead.blockers_open, 1);
    let after = until(all);
    assert_eq!((after.bead.blockers_open, after.changed), (2, vec!["depends_on".to_owned()]));
    // Replacing without saying what keeps what was said.
    assert_eq!(until(json!({"depends_on": [blockers[1]]})).bead.blockers_open, 1);
    assert_eq!(until(json!({"until": "closed"})).bead.blockers_open, 0);
}

#[test]
fn all_that_is_known_of_a_bead_is_told_at_once() {
    let (town, rig) = Town::with_rig();
    let first = issue(&town, &rig, &json!({})).bead_id;
    let middle = issue(&town, &rig, &json!({"depends_on": [first], "until": "merged"})).bead_id;
    let last = issue(&town, &rig, &json!({"depends_on": [middle]})).bead_id;
    let known = detail(&town, &rig, &middle);
    assert_eq!(known.bead.as_ref(), Some(&town.bead(&rig, &middle)));
    let edges: Vec<_> =
        known.dependencies.iter().map(|edge| (&edge.bead_id, &edge.depends_on_bead_id, edge.until.as_str(), edge.status)).collect();
    assert_eq!(edges, [(&middle, &first, "merged", Some(BeadStatus::Open)), (&last, &middle, "closed", Some(BeadStatus::Open))]);
    assert_eq!((known.review_metadata, known.events.len()), (None, 1));
    // The newest merge request made for it, and a merge request's own.
    let sql = town.sql(&rig.at);
    let requests = [1, 2].map(|number| {
        let request = town.create_bead(&rig, json!({"type": "merge_request", "title": format!("Review {number}")})).unwrap().bead_id;
        sql.rows::<()>(&format!(
            "INSERT INTO merge_requests (bead_id, source_bead_id, branch, target_branch, retry_count) VALUES ('{request}', '{middle}', 'b{number}', 'main', {number})"
        ));
        request
    });
    let review =
        |bead: &BeadId| detail(&town, &rig, bead).review_metadata.map(|review| (review.branch, review.retry_count, review.bead_id));
    assert_eq!(review(&middle), Some(("b2".to_owned(), 2, requests[1].clone())));
    assert_eq!(review(&requests[0]), Some(("b1".to_owned(), 1, requests[0].clone())));
    assert_eq!(detail(&town, &rig, &BeadId::from_random([9; 16])).bead, None);
}

#[test]
fn a_bead_changes_hands_in_one_step() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 2})).unwrap();
    let slung = town.sling(&rig, "t");
    let (bead, old) = (slung.bead.bead_id, slung.agent.unwrap());
    let new = town.agent(&rig).unwrap();
    let reassign = |bead: &BeadId, agent: &AgentId| town.fleet.ask::<Bead>(&rig.at, &rpc::REASSIGN_BEAD, (bead, agent), &town.owner());
    let hook = |agent: &AgentId| town.agents(&rig).into_iter().find(|known| known.id == *agent).unwrap().current_hook_bead_id;
    town.set_status(&rig, &bead, BeadStatus::InProgress);
    let queued = issue(&town, &rig, &json!({})).bead_id;

    let moved = reassign(&bead, &new.id).unwrap();
    assert_eq!((moved.status, &moved.assignee_agent_bead_id), (BeadStatus::Open, &Some(new.id.clone())));
    assert_eq!((hook(&new.id), hook(&old.id)), (Some(bead.clone()), Some(queued.clone())), "who is free then is given what waits");
    let kinds: Vec<&str> = events(&town, &rig, &bead).iter().take(3).map(|event| event.event_type.as_str()).collect();
    assert_eq!(kinds, ["hooked", "assigned", "unhooked"]);
    assert_eq!(reassign(&bead, &new.id).unwrap(), moved, "it has it already");

    let busy = refusal(reassign(&bead, &old.id));
    assert!(busy.code == Code::Conflict && busy.message.contains("already hooked to bead"), "{}", busy.message);
    assert_eq!((hook(&new.id), hook(&old.id)), (Some(bead.clone()), Some(queued.clone())), "nothing was changed");
    assert_eq!(code(reassign(&bead, &AgentId::from_random([9; 16]))), Code::NotFound);
    assert_eq!(code(reassign(&BeadId::from_random([9; 16]), &new.id)), Code::NotFound);
    town.close(&rig, &queued);
    for (status, fits) in [(BeadStatus::InReview, false), (BeadStatus::Closed, false)] {
        town.set_status(&rig, &bead, status);
        assert_eq!(reassign(&bead, &old.id).is_ok(), fits, "{status:?}");
    }
    let held = issue(&town, &rig, &json!({"held": true})).bead_id;
    assert_eq!(code(reassign(&held, &old.id)), Code::Conflict);
    // One that nobody has, too.
    update(&town, &rig, &held, json!({"labels": []})).unwrap();
    let free = town.agents(&rig).into_iter().find(|agent| agent.current_hook_bead_id.is_none()).unwrap().id;
    town.unhook(&rig, &town.bead(&rig, &held).assignee_agent_bead_id.unwrap()).unwrap();
    assert_eq!(reassign(&held, &free).unwrap().assignee_agent_bead_id, Some(free));
}

#[test]
fn lists_longer_than_what_they_could_change_are_refused() {
    let (town, rig) = Town::with_rig();
    let bead = town.create_bead(&rig, json!({"type": "issue", "title": "t", "held": true})).unwrap().bead_id;
    let ids: Vec<BeadId> = (0..101).map(|number| BeadId::from_random([number; 16])).collect();
    for (field, list) in [
        ("remove_depends_on", json!(ids)),
        ("depends_on", json!(ids)),
        ("add_labels", json!(vec!["l"; 51])),
        ("remove_metadata", json!(vec!["k"; 101])),
    ] {
        let refused =
            refusal(town.fleet.ask::<Value>(&rig.at, &rpc::UPDATE_BEAD, (&bead, json!({field: list}), Value::Null), &town.owner()));
        assert!(refused.message.starts_with(&format!("{field}: at most ")), "{}", refused.message);
    }
    let convoy = town.convoy(&rig, Some(true), &[&[]]).convoy.id;
    let refused = refusal(town.fleet.ask::<Value>(
        &town.at,
        &rpc::UPDATE_CONVOY,
        (convoy, json!({"remove_beads": vec![&ids[0]; 251]})),
        &town.owner(),
    ));
    assert_eq!(refused.message, "A convoy has at most 250 beads");
}
