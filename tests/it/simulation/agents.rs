//! Operations of and on agents: hooks, reports, reviews.
//!
//! Owns how their numbers are read. A polecat speaks with its own token, or its container speaks for it.

use super::ledger::Note;
use super::ops::Numbers;
use super::world::{Caller, World, pick};
use crate::support::town::Rig;
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// An agent, its role, what it holds and on which branch; most often one that holds something.
type Who = (AgentId, String, Option<String>, Option<String>);

fn who(world: &World, rig: &Rig, number: usize) -> Option<Who> {
    let all: Vec<Who> = world.rows(rig, "SELECT id, role, current_hook_bead_id, branch FROM agents ORDER BY created_at, id");
    let hooked: Vec<Who> = all.iter().filter(|who| who.2.is_some()).cloned().collect();
    if number.is_multiple_of(6) { pick(&all, number / 6) } else { pick(&hooked, number).or_else(|| pick(&all, number)) }
}

fn speaker(rig: &Rig, (id, role, ..): &Who, numbers: Numbers) -> Caller {
    match numbers[3] % 5 {
        0 | 1 if role == "polecat" => Caller::Polecat(rig.id.clone(), id.clone()),
        2 => Caller::Mayor,
        _ => Caller::Container,
    }
}

/// Somebody of a rig does something.
fn acts(world: &mut World, numbers: Numbers, act: impl FnOnce(&World, &Rig, &Who) -> Option<(&'static rpc::Method, Value)>) {
    let rig = world.rig(numbers[0]);
    let Some(who) = who(world, &rig, numbers[1]) else { return };
    let Some((method, args)) = act(world, &rig, &who) else { return };
    let note = if method.name == rpc::REQUEST_CHANGES.name { Note::Beads(Some(rig.clone())) } else { Note::Nothing };
    world.call_as(speaker(&rig, &who, numbers), &rig.at, method, args, note, numbers);
}

pub fn hook(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let open = "SELECT bead_id FROM beads WHERE status = 'open' ORDER BY sequence DESC";
    let (agent, bead) = (world.agent(&rig, numbers[1]), world.one::<String>(&rig, open, numbers[2]));
    world.call(&rig.at, &rpc::HOOK_BEAD, (agent, bead), Note::Nothing, numbers);
}

pub fn unhook(world: &mut World, numbers: Numbers) {
    acts(world, numbers, |_, _, who| Some((&rpc::UNHOOK_BEAD, json!([who.0]))));
}

pub fn heartbeat(world: &mut World, numbers: Numbers) {
    acts(world, numbers, |_, _, who| Some((&rpc::TOUCH_AGENT_HEARTBEAT, json!([who.0, null]))));
}

pub fn status(world: &mut World, numbers: Numbers) {
    let status = ["working", "working", "waiting", "stalled", "idle", "dead"][numbers[2] % 6];
    acts(world, numbers, |_, _, who| Some((&rpc::UPDATE_AGENT_STATUS, json!([who.0, status]))));
}

/// Most often of the branch it was given; now and then of another one.
pub fn done(world: &mut World, numbers: Numbers) {
    acts(world, numbers, |_, _, (id, _, _, branch)| {
        let branch = branch.clone().unwrap_or_else(|| "elsewhere".to_owned());
        let branch = if numbers[2].is_multiple_of(9) { format!("other-{}", numbers[2]) } else { branch };
        let url = numbers[2].is_multiple_of(4).then_some("https://example.test/pull/1");
        Some((&rpc::AGENT_DONE, json!([id, {"branch": branch, "pr_url": url, "summary": "s", "base_commit": "ba5e"}])))
    });
}

pub fn completed(world: &mut World, numbers: Numbers) {
    let status = ["completed", "failed"][numbers[2] % 2];
    acts(world, numbers, |_, _, who| Some((&rpc::AGENT_COMPLETED, json!([who.0, {"status": status, "reason": "it ended"}]))));
}

pub fn advance(world: &mut World, numbers: Numbers) {
    acts(world, numbers, |_, _, who| Some((&rpc::ADVANCE_MOLECULE, json!([who.0, "done"]))));
}

pub fn submit(world: &mut World, numbers: Numbers) {
    let name = world.name("branch");
    acts(world, numbers, |_, rig, (id, _, bead, _)| {
        let input = json!({"agent_id": id, "bead_id": bead.as_ref()?, "rig_id": rig.id, "branch": name});
        Some((&rpc::SUBMIT_REVIEW, json!([input])))
    });
}

/// The refinery takes a merge request, if there is a refinery; else there will be one.
pub fn take_review(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let refinery: Option<AgentId> = world.one(&rig, "SELECT id FROM agents WHERE role = 'refinery' AND status <> 'dead'", 0);
    let waiting = "SELECT bead_id FROM beads WHERE type = 'merge_request' AND status = 'open' ORDER BY sequence";
    match (refinery, world.one::<String>(&rig, waiting, numbers[1])) {
        (None, _) => world.call(&rig.at, &rpc::GET_OR_CREATE_AGENT, ("refinery", Value::Null), Note::Nothing, numbers),
        (Some(refinery), Some(request)) => {
            world.call_as(Caller::Container, &rig.at, &rpc::HOOK_BEAD, (refinery, request), Note::Nothing, numbers);
        }
        _ => {}
    }
}

/// A merge request is judged, on somebody's hook or not.
pub fn review(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let open = "SELECT bead_id FROM beads WHERE type = 'merge_request' AND status NOT IN ('closed', 'failed') ORDER BY sequence";
    let Some(request) = world.one::<String>(&rig, open, numbers[1]) else { return };
    let commit = format!("c0ffee{:04}", numbers[2]);
    let result = match numbers[2] % 9 {
        0 => json!({"status": "merged"}),
        1 => json!({"status": "merged", "commit_sha": "ba5e", "base_commit": "ba5e"}),
        2 => json!({"status": "failed", "message": "no"}),
        3 => json!({"status": "conflict"}),
        _ => json!({"status": "merged", "commit_sha": commit}),
    };
    let mut result = result;
    result["entry_id"] = json!(request);
    world.call_as(Caller::Container, &rig.at, &rpc::COMPLETE_REVIEW, (result,), Note::Nothing, numbers);
}

pub fn request_changes(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let refinery: Option<AgentId> =
        world.one(&rig, "SELECT id FROM agents WHERE role = 'refinery' AND current_hook_bead_id IS NOT NULL", 0);
    if let Some(refinery) = refinery {
        let args = (refinery, json!({"feedback": "once more"}));
        world.call_as(Caller::Container, &rig.at, &rpc::REQUEST_CHANGES, args, Note::Beads(Some(rig.clone())), numbers);
    }
}

pub fn get_or_create(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let role = ["polecat", "refinery"][numbers[1] % 2];
    world.call(&rig.at, &rpc::GET_OR_CREATE_AGENT, (role, Value::Null), Note::Nothing, numbers);
}

pub fn register(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let name = format!("Named-{}", numbers[1] % 3);
    let input = json!({"role": "polecat", "name": name, "identity": format!("{name}/{}", numbers[2] % 3)});
    world.call(&rig.at, &rpc::REGISTER_AGENT, (input,), Note::Nothing, numbers);
}

pub fn reset(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let agent = world.agent(&rig, numbers[1]);
    world.call(&rig.at, &rpc::RESET_AGENT, (agent,), Note::Nothing, numbers);
}

pub fn delete(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let agent = world.agent(&rig, numbers[1]);
    world.call(&rig.at, &rpc::DELETE_AGENT, (agent,), Note::Nothing, numbers);
}

pub fn checkpoint(world: &mut World, numbers: Numbers) {
    acts(world, numbers, |_, _, who| Some((&rpc::WRITE_CHECKPOINT, json!([who.0, {"step": numbers[2]}]))));
}

/// What is read takes the mail along, so it is asked for without a key.
pub fn prime(world: &mut World, [at, which, ..]: Numbers) {
    acts(world, [at, which, 0, 3], |_, _, who| Some((&rpc::PRIME, json!([who.0]))));
}
