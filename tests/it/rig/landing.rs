//! Landings: a convoy's branch, ordered by the town, tried again after a pause, told back.

use super::reviews::Desk;
use crate::support::tokens::internal;
use crate::support::{code, refusal};
use base::error::Code;
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::contract::letters::Letter;
use gastown_mcp::contract::letters::rig::LandingOrder;
use gastown_mcp::contract::letters::town::LandingReport;
use gastown_mcp::contract::shapes::{BeadStatus, LandingStatus};
use gastown_mcp::objects::handler::Cx;
use gastown_mcp::objects::rig::reviews::landing::{BRANCH_IS_BASE, CALLED_OFF, DELETED, letter};
use gastown_mcp::rpc::table::{DELETE_BEAD, DELIVER_TO_RIG, UPDATE_BEAD};
use serde_json::{Value, json};
use std::cell::Cell;

struct Landing {
    desk: Desk,
    convoy: ConvoyId,
    generation: Cell<i64>,
}

impl Landing {
    fn new() -> Self {
        Self { desk: Desk::new(), convoy: ConvoyId::from_random([7; 16]), generation: Cell::new(0) }
    }

    /// The town's letter.
    fn order(&self, branch: &str, cancelled: bool) {
        self.generation.set(self.generation.get() + 1);
        let order =
            LandingOrder { convoy_id: self.convoy.clone(), title: "Payments".to_owned(), branch: branch.to_owned(), cancelled, round: 0 };
        let letter = Letter {
            kind: "landing".to_owned(),
            subject: self.convoy.to_string(),
            generation: 1_000 + self.generation.get(),
            body: json!(order),
        };
        let town = &self.desk.town;
        let context = internal(&town.fleet, &town.at, Some(&town.id), &DELIVER_TO_RIG);
        let rejected: Value = town.fleet.ask(&self.desk.rig.at, &DELIVER_TO_RIG, ([letter],), &context).unwrap_or(Value::Null);
        assert!(rejected.as_array().is_none_or(Vec::is_empty), "{rejected}");
    }

    /// What the rig tells the town.
    fn report(&self) -> Option<LandingReport> {
        let town = &self.desk.town;
        let sql = town.sql(&self.desk.rig.at);
        let random = || [0; 16];
        let cx = Cx::new(&*sql, town.fleet.now(), &self.desk.rig.at, &random);
        letter(&cx, self.convoy.as_str()).unwrap()
    }

    fn status(&self) -> LandingStatus {
        self.report().unwrap().status
    }

    fn owes_the_town(&self) -> bool {
        self.desk.town.sql(&self.desk.rig.at).value::<i64>("SELECT COUNT(*) FROM outbox WHERE kind = 'landing'") == 1
    }

    fn request(&self) -> BeadId {
        self.desk.requests()[0].bead_id.clone()
    }
}

