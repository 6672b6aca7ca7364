//! The ladder of `convoy_unstick`, row by row: one pure function over what was seen.

use base::time::Timestamp;
use gastown_mcp::contract::ids::{AgentId, BeadId, ConvoyId, RigId};
use gastown_mcp::contract::shapes::{
    AgentStatus, BeadStatus, ConvoyBead, ConvoyEntry, ConvoyInspection, ConvoyStatus, Coverage, FollowUp, HolderInspection,
    MemberInspection, MergeMode, RaisedAbout, ReviewInspection, RigInspection, TownInspection,
};
use gastown_mcp::tools::playbooks::unstick::decide::{decide, next};
use gastown_mcp::tools::playbooks::unstick::verdict::{Cause, Rung, Verdict};

const NOW: i64 = 1_800_000_000_000;
const PATIENCE: i64 = 300;

pub(super) fn bead(seed: u8) -> BeadId {
    BeadId::from_random([seed; 16])
}

fn rig() -> RigId {
    RigId::from_random([200; 16])
}

/// So many seconds ago.
fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_millis(NOW - seconds * 1_000)
}

fn member(seed: u8, status: BeadStatus) -> MemberInspection {
    let bead = ConvoyBead {
        bead_id: bead(seed),
        title: "t".to_owned(),
        status,
        rig_id: Some(rig()),
        assignee_agent_name: None,
        blockers_open: 0,
        merge_commit: None,
        failure_reason: None,
        quality: None,
        deleted: false,
    };
    MemberInspection {
        bead,
        updated_at: ago(1_000),
        attempts: 0,
        rests_until: None,
        is_held: false,
        is_mayors: false,
        has_conflicts: false,
        holder: None,
        review: None,
        crashes: 0,
        stopped: 0,
    }
}

fn held(progress: i64, nudged: Option<i64>) -> MemberInspection {
    let holder = HolderInspection {
        agent_id: AgentId::from_random([7; 16]),
        name: "Toast".to_owned(),
        status: AgentStatus::Working,
        order: 4,
        is_taken_up: true,
        progress_at: ago(progress),
        nudged_at: nudged.map(ago),
    };
    MemberInspection { holder: Some(holder), ..member(1, BeadStatus::InProgress) }
}

fn review(updated: i64) -> MemberInspection {
    let review = ReviewInspection {
        bead_id: bead(90),
        status: BeadStatus::Open,
        has_pull_request: false,
        is_held: false,
        blockers_open: 0,
        updated_at: ago(updated),
    };
    MemberInspection { review: Some(review), ..member(1, BeadStatus::InReview) }
}

fn raised(category: &str, order: Option<i64>, is_open: bool) -> RaisedAbout {
    RaisedAbout { about: bead(1), escalation_id: bead(50), category: category.to_owned(), order, is_open }
}

pub(super) fn rig_of(members: Vec<MemberInspection>) -> RigInspection {
    RigInspection {
        rig_id: rig(),
        name: "api".to_owned(),
        parked: false,
        draining: false,
        breaker_open: false,
        resumed_at: Timestamp::default(),
        capacity: 5,
        living: 1,
        idle: 1,
        queue_depth: 0,
        has_refinery: true,
        no_runner: None,
        members,
        unmet: Vec::new(),
        raised: Vec::new(),
    }
}

fn seen(rig: RigInspection) -> (TownInspection, ConvoyInspection) {
    let known: Vec<ConvoyBead> = rig.members.iter().map(|member| member.bead.clone()).collect();
    let claimed = ConvoyEntry {
        id: ConvoyId::from_random([100; 16]),
        title: "c".to_owned(),
        status: ConvoyStatus::Active,
        staged: false,
        total_beads: 1,
        closed_beads: 0,
        created_by: None,
        created_at: ago(5_000),
        landed_at: None,
        feature_branch: None,
        merge_mode: Some(MergeMode::ReviewAndMerge),
        failed_beads: 0,
        merged_beads: 0,
        forced_at: None,
        forced_by: None,
        ready_to_land: false,
        landings: Vec::new(),
        flags: Vec::new(),
    };
    let convoy = ConvoyInspection { claimed, members: known, under_way: Vec::new(), follow_up_of: None, follow_ups: Vec::new() };
    let town = TownInspection {
        as_of: Timestamp::from_millis(NOW),
        parked: false,
        draining: false,
        patience_seconds: None,
        review_stuck_seconds: 1_800,
        restart_loop_exits: 3,
        convoys: Vec::new(),
        rigs: vec![rig],
        coverage: Coverage { asked: 1, answered: 1, missing: Vec::new(), as_of: Timestamp::from_millis(NOW) },
        next: None,
    };
    (town, convoy)
}

/// What is decided about the first bead.
fn first(member: MemberInspection, change: impl FnOnce(&mut TownInspection, &mut ConvoyInspection)) -> Option<Verdict> {
    let (mut town, mut convoy) = seen(rig_of(vec![member]));
    change(&mut town, &mut convoy);
    decide(&town, &convoy, PATIENCE).into_iter().next()
}

