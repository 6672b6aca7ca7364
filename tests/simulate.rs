//! `npm run simulate`: crash safety by simulation, for as many operations as wanted.
//!
//! Owns the command line. The simulation is the one that the host tests run. The last line says what was found; with a
//! broken invariant the operations that it takes come before it, and the exit code is 1.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what cannot go on fails, wherever its helpers live"
)]

#[path = "it/simulation/mod.rs"]
mod simulation;
#[expect(dead_code, unused_imports, reason = "the host tests use all of it, the simulation a part")]
#[path = "it/support/mod.rs"]
mod support;

use simulation::{ops, run, search};
use std::process::ExitCode;
use std::time::Instant;

/// Operations unless the caller says otherwise.
const OPERATIONS: u64 = 100_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|known| known == name).and_then(|at| arguments.get(at + 1));
    if let Some(path) = value("--replay") {
        return replay(path);
    }
    let (operations, seed) = (number(value("--ops"), OPERATIONS), number(value("--seed"), 1));
    let start = Instant::now();
    let found = search(seed, operations);
    let rate = f64::from(u32::try_from(found.operations).unwrap_or(u32::MAX)) / start.elapsed().as_secs_f64().max(0.001);
    let (operations, crashes) = (found.operations, found.crashes);
    if let Some(broken) = &found.broken {
        println!("seed {}: {} of {} operations break this:\n{}", broken.seed, broken.ops.len(), broken.before, broken.reason);
        print!("{}", ops::print(&broken.ops));
    }
    let broken = u32::from(found.broken.is_some());
    println!("{operations} operations, {crashes} crashes, {broken} broken invariants (seed {seed}, {rate:.0} operations per second)");
    ExitCode::from(u8::from(found.broken.is_some()))
}

fn number(text: Option<&String>, default: u64) -> u64 {
    text.map_or(default, |text| text.replace('_', "").parse().expect("a number"))
}

/// Runs the operations in a file, as they were printed.
fn replay(path: &str) -> ExitCode {
    let text = std::fs::read_to_string(path).expect("a file of operations");
    let ops = ops::parse(&text).expect("operations as they are printed");
    let (done, crashes, outcome) = run(&ops);
    if let Err(reason) = &outcome {
        println!("{reason}");
    }
    println!("{done} operations, {crashes} crashes, {} broken invariants", u32::from(outcome.is_err()));
    ExitCode::from(u8::from(outcome.is_err()))
}