#[test]
fn an_ordered_landing_is_one_merge_request_and_its_merge_is_reported() {
    let at = Landing::new();
    assert_eq!(at.report(), None);
    at.order("convoy/payments/head", false);
    at.order("convoy/payments/head", false);
    let [request] = &at.desk.requests()[..] else { panic!() };
    assert_eq!((request.title.as_str(), request.status), ("Review: convoy/payments/head", BeadStatus::Open));
    assert_eq!((&request.metadata["landing"], &request.metadata["convoy_id"]), (&json!(true), &json!(at.convoy)));
    assert!(at.owes_the_town());
    assert_eq!(at.status(), LandingStatus::InReview);
    at.desk.complete(&request.bead_id, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    let report = at.report().unwrap();
    assert_eq!((report.status, report.attempts, report.merge_commit.as_deref()), (LandingStatus::Merged, 1, Some("abcdef0")));
    assert!(!report.is_empty && report.failure.is_none());
    // What has landed stays landed.
    at.order("convoy/payments/head", true);
    at.order("convoy/other/head", false);
    assert_eq!(at.report(), Some(report));
    assert_eq!(at.desk.requests().len(), 1);
}

#[test]
fn a_landing_without_a_commit_or_without_a_change_is_no_evidence() {
    for (more, is_empty) in [(json!({}), false), (json!({"commit_sha": "abcdef0123", "base_commit": "abcdef0"}), true)] {
        let at = Landing::new();
        at.order("b", false);
        at.desk.complete(&at.request(), "merged", more).unwrap();
        let report = at.report().unwrap();
        assert_eq!((report.status, report.merge_commit, report.is_empty), (LandingStatus::Merged, None, is_empty));
    }
}

#[test]
fn a_branch_that_is_its_base_cannot_land() {
    let at = Landing::new();
    at.order("main", false);
    let report = at.report().unwrap();
    assert_eq!((report.status, report.is_empty, report.failure.as_deref()), (LandingStatus::Failed, true, Some(BRANCH_IS_BASE)));
    assert!(at.owes_the_town());
    // With a branch of its own it can.
    at.order("convoy/x/head", false);
    assert_eq!(at.status(), LandingStatus::InReview);
}

// Gastown contract, section 10: 30 s · 2^n, five attempts.
#[test]
fn a_failed_landing_is_tried_five_times_with_growing_pauses() {
    let at = Landing::new();
    at.order("b", false);
    let request = at.request();
    let refinery = &at.desk.refinery.id;
    for (attempt, pause) in [30_000, 60_000, 120_000, 240_000].into_iter().enumerate() {
        let result = if attempt % 2 == 0 { "failed" } else { "conflict" };
        at.desk.town.hook(&at.desk.rig, refinery, &request).unwrap();
        at.desk.complete(&request, result, json!({"message": format!("failure {attempt}")})).unwrap();
        let report = at.report().unwrap();
        assert_eq!((report.status, report.attempts), (LandingStatus::Waiting, i64::try_from(attempt).unwrap() + 1));
        assert_eq!(report.failure, Some(format!("failure {attempt}")));
        assert_eq!(at.desk.agent(refinery).current_hook_bead_id, None);
        // A repeated report counts once, and nobody takes it before its time.
        at.desk.complete(&request, result, json!({})).unwrap();
        assert_eq!(code(at.desk.town.hook(&at.desk.rig, refinery, &request)), Code::Conflict);
        if attempt == 1 {
            at.desk.town.fleet.restart();
        }
        at.desk.town.fleet.advance(pause - 1);
        assert_eq!(at.status(), LandingStatus::Waiting, "attempt {attempt}");
        at.desk.town.fleet.advance(1);
        assert_eq!(at.status(), LandingStatus::InReview, "attempt {attempt}");
    }
    assert!(at.desk.town.beads(&at.desk.rig, json!({"type": "escalation"})).is_empty());
    at.desk.complete(&request, "failed", json!({"message": "the gate is red"})).unwrap();
    let report = at.report().unwrap();
    assert_eq!((report.status, report.attempts, report.failure.as_deref()), (LandingStatus::Failed, 5, Some("the gate is red")));
    let [escalation] = &at.desk.town.beads(&at.desk.rig, json!({"type": "escalation"}))[..] else { panic!() };
    assert_eq!(escalation.labels, ["gt:escalation", "severity:high"]);
    assert!(escalation.body.as_deref().unwrap().contains("b did not land on main in 5 attempts: the gate is red"));
    // It stays so until the town wants another branch.
    at.order("b", false);
    assert_eq!(at.status(), LandingStatus::Failed);
    at.order("c", false);
    assert_eq!((at.status(), at.report().unwrap().attempts), (LandingStatus::InReview, 0));
}

#[test]
fn a_landing_can_be_called_off_and_ordered_anew() {
    let at = Landing::new();
    at.order("b", true);
    assert_eq!(at.report(), None);
    at.order("b", false);
    let refinery = &at.desk.refinery.id;
    at.desk.town.hook(&at.desk.rig, refinery, &at.request()).unwrap();
    at.order("b", true);
    let report = at.report().unwrap();
    assert_eq!((report.status, report.failure.as_deref()), (LandingStatus::Failed, Some(CALLED_OFF)));
    assert_eq!(at.desk.agent(refinery).current_hook_bead_id, None);
    at.order("b", false);
    assert_eq!(at.status(), LandingStatus::InReview);
    // Another branch takes the place of the one under way.
    at.order("c", false);
    assert_eq!(at.desk.requests().iter().filter(|request| !request.status.is_terminal()).count(), 1);
    let open = at.desk.requests().into_iter().find(|request| !request.status.is_terminal()).unwrap();
    assert_eq!(open.metadata["branch"], "c");
}

#[test]
fn changes_to_a_landing_are_made_on_its_branch() {
    let at = Landing::new();
    at.order("convoy/x/head", false);
    let refinery = &at.desk.refinery.id;
    at.desk.town.hook(&at.desk.rig, refinery, &at.request()).unwrap();
    let rework = at.desk.changes(refinery, "squash it").unwrap().rework_bead_id;
    let work = at.desk.bead(&rework);
    assert_eq!((&work.metadata["branch"], &work.metadata["rework_for"]), (&json!("convoy/x/head"), &json!(at.request())));
    assert!(refusal(at.desk.town.hook(&at.desk.rig, refinery, &at.request())).message.contains("waits for 1 blocker"));
    at.desk.done(&work.assignee_agent_bead_id.unwrap(), json!({"branch": "convoy/x/head"})).unwrap();
    at.desk.town.hook(&at.desk.rig, refinery, &at.request()).unwrap();
}

/// The town would wait for its result for ever.
#[test]
fn a_landing_whose_merge_request_is_deleted_has_failed() {
    let at = Landing::new();
    let town = &at.desk.town;
    let delete = |bead: &BeadId| town.fleet.ask::<bool>(&at.desk.rig.at, &DELETE_BEAD, (bead, Value::Null), &town.owner()).unwrap();
    at.order("b", false);
    town.fleet.settle();
    assert!(delete(&at.request()));
    let report = at.report().unwrap();
    assert_eq!((report.status, report.failure.as_deref()), (LandingStatus::Failed, Some(DELETED)));
    assert!(at.owes_the_town());
    // The same order again is none; another one is.
    at.order("b", false);
    assert_eq!(at.status(), LandingStatus::Failed);
    at.order("c", false);
    assert_eq!((at.status(), at.desk.requests().len()), (LandingStatus::InReview, 1));
    at.desk.complete(&at.request(), "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert!(delete(&at.request()));
    assert_eq!(at.status(), LandingStatus::Merged, "what was merged stays merged");
}

/// Whatever else is changed about it, nobody takes it before its time.
#[test]
fn a_landing_between_tries_stays_held_when_its_bead_is_changed() {
    let at = Landing::new();
    let town = &at.desk.town;
    at.order("b", false);
    at.desk.complete(&at.request(), "failed", json!({})).unwrap();
    let fields = json!({"title": "Land it, please"});
    town.fleet.tell(&at.desk.rig.at, &UPDATE_BEAD, (at.request(), fields, Value::Null), &town.owner()).unwrap();
    assert_eq!(code(town.hook(&at.desk.rig, &at.desk.refinery.id, &at.request())), Code::Conflict);
    town.fleet.advance(30_000);
    town.hook(&at.desk.rig, &at.desk.refinery.id, &at.request()).unwrap();
}
