//! The simulation among the host tests: what it finds has tests of its own where the code is tested.

use crate::simulation::{ops, run, search};

/// Operations of each seed; together what `npm test` simulates.
const OPERATIONS: u64 = 5_000;

/// Nothing is lost, doubled or stuck, whatever crashes.
fn holds(seed: u64) {
    let found = search(seed, OPERATIONS);
    if let Some(broken) = found.broken {
        let (seed, before, reason) = (broken.seed, broken.before, broken.reason);
        panic!("seed {seed}: {reason}\n{} of {before} operations:\n{}", broken.ops.len(), ops::print(&broken.ops));
    }
    assert!(found.operations >= OPERATIONS && found.crashes > 0, "{} operations, {} crashes", found.operations, found.crashes);
}

#[test]
fn whatever_crashes_nothing_is_lost_doubled_or_stuck_1() {
    holds(1);
}

#[test]
fn whatever_crashes_nothing_is_lost_doubled_or_stuck_2() {
    holds(20_001);
}

#[test]
fn whatever_crashes_nothing_is_lost_doubled_or_stuck_3() {
    holds(40_001);
}

#[test]
fn whatever_crashes_nothing_is_lost_doubled_or_stuck_4() {
    holds(60_001);
}

/// What a search has found once, with the fewest operations that it took.
fn stays_mended(ops: &str) {
    let (_, _, outcome) = run(&ops::parse(ops).unwrap());
    assert_eq!(outcome, Ok(()));
}

#[test]
fn an_acknowledgement_stays_owed_when_a_statement_fails() {
    stays_mended("escalate 0 0 1 1\nfail 0 850 0 0\nacknowledge 0 0 0 1");
}

#[test]
fn what_a_rig_that_has_ended_could_not_deliver_is_no_fault() {
    stays_mended(
        "slow_alarm 1 0 0 0\nsling 1 0 0 1\nflush 1 0 0 0\ncrash 0 0 0 0\nbatch 0 0 0 1\nescalate 0 0 0 1\nmend 0 0 0 0\n\
         remove_rig 1 0 0 0\npass 0 0 0 0",
    );
}

#[test]
fn a_rig_that_was_removed_stays_so_whatever_comes_late() {
    stays_mended("trouble 2 4 0 0\nconfigure_rig 1 1 0 1\nremove_rig 1 0 0 1\npass 5 1 0 0\nsling 1 8 0 1");
}

#[test]
fn what_a_removed_rig_still_answers_does_not_revive_its_beads() {
    stays_mended("batch 1 0 0 1\ncrash 2 967 0 0\ndrain 0 0 0 1\nremove_rig 1 0 0 1\nconvoy_recount 1 0 0 0");
}

#[test]
fn operations_are_read_as_printed_and_a_seed_is_one_run() {
    let printed = ops::print(&ops::random(7, 100));
    assert_eq!(printed, ops::print(&ops::random(7, 100)));
    assert_eq!(ops::print(&ops::parse(&printed).unwrap()), printed);
    assert!(ops::parse("sling 1 2 3").is_err());
}
