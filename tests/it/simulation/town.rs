//! Operations on the town: pauses, configuration, rigs, checks.
//!
//! Owns how their numbers are read.

use super::ledger::Note;
use super::ops::Numbers;
use super::world::{RIGS_MAX, World};
use crate::support::town::Rig;
use gastown_mcp::contract::ids::RigId;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

pub fn park(world: &mut World, numbers: Numbers) {
    let rig = (!numbers[0].is_multiple_of(3)).then(|| world.rig(numbers[0]).id);
    let to = world.town.at.clone();
    world.call(&to, &rpc::SET_PARKED, (rig, numbers[1].is_multiple_of(2), Value::Null), Note::Nothing, numbers);
}

pub fn drain(world: &mut World, numbers: Numbers) {
    let to = world.town.at.clone();
    world.call(&to, &rpc::RECORD_EVICTION, (), Note::Nothing, numbers);
}

/// Whatever was paused goes on.
pub fn ready(world: &mut World, numbers: Numbers) {
    let nonce: Option<(Option<String>,)> = world.town_rows("SELECT drain_nonce FROM town").pop();
    let to = world.town.at.clone();
    match nonce.and_then(|(nonce,)| nonce) {
        Some(nonce) => world.call(&to, &rpc::ACKNOWLEDGE_READY, (nonce,), Note::Nothing, numbers),
        None => world.call(&to, &rpc::SET_PARKED, (Value::Null, false, Value::Null), Note::Nothing, numbers),
    }
}

pub fn configure(world: &mut World, numbers: Numbers) {
    let update = json!({"max_polecats_per_rig": 1 + numbers[0] % 4});
    let to = world.town.at.clone();
    world.call(&to, &rpc::UPDATE_TOWN_CONFIG, (update,), Note::Nothing, numbers);
}

pub fn configure_rig(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]).id;
    let config = if numbers[1].is_multiple_of(3) { json!({}) } else { json!({"max_concurrent_polecats": 1 + numbers[1] % 3}) };
    let to = world.town.at.clone();
    world.call(&to, &rpc::UPDATE_RIG_CONFIG, (rig, config), Note::Nothing, numbers);
}

/// One that was not there before, or one that is there under another branch.
pub fn add_rig(world: &mut World, numbers: Numbers) {
    let to = world.town.at.clone();
    let (id, name) = if world.rigs.len() < RIGS_MAX && !numbers[0].is_multiple_of(3) {
        let number = u8::try_from(world.rigs.len()).unwrap();
        let id = RigId::from_random([10 + number; 16]);
        world.rigs.push(Rig { at: Instance::Rig(id.clone()), id: id.clone() });
        (id, format!("rig-{number}"))
    } else {
        let rig = world.rig(numbers[1]).id;
        let known: Vec<(String,)> = world.town_rows(&format!("SELECT name FROM rigs WHERE id = '{rig}'"));
        let Some((name,)) = known.into_iter().next() else { return };
        (rig, name)
    };
    let branch = ["main", "trunk"][numbers[2] % 2];
    let input = json!({"rigId": id, "name": name, "gitUrl": "https://example.test/x.git", "defaultBranch": branch});
    world.call(&to, &rpc::ADD_RIG, (input,), Note::Nothing, numbers);
}

/// Never the first, so that there is always one.
pub fn remove_rig(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    if rig.id == world.rigs[0].id {
        return;
    }
    world.ledger.removable.insert(rig.id.to_string());
    let to = world.town.at.clone();
    world.call(&to, &rpc::REMOVE_RIG, (rig.id, numbers[1].is_multiple_of(3)), Note::Nothing, numbers);
}

/// Looks only. What a silent object or a letter under way explains is no finding.
pub fn check(world: &mut World, _: Numbers) {
    let to = world.town.at.clone();
    let Ok(found) = world.ask(&to, &rpc::CHECK_TOWN, (json!({"repair": false}),)) else { return };
    let excused = ["rig_silent", "letters_failing"];
    let is_real = |finding: &&Value| !excused.contains(&finding["code"].as_str().unwrap_or_default());
    if let Some(finding) = found["findings"].as_array().and_then(|all| all.iter().find(is_real)) {
        world.breaks(format!("town_check finds {}: {} {}", finding["code"], finding["subject"], finding["detail"]));
    }
}