fn of(member: MemberInspection, change: impl FnOnce(&mut TownInspection, &mut ConvoyInspection)) -> (Cause, Rung, Option<i64>) {
    let verdict = first(member, change).expect("a verdict");
    (verdict.cause, verdict.rung, verdict.again_seconds)
}

fn as_is(_: &mut TownInspection, _: &mut ConvoyInspection) {}

// S2-25: nudge, wait, replace, and never somebody who answered.
#[test]
fn a_holder_climbs_the_ladder_by_silence_only() {
    assert_eq!(of(held(299, None), as_is), (Cause::Working, Rung::Leave, Some(1)));
    assert_eq!(of(held(300, None), as_is), (Cause::Silent, Rung::Nudge, None));
    assert_eq!(of(held(900, Some(100)), as_is), (Cause::Silent, Rung::Wait, Some(200)));
    assert_eq!(of(held(900, Some(300)), as_is), (Cause::Silent, Rung::Reassign, None));
    assert_eq!(of(held(100, Some(400)), as_is), (Cause::Working, Rung::Leave, Some(200)), "it answered");
    assert_eq!(of(held(400, Some(800)), as_is), (Cause::Silent, Rung::Nudge, None), "it answered, and fell silent again");
    let again = MemberInspection { stopped: 1, ..held(900, Some(300)) };
    assert_eq!(of(again.clone(), as_is), (Cause::Silent, Rung::Escalate, None));
    let told = |order, is_open| {
        move |town: &mut TownInspection, _: &mut ConvoyInspection| town.rigs[0].raised = vec![raised("stalled_agent", order, is_open)]
    };
    assert_eq!(of(again.clone(), told(Some(4), false)), (Cause::Silent, Rung::Human, None), "once for each order");
    assert_eq!(of(again.clone(), told(Some(3), true)), (Cause::Silent, Rung::Human, None), "and not while one is open");
    assert_eq!(of(again.clone(), told(Some(3), false)), (Cause::Silent, Rung::Escalate, None));
    assert_eq!(of(held(900, Some(300)), |town, _| town.rigs[0].breaker_open = true), (Cause::Breaker, Rung::Human, None));
}

#[test]
fn a_hook_that_nobody_takes_up_is_asked_for_told_of_and_never_taken_away() {
    let hook = |progress, nudged| {
        let mut member = held(progress, nudged);
        member.bead.status = BeadStatus::Open;
        member.holder.as_mut().unwrap().is_taken_up = false;
        member
    };
    assert_eq!(of(hook(10, None), as_is), (Cause::NotTakenUp, Rung::Leave, Some(290)));
    assert_eq!(of(hook(400, None), as_is), (Cause::NotTakenUp, Rung::Nudge, None));
    assert_eq!(of(hook(900, Some(400)), as_is), (Cause::NotTakenUp, Rung::Escalate, None));
    assert_eq!(of(hook(900, Some(400)), |town, _| town.rigs[0].no_runner = Some(bead(51))), (Cause::NotTakenUp, Rung::Human, None));
}

// S2-22 to S2-24, S2-35, S2-40.
#[test]
fn every_other_cause_has_its_rung() {
    let open = || member(1, BeadStatus::Open);
    assert_eq!(first(member(1, BeadStatus::Closed), as_is), None);
    assert_eq!(of(member(1, BeadStatus::Failed), as_is), (Cause::Failed, Rung::Escalate, None));
    for category in ["failed_bead", "max_dispatch_attempts"] {
        let told = |town: &mut TownInspection, _: &mut ConvoyInspection| town.rigs[0].raised = vec![raised(category, None, false)];
        assert_eq!(of(member(1, BeadStatus::Failed), told), (Cause::Failed, Rung::Human, None));
    }
    let followed = |_: &mut TownInspection, convoy: &mut ConvoyInspection| {
        convoy.follow_ups = vec![FollowUp { convoy_id: ConvoyId::from_random([101; 16]), bead_id: bead(60), of: bead(1) }];
    };
    assert_eq!(of(member(1, BeadStatus::Failed), followed), (Cause::FollowedUp, Rung::Leave, None));
    assert_eq!(of(open(), as_is), (Cause::Queued, Rung::Wait, Some(5)));
    assert_eq!(of(open(), |town, _| (town.rigs[0].idle, town.rigs[0].living) = (0, 5)), (Cause::AllBusy, Rung::Wait, Some(60)));
    assert_eq!(of(open(), |town, _| town.rigs[0].breaker_open = true), (Cause::Breaker, Rung::Human, None));
    assert_eq!(of(MemberInspection { is_held: true, ..open() }, as_is), (Cause::Held, Rung::Human, None));
    assert_eq!(of(MemberInspection { is_mayors: true, ..open() }, as_is), (Cause::WithMayor, Rung::Human, None));
    assert_eq!(of(member(1, BeadStatus::InProgress), as_is), (Cause::LeftBehind, Rung::Wait, Some(60)));
    let resting = MemberInspection { rests_until: Some(ago(-20)), attempts: 1, crashes: 1, ..open() };
    assert_eq!(of(resting.clone(), as_is), (Cause::Resting, Rung::Wait, Some(21)));
    let looping = MemberInspection { crashes: 3, ..resting };
    assert_eq!(of(looping.clone(), as_is), (Cause::RestartLoop, Rung::Escalate, None));
    assert_eq!(
        of(looping, |town, _| town.rigs[0].raised = vec![raised("agent_restart_loop", None, true)]),
        (Cause::RestartLoop, Rung::Human, None)
    );
    let conflicting = || MemberInspection { has_conflicts: true, ..held(900, Some(400)) };
    let told = |is_open| {
        move |town: &mut TownInspection, _: &mut ConvoyInspection| town.rigs[0].raised = vec![raised("merge_conflict", None, is_open)]
    };
    assert_eq!(of(conflicting(), told(true)), (Cause::MergeConflict, Rung::Human, None));
    assert_eq!(of(conflicting(), as_is), (Cause::MergeConflict, Rung::Escalate, None));
    assert_eq!(of(conflicting(), told(false)), (Cause::Silent, Rung::Reassign, None), "a person has dealt with it");
}

