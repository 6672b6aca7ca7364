//! Convoys: checked before they are written, staged or running, landed only with evidence.

use crate::support::tokens::internal;
use crate::support::town::Rig;
use crate::support::{Town, code, refusal};
use base::error::Code;
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::contract::shapes::{Bead, ConvoyDetail, ConvoyEntry, ConvoyStatus, SlingConvoyResult};
use gastown_mcp::rpc::table::{DELIVER_TO_TOWN, LIST_CONVOYS, LIST_CONVOYS_DETAILED, UPDATE_BEAD};
use serde_json::{Value, json};

fn list(town: &Town) -> Vec<ConvoyEntry> {
    town.fleet.ask(&town.at, &LIST_CONVOYS, (), &town.owner()).unwrap()
}

fn hooked(town: &Town, rig: &Rig) -> Vec<BeadId> {
    town.agents(rig).into_iter().filter_map(|agent| agent.current_hook_bead_id).collect()
}

/// S0-40, S0-41; Gastown contract, section 12 point 5: staged unless said otherwise, and the answer says so.
#[test]
fn a_convoy_is_staged_by_default_and_says_so() {
    let (town, rig) = Town::with_rig();
    assert!(town.convoy(&rig, None, &[&[]]).convoy.staged);
    assert!(!town.convoy(&rig, Some(false), &[&[]]).convoy.staged);
    town.configure(json!({"staged_convoys_default": false, "convoy_merge_mode": "review-and-merge"})).unwrap();
    let convoy = town.convoy(&rig, None, &[&[]]).convoy;
    assert!(!convoy.staged);
    assert_eq!(convoy.merge_mode.unwrap().as_str(), "review-and-merge");
    assert!(town.convoy(&rig, Some(true), &[&[]]).convoy.staged);
}

#[test]
fn a_staged_convoys_beads_exist_and_wait_until_it_is_started() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(true), &[&[], &[0], &[]]);
    assert_eq!(town.beads(&rig, json!({})).len(), 3);
    town.fleet.advance(600_000);
    assert!(hooked(&town, &rig).is_empty());
    let started = town.start(&convoy.convoy.id).unwrap();
    assert!(!started.convoy.staged);
    assert_eq!(started.beads.len(), 3);
    assert!(started.beads.iter().all(|part| part.agent.is_none()));
    let ids = |result: &SlingConvoyResult| result.beads.iter().map(|part| part.bead.bead_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&started), ids(&convoy));
    let mut given = hooked(&town, &rig);
    given.sort();
    let mut free = vec![ids(&convoy)[0].clone(), ids(&convoy)[2].clone()];
    free.sort();
    assert_eq!(given, free);
    // The second time, in the contract's words.
    assert_eq!(refusal(town.start(&convoy.convoy.id)).message, format!("Convoy is not staged: {}", convoy.convoy.id));
    let nothing = ConvoyId::from_random([9; 16]);
    assert_eq!(refusal(town.start(&nothing)).message, format!("Convoy not found: {nothing}"));
}

