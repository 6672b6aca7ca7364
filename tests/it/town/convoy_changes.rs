//! Changing convoys: made of beads that exist, joined and left, over several rigs, closed by hand.

use crate::support::tokens::with_key;
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::contract::shapes::{
    BeadStatus, ConvoyDetail, ConvoyEntry, ConvoyFlag, ConvoyStatus, MergeMode, Priority, Quality, SlingConvoyResult,
};
use gastown_mcp::rpc::call::{Call, read_reply};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// A town with three rigs.
pub fn three() -> (Town, [Rig; 3]) {
    let town = Town::new(&Fleet::new(), 1);
    let rigs = [town.add_rig("api", 2), town.add_rig("web", 3), town.add_rig("ios", 4)];
    (town, rigs)
}

/// An open bead that is nobody's yet.
fn bead(town: &Town, rig: &Rig, title: &str) -> BeadId {
    town.create_bead(rig, json!({"type": "issue", "title": title})).unwrap().bead_id
}

fn create(town: &Town, input: Value) -> Result<ConvoyEntry, Failure> {
    town.fleet.ask(&town.at, &rpc::CREATE_CONVOY, (input,), &town.owner())
}

pub fn update(town: &Town, convoy: &ConvoyId, change: Value) -> Result<ConvoyEntry, Failure> {
    let entry: Option<ConvoyEntry> = town.fleet.ask(&town.at, &rpc::UPDATE_CONVOY, (convoy, change), &town.owner())?;
    Ok(entry.unwrap())
}

fn total(town: &Town, method: &'static rpc::Method, args: impl serde::Serialize) -> Result<i64, Failure> {
    let answer: Value = town.fleet.ask(&town.at, method, args, &town.owner())?;
    Ok(answer["total_beads"].as_i64().unwrap())
}

fn add(town: &Town, convoy: &ConvoyId, bead: &BeadId, on: Value) -> Result<i64, Failure> {
    total(town, &rpc::CONVOY_ADD_BEAD, (convoy, bead, on))
}

fn remove(town: &Town, convoy: &ConvoyId, bead: &BeadId) -> Result<i64, Failure> {
    total(town, &rpc::CONVOY_REMOVE_BEAD, (convoy, bead))
}

pub fn sling_into(town: &Town, input: Value) -> Result<SlingConvoyResult, Failure> {
    town.fleet.ask(&town.at, &rpc::SLING_INTO_CONVOY, (input,), &town.owner())
}

/// The rig's own word for it: evidence that only a review brings otherwise.
pub fn merge(town: &Town, rig: &Rig, bead: &BeadId) {
    let _: Vec<(String,)> =
        town.sql(&rig.at).rows(&format!("UPDATE beads SET merge_commit = 'c0ffee' WHERE bead_id = '{bead}' RETURNING bead_id"));
    town.close(rig, bead);
}

fn mirror_agrees(town: &Town, convoy: &ConvoyId) -> ConvoyDetail {
    let mut fresh = town.convoy_status(convoy);
    assert_eq!(fresh.coverage.take().unwrap().missing, Vec::new());
    let details: Vec<ConvoyDetail> = town.fleet.ask(&town.at, &rpc::LIST_CONVOYS_DETAILED, (), &town.owner()).unwrap();
    if let Some(known) = details.into_iter().find(|detail| detail.entry.id == *convoy) {
        assert_eq!(known, fresh);
    }
    fresh
}

