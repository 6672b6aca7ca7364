//! Fewer and smaller operations that break the same way.
//!
//! Owns the search (delta debugging): larger pieces are left out first. The same way means the same invariant, whatever it
//! was broken by.

use super::ops::Op;
use super::run;

/// Runs that shrinking may take.
const RUNS_MAX: usize = 700;

/// A list that still breaks as `reason` says.
pub fn shrink(ops: &[Op], reason: &str) -> Vec<Op> {
    let kind = kind(reason);
    let mut runs = 0;
    let mut breaks = |ops: &[Op]| {
        runs += 1;
        runs <= RUNS_MAX && run(ops).2.is_err_and(|reason| self::kind(&reason) == kind)
    };
    let mut ops = ops.to_vec();
    let mut size = ops.len().div_ceil(2);
    while size > 0 {
        let before = ops.len();
        let mut at = 0;
        while at < ops.len() {
            let mut fewer = ops.clone();
            fewer.drain(at..(at + size).min(ops.len()));
            if breaks(&fewer) {
                ops = fewer;
            } else {
                at += size;
            }
        }
        if size > 1 {
            size = size.div_ceil(2).min(ops.len().max(1));
        } else if ops.len() == before {
            break;
        }
    }
    for at in 0..ops.len() {
        for number in 0..4 {
            for smaller in [0, 1, 2] {
                let mut fewer = ops.clone();
                let known = fewer[at].numbers[number];
                if smaller < known {
                    fewer[at].numbers[number] = smaller;
                    if breaks(&fewer) {
                        ops = fewer;
                        break;
                    }
                }
            }
        }
    }
    ops
}

/// Which invariant: what the reason says before its details.
fn kind(reason: &str) -> &str {
    reason.split(':').next().unwrap_or_default()
}
