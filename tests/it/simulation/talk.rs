//! Operations that say something: mail, nudges, messages to the Mayor, escalations and what becomes of them.
//!
//! Owns how their numbers are read. Every text is another one, so that it is found again.

use super::ledger::Note;
use super::ops::Numbers;
use super::world::{Caller, World, pick};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// Seconds that some nudges live.
const TTL_SECONDS: i64 = 120;
/// Milliseconds that the others live.
const NUDGE_MILLIS: i64 = 24 * 60 * 60 * 1_000;

pub fn mail(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let text = world.name("mail");
    let to_mayor = numbers[1].is_multiple_of(4);
    let agent = world.agent(&rig, numbers[1]).map(|agent| agent.to_string());
    let to = if to_mayor { Some("mayor".to_owned()) } else { agent };
    let note = if to_mayor { Note::MayorMail(rig.clone(), text.clone()) } else { Note::Mail(rig.clone(), text.clone()) };
    let input = json!({"from_agent_id": "somebody", "to_agent_id": to, "subject": "s", "body": text});
    world.call_as(Caller::Container, &rig.at, &rpc::SEND_MAIL, (input,), note, numbers);
}

pub fn handoff(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let text = world.name("handoff");
    let (to, bead) = (world.agent(&rig, numbers[1]), world.bead(&rig, numbers[2]));
    let input = json!({"from": "somebody", "to": to, "subject": "s", "body": text, "bead_id": bead});
    world.call(&rig.at, &rpc::SEND_HANDOFF, (input,), Note::Mail(rig.clone(), text), numbers);
}

/// Without a key: a key gives the same mail again.
pub fn check_mail(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let Some(agent) = world.agent(&rig, numbers[1]) else { return };
    world.call_as(Caller::Container, &rig.at, &rpc::CHECK_MAIL, (agent,), Note::Taken, [0, 0, 0, 1]);
}

pub fn nudge(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let text = world.name("nudge");
    let is_short = numbers[2].is_multiple_of(2);
    let options = if is_short { json!({"mode": "queue", "ttlSeconds": TTL_SECONDS}) } else { json!({"mode": "immediate"}) };
    let until = world.fleet.now().millis() + if is_short { TTL_SECONDS * 1_000 } else { NUDGE_MILLIS };
    let agent = world.agent(&rig, numbers[1]);
    world.call(&rig.at, &rpc::QUEUE_NUDGE, (agent, &text, options), Note::Nudge(rig.clone(), text.clone(), until), numbers);
}

pub fn take_nudge(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let waiting = "SELECT id FROM messages WHERE channel = 'nudge' AND delivered_at IS NULL ORDER BY sequence";
    let Some(nudge) = world.one::<String>(&rig, waiting, numbers[1]) else { return };
    world.call_as(Caller::Container, &rig.at, &rpc::MARK_NUDGE_DELIVERED, (nudge,), Note::Nothing, numbers);
}

pub fn mayor_message(world: &mut World, numbers: Numbers) {
    let text = world.name("message");
    let to = world.town.at.clone();
    let args = (text.clone(), Value::Null, Value::Null, Value::Null);
    world.call(&to, &rpc::SEND_MAYOR_MESSAGE, args, Note::Mayor(text), numbers);
}

/// Without a key, like the next: a key gives the same messages again.
pub fn mayor_prime(world: &mut World, _: Numbers) {
    let to = world.town.at.clone();
    world.call_as(Caller::Mayor, &to, &rpc::PRIME_MAYOR, (), Note::MayorTaken, [0, 0, 0, 1]);
}

pub fn mayor_mail(world: &mut World, _: Numbers) {
    let to = world.town.at.clone();
    world.call_as(Caller::Mayor, &to, &rpc::CHECK_MAYOR_MAIL, (), Note::MayorTaken, [0, 0, 0, 1]);
}

pub fn mayor_reply(world: &mut World, numbers: Numbers) {
    let all: Vec<(String,)> = world.town_rows("SELECT id FROM mayor_messages ORDER BY touched DESC LIMIT 20");
    let Some((id,)) = pick(&all, numbers[0]) else { return };
    let (to, text) = (world.town.at.clone(), world.name("reply"));
    world.call_as(Caller::Mayor, &to, &rpc::REPLY_AS_MAYOR, (id, &text), Note::Reply(text.clone()), numbers);
}

/// A session tells that the Mayor was told, sometimes of less than the last time.
pub fn mayor_heard(world: &mut World, numbers: Numbers) {
    let all: Vec<(i64,)> = world.town_rows("SELECT sequence FROM mayor_messages ORDER BY sequence DESC LIMIT 10");
    let Some((through,)) = pick(&all, numbers[0]) else { return };
    let to = world.town.at.clone();
    let letter = json!([{"kind": "taken", "subject": "messages", "generation": through, "body": through}]);
    world.call_as(Caller::Session, &to, &rpc::DELIVER_TO_TOWN, (letter,), Note::Nothing, [0, 0, 0, 1]);
}

pub fn escalate(world: &mut World, numbers: Numbers) {
    let rig = world.rig(numbers[0]);
    let text = world.name("escalation");
    let agent = world.agent(&rig, numbers[1]).filter(|_| !numbers[1].is_multiple_of(3));
    let place = (!numbers[2].is_multiple_of(4)).then_some(&rig.id);
    let severity = ["low", "medium", "high", "critical"][numbers[2] % 4];
    let input = json!({"source_rig_id": place, "source_agent_id": agent, "severity": severity, "category": "c", "message": text});
    let to = world.town.at.clone();
    world.call(&to, &rpc::ROUTE_ESCALATION, (input,), Note::Escalation, numbers);
}

pub fn acknowledge(world: &mut World, numbers: Numbers) {
    let all: Vec<(String,)> = world.town_rows("SELECT id FROM escalations ORDER BY acknowledged, sequence LIMIT 20");
    let Some((id,)) = pick(&all, numbers[0]) else { return };
    let to = world.town.at.clone();
    world.call(&to, &rpc::ACKNOWLEDGE_ESCALATION, (id,), Note::Nothing, numbers);
}

pub fn triage(world: &mut World, numbers: Numbers) {
    const ACTIONS: [&str; 6] = ["RESTART", "CLOSE_BEAD", "REASSIGN_BEAD", "NUDGE", "ESCALATE", "DISCARD"];
    let rig = world.rig(numbers[0]);
    let open = "SELECT bead_id FROM beads WHERE status = 'open' AND instr(labels, 'gt:triage-request') > 0 ORDER BY sequence";
    let Some(request) = world.one::<String>(&rig, open, numbers[1]) else { return };
    let input = json!({"triage_request_bead_id": request, "action": ACTIONS[numbers[2] % 6], "resolution_notes": "so it is"});
    world.call(&rig.at, &rpc::RESOLVE_TRIAGE, (input,), Note::Nothing, numbers);
}