// S2-03, S2-08, S3-19.
#[test]
fn a_convoy_is_made_of_beads_that_exist_in_several_rigs() {
    let (town, [api, web, _]) = three();
    let (one, two) = (bead(&town, &api, "one"), bead(&town, &web, "two"));
    let beads = json!([{"bead_id": one, "rig_id": api.id}, {"bead_id": two, "rig_id": web.id}]);
    let convoy = create(&town, json!({"title": "Release 2", "beads": beads, "created_by": "ada"})).unwrap();
    assert_eq!((convoy.total_beads, convoy.staged, convoy.feature_branch.clone()), (2, false, None));
    assert_eq!(convoy.created_by.as_deref(), Some("ada"));
    town.fleet.settle();
    let detail = mirror_agrees(&town, &convoy.id);
    assert_eq!(detail.beads.iter().map(|bead| &bead.bead_id).collect::<Vec<_>>(), [&one, &two]);
    assert_eq!(town.bead(&api, &one).metadata["convoy_id"], json!(convoy.id));
    // What happens to them is told from now on.
    merge(&town, &api, &one);
    merge(&town, &web, &two);
    town.fleet.settle();
    let landed = mirror_agrees(&town, &convoy.id).entry;
    assert_eq!((landed.status, landed.merged_beads, landed.flags), (ConvoyStatus::Landed, 2, vec![]));
}

#[test]
fn beads_that_cannot_be_members_are_named_and_nothing_is_written() {
    let (town, [api, web, _]) = three();
    let (one, failed, taken) = (bead(&town, &api, "one"), bead(&town, &api, "failed"), bead(&town, &web, "taken"));
    town.fail(&api, &failed);
    create(&town, json!({"title": "first", "beads": [{"bead_id": taken}]})).unwrap();
    town.fleet.settle();
    let unknown = BeadId::from_random([9; 16]);
    let made = |ids: &[&BeadId]| {
        let beads: Vec<Value> = ids.iter().map(|id| json!({"bead_id": id})).collect();
        refusal(create(&town, json!({"title": "second", "beads": beads})))
    };
    for (other, code, why) in [
        (&unknown, Code::NotFound, "No rig has these beads"),
        (&failed, Code::Conflict, "have failed"),
        (&taken, Code::Conflict, "in another convoy"),
    ] {
        let refusal = made(&[&one, other]);
        assert_eq!(refusal.code, code);
        assert!(refusal.message.contains(why) && refusal.message.contains(other.as_str()), "{}", refusal.message);
        assert!(!refusal.message.contains(one.as_str()), "{}", refusal.message);
    }
    // In the rig that was named it is not.
    assert_eq!(code(create(&town, json!({"title": "x", "beads": [{"bead_id": one, "rig_id": web.id}]}))), Code::NotFound);
    town.fleet.trouble(&api.at, Some(Trouble::Hang));
    let refusal = made(&[&unknown]);
    assert_eq!(refusal.code, Code::Unavailable);
    assert!(refusal.message.contains(api.id.as_str()));
    town.fleet.trouble(&api.at, None);
    assert_eq!(town.sql(&town.at).value::<i64>("SELECT COUNT(*) FROM convoys"), 1);
    assert_eq!(town.sql(&town.at).value::<i64>("SELECT COUNT(*) FROM convoy_beads"), 1);
    town.fleet.take_faults();
}

#[test]
fn a_key_makes_creating_from_beads_safe_to_repeat() {
    let (town, [api, ..]) = three();
    let one = bead(&town, &api, "one");
    let input = json!({"title": "c", "beads": [{"bead_id": one}]});
    let key = with_key(town.owner(), "k");
    let call = || town.fleet.ask::<ConvoyEntry>(&town.at, &rpc::CREATE_CONVOY, (input.clone(),), &key).unwrap();
    assert_eq!(call(), call());
    assert_eq!(town.sql(&town.at).value::<i64>("SELECT COUNT(*) FROM convoys"), 1);
}

