//! The simulation among the host tests, and what it has found: each as the fewest steps that show it.

use crate::simulation::{ops, search};

/// Seeds, and operations of each: together what `npm test` simulates.
const SEEDS: [u64; 4] = [1, 20_001, 40_001, 60_001];
const OPERATIONS: u64 = 5_000;

#[test]
fn nothing_is_lost_doubled_or_stuck_whatever_crashes() {
    for seed in SEEDS {
        let found = search(seed, OPERATIONS);
        assert!(found.operations >= OPERATIONS || found.broken.is_some());
        if let Some(broken) = found.broken {
            panic!("seed {}: {}\n{}", broken.seed, broken.reason, ops::print(&broken.ops));
        }
    }
}
