//! What a town says about itself: the truth, or what is missing from it.

use crate::support::{Town, Trouble};
use gastown_mcp::contract::shapes::BeadStatus;
use gastown_mcp::objects::object::GATHER_MILLIS_MAX;

/// Letters are lost, and yet the status is right: it is asked of the rigs.
#[test]
fn convoy_status_reads_the_rigs_and_not_the_mirror() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[], &[0]]);
    town.fleet.settle();
    town.fleet.trouble(&town.at, Some(Trouble::DropBefore));
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    town.fleet.trouble(&town.at, None);
    // Nothing was sent yet: the mirror is old.
    let status = town.convoy_status(&convoy.convoy.id);
    assert_eq!(status.beads.iter().map(|bead| bead.status).collect::<Vec<_>>(), [BeadStatus::Closed, BeadStatus::Open]);
    assert_eq!((status.entry.closed_beads, status.entry.total_beads), (1, 2));
    assert_eq!(status.beads[1].assignee_agent_name.as_deref(), Some("Toast"));
    let coverage = status.coverage.unwrap();
    assert_eq!((coverage.asked, coverage.answered, coverage.missing), (1, 1, Vec::new()));
    assert!(town.fleet.owed() > 0);
}

/// Truth rule 3.
#[test]
fn a_rig_that_hangs_is_named_and_the_answer_comes_at_the_deadline() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[]]);
    town.fleet.settle();
    for trouble in [Trouble::Hang, Trouble::DropBefore, Trouble::Delay(60_000)] {
        town.fleet.trouble(&rig.at, Some(trouble));
        let before = town.fleet.now();
        let status = town.convoy_status(&convoy.convoy.id);
        let waited = town.fleet.now().since(before);
        assert!(waited <= i64::from(GATHER_MILLIS_MAX), "{trouble:?}: {waited}");
        let coverage = status.coverage.unwrap();
        assert_eq!((coverage.asked, coverage.answered, coverage.missing), (1, 0, vec![rig.id.clone()]));
        // Shown as it last told.
        assert_eq!(status.beads[0].status, BeadStatus::Open);
    }
}

#[test]
fn a_rig_that_has_told_nothing_is_named_not_counted_as_zero() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    town.sling(&rig, "t");
    town.fleet.settle();
    let status = town.alarm_status();
    let coverage = status.coverage.unwrap();
    assert_eq!((coverage.asked, coverage.answered, coverage.missing), (2, 1, vec![backend.id]));
    assert_eq!(status.rigs.len(), 1);
    assert_eq!((status.beads.open, status.agents.total, status.agents.hooked), (1, 1, 1));
    assert_eq!(coverage.as_of, status.rigs[0].as_of);
}

#[test]
fn the_numbers_of_a_town_are_those_of_its_rigs() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    for number in 0..7 {
        town.sling(&rig, &format!("{number}"));
    }
    let failed = town.sling(&backend, "x").bead.bead_id;
    town.fail(&backend, &failed);
    let reviewed = town.sling(&backend, "y").bead.bead_id;
    town.set_status(&backend, &reviewed, BeadStatus::InReview);
    town.fleet.settle();
    let status = town.alarm_status();
    assert_eq!((status.beads.open, status.beads.failed, status.beads.in_review), (7, 1, 1));
    assert_eq!((status.agents.total, status.agents.hooked, status.queue_depth), (6, 6, 2));
    assert_eq!(status.alarm.interval_label, "active (5s)");
}