// S3-16, S3-46: an empty convoy with a name, three slung into it, status by name.
#[test]
fn an_empty_convoy_is_slung_into_by_name_and_completes_only_then() {
    let (town, [api, web, _]) = three();
    town.configure(
        json!({"formulas": {"audit": {"vars": {"area": null}, "steps": [{"title": "look", "instructions": "Look at {{area}}."}]}}}),
    )
    .unwrap();
    let empty = create(&town, json!({"title": "Hardening"})).unwrap();
    assert_eq!((empty.total_beads, &empty.flags), (0, &vec![ConvoyFlag::EmptyConvoy]));
    // Its work lands at the end, so it has a branch.
    assert!(empty.feature_branch.as_deref().unwrap().starts_with("convoy/hardening/"));
    town.fleet.settle();
    assert_eq!(town.convoy_status(&empty.id).entry.status, ConvoyStatus::Active);
    let first = sling_into(
        &town,
        json!({"convoy": "Hardening", "rig_id": api.id, "title": "audit", "quality": "chrome", "args": "focus on security",
        "formula": "audit", "vars": {"area": "auth"}, "priority": "high", "labels": ["sec"]}),
    )
    .unwrap();
    let first = first.beads[0].bead.bead_id.clone();
    let known = town.bead(&api, &first);
    assert_eq!((known.quality, known.priority, &known.labels), (Some(Quality::Chrome), Priority::High, &vec!["sec".to_owned()]));
    assert_eq!(
        (&known.metadata["args"], &known.metadata["formula"], &known.metadata["vars"]["area"]),
        (&json!("focus on security"), &json!("audit"), &json!("auth"))
    );
    assert_eq!(known.metadata["feature_branch"], json!(empty.feature_branch));
    let second = sling_into(&town, json!({"convoy": empty.id, "rig_id": web.id, "title": "fix", "depends_on": [first]})).unwrap();
    sling_into(&town, json!({"convoy": "Hardening", "rig_id": api.id, "title": "document"})).unwrap();
    let waiting = &second.beads[0].bead;
    assert_eq!(town.bead(&web, &waiting.bead_id).blockers_open, 1);
    town.fleet.settle();
    let detail = mirror_agrees(&town, &empty.id);
    assert_eq!((detail.entry.total_beads, detail.waves.len()), (3, 2));
    let named: Option<ConvoyEntry> = town.fleet.ask(&town.at, &rpc::FIND_CONVOY, ("Hardening",), &town.owner()).unwrap();
    assert_eq!(named.unwrap(), detail.entry);
    // Met already: nothing to wait for.
    town.close(&api, &first);
    let late = sling_into(&town, json!({"convoy": "Hardening", "rig_id": web.id, "title": "late", "depends_on": [first]})).unwrap();
    town.fleet.settle();
    assert_eq!(town.bead(&web, &late.beads[0].bead.bead_id).blockers_open, 0);
    mirror_agrees(&town, &empty.id);
}

#[test]
fn slinging_into_a_convoy_refuses_what_cannot_be() {
    let (town, [api, ..]) = three();
    let empty = create(&town, json!({"title": "c"})).unwrap();
    let stranger = bead(&town, &api, "stranger");
    let base = json!({"convoy": empty.id, "rig_id": api.id, "title": "t"});
    let with = |key: &str, value: Value| {
        let mut input = base.clone();
        input[key] = value;
        refusal(sling_into(&town, input))
    };
    assert_eq!(with("convoy", json!("nothing")).message, "Convoy not found: nothing");
    assert_eq!(with("rig_id", json!(empty.id)).code, Code::NotFound);
    assert!(with("depends_on", json!([stranger])).message.contains("is not a member"));
    assert!(with("quality", json!("golden")).message.contains("`basic`, `shiny`, `chrome`"));
    assert!(with("args", json!("x".repeat(4_001))).message.contains("4000 bytes"));
    assert!(with("vars", json!({"a": "b"})).message.contains("vars are for a formula"));
    assert!(with("labels", json!(vec!["l"; 51])).message.contains("labels"));
    assert_eq!(with("title", json!("")).code, Code::InvalidArgument);
    create(&town, json!({"title": "c"})).unwrap();
    let several = with("convoy", json!("c"));
    assert_eq!(several.code, Code::Conflict);
    assert!(several.hint.unwrap().contains(empty.id.as_str()));
    assert_eq!(town.sql(&town.at).value::<i64>("SELECT COUNT(*) FROM convoy_beads"), 0);
}

