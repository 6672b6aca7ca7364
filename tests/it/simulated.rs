//! The simulation among the host tests: what it finds has tests of its own where the code is tested.

use crate::simulation::{ops, search};

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

#[test]
fn operations_are_read_as_they_are_printed_and_the_same_seed_is_the_same_run() {
    let printed = ops::print(&ops::random(7, 100));
    assert_eq!(printed, ops::print(&ops::random(7, 100)));
    assert_eq!(ops::print(&ops::parse(&printed).unwrap()), printed);
    assert!(ops::parse("sling 1 2 3").is_err());
}
