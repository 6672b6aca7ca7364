//! Crash safety by simulation: random operations and faults over one town, and what must hold after every step.
//!
//! Owns runs. A run is a world of its own, made of a list of operations: the same list makes the same world. The objects'
//! code is the one that the Worker's shell calls; only the messages between objects, time and death are simulated.
//! `ops` says what can happen, `invariants` and `quiet` what must be so, `shrink` which operations it takes to break it.

mod agents;
mod conversation;
mod convoys;
mod edge;
mod faults;
mod invariants;
mod ledger;
pub mod ops;
mod people;
mod quiet;
mod runners;
mod shrink;
mod talk;
mod town;
mod work;
mod world;

use ops::Op;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use world::World;

/// Operations of one world.
pub const OPS_PER_WORLD: usize = 250;

/// What a search has found.
pub struct Found {
    pub operations: u64,
    pub crashes: u64,
    /// The first world in which something broke.
    pub broken: Option<Broken>,
}

/// How an invariant broke, and what it takes.
pub struct Broken {
    /// Begins a search with the same world.
    pub seed: u64,
    pub reason: String,
    /// Operations it took, before and after shrinking.
    pub before: usize,
    pub ops: Vec<Op>,
}

thread_local! {
    /// Whether a search is under way.
    static SEARCHES: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic was.
    static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs worlds of random operations, `operations` in all, until something breaks.
pub fn search(seed: u64, operations: u64) -> Found {
    let mut found = Found { operations: 0, crashes: 0, broken: None };
    quietly();
    for seed in seed.. {
        if found.operations >= operations {
            break;
        }
        let ops = ops::random(seed, OPS_PER_WORLD);
        let (done, crashes, outcome) = run(&ops);
        found.operations += done as u64;
        found.crashes += crashes;
        if let Err(reason) = outcome {
            let shrunk = shrink::shrink(&ops[..done], &reason);
            let reason = run(&shrunk).2.err().unwrap_or(reason);
            found.broken = Some(Broken { seed, reason, before: done, ops: shrunk });
            break;
        }
    }
    SEARCHES.set(false);
    found
}

/// From now on a panic of this thread is a finding, and prints nothing.
fn quietly() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if SEARCHES.get() {
                PANICKED_AT.set(info.location().map(ToString::to_string).unwrap_or_default());
            } else {
                before(info);
            }
        }));
    });
    SEARCHES.set(true);
}

/// Runs one world: how many operations it took, how many objects died, and what broke.
pub fn run(ops: &[Op]) -> (usize, u64, Result<(), String>) {
    let mut world = World::new();
    let mut done = 0;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        for op in ops {
            done += 1;
            world.run(op)?;
        }
        quiet::check(&mut world)
    }));
    let crashes = world.fleet.deaths();
    let outcome = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panicked at {}: {}", PANICKED_AT.take(), text.unwrap_or_default()))
    });
    // A world that broke may hold a borrow for ever; it is left behind.
    drop(catch_unwind(AssertUnwindSafe(|| world.fleet.close())));
    (done, crashes, outcome)
}