// A convoy of a single call reaches over rigs, with one branch name in all of them.
#[test]
fn a_batch_over_rigs_has_one_branch_and_waits_across_them() {
    let (town, [api, web, ios]) = three();
    let tasks = json!([
        {"title": "spec", "priority": "critical"},
        {"title": "client", "rig_id": web.id, "depends_on": [0], "until": "merged", "quality": "shiny"},
        {"title": "app", "rig_id": "ios", "depends_on": [1]},
    ]);
    let input = json!({"rigId": api.id, "convoyTitle": "Payments", "tasks": tasks, "staged": false});
    let convoy = town.try_convoy(input).unwrap();
    let ids: Vec<BeadId> = convoy.beads.iter().map(|part| part.bead.bead_id.clone()).collect();
    let rigs = [&api, &web, &ios];
    for ((id, rig), part) in ids.iter().zip(rigs).zip(&convoy.beads) {
        let mut known = town.bead(rig, id);
        assert_eq!(known.metadata["feature_branch"], json!(convoy.convoy.feature_branch));
        if known.assignee_agent_bead_id.is_none() {
            known.updated_at = part.bead.updated_at;
            assert_eq!(known, part.bead);
        }
    }
    let held = |rig: &Rig| town.agents(rig).into_iter().find_map(|agent| agent.current_hook_bead_id);
    assert_eq!((held(&api), held(&web), held(&ios)), (Some(ids[0].clone()), None, None));
    town.fleet.settle();
    assert_eq!(mirror_agrees(&town, &convoy.convoy.id).waves, [vec![ids[0].clone()], vec![ids[1].clone()], vec![ids[2].clone()]]);
    merge(&town, &api, &ids[0]);
    town.fleet.settle();
    assert_eq!((held(&web), held(&ios)), (Some(ids[1].clone()), None));
    town.close(&web, &ids[1]);
    town.fleet.settle();
    assert_eq!(held(&ios), Some(ids[2].clone()));
    let nowhere = json!({"rigId": api.id, "convoyTitle": "x", "tasks": [{"title": "t", "rig_id": "nowhere"}]});
    assert_eq!(code(town.try_convoy(nowhere)), Code::NotFound);
}

// S0-38: "until both are merged". Closed is not merged, and the other rig knows the difference.
#[test]
fn a_blocker_that_is_not_merged_releases_nobody_who_waits_for_that() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "spec"}, {"title": "merged", "rig_id": web.id, "depends_on": [0], "until": "merged"},
        {"title": "closed", "rig_id": web.id, "depends_on": [0]}]);
    let convoy = town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap();
    let ids: Vec<BeadId> = convoy.beads.iter().map(|part| part.bead.bead_id.clone()).collect();
    town.close(&api, &ids[0]);
    town.fleet.settle();
    assert_eq!((town.bead(&web, &ids[1]).blockers_open, town.bead(&web, &ids[2]).blockers_open), (1, 0));
    assert!(town.bead(&web, &ids[1]).assignee_agent_bead_id.is_none() && town.bead(&web, &ids[2]).assignee_agent_bead_id.is_some());
    // Nothing but evidence releases it.
    town.fleet.advance(3_600_000);
    assert_eq!(town.bead(&web, &ids[1]).blockers_open, 1);
    mirror_agrees(&town, &convoy.convoy.id);
}

#[test]
fn a_failed_blocker_blocks_in_another_rig_too() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "spec"}, {"title": "client", "rig_id": web.id, "depends_on": [0]}]);
    let convoy = town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap();
    let ids: Vec<BeadId> = convoy.beads.iter().map(|part| part.bead.bead_id.clone()).collect();
    town.fail(&api, &ids[0]);
    town.fleet.settle();
    assert_eq!(town.bead(&web, &ids[1]).blockers_open, 1);
    // A person takes the failed one out: nobody waits for it any more.
    remove(&town, &convoy.convoy.id, &ids[0]).unwrap();
    town.fleet.settle();
    assert_eq!(town.bead(&web, &ids[1]).blockers_open, 0);
    assert!(town.bead(&web, &ids[1]).assignee_agent_bead_id.is_some());
    assert_eq!(mirror_agrees(&town, &convoy.convoy.id).entry.failed_beads, 0);
}

