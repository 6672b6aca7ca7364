//! `checkTown`: a clean town says so, a difference is found, and a repair mends it.

use super::convoy_changes::three;
use crate::support::town::Rig;
use crate::support::{Town, Trouble, code, tokens};
use base::error::{Code, Failure};
use gastown_mcp::contract::shapes::TownCheck;
use gastown_mcp::rpc::table::CHECK_TOWN;
use serde_json::json;

pub fn check(town: &Town, repair: bool) -> TownCheck {
    try_check(town, repair).unwrap()
}

fn try_check(town: &Town, repair: bool) -> Result<TownCheck, Failure> {
    town.fleet.ask(&town.at, &CHECK_TOWN, (json!({"repair": repair}),), &town.owner())
}

fn spoil(town: &Town, at: &Rig, statement: &str) {
    let _: Vec<(serde_json::Value,)> = town.sql(&at.at).rows(statement);
}

fn codes(found: &TownCheck) -> Vec<&str> {
    let mut codes: Vec<&str> = found.findings.iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes
}

#[test]
fn a_clean_town_says_so_and_a_check_changes_nothing() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "a"}, {"title": "b", "rig_id": web.id, "depends_on": [0]}]);
    town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap();
    town.sling(&web, "alone");
    town.fleet.settle();
    let found = check(&town, false);
    assert!(found.ok, "{found:?}");
    assert_eq!((found.beads, found.agents, found.convoys, found.in_flight, found.coverage.answered), (3, 2, 1, 0, 3));
    assert_eq!(town.fleet.owed(), 0);
    assert!(check(&town, true).ok);
    town.fleet.settle();
    assert!(check(&town, false).ok);
}

#[test]
fn whatever_does_not_agree_is_found_and_mended() {
    let (town, [api, web, _]) = three();
    let tasks = json!([{"title": "a"}, {"title": "b", "depends_on": [0]}, {"title": "c", "rig_id": web.id}]);
    let convoy = town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap();
    let ids: Vec<&str> = convoy.beads.iter().map(|part| part.bead.bead_id.as_str()).collect();
    let loose = town.sling(&web, "loose").bead.bead_id;
    town.fleet.settle();
    // In the rig and not told.
    spoil(&town, &api, &format!("UPDATE beads SET status = 'in_progress' WHERE bead_id = '{}' RETURNING 1", ids[0]));
    spoil(&town, &api, &format!("UPDATE beads SET blockers_open = 7 WHERE bead_id = '{}' RETURNING 1", ids[1]));
    spoil(&town, &web, "UPDATE status_tally SET beads = 40 WHERE status = 'open' RETURNING 1");
    spoil(&town, &web, &format!("UPDATE beads SET status = 'closed' WHERE bead_id = '{loose}' RETURNING 1"));
    spoil(&town, &web, &format!("UPDATE beads SET convoy_id = NULL, convoy_joined = 0 WHERE bead_id = '{}' RETURNING 1", ids[2]));
    let found = check(&town, false);
    assert_eq!(codes(&found), ["blockers_miscounted", "member_missing", "mirror_differs", "mirror_differs", "orphan_hook", "tally_wrong"]);
    assert!(found.findings.iter().all(|finding| !finding.repaired));
    assert_eq!(codes(&check(&town, false)), codes(&found));
    let mended = check(&town, true);
    assert!(mended.findings.iter().all(|finding| finding.repaired), "{mended:?}");
    town.fleet.settle();
    let after = check(&town, false);
    assert!(after.ok, "{after:?}");
    assert_eq!(town.convoy_status(&convoy.convoy.id).beads.len(), 3);
    assert_eq!(town.sql(&web.at).value::<i64>("SELECT COUNT(*) FROM beads WHERE convoy_id IS NOT NULL"), 1);
}

#[test]
fn a_bead_of_a_convoy_that_nobody_knows_is_named() {
    let (town, [api, ..]) = three();
    let stray = town.sling(&api, "stray").bead.bead_id;
    town.fleet.settle();
    spoil(&town, &api, &format!("UPDATE beads SET convoy_id = '{}' WHERE bead_id = '{stray}' RETURNING 1", town.id));
    let found = check(&town, true);
    assert_eq!(codes(&found), ["convoy_unknown"]);
    assert!(!found.findings[0].repaired && found.findings[0].subject == stray.as_str());
}

#[test]
fn a_holder_who_does_not_hold_is_let_go() {
    let (town, [api, ..]) = three();
    let bead = town.sling(&api, "held").bead.bead_id;
    town.fleet.settle();
    spoil(&town, &api, "UPDATE agents SET current_hook_bead_id = NULL RETURNING 1");
    assert_eq!(codes(&check(&town, true)), ["holder_without_hook", "order_mismatch"]);
    town.fleet.settle();
    assert!(check(&town, false).ok);
    // It went back to the queue, and somebody has it.
    assert!(town.bead(&api, &bead).assignee_agent_bead_id.is_some());
}

#[test]
fn a_silent_rig_and_letters_that_do_not_arrive_are_named() {
    let (town, [api, web, _]) = three();
    town.fleet.trouble(&web.at, Some(Trouble::DropBefore));
    let tasks = json!([{"title": "a", "rig_id": web.id}]);
    town.try_convoy(json!({"rigId": api.id, "convoyTitle": "c", "tasks": tasks, "staged": false})).unwrap();
    town.fleet.advance(60_000);
    let found = check(&town, false);
    assert_eq!(codes(&found), ["letters_failing", "rig_silent"]);
    assert_eq!(found.coverage.missing, std::slice::from_ref(&web.id));
    town.fleet.trouble(&web.at, None);
    check(&town, true);
    // Not after the pause that had grown meanwhile.
    assert!(town.fleet.settle() <= 2_000);
    assert!(check(&town, false).ok);
    town.fleet.take_faults();
}

#[test]
fn a_difference_that_is_under_way_is_no_finding() {
    let (town, [api, ..]) = three();
    let convoy = town.convoy(&api, Some(false), &[&[]]);
    town.fleet.settle();
    town.close(&api, &convoy.beads[0].bead.bead_id);
    let found = check(&town, false);
    assert!(found.ok && found.in_flight == 1, "{found:?}");
}

#[test]
fn only_the_towns_admins_check_it() {
    let (town, _) = three();
    for who in [tokens::mayor(&town.fleet, &town.id), tokens::observer(&town.fleet, tokens::OWNER)] {
        assert_eq!(code(town.fleet.ask::<TownCheck>(&town.at, &CHECK_TOWN, (json!({}),), &who)), Code::Forbidden);
    }
    assert!(try_check(&town, false).unwrap().ok);
}