#[test]
fn a_review_has_the_time_that_the_watch_gives_it() {
    assert_eq!(of(review(100), as_is), (Cause::InReview, Rung::Leave, Some(1_700)));
    assert_eq!(of(review(1_800), as_is), (Cause::ReviewStuck, Rung::Escalate, None));
    assert_eq!(of(review(1_800), |town, _| town.rigs[0].has_refinery = false), (Cause::NoRefinery, Rung::Escalate, None));
    let told = |town: &mut TownInspection, _: &mut ConvoyInspection| {
        town.rigs[0].raised = vec![RaisedAbout { about: bead(90), ..raised("stuck_review", None, true) }];
    };
    assert_eq!(of(review(1_800), told), (Cause::ReviewStuck, Rung::Human, None));
    let mut public = review(99_999);
    let request = public.review.as_mut().unwrap();
    (request.has_pull_request, request.status) = (true, BeadStatus::InProgress);
    assert_eq!(of(public, as_is), (Cause::PullRequest, Rung::Human, None));
}

#[test]
fn a_pause_a_plan_and_a_silent_rig_are_no_trouble_of_the_bead() {
    let silent = || held(900, Some(400));
    assert_eq!(of(silent(), |town, _| town.parked = true), (Cause::Parked, Rung::Leave, None));
    assert_eq!(of(silent(), |town, _| town.rigs[0].parked = true), (Cause::Parked, Rung::Leave, None));
    assert_eq!(of(silent(), |town, _| town.draining = true), (Cause::Draining, Rung::Leave, None));
    assert_eq!(of(silent(), |town, _| town.rigs[0].resumed_at = ago(100)), (Cause::Working, Rung::Leave, Some(200)));
    assert_eq!(of(member(1, BeadStatus::Failed), |town, _| town.parked = true), (Cause::Failed, Rung::Leave, None));
    assert_eq!(of(member(1, BeadStatus::Open), |_, convoy| convoy.claimed.staged = true), (Cause::Staged, Rung::Leave, None));
    assert_eq!(of(silent(), |town, _| town.rigs.clear()), (Cause::RigSilent, Rung::Leave, Some(5)));
    let gone = |town: &mut TownInspection, _: &mut ConvoyInspection| town.rigs[0].members.clear();
    assert_eq!(of(silent(), gone), (Cause::Missing, Rung::Human, None));
    assert_eq!(
        of(silent(), |town, convoy| {
            gone(town, convoy);
            convoy.under_way = vec![rig()];
        }),
        (Cause::OnItsWay, Rung::Wait, Some(5))
    );
    assert_eq!(
        of(silent(), |town, convoy| {
            gone(town, convoy);
            (convoy.members[0].deleted, convoy.members[0].status) = (true, BeadStatus::Failed);
        }),
        (Cause::Deleted, Rung::Escalate, None)
    );
}

// S2-34, S2-35: the lowest rung first, whichever bead it is.
#[test]
fn a_nudge_comes_before_a_replacement_and_that_before_people() {
    let with = |seed: u8, mut member: MemberInspection| {
        member.bead.bead_id = bead(seed);
        member
    };
    let members =
        [with(1, member(1, BeadStatus::Failed)), with(2, held(900, Some(400))), with(3, held(900, None)), with(4, held(10, None))];
    for (left, due) in [(4, Some(2)), (2, Some(1)), (1, Some(0)), (0, None)] {
        let (town, convoy) = seen(rig_of(members[..left].to_vec()));
        assert_eq!(next(&decide(&town, &convoy, PATIENCE)), due, "{left}");
    }
}