#[test]
fn beads_join_and_leave_with_what_they_wait_for() {
    let (town, [api, web, _]) = three();
    let convoy = town.convoy(&api, Some(true), &[&[], &[0]]);
    let (id, first) = (&convoy.convoy.id, &convoy.beads[0].bead.bead_id);
    let joining = bead(&town, &web, "joining");
    assert_eq!(add(&town, id, &joining, json!([first])).unwrap(), 3);
    // It is held with the rest, waits, and doing it again changes nothing.
    assert_eq!(town.bead(&web, &joining).blockers_open, 1);
    assert_eq!(town.sql(&web.at).value::<i64>("SELECT held FROM beads"), 1);
    assert_eq!(add(&town, id, &joining, Value::Null).unwrap(), 3);
    assert_eq!(town.bead(&web, &joining).blockers_open, 1);
    // Other blockers replace the ones it had.
    let second = &convoy.beads[1].bead.bead_id;
    assert_eq!(add(&town, id, &joining, json!([second])).unwrap(), 3);
    town.fleet.settle();
    let detail = mirror_agrees(&town, id);
    let waits: Vec<&BeadId> =
        detail.dependency_edges.iter().filter(|edge| edge.bead_id == joining).map(|edge| &edge.depends_on_bead_id).collect();
    assert_eq!(waits, [second]);
    let cycle = refusal(update(&town, id, json!({"add_beads": [first], "depends_on": [joining]})));
    assert!(cycle.message.contains("contains a cycle — 3 tasks"), "{}", cycle.message);
    assert_eq!(mirror_agrees(&town, id), detail);
    assert_eq!(remove(&town, id, &joining).unwrap(), 2);
    assert_eq!(remove(&town, id, &joining).unwrap(), 2);
    town.fleet.settle();
    let left = town.bead(&web, &joining);
    assert_eq!((left.blockers_open, left.metadata.get("convoy_id"), left.metadata.get("feature_branch")), (0, None, None));
    assert_eq!(town.sql(&web.at).value::<i64>("SELECT held FROM beads"), 0);
    mirror_agrees(&town, id);
}

#[test]
fn a_bead_moves_from_one_convoy_to_another_whatever_arrives_when() {
    let (town, [api, ..]) = three();
    let moving = bead(&town, &api, "moving");
    let one = create(&town, json!({"title": "one", "beads": [{"bead_id": moving}]})).unwrap();
    let two = create(&town, json!({"title": "two"})).unwrap();
    assert_eq!(code(update(&town, &two.id, json!({"add_beads": [moving]}))), Code::Conflict);
    town.fleet.settle();
    remove(&town, &one.id, &moving).unwrap();
    // The letter that it left the first arrives after the one that it joined the second.
    assert_eq!(add(&town, &two.id, &moving, Value::Null).unwrap(), 1);
    town.fleet.settle();
    assert_eq!(town.bead(&api, &moving).metadata["convoy_id"], json!(two.id));
    let order = json!({"convoy_id": one.id, "staged": true, "created_by": null, "created_at": town.fleet.now(),
        "beads": [{"bead_id": moving, "joined": 1, "adopted": true, "title": "moving", "body": null, "metadata": {}, "depends_on": []}]});
    let letters = json!([{"kind": "convoy", "subject": one.id, "generation": 1_000_000, "body": order}]);
    let context = crate::support::tokens::internal(&town.fleet, &town.at, Some(&town.id), &rpc::DELIVER_TO_RIG);
    town.fleet.tell(&api.at, &rpc::DELIVER_TO_RIG, (letters,), &context).unwrap();
    assert_eq!(town.bead(&api, &moving).metadata["convoy_id"], json!(two.id));
    assert_eq!(town.convoy_status(&two.id).beads.len(), 1);
}

