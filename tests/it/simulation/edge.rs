//! Operations that come as HTTP requests: the edge stands between them and the objects.
//!
//! Owns how their numbers are read and how a client's answer is. A client gives up after half a minute.

use super::ledger::Note;
use super::ops::Numbers;
use super::world::{PATIENCE_MILLIS, World};
use crate::support::client::Client;
use crate::support::edge::{Got, text};
use futures::future::{Either, select};
use gastown_mcp::rpc::call::Wire as _;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;

/// Calls a tool; answers its structured content when it was done.
fn tool(world: &World, name: &str, arguments: &Value) -> Option<Value> {
    let client = Client::of_town(&world.town, json!({}));
    let sent = client.sent("tools/call", Some(json!(1)), json!({"name": name, "arguments": arguments}));
    let (fleet, work) = (world.fleet.clone(), world.isolate.start(sent));
    let heard: Rc<RefCell<Option<String>>> = Rc::default();
    let ear = Rc::clone(&heard);
    world.fleet.block_on(async move {
        if let Either::Left((Got::Whole(response), _)) = select(Box::pin(work), fleet.sleep(PATIENCE_MILLIS)).await {
            ear.replace(Some(text(&response)));
        }
    });
    let answer: Value = serde_json::from_str(&heard.take()?).ok()?;
    let result = &answer["result"];
    (result["isError"] != json!(true) && result["structuredContent"].is_object()).then(|| result["structuredContent"].clone())
}

pub fn sling(world: &mut World, [at, how, which, _]: Numbers) {
    let rig = world.rig(at);
    let title = world.name("edge");
    let mut arguments = json!({"rig": rig.id, "title": title, "idempotency_key": title});
    match how % 5 {
        0 => arguments["target"] = json!("mayor"),
        1 => arguments["quality"] = json!("shiny"),
        2 => arguments["depends_on"] = json!(world.bead(&rig, which).into_iter().collect::<Vec<_>>()),
        _ => {}
    }
    let slung = tool(world, "sling", &arguments);
    // The client did not hear, or does not believe it, and asks again.
    let again = (which.is_multiple_of(3) || slung.is_none()).then(|| tool(world, "sling", &arguments)).flatten();
    if let (Some(one), Some(other)) = (&slung, &again)
        && one["bead"]["id"] != other["bead"]["id"]
    {
        world.breaks(format!("a key answers differently: sling {title}: {one}, then {other}"));
    }
    for slung in [slung, again].into_iter().flatten() {
        world.answered(Note::Beads(Some(rig.clone())), "sling", Ok(json!({"bead_id": slung["bead"]["id"]}).to_string()));
    }
}

pub fn batch(world: &mut World, [at, other, how, _]: Numbers) {
    let (rig, second) = (world.rig(at), world.rig(other));
    let title = world.name("edge-batch");
    let tasks = json!([{"title": "one"}, {"title": "two", "rig": second.id, "depends_on": [0]}]);
    let arguments = json!({"rig": rig.id, "title": title, "tasks": tasks, "staged": how.is_multiple_of(3)});
    if let Some(slung) = tool(world, "sling_batch", &arguments) {
        for (part, rig) in [(0, rig), (1, second)] {
            let bead = json!({"bead_id": slung["beads"][part]["id"]});
            world.answered(Note::Beads(Some(rig)), "sling_batch", Ok(bead.to_string()));
        }
    }
}

pub fn message(world: &mut World, [at, which, ..]: Numbers) {
    let rig = world.rig(at);
    let text = world.name("edge-mail");
    let Some(agent) = world.agent(&rig, which) else { return };
    if tool(world, "send_message", &json!({"to": agent, "rig": rig.id, "body": text, "subject": "s"})).is_some() {
        world.answered(Note::Mail(rig, text), "send_message", Ok(String::new()));
    }
}

/// What is looked at through the edge must be readable, whatever is under way.
pub fn look(world: &mut World, [how, ..]: Numbers) {
    let name = ["get_town_status", "list_convoys", "merge_queue", "escalations"][how % 4];
    drop(tool(world, name, &json!({})));
}
