//! Operations of runners and of the processes they start.
//!
//! Owns how their numbers are read. A process has the token of its order, and goes on reporting after the order is over.

use super::ledger::Note;
use super::ops::Numbers;
use super::world::{Caller, World, pick};
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// One of two runners takes what there is.
pub fn take(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let runner = ["north", "south"][numbers[1] % 2];
    let after = numbers[2].is_multiple_of(3).then(|| world.one::<i64>(&rig, "SELECT id FROM orders ORDER BY id DESC", numbers[2] / 3));
    let input = json!({"runner": runner, "max": numbers[2] % 5, "after": after.flatten()});
    world.call_as(Caller::Container, &rig.at, &rpc::TAKE_ORDERS, (input,), Note::Nothing, numbers);
}

/// A process says something, most often one whose order is under way.
pub fn report(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let all: Vec<(i64, AgentId, i64, Option<String>)> = world.rows(
        &rig,
        "SELECT orders.id, orders.agent_id, ended_at IS NULL, branch FROM orders LEFT JOIN agents ON agents.id = orders.agent_id
         WHERE runner IS NOT NULL ORDER BY orders.id DESC LIMIT 12",
    );
    let open: Vec<_> = all.iter().filter(|order| order.2 == 1).cloned().collect();
    let known =
        if numbers[1].is_multiple_of(4) { pick(&all, numbers[1] / 4) } else { pick(&open, numbers[1]).or_else(|| pick(&all, numbers[1])) };
    let Some((order, agent, _, branch)) = known else { return };
    let branch = branch.unwrap_or_else(|| "elsewhere".to_owned());
    let (method, args): (&'static rpc::Method, Value) = match numbers[2] % 8 {
        0..=3 => (&rpc::TOUCH_AGENT_HEARTBEAT, json!([agent, {"worktree": "/w"}])),
        4 | 5 => (&rpc::AGENT_DONE, json!([agent, {"branch": branch, "base_commit": "ba5e"}])),
        6 => (&rpc::AGENT_COMPLETED, json!([agent, {"status": "failed", "reason": "it ended"}])),
        _ => (&rpc::WRITE_CHECKPOINT, json!([agent, {"step": numbers[2]}])),
    };
    world.call_as(Caller::Process(rig.id.clone(), agent, order), &rig.at, method, args, Note::Nothing, numbers);
}