#[test]
fn dependencies_that_beads_had_among_themselves_are_the_convoys_then() {
    let (town, [api, ..]) = three();
    let (one, two) = (bead(&town, &api, "one"), bead(&town, &api, "two"));
    let _: Vec<(String,)> = town.sql(&api.at).rows(&format!(
        "INSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type) VALUES ('{two}', '{one}', 'blocks') RETURNING bead_id"
    ));
    let _: Vec<(String,)> =
        town.sql(&api.at).rows(&format!("UPDATE beads SET blockers_open = 1 WHERE bead_id = '{two}' RETURNING bead_id"));
    let convoy = create(&town, json!({"title": "c", "beads": [{"bead_id": two}, {"bead_id": one}]})).unwrap();
    town.fleet.settle();
    let detail = mirror_agrees(&town, &convoy.id);
    assert_eq!((detail.dependency_edges.len(), &detail.waves[0]), (1, &vec![one.clone()]));
    assert_eq!(town.bead(&api, &two).blockers_open, 1);
    let cycle = refusal(update(&town, &convoy.id, json!({"add_beads": [one], "depends_on": [two]})));
    assert!(cycle.message.contains("cycle"));
}

#[test]
fn settings_change_before_the_landing_and_not_after() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    let id = &convoy.convoy.id;
    let changed = update(&town, id, json!({"merge_mode": "review-and-merge", "feature_branch": "release/2"})).unwrap();
    assert_eq!((changed.merge_mode, changed.feature_branch.as_deref()), (Some(MergeMode::ReviewAndMerge), Some("release/2")));
    let metadata = town.bead(&api, &convoy.beads[0].bead.bead_id).metadata;
    assert_eq!((&metadata["feature_branch"], &metadata["merge_mode"]), (&json!("release/2"), &json!("review-and-merge")));
    for (change, why) in [
        (json!({}), "Nothing to change"),
        (json!({"feature_branch": "a..b"}), "branch name"),
        (json!({"merge_mode": "zzz"}), "unknown variant"),
        (json!({"depends_on": []}), "Nothing to change"),
        (json!({"merge_mode": "review-and-merge", "until": "merged"}), "for the beads in add_beads"),
        (json!({"add_beads": [id], "remove_beads": [id]}), "added and removed at once"),
    ] {
        let refusal = refusal(update(&town, id, change));
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
    let nothing = ConvoyId::from_random([9; 16]);
    let absent: Option<ConvoyEntry> =
        town.fleet.ask(&town.at, &rpc::UPDATE_CONVOY, (&nothing, json!({"merge_mode": "review-and-merge"})), &town.owner()).unwrap();
    assert_eq!(absent, None);
    assert_eq!(
        refusal(add(&town, &nothing, &convoy.beads[0].bead.bead_id, Value::Null)).message,
        format!("Bead {nothing} is not a convoy")
    );
    assert_eq!(refusal(remove(&town, &nothing, &convoy.beads[0].bead.bead_id)).message, format!("Bead {nothing} is not a convoy"));
    merge(&town, &api, &convoy.beads[0].bead.bead_id);
    town.fleet.settle();
    assert_eq!(town.convoy_status(id).entry.status, ConvoyStatus::Landed);
    let other = bead(&town, &api, "other");
    assert_eq!(refusal(add(&town, id, &other, Value::Null)).message, format!("Cannot add beads to a closed convoy: {id}"));
    assert_eq!(refusal(update(&town, id, json!({"feature_branch": "x"}))).message, format!("Cannot change a closed convoy: {id}"));
    assert_eq!(code(sling_into(&town, json!({"convoy": id, "rig_id": api.id, "title": "t"}))), Code::Conflict);
    assert_eq!(code(town.start(id)), Code::Conflict);
}

