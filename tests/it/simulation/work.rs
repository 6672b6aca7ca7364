//! Operations on beads: made, slung, changed, moved, deleted.
//!
//! Owns how their numbers are read.

use super::ledger::Note;
use super::ops::Numbers;
use super::world::{World, pick};
use crate::support::town::Rig;
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::{BeadStatus, Priority};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

const QUALITIES: [&str; 4] = ["basic", "shiny", "chrome", "basic"];

/// Up to two beads that another one may wait for, and for what.
fn blockers(world: &World, rig: &Rig, number: usize) -> (Vec<String>, &'static str) {
    let on = (0..number % 3).filter_map(|index| world.bead(rig, number / 3 + index)).collect::<std::collections::BTreeSet<_>>();
    (on.into_iter().collect(), until(number))
}

pub fn until(number: usize) -> &'static str {
    if number.is_multiple_of(5) { "merged" } else { "closed" }
}

pub fn sling(world: &mut World, numbers: Numbers) {
    let [at, how, which, _] = numbers;
    let rig = world.rig(at);
    let title = world.name("work");
    let mut input = json!({"rigId": rig.id, "title": title, "priority": Priority::ALL[which % 4]});
    match how % 9 {
        0 => input["agent"] = json!(world.agent(&rig, which)),
        1 => input["agent"] = json!("mayor"),
        2 => input["hold"] = json!(true),
        3 | 4 => input["quality"] = json!(QUALITIES[which % 4]),
        5 => {
            let (on, until) = blockers(world, &rig, which);
            (input["depends_on"], input["until"]) = (json!(on), json!(until));
        }
        6 => {
            let bead = world.bead(&rig, which);
            input = json!({"rigId": rig.id, "bead_id": bead, "args": "again"});
        }
        _ => {}
    }
    world.call(&rig.at, &rpc::SLING_BEAD, (input,), Note::Beads(Some(rig.clone())), numbers);
}

pub fn create_bead(world: &mut World, numbers: Numbers) {
    let [at, how, which, _] = numbers;
    let rig = world.rig(at);
    let (on, until) = blockers(world, &rig, which);
    let kind = ["issue", "issue", "issue", "issue", "escalation", "merge_request", "molecule", "issue"][how % 8];
    let parent = if how.is_multiple_of(3) { world.bead(&rig, how) } else { None };
    let title = world.name("bead");
    let input =
        json!({"type": kind, "title": title, "held": how.is_multiple_of(5), "depends_on": on, "until": until, "parent_bead_id": parent});
    world.call(&rig.at, &rpc::CREATE_BEAD, (input,), Note::Beads(Some(rig.clone())), numbers);
}

pub fn held_bead(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let title = world.name("held");
    world.call(&rig.at, &rpc::CREATE_HELD_BEAD, (json!({"title": title}),), Note::Beads(Some(rig.clone())), numbers);
}

pub fn start_bead(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let bead = world.one::<String>(&rig, "SELECT bead_id FROM beads WHERE held = 1 ORDER BY sequence", numbers[1]);
    world.call(&rig.at, &rpc::START_HELD_BEAD, (bead, Value::Null), Note::Nothing, numbers);
}

pub fn update_bead(world: &mut World, numbers: Numbers) {
    let [at, which, how, _] = numbers;
    let rig = world.rig(at);
    let bead = world.bead(&rig, which);
    let (on, until) = blockers(world, &rig, how);
    let fields = match how % 8 {
        0 => json!({"depends_on": on, "until": until}),
        1 => json!({"remove_depends_on": on}),
        2 | 3 => json!({"add_depends_on": on, "until": until}),
        4 => json!({"add_labels": ["gt:held"]}),
        5 => json!({"remove_labels": ["gt:held"]}),
        6 => json!({"priority": Priority::ALL[which % 4]}),
        _ => json!({"status": BeadStatus::ALL[how % 5], "metadata": {"note": how}}),
    };
    world.call(&rig.at, &rpc::UPDATE_BEAD, (bead, fields, Value::Null), Note::Nothing, numbers);
}

pub fn status(world: &mut World, numbers: Numbers) {
    let [at, which, how, _] = numbers;
    let rig = world.rig(at);
    let status = ["closed", "closed", "failed", "in_progress", "open", "in_review", "closed", "failed"][how % 8];
    world.call(&rig.at, &rpc::UPDATE_BEAD_STATUS, (world.bead(&rig, which), status, "somebody", Value::Null), Note::Nothing, numbers);
}

pub fn delete_bead(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let Some(bead) = world.bead(&rig, numbers[1]) else { return };
    world.ledger.deletable.insert(bead.clone());
    world.call(&rig.at, &rpc::DELETE_BEAD, (bead, Value::Null), Note::Nothing, numbers);
}

/// Only where it comes at once: what would match when it comes, nobody knows before.
pub fn delete_by_status(world: &mut World, [at, how, which, _]: Numbers) {
    let rig = world.rig(at);
    if world.fleet.is_troubled(&rig.at) || world.is_waited_for() {
        return;
    }
    let kind = pick(&["issue", "merge_request", "escalation", "molecule"], which).unwrap_or_default();
    world.ledger.deleting = Some((rig.id.to_string(), kind.to_owned()));
    world.call(&rig.at, &rpc::DELETE_BEADS_BY_STATUS, (BeadStatus::ALL[how % 5], kind, Value::Null), Note::Nothing, [0, 0, 0, 1]);
}

pub fn apply_formula(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let bead = world.bead(&rig, numbers[1]);
    world.call(&rig.at, &rpc::APPLY_FORMULA, (bead, json!({"quality": QUALITIES[numbers[2] % 4]})), Note::Nothing, numbers);
}

pub fn reassign(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let (bead, agent): (Option<String>, Option<AgentId>) = (world.bead(&rig, numbers[1]), world.agent(&rig, numbers[2]));
    world.call(&rig.at, &rpc::REASSIGN_BEAD, (bead, agent), Note::Nothing, numbers);
}
