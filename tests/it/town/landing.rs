//! Landing: with evidence only, in every rig, and anew when the work changed.

use super::convoy_changes::{merge, sling_into, three, update};
use crate::support::Town;
use crate::support::tokens::internal;
use crate::support::town::Rig;
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::contract::outcome::Outcome;
use gastown_mcp::contract::shapes::{ConvoyEntry, ConvoyFlag, ConvoyStatus, LandingStatus, SlingConvoyResult};
use gastown_mcp::rpc::table::{CLOSE_CONVOY, DELIVER_TO_TOWN};
use serde_json::{Value, json};
use std::cell::Cell;

thread_local! {
    /// Generations of letters, each newer than the one before.
    static GENERATION: Cell<i64> = const { Cell::new(1_000_000) };
}

/// What a rig tells of its landing merge.
pub fn report(town: &Town, rig: &Rig, convoy: &ConvoyId, mut body: Value) {
    GENERATION.set(GENERATION.get() + 1);
    body["convoy_id"] = json!(convoy);
    let letters = json!([{"kind": "landing", "subject": convoy, "generation": GENERATION.get(), "body": body}]);
    town.fleet.tell(&town.at, &DELIVER_TO_TOWN, (letters,), &internal(&town.fleet, &rig.at, Some(&town.id), &DELIVER_TO_TOWN)).unwrap();
}

fn merged(commit: &str) -> Value {
    json!({"status": "merged", "attempts": 1, "merge_commit": commit, "is_empty": false})
}

fn entry(town: &Town, convoy: &ConvoyId) -> ConvoyEntry {
    town.fleet.settle();
    town.convoy_status(convoy).entry
}

fn round(town: &Town, rig: &Rig) -> i64 {
    town.sql(&town.at).value(&format!("SELECT coalesce(max(round), 0) FROM convoy_landings WHERE rig_id = '{}'", rig.id))
}

/// A running convoy with a bead in each of two rigs.
fn of_two(town: &Town, api: &Rig, web: &Rig) -> SlingConvoyResult {
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id}]);
    town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap()
}

#[test]
fn every_rig_lands_by_itself_and_the_convoy_when_all_have() {
    let (town, [api, web, _]) = three();
    let convoy = of_two(&town, &api, &web);
    let id = &convoy.convoy.id;
    town.close(&api, &convoy.beads[0].bead.bead_id);
    assert!(entry(&town, id).landings.is_empty());
    town.close(&web, &convoy.beads[1].bead.bead_id);
    let complete = entry(&town, id);
    assert_eq!((complete.ready_to_land, complete.landings.len()), (true, 2));
    assert!(complete.landings.iter().all(|landing| landing.status == LandingStatus::InReview));
    assert_eq!(complete.flags, [ConvoyFlag::ClosedWithoutLanding, ConvoyFlag::MergeUnverified]);
    report(&town, &api, id, json!({"status": "in_review", "attempts": 1, "is_empty": false}));
    report(&town, &api, id, merged("c1"));
    let half = entry(&town, id);
    assert_eq!((half.status, half.landings.iter().filter(|landing| landing.is_evidence()).count()), (ConvoyStatus::Active, 1));
    report(&town, &web, id, merged("c2"));
    let landed = entry(&town, id);
    assert_eq!((landed.status, landed.flags.clone()), (ConvoyStatus::Landed, vec![]));
    assert_eq!(Outcome::of_convoy(&landed).told["status"], "landed");
    // What a rig tells later takes nothing of the evidence away.
    report(&town, &web, id, json!({"status": "in_review", "attempts": 2, "is_empty": false}));
    assert_eq!(entry(&town, id), landed);
}

// Truth rule 2: a convoy called landed whose branch was its base.
#[test]
fn a_branch_that_is_its_base_is_flagged_and_never_lands() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    let id = &convoy.convoy.id;
    let changed = update(&town, id, json!({"feature_branch": "main"})).unwrap();
    assert_eq!(changed.flags, [ConvoyFlag::BranchIsBase]);
    merge(&town, &api, &convoy.beads[0].bead.bead_id);
    let stuck = entry(&town, id);
    assert_eq!((stuck.status, stuck.landings[0].status), (ConvoyStatus::Active, LandingStatus::Failed));
    assert_eq!(stuck.flags, [ConvoyFlag::ClosedWithoutLanding, ConvoyFlag::BranchIsBase, ConvoyFlag::EmptyLanding]);
    // Another branch is another landing.
    let mended = update(&town, id, json!({"feature_branch": "release/2"})).unwrap();
    assert_eq!((mended.landings[0].status, mended.flags), (LandingStatus::Waiting, vec![ConvoyFlag::ClosedWithoutLanding]));
    report(&town, &api, id, merged("c1"));
    assert_eq!(entry(&town, id).status, ConvoyStatus::Landed);
}