#[test]
fn a_bad_graph_is_refused_before_anything_is_written() {
    let (town, rig) = Town::with_rig();
    let task = |on: Value| json!({"title": "t", "depends_on": on});
    let long: Vec<Value> = (0..51).map(|_| task(json!([]))).collect();
    for (tasks, reason) in [
        (
            json!([task(json!([1])), task(json!([0])), task(json!([]))]),
            "Convoy dependency graph contains a cycle — 2 tasks are involved in circular dependencies",
        ),
        (json!([task(json!([0]))]), "tasks[0].depends_on: 0 is not another task"),
        (json!([task(json!([])), task(json!([2]))]), "tasks[1].depends_on: 2 is not another task; use zero-based indices from 0 to 1"),
        (json!([task(json!([-1]))]), "-1 is not another task"),
        (json!([]), "tasks must have 1 to 50 entries"),
        (json!(long), "tasks must have 1 to 50 entries"),
        (json!([{"title": " "}]), "title must have"),
        (json!([{"title": "t", "body": "b".repeat(65_537)}]), "body must have"),
    ] {
        let refusal = refusal(town.try_convoy(json!({"rigId": rig.id, "convoyTitle": "c", "tasks": tasks})));
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.message.contains(reason), "{}", refusal.message);
    }
    let unknown = json!({"rigId": town.id, "convoyTitle": "c", "tasks": [{"title": "t"}]});
    assert_eq!(code(town.try_convoy(unknown)), Code::NotFound);
    assert_eq!(code(town.try_convoy(json!({"rigId": rig.id, "convoyTitle": "", "tasks": [{"title": "t"}]}))), Code::InvalidArgument);
    assert_eq!(
        code(town.try_convoy(json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "t"}], "merge_mode": "zzz"}))),
        Code::InvalidArgument
    );
    assert!(list(&town).is_empty() && town.beads(&rig, json!({})).is_empty() && town.fleet.owed() == 0);
}

#[test]
fn the_convoys_own_metadata_wins_and_the_callers_is_kept() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "convoyTitle": "Payments API!", "tasks": [{"title": "t"}], "metadata": {"convoy_id": "mine", "feature_branch": "mine", "model": "m"}});
    let result = town.try_convoy(input).unwrap();
    let bead = town.bead(&rig, &result.beads[0].bead.bead_id);
    assert_eq!(bead.metadata["convoy_id"], json!(result.convoy.id));
    assert_eq!(bead.metadata["feature_branch"], format!("convoy/payments-api/{}/head", result.convoy.id.prefix()));
    assert_eq!(bead.metadata["model"], "m");
    assert_eq!(bead, result.beads[0].bead);
}

#[test]
fn the_convoys_own_metadata_outlives_a_replacement() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "t"}], "merge_mode": "review-and-merge"});
    let before = town.try_convoy(input).unwrap().beads[0].bead.clone();
    let fields = json!({"metadata": {"model": "m", "merge_mode": "mine"}});
    let after: Bead = town.fleet.ask(&rig.at, &UPDATE_BEAD, (&before.bead_id, fields, Value::Null), &town.owner()).unwrap();
    for kept in ["convoy_id", "merge_mode"] {
        assert_eq!(after.metadata[kept], before.metadata[kept], "{kept}");
    }
    assert_eq!(after.metadata["model"], "m");
}

#[test]
fn metadata_that_a_bead_could_not_hold_is_refused_by_the_town() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "t"}], "metadata": {"x": "x".repeat(16 * 1_024)}});
    assert_eq!(code(town.try_convoy(input)), Code::InvalidArgument);
}

/// Truth rules 1 and 2: 13 beads, 11 failed.
#[test]
fn failed_is_not_done() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"convoy_merge_mode": "review-and-merge"})).unwrap();
    let convoy = town.convoy(&rig, Some(false), &[&[] as &[i64]; 13]);
    for (index, part) in convoy.beads.iter().enumerate() {
        if index < 2 {
            town.close(&rig, &part.bead.bead_id);
        } else {
            town.fail(&rig, &part.bead.bead_id);
        }
    }
    town.fleet.settle();
    let status = town.convoy_status(&convoy.convoy.id);
    assert_eq!((status.entry.total_beads, status.entry.closed_beads, status.entry.failed_beads), (13, 2, 11));
    assert_eq!((status.entry.status, status.entry.landed_at), (ConvoyStatus::Active, None));
    assert_eq!(list(&town), [status.entry]);
}

/// The rig tells that its beads were merged. Nobody else can yet.
fn tell_merged(town: &Town, rig: &Rig, detail: &ConvoyDetail) {
    let letters: Vec<Value> = detail
        .beads
        .iter()
        .map(|bead| {
            let mut body = json!(bead);
            body["merge_commit"] = json!("c0ffee");
            json!({"kind": "bead", "subject": bead.bead_id, "generation": 1_000_000, "body": body})
        })
        .collect();
    town.fleet.tell(&town.at, &DELIVER_TO_TOWN, (letters,), &internal(&town.fleet, &rig.at, Some(&town.id), &DELIVER_TO_TOWN)).unwrap();
}

