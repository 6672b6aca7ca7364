//! What goes wrong, and time.
//!
//! Owns how the numbers of faults are read. A fault stays until its calls or steps are over, or `mend` comes.

use super::ops::Numbers;
use super::world::World;
use crate::support::Trouble;
use crate::support::fleet::CLOCK_BACK_MILLIS_MAX;

const TROUBLES: [Trouble; 7] = [
    Trouble::DropBefore,
    Trouble::DropAfter,
    Trouble::Duplicate,
    Trouble::Delay(700),
    Trouble::Delay(9_000),
    Trouble::Hang,
    Trouble::Duplicate,
];
/// Milliseconds that pass, mostly few.
const PAUSES: [i64; 9] = [30, 1_000, 1_000, 6_000, 6_000, 31_000, 100_000, 600_000, 5 * 60 * 60 * 1_000];

/// The next calls to an object get into trouble.
pub fn trouble(world: &mut World, [at, kind, calls, _]: Numbers) {
    let calls = u32::try_from(1 + calls % 5).unwrap_or(1);
    world.fleet.trouble_for(&world.place(at), Some(TROUBLES[kind % TROUBLES.len()]), calls);
}

/// Messages arrive again, and nobody is about to die.
pub fn mend(world: &mut World, _: Numbers) {
    for at in 0..=world.rigs.len() {
        let place = world.place(at);
        world.fleet.trouble(&place, None);
        world.fleet.sql(&place).doom.lift();
    }
    world.fleet.delay_alarm_answers(0);
}

/// An object dies some steps from now.
pub fn crash(world: &mut World, [at, steps, few, _]: Numbers) {
    let steps = if few.is_multiple_of(2) { steps % 12 } else { steps % 80 };
    world.fleet.sql(&world.place(at)).doom.die_after(u32::try_from(steps).unwrap_or_default());
}

/// A statement fails some statements from now.
pub fn fail(world: &mut World, [at, statements, ..]: Numbers) {
    world.fleet.sql(&world.place(at)).doom.fail_after(u32::try_from(statements % 60).unwrap_or_default());
}

pub fn evict(world: &mut World, [at, ..]: Numbers) {
    let place = world.place(at);
    world.fleet.evict(&place);
}

pub fn restart(world: &mut World, _: Numbers) {
    world.fleet.restart();
}

/// An alarm comes early.
pub fn ring(world: &mut World, [at, ..]: Numbers) {
    let place = world.place(at);
    world.fleet.ring(&place);
    world.fleet.advance(0);
}

/// What objects left for after their replies happens, as far as it comes in no time.
pub fn flush(world: &mut World, [how, ..]: Numbers) {
    world.fleet.run_background();
    world.fleet.advance(if how.is_multiple_of(2) { 25 } else { 0 });
}

pub fn pass(world: &mut World, [how, background, ..]: Numbers) {
    if !background.is_multiple_of(4) {
        world.fleet.run_background();
    }
    world.fleet.advance(PAUSES[how % PAUSES.len()]);
}

/// The clock jumps: back a little, as between two machines, or ahead.
pub fn jump(world: &mut World, [how, by, ..]: Numbers) {
    let by = i64::try_from(by).unwrap_or_default();
    world.fleet.jump(if how.is_multiple_of(2) { -(by % CLOCK_BACK_MILLIS_MAX) } else { by * 1_000 });
}

/// Objects hear late what their alarm was set to.
pub fn slow_alarm(world: &mut World, [how, ..]: Numbers) {
    world.fleet.delay_alarm_answers([0, 40, 400][how % 3]);
}