#[test]
fn a_landing_that_merged_nothing_or_names_no_commit_is_none() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    let id = &convoy.convoy.id;
    merge(&town, &api, &convoy.beads[0].bead.bead_id);
    entry(&town, id);
    report(&town, &api, id, json!({"status": "merged", "attempts": 1, "merge_commit": "c0", "is_empty": true}));
    let empty = entry(&town, id);
    assert_eq!((empty.status, empty.flags), (ConvoyStatus::Active, vec![ConvoyFlag::ClosedWithoutLanding, ConvoyFlag::EmptyLanding]));
    report(&town, &api, id, json!({"status": "merged", "attempts": 1, "is_empty": false}));
    assert_eq!(entry(&town, id).flags, [ConvoyFlag::ClosedWithoutLanding]);
    report(&town, &api, id, json!({"status": "failed", "attempts": 5, "is_empty": false, "failure": "conflict in Cargo.lock"}));
    let failed = entry(&town, id);
    assert_eq!(failed.flags, [ConvoyFlag::ClosedWithoutLanding, ConvoyFlag::LandingFailed]);
    assert_eq!((failed.landings[0].attempts, failed.landings[0].failure.as_deref()), (5, Some("conflict in Cargo.lock")));
}

// S0-38: merged is not closed; closed without a landing says so.
#[test]
fn closed_without_a_landing_is_flagged() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    town.close(&api, &convoy.beads[0].bead.bead_id);
    let complete = entry(&town, &convoy.convoy.id);
    assert!(complete.flags.contains(&ConvoyFlag::ClosedWithoutLanding));
    assert_eq!(Outcome::of_convoy(&complete).told["status"], "complete");
    let closed: Option<ConvoyEntry> = town.fleet.ask(&town.at, &CLOSE_CONVOY, (&convoy.convoy.id,), &town.owner()).unwrap();
    let closed = closed.unwrap();
    assert!(closed.flags.contains(&ConvoyFlag::ClosedWithoutLanding));
    assert_eq!(Outcome::of_convoy(&closed).told["status"], "closed");
}

#[test]
fn work_added_later_takes_the_landing_back_and_orders_another() {
    let (town, [api, web, _]) = three();
    let convoy = of_two(&town, &api, &web);
    let id = &convoy.convoy.id;
    town.close(&api, &convoy.beads[0].bead.bead_id);
    town.close(&web, &convoy.beads[1].bead.bead_id);
    entry(&town, id);
    report(&town, &api, id, merged("c1"));
    report(&town, &web, id, json!({"status": "in_review", "attempts": 1, "is_empty": false}));
    let before = round(&town, &web);
    let more = sling_into(&town, json!({"convoy": id, "rig_id": web.id, "title": "more"})).unwrap();
    let waiting = entry(&town, id);
    // What was merged in the other rig stays merged.
    assert_eq!(waiting.landings.iter().map(|landing| &landing.rig_id).collect::<Vec<_>>(), [&api.id]);
    assert!(!waiting.ready_to_land);
    // The rig's last word on the order that was taken back is not heard.
    let mut late = merged("c2");
    late["round"] = json!(before);
    report(&town, &web, id, late.clone());
    town.close(&web, &more.beads[0].bead.bead_id);
    assert_eq!(entry(&town, id).status, ConvoyStatus::Active);
    report(&town, &web, id, late);
    assert_eq!(entry(&town, id).status, ConvoyStatus::Active);
    assert!(round(&town, &web) > before);
    let mut fresh = merged("c3");
    fresh["round"] = json!(round(&town, &web));
    report(&town, &web, id, fresh);
    assert_eq!(entry(&town, id).status, ConvoyStatus::Landed);
}

#[test]
fn the_last_unfinished_bead_leaves_and_the_rest_lands() {
    let (town, [api, web, _]) = three();
    let convoy = of_two(&town, &api, &web);
    let id = &convoy.convoy.id;
    town.close(&api, &convoy.beads[0].bead.bead_id);
    town.fail(&web, &convoy.beads[1].bead.bead_id);
    let failed = entry(&town, id);
    assert_eq!((failed.ready_to_land, Outcome::of_convoy(&failed).told["status"].clone()), (false, json!("failed")));
    let left = update(&town, id, json!({"remove_beads": [convoy.beads[1].bead.bead_id]})).unwrap();
    assert_eq!((left.ready_to_land, left.landings.len(), &left.landings[0].rig_id), (true, 1, &api.id));
    report(&town, &api, id, merged("c1"));
    assert_eq!(entry(&town, id).status, ConvoyStatus::Landed);
}

#[test]
fn a_bead_that_is_closed_already_makes_its_rig_land_anew() {
    let (town, [api, web, _]) = three();
    let convoy = of_two(&town, &api, &web);
    let id = &convoy.convoy.id;
    let done: BeadId = town.sling(&api, "done elsewhere").bead.bead_id;
    town.close(&api, &convoy.beads[0].bead.bead_id);
    town.close(&web, &convoy.beads[1].bead.bead_id);
    town.close(&api, &done);
    entry(&town, id);
    report(&town, &api, id, merged("c1"));
    let again = update(&town, id, json!({"add_beads": [done]})).unwrap();
    assert_eq!((again.ready_to_land, again.landings.iter().filter(|landing| landing.is_evidence()).count()), (true, 0));
}

#[test]
fn a_letter_says_what_is_ordered_and_what_was_taken_back() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    let id = &convoy.convoy.id;
    merge(&town, &api, &convoy.beads[0].bead.bead_id);
    town.fleet.settle();
    let seen = || town.sql(&api.at).value::<i64>(&format!("SELECT generation FROM inbox WHERE kind = 'landing' AND subject = '{id}'"));
    let ordered = seen();
    assert!(ordered > 0);
    update(&town, id, json!({"merge_mode": "review-and-merge"})).unwrap();
    town.fleet.settle();
    assert!(seen() > ordered);
    // Every bead was merged, so without a landing it has landed.
    assert_eq!(entry(&town, id).status, ConvoyStatus::Landed);
}
