//! `convoy_unstick` called twice at once, and killed in the middle: each step is taken once.

use super::{World, mayor, structured};
use crate::support::caller::Caller;
use futures::future::join_all;
use serde_json::json;
use std::rc::Rc;

/// The step that is due: nudge, or reassign once the holder was nudged.
fn silent(nudged: bool) -> World {
    let world = World::new(&[&[], &[0]]);
    world.begins(0);
    world.seconds(300);
    if nudged {
        assert_eq!(world.step()["did"]["step"], "nudge");
        world.seconds(300);
    }
    world
}

/// Calls of these callers, side by side.
fn together(world: &World, callers: &[Rc<Caller>]) -> Vec<serde_json::Value> {
    let arguments = json!({"town": world.town.id, "convoy": world.convoy, "dry_run": false, "patience_seconds": 300});
    let calls: Vec<_> = callers.iter().map(|caller| caller.start("convoy_unstick", arguments.clone())).collect();
    world.town.fleet.block_on(join_all(calls)).into_iter().map(|outcome| structured(outcome).unwrap()).collect()
}

// Truth rule 5.
#[test]
fn two_calls_at_once_nudge_once_whoever_makes_them() {
    for who in 0..2 {
        let world = silent(false);
        let other = if who == 0 { Rc::clone(&world.caller) } else { Caller::new(&world.town.fleet, &mayor(&world), &[]) };
        let answers = together(&world, &[Rc::clone(&world.caller), other]);
        assert_eq!(world.nudges().len(), 1);
        assert!(answers.iter().any(|answer| answer["did"]["step"] == "nudge"));
        for answer in answers.iter().filter(|answer| answer.get("did").is_none()) {
            assert!(answer["summary"].as_str().unwrap().contains("was nudged meanwhile"), "{answer}");
        }
    }
}

#[test]
fn two_calls_at_once_replace_one_polecat() {
    let world = silent(true);
    let before = world.holder(0).unwrap();
    let other = Caller::new(&world.town.fleet, &mayor(&world), &[]);
    together(&world, &[Rc::clone(&world.caller), other]);
    let agents = world.town.agents(&world.rig);
    assert_eq!((agents.len(), agents.iter().filter(|agent| agent.status.as_str() == "dead").count()), (2, 1));
    assert_ne!(world.holder(0).unwrap().id, before.id);
}

#[test]
fn two_calls_at_once_tell_people_once() {
    let world = World::new(&[&[], &[0]]);
    world.town.fail(&world.rig, &world.beads[0]);
    world.town.fleet.settle();
    let other = Caller::new(&world.town.fleet, &mayor(&world), &[]);
    together(&world, &[Rc::clone(&world.caller), other, Rc::clone(&world.caller)]);
    assert_eq!(world.escalations().len(), 1);
}

// Killed between any two steps of the rig, and called again: it goes on where it was.
#[test]
fn a_crash_between_any_two_steps_takes_none_of_them_twice() {
    let mut deaths = 0;
    for nudged in [false, true] {
        for steps in 0..40 {
            let world = silent(nudged);
            let first = world.holder(0).unwrap();
            world.town.sql(&world.rig.at).doom.die_after(steps);
            let outcome = world.try_call("convoy_unstick", json!({"dry_run": false, "patience_seconds": 300}));
            world.town.sql(&world.rig.at).doom.lift();
            deaths += world.town.fleet.deaths();
            world.town.fleet.take_faults();
            if outcome.is_ok_and(|answer| answer.get("did").is_some()) && world.town.fleet.deaths() == 0 {
                break;
            }
            let again = world.step();
            assert_eq!(again["coverage"]["answered"], 1, "{again}");
            assert_eq!(world.nudges().len(), 1, "step {steps}");
            assert_eq!(world.holder(0).unwrap().id != first.id, nudged, "step {steps}");
            assert_eq!(world.town.agents(&world.rig).len(), 1 + usize::from(nudged), "step {steps}");
            assert_eq!(world.town.beads(&world.rig, json!({})).len(), 2);
        }
    }
    assert!(deaths > 20, "{deaths}");
}