// Closed by hand is said in so many words, and failed stays failed.
#[test]
fn a_convoy_closed_by_hand_closes_its_beads_and_is_not_called_landed() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id, "depends_on": [0]}, {"title": "c", "rig_id": web.id}]);
    let convoy = town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap();
    let id = &convoy.convoy.id;
    town.fail(&web, &convoy.beads[2].bead.bead_id);
    town.fleet.settle();
    let close = || town.fleet.ask::<Option<ConvoyEntry>>(&town.at, &rpc::CLOSE_CONVOY, (id,), &town.owner()).unwrap();
    let closed = close().unwrap();
    assert_eq!(
        (closed.status, closed.forced_at, closed.forced_by.as_deref()),
        (ConvoyStatus::Landed, Some(town.fleet.now()), Some("user-owner"))
    );
    town.fleet.settle();
    let detail = mirror_agrees(&town, id);
    let statuses: Vec<BeadStatus> = detail.beads.iter().map(|bead| bead.status).collect();
    assert_eq!(statuses, [BeadStatus::Closed, BeadStatus::Closed, BeadStatus::Failed]);
    assert_eq!(detail.entry.flags, [ConvoyFlag::FailedMembers, ConvoyFlag::ClosedWithoutLanding, ConvoyFlag::MergeUnverified]);
    assert!(town.agents(&api).iter().chain(&town.agents(&web)).all(|agent| agent.current_hook_bead_id.is_none()));
    assert_eq!(close().unwrap(), detail.entry);
    let nothing = ConvoyId::from_random([9; 16]);
    assert_eq!(town.fleet.ask::<Option<ConvoyEntry>>(&town.at, &rpc::CLOSE_CONVOY, (nothing,), &town.owner()).unwrap(), None);
}

#[test]
fn a_member_that_its_rig_deleted_reads_deleted_and_can_be_taken_out() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(true), &[&[], &[0]]);
    let (id, gone) = (&convoy.convoy.id, &convoy.beads[0].bead.bead_id);
    town.fleet.settle();
    let _: Vec<(String,)> = town.sql(&api.at).rows(&format!("DELETE FROM beads WHERE bead_id = '{gone}' RETURNING bead_id"));
    // An order of the town does not bring it back, and the town hears that it is gone.
    town.start(id).unwrap();
    town.fleet.settle();
    assert_eq!(town.beads(&api, json!({})).len(), 1);
    let detail = town.convoy_status(id);
    assert_eq!(
        (detail.beads[0].status, detail.beads[0].failure_reason.as_deref(), detail.beads[0].deleted),
        (BeadStatus::Failed, Some("deleted"), true)
    );
    assert_eq!(detail.entry.flags, [ConvoyFlag::FailedMembers, ConvoyFlag::MemberDeleted]);
    let waiting = &convoy.beads[1].bead.bead_id;
    assert_eq!(town.bead(&api, waiting).blockers_open, 1);
    remove(&town, id, gone).unwrap();
    town.fleet.settle();
    assert_eq!((town.bead(&api, waiting).blockers_open, town.convoy_status(id).entry.flags), (0, vec![]));
}

// The rig that a bead is new to must have heard of it before it can leave.
#[test]
fn a_bead_that_its_rig_has_not_made_yet_cannot_be_taken_out() {
    let (town, [api, ..]) = three();
    town.fleet.trouble(&api.at, Some(Trouble::DropBefore));
    let convoy = town.convoy(&api, Some(true), &[&[]]);
    let refused = refusal(remove(&town, &convoy.convoy.id, &convoy.beads[0].bead.bead_id));
    assert_eq!(refused.code, Code::Unavailable);
    town.fleet.trouble(&api.at, None);
    town.fleet.settle();
    assert_eq!(town.beads(&api, json!({})).len(), 1);
    assert_eq!(remove(&town, &convoy.convoy.id, &convoy.beads[0].bead.bead_id).unwrap(), 0);
    town.fleet.take_faults();
}

