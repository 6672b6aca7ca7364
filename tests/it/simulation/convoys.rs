//! Operations on convoys.
//!
//! Owns how their numbers are read.

use super::ledger::Note;
use super::ops::Numbers;
use super::work::until;
use super::world::{World, pick};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// The first is where nothing is left to land.
const BRANCHES: [&str; 3] = ["main", "release/1", "release/2"];

fn mode(number: usize) -> Value {
    [Value::Null, json!("review-and-merge"), json!("review-then-land")][number % 3].clone()
}

/// One of the newest, by id or by title.
fn convoy(world: &World, number: usize) -> Option<String> {
    let all: Vec<(String, String)> = world.town_rows("SELECT id, title FROM convoys ORDER BY sequence DESC LIMIT 12");
    pick(&all, number).map(|(id, title)| if number.is_multiple_of(7) { title } else { id })
}

fn member(world: &World, convoy: &str, number: usize) -> Option<String> {
    let statement = format!("SELECT bead_id FROM convoy_beads WHERE convoy_id = '{convoy}' ORDER BY position");
    pick(&world.town_rows::<(String,)>(&statement), number).map(|(bead,)| bead)
}

fn some(world: &World, convoy: &str, number: usize) -> Vec<String> {
    (0..number % 3).filter_map(|index| member(world, convoy, number / 3 + index)).collect()
}

/// Up to four tasks in several rigs; each may wait for some of those before it.
pub fn batch(world: &mut World, numbers: Numbers) {
    let [at, size, bits, how] = numbers;
    let tasks: Vec<Value> = (0..=size % 4)
        .map(|index| {
            let on: Vec<usize> = (0..index).filter(|blocker| bits >> (index + blocker) & 1 == 1).collect();
            let title = world.name("task");
            let mut task =
                json!({"title": title, "rig_id": world.rig(at + bits * index).id, "depends_on": on, "until": until(bits + index)});
            if (size + index).is_multiple_of(6) {
                task["quality"] = json!("shiny");
            }
            task
        })
        .collect();
    let title = world.name("convoy");
    let staged = how.is_multiple_of(3);
    let input = json!({"rigId": world.rig(at).id, "convoyTitle": title, "tasks": tasks, "staged": staged, "merge_mode": mode(size)});
    let to = world.town.at.clone();
    world.call(&to, &rpc::SLING_CONVOY, (input,), Note::Beads(None), numbers);
}

pub fn create(world: &mut World, numbers: Numbers) {
    let [at, which, how, _] = numbers;
    let beads: Vec<Value> =
        (0..how % 4).filter_map(|index| world.bead(&world.rig(at + index), which + index)).map(|bead| json!({"bead_id": bead})).collect();
    let title = world.name("made");
    let input = json!({"title": title, "beads": beads, "merge_mode": mode(how), "staged": how.is_multiple_of(5)});
    let to = world.town.at.clone();
    world.call(&to, &rpc::CREATE_CONVOY, (input,), Note::Nothing, numbers);
}

pub fn sling_into(world: &mut World, numbers: Numbers) {
    let [which, at, how, _] = numbers;
    let Some(convoy) = convoy(world, which) else { return };
    let on = some(world, &convoy, how);
    let title = world.name("more");
    let input = json!({"convoy": convoy, "rig_id": world.rig(at).id, "title": title, "depends_on": on, "until": until(how)});
    let to = world.town.at.clone();
    world.call(&to, &rpc::SLING_INTO_CONVOY, (input,), Note::Beads(None), numbers);
}

pub fn add(world: &mut World, numbers: Numbers) {
    let [which, at, how, _] = numbers;
    let (Some(convoy), Some(bead)) = (convoy(world, which), world.bead(&world.rig(at), how)) else { return };
    let on = some(world, &convoy, how);
    let to = world.town.at.clone();
    world.call(&to, &rpc::CONVOY_ADD_BEAD, (convoy, bead, on), Note::Nothing, numbers);
}

pub fn remove(world: &mut World, numbers: Numbers) {
    let Some(convoy) = convoy(world, numbers[0]) else { return };
    let Some(member) = member(world, &convoy, numbers[1]) else { return };
    let to = world.town.at.clone();
    world.call(&to, &rpc::CONVOY_REMOVE_BEAD, (convoy, member), Note::Nothing, numbers);
}

pub fn start(world: &mut World, numbers: Numbers) {
    let staged: Vec<(String,)> = world.town_rows("SELECT id FROM convoys WHERE staged = 1 ORDER BY sequence");
    let Some((convoy,)) = pick(&staged, numbers[0]) else { return };
    let to = world.town.at.clone();
    world.call(&to, &rpc::START_CONVOY, (convoy,), Note::Nothing, numbers);
}

pub fn set(world: &mut World, numbers: Numbers) {
    let Some(convoy) = convoy(world, numbers[0]) else { return };
    let change = match numbers[1] % 4 {
        0 => json!({"feature_branch": BRANCHES[numbers[2] % 3]}),
        _ => json!({"merge_mode": mode(numbers[2])}),
    };
    let to = world.town.at.clone();
    world.call(&to, &rpc::UPDATE_CONVOY, (convoy, change), Note::Nothing, numbers);
}

pub fn close(world: &mut World, numbers: Numbers) {
    let Some(convoy) = convoy(world, numbers[0]) else { return };
    let to = world.town.at.clone();
    world.call(&to, &rpc::CLOSE_CONVOY, (convoy,), Note::Nothing, numbers);
}

pub fn recount(world: &mut World, numbers: Numbers) {
    let Some(convoy) = convoy(world, numbers[0]) else { return };
    let to = world.town.at.clone();
    world.call(&to, &rpc::ON_BEAD_CLOSED, (json!({"convoyId": convoy, "beadId": convoy}),), Note::Nothing, numbers);
}