/// Truth rule 2, S0-15.
#[test]
fn a_convoy_lands_with_evidence_and_is_hidden_then() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "a"}, {"title": "b"}], "staged": false, "merge_mode": "review-and-merge"});
    let convoy = town.try_convoy(input).unwrap();
    for part in &convoy.beads {
        town.close(&rig, &part.bead.bead_id);
    }
    town.fleet.settle();
    // Closed, merge unverified.
    let detail = town.convoy_status(&convoy.convoy.id);
    assert_eq!((detail.entry.closed_beads, detail.entry.status), (2, ConvoyStatus::Active));
    assert_eq!(list(&town).len(), 1);
    tell_merged(&town, &rig, &detail);
    assert!(list(&town).is_empty());
    let landed = town.convoy_status(&convoy.convoy.id);
    assert_eq!(landed.entry.status, ConvoyStatus::Landed);
    assert!(landed.entry.landed_at.is_some());
}

#[test]
fn with_review_then_land_the_landing_merge_is_still_missing() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[]]);
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    town.fleet.settle();
    tell_merged(&town, &rig, &town.convoy_status(&convoy.convoy.id));
    assert_eq!(town.convoy_status(&convoy.convoy.id).entry.status, ConvoyStatus::Active);
    assert_eq!(town.sql(&town.at).value::<i64>("SELECT ready_to_land FROM convoys"), 1);
}

#[test]
fn details_show_members_in_order_and_who_waits_for_whom() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[1, 2], &[], &[1]]);
    town.fleet.settle();
    let details: Vec<ConvoyDetail> = town.fleet.ask(&town.at, &LIST_CONVOYS_DETAILED, (), &town.owner()).unwrap();
    let status = town.convoy_status(&convoy.convoy.id);
    assert_eq!(details[0].beads, status.beads);
    assert_eq!(details[0].dependency_edges, status.dependency_edges);
    let ids: Vec<&BeadId> = convoy.beads.iter().map(|part| &part.bead.bead_id).collect();
    assert_eq!(status.beads.iter().map(|bead| &bead.bead_id).collect::<Vec<_>>(), ids);
    let edges: Vec<(usize, usize)> = status
        .dependency_edges
        .iter()
        .map(|edge| {
            let index = |id: &BeadId| ids.iter().position(|known| *known == id).unwrap();
            (index(&edge.bead_id), index(&edge.depends_on_bead_id))
        })
        .collect();
    assert_eq!(edges, [(0, 1), (0, 2), (2, 1)]);
    assert_eq!(status.beads.iter().map(|bead| bead.blockers_open).collect::<Vec<_>>(), [2, 0, 1]);
    assert_eq!(status.beads[1].assignee_agent_name.as_deref(), Some("Toast"));
}

#[test]
fn the_largest_convoy_that_is_allowed_arrives_whole() {
    let (town, rig) = Town::with_rig();
    let tasks: Vec<Value> = (0..50_usize)
        .map(|index| json!({"title": "t".repeat(500), "body": "b".repeat(20_000), "depends_on": (0..index).collect::<Vec<_>>()}))
        .collect();
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": tasks, "staged": false});
    let key = crate::support::tokens::with_key(town.owner(), "k");
    let result: SlingConvoyResult = town.fleet.ask(&town.at, &gastown_mcp::rpc::table::SLING_CONVOY, (input,), &key).unwrap();
    assert_eq!(town.beads(&rig, json!({"limit": 500})).len(), 50);
    assert_eq!(hooked(&town, &rig), [result.beads[0].bead.bead_id.clone()]);
    assert_eq!(town.convoy_status(&result.convoy.id).dependency_edges.len(), 50 * 49 / 2);
}