#[test]
fn who_is_told_by_hand_that_a_bead_closed_counts_anew() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id}]);
    let input = json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false, "merge_mode": "review-and-merge"});
    let convoy = town.try_convoy(input).unwrap();
    town.fleet.settle();
    for (rig, part) in [&api, &web].into_iter().zip(&convoy.beads) {
        merge(&town, rig, &part.bead.bead_id);
    }
    // No letter has arrived; the question alone brings the answer, and the letters that come then change nothing.
    let input = json!({"convoyId": convoy.convoy.id, "beadId": convoy.beads[0].bead.bead_id});
    let entry: Option<ConvoyEntry> = town.fleet.ask(&town.at, &rpc::ON_BEAD_CLOSED, (&input,), &town.owner()).unwrap();
    let entry = entry.unwrap();
    assert_eq!((entry.status, entry.merged_beads), (ConvoyStatus::Landed, 2));
    town.fleet.settle();
    assert_eq!(mirror_agrees(&town, &convoy.convoy.id).entry, entry);
    let nothing = json!({"convoyId": BeadId::from_random([9; 16]), "beadId": convoy.beads[0].bead.bead_id});
    assert_eq!(town.fleet.ask::<Option<ConvoyEntry>>(&town.at, &rpc::ON_BEAD_CLOSED, (&nothing,), &town.owner()).unwrap(), None);
}

// An answer that was asked for before a letter came says nothing newer than the letter.
#[test]
fn an_answer_that_is_older_than_a_letter_is_not_believed() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    town.fleet.settle();
    let known = town.convoy_status(&convoy.convoy.id).beads.remove(0);
    let mut newer = json!(known);
    newer["status"] = json!("in_progress");
    let letters = json!([{"kind": "bead", "subject": known.bead_id, "generation": 900_000, "body": newer}]);
    let context = crate::support::tokens::internal(&town.fleet, &api.at, Some(&town.id), &rpc::DELIVER_TO_TOWN);
    town.fleet.tell(&town.at, &rpc::DELIVER_TO_TOWN, (letters,), &context).unwrap();
    let input = json!({"convoyId": convoy.convoy.id, "beadId": known.bead_id});
    town.fleet.tell(&town.at, &rpc::ON_BEAD_CLOSED, (input,), &town.owner()).unwrap();
    assert_eq!(town.sql(&town.at).value::<String>("SELECT status FROM convoy_beads"), "in_progress");
}

/// The town asks the rigs before it changes anything; meanwhile the same may be wished again, or the rig be removed.
#[test]
fn a_bead_that_two_add_at_once_is_a_member_once() {
    let (town, rigs) = three();
    let convoy = create(&town, json!({"title": "c"})).unwrap().id;
    let wanted = bead(&town, &rigs[1], "a");
    let call = Call::new(town.at.clone(), &rpc::CONVOY_ADD_BEAD, (&convoy, &wanted, Value::Null)).unwrap();
    let both = [town.fleet.start(&call, &town.owner()), town.fleet.start(&call, &town.owner())];
    let replies: Vec<String> = town.fleet.block_on(futures::future::join_all(both)).into_iter().map(Result::unwrap).collect();
    assert_eq!(replies, [r#"{"total_beads":1}"#, r#"{"total_beads":1}"#]);

    let late = bead(&town, &rigs[2], "b");
    let add = Call::new(town.at.clone(), &rpc::CONVOY_ADD_BEAD, (&convoy, &late, Value::Null)).unwrap();
    let remove = Call::new(town.at.clone(), &rpc::REMOVE_RIG, (&rigs[2].id, true)).unwrap();
    let both = [town.fleet.start(&add, &town.owner()), town.fleet.start(&remove, &town.owner())];
    let replies: Vec<String> = town.fleet.block_on(futures::future::join_all(both)).into_iter().map(Result::unwrap).collect();
    assert!(read_reply(&replies[0]).is_err() && replies[1].is_empty(), "{replies:?}");
    assert_eq!(town.convoy_status(&convoy).entry.total_beads, 1);
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
}
