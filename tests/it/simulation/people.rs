//! Callers who call again.
//!
//! Owns that one operation.

use super::ops::Numbers;
use super::world::World;

/// A key is remembered for a day; nobody asks again after so long.
const REPEATED_MILLIS_MAX: i64 = 20 * 60 * 60 * 1_000;

/// A call with a key is made again, most often one of the last.
pub fn repeat(world: &mut World, [which, recent, _, how]: Numbers) {
    let count = world.keyed.len();
    if count == 0 {
        return;
    }
    let span = if recent.is_multiple_of(3) { count } else { count.min(4) };
    let index = count - 1 - which % span;
    let keyed = world.keyed[index].clone();
    if world.fleet.now().millis() - keyed.at < REPEATED_MILLIS_MAX {
        world.send(&keyed.call, &keyed.caller, keyed.note, Some(index), how % 7 != 0);
    }
}
