//! Agents' own lives: how they come, what they report about themselves, how they are put back.

use crate::support::town::Rig;
use crate::support::{Town, code, refusal, tokens};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, RigId};
use gastown_mcp::contract::shapes::{Agent, AgentStatus, Bead, BeadStatus};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn register(town: &Town, rig: &Rig, role: &str, name: &str, identity: &str) -> Result<Agent, Failure> {
    let input = json!({"role": role, "name": name, "identity": identity, "rig_id": rig.id});
    town.fleet.ask(&rig.at, &rpc::REGISTER_AGENT, (input,), &town.owner())
}

fn set_status(town: &Town, rig: &Rig, agent: &AgentId, status: &str) -> Result<(), Failure> {
    town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS, (agent, status), &town.owner())
}

fn heartbeat(town: &Town, rig: &Rig, agent: &AgentId) -> Result<Value, Failure> {
    town.fleet.ask(&rig.at, &rpc::TOUCH_AGENT_HEARTBEAT, (agent, json!({"lastEventType": "x"})), &town.polecat(rig, agent))
}

fn agent(town: &Town, rig: &Rig, id: &AgentId) -> Agent {
    town.fleet.ask(&rig.at, &rpc::GET_AGENT, (id,), &town.owner()).unwrap()
}

/// Types of the events of an agent, oldest first.
fn events(town: &Town, rig: &Rig, id: &AgentId) -> Vec<String> {
    let rows: Vec<(String,)> =
        town.sql(&rig.at).rows(&format!("SELECT event_type FROM bead_events WHERE bead_id = '{id}' ORDER BY sequence"));
    rows.into_iter().map(|(kind,)| kind).collect()
}

/// S3-47.
#[test]
fn a_registered_agent_keeps_its_own_name_and_identity_and_gets_work() {
    let (town, rig) = Town::with_rig();
    let nail = register(&town, &rig, "polecat", "Nail", "nail@mail.example").unwrap();
    assert_eq!((nail.name.as_str(), nail.identity.as_str(), nail.status), ("Nail", "nail@mail.example", AgentStatus::Idle));
    assert_eq!(agent(&town, &rig, &nail.id), nail);
    let by_identity: Option<Agent> = town.fleet.ask(&rig.at, &rpc::GET_AGENT_BY_IDENTITY, ("nail@mail.example",), &town.owner()).unwrap();
    assert_eq!(by_identity.as_ref(), Some(&nail));
    let nobody: Option<Agent> = town.fleet.ask(&rig.at, &rpc::GET_AGENT_BY_IDENTITY, ("x",), &town.owner()).unwrap();
    assert_eq!(nobody, None);
    assert_eq!(town.sling(&rig, "work").agent.unwrap().id, nail.id);
    assert_eq!(events(&town, &rig, &nail.id), ["agent_spawned"]);
    town.delete_agent(&rig, &nail.id);
    assert_eq!(events(&town, &rig, &nail.id), ["agent_spawned", "agent_exited"]);
}

#[test]
fn names_and_identities_are_unique_among_the_living_and_capacity_holds() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 2})).unwrap();
    let nail = register(&town, &rig, "polecat", "Nail", "one").unwrap();
    for (role, name, identity, expected) in [
        ("polecat", "Nail", "two", Code::Conflict),
        ("polecat", "Tack", "one", Code::Conflict),
        ("polecat", "", "two", Code::InvalidArgument),
        ("polecat", "with space", "two", Code::InvalidArgument),
        ("polecat", "Tack", " ", Code::InvalidArgument),
        ("mayor", "Tack", "two", Code::InvalidArgument),
    ] {
        assert_eq!(code(register(&town, &rig, role, name, identity)), expected, "{role} {name} {identity}");
    }
    register(&town, &rig, "refinery", "refinery", "r").unwrap();
    assert_eq!(code(register(&town, &rig, "refinery", "second", "r2")), Code::Conflict);
    register(&town, &rig, "polecat", "Tack", "two").unwrap();
    assert_eq!(code(register(&town, &rig, "polecat", "Peg", "three")), Code::Conflict);
    // The dead leave their names and their places.
    set_status(&town, &rig, &nail.id, "dead").unwrap();
    let second = register(&town, &rig, "polecat", "Nail", "one").unwrap();
    assert_ne!(second.id, nail.id);
    assert_eq!(code(set_status(&town, &rig, &nail.id, "idle")), Code::Conflict);
    let found: Option<Agent> = town.fleet.ask(&rig.at, &rpc::GET_AGENT_BY_IDENTITY, ("one",), &town.owner()).unwrap();
    assert_eq!(found.unwrap().id, second.id);
}

/// S2-18: hooked work is begun by the agent itself. One place moves the bead, whoever reports.
#[test]
fn a_heartbeat_of_who_holds_a_bead_begins_it() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "work");
    let id = slung.agent.unwrap().id;
    assert_eq!(heartbeat(&town, &rig, &id).unwrap(), json!({"drainNonce": null, "order": "open"}));
    assert_eq!(agent(&town, &rig, &id).status, AgentStatus::Working);
    assert_eq!(town.bead(&rig, &slung.bead.bead_id).status, BeadStatus::InProgress);
    town.fleet.settle();
    assert_eq!(town.alarm_status().agents.working, 1);
    // Again is no news, but for the time.
    town.fleet.advance(30_000);
    let before = town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM bead_events");
    heartbeat(&town, &rig, &id).unwrap();
    assert_eq!(town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM bead_events"), before);
    assert_eq!(agent(&town, &rig, &id).last_activity_at, Some(town.fleet.now()));
    // Being there is not getting on: who was stalled works again once it does something.
    set_status(&town, &rig, &id, "stalled").unwrap();
    heartbeat(&town, &rig, &id).unwrap();
    assert_eq!(agent(&town, &rig, &id).status, AgentStatus::Stalled);
    town.fleet.tell(&rig.at, &rpc::WRITE_CHECKPOINT, (&id, json!({"step": 2})), &town.owner()).unwrap();
    assert_eq!(agent(&town, &rig, &id).status, AgentStatus::Working);
    // Who holds nothing stays idle.
    let idle = town.agent(&rig).unwrap().id;
    heartbeat(&town, &rig, &idle).unwrap();
    assert_eq!(agent(&town, &rig, &idle).status, AgentStatus::Idle);
    let nobody = AgentId::from_random([7; 16]);
    assert_eq!(refusal(heartbeat(&town, &rig, &nobody)).message, format!("Agent {nobody} not found"));
    set_status(&town, &rig, &idle, "dead").unwrap();
    assert_eq!(code(heartbeat(&town, &rig, &idle)), Code::Conflict);
}

#[test]
fn a_status_takes_the_bead_along_and_an_unknown_agent_is_no_error() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "work");
    let id = slung.agent.unwrap().id;
    set_status(&town, &rig, &id, "working").unwrap();
    assert_eq!(town.bead(&rig, &slung.bead.bead_id).status, BeadStatus::InProgress);
    let hooked: Option<Bead> = town.fleet.ask(&rig.at, &rpc::GET_HOOKED_BEAD, (&id,), &town.owner()).unwrap();
    assert_eq!(hooked.unwrap().bead_id, slung.bead.bead_id);
    // The other way round too: who reports its bead in progress works.
    let other = town.sling(&rig, "more");
    town.set_status(&rig, &other.bead.bead_id, BeadStatus::InProgress);
    assert_eq!(agent(&town, &rig, &other.agent.unwrap().id).status, AgentStatus::Working);
    // Who is dead holds nothing.
    set_status(&town, &rig, &id, "dead").unwrap();
    let dead = agent(&town, &rig, &id);
    assert_eq!((dead.status, dead.current_hook_bead_id), (AgentStatus::Dead, None));
    let bead = town.bead(&rig, &slung.bead.bead_id);
    assert_eq!((bead.status, bead.assignee_agent_bead_id), (BeadStatus::Open, None));
    let hooked: Option<Bead> = town.fleet.ask(&rig.at, &rpc::GET_HOOKED_BEAD, (&id,), &town.owner()).unwrap();
    assert_eq!(hooked, None);
    // Its bead goes to a replacement at the next tick (S2-23).
    town.fleet.advance(5_000);
    assert!(town.bead(&rig, &slung.bead.bead_id).assignee_agent_bead_id.is_some_and(|holder| holder != id));
    assert_eq!(events(&town, &rig, &id), ["agent_spawned", "agent_status", "agent_status"]);
    set_status(&town, &rig, &AgentId::from_random([7; 16]), "idle").unwrap();
    assert_eq!(code(set_status(&town, &rig, &id, "asleep")), Code::InvalidArgument);
}

/// S2-25: nudged first; only then taken off its work.
#[test]
fn a_reset_agent_is_idle_and_its_bead_is_given_out_again() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "work");
    let id = slung.agent.unwrap().id;
    heartbeat(&town, &rig, &id).unwrap();
    town.sql(&rig.at).rows::<Value>("UPDATE beads SET dispatch_attempts = 3");
    town.sql(&rig.at).rows::<Value>("UPDATE agents SET dispatch_attempts = 3");
    town.fleet.tell(&rig.at, &rpc::RESET_AGENT, (&id,), &town.owner()).unwrap();
    let reset = agent(&town, &rig, &id);
    assert_eq!((reset.status, reset.current_hook_bead_id, reset.dispatch_attempts), (AgentStatus::Idle, None, 0));
    let bead = town.bead(&rig, &slung.bead.bead_id);
    assert_eq!((bead.status, bead.assignee_agent_bead_id, bead.dispatch_attempts), (BeadStatus::Open, None, 0));
    town.fleet.advance(5_000);
    assert!(town.bead(&rig, &slung.bead.bead_id).assignee_agent_bead_id.is_some());
    let nobody = AgentId::from_random([7; 16]);
    let unknown = town.fleet.tell(&rig.at, &rpc::RESET_AGENT, (&nobody,), &town.owner());
    assert_eq!(refusal(unknown).message, format!("Agent {nobody} not found"));
}

#[test]
fn attempts_are_forgotten_in_the_rig_that_has_the_agent() {
    let (town, rig) = Town::with_rig();
    let id = town.agent(&rig).unwrap().id;
    town.sql(&rig.at).rows::<Value>("UPDATE agents SET dispatch_attempts = 3");
    let elsewhere = RigId::from_random([77; 16]);
    let forget =
        |agent: &AgentId, rig_id: &RigId| town.fleet.tell(&rig.at, &rpc::RESET_AGENT_DISPATCH_ATTEMPTS, (agent, rig_id), &town.owner());
    assert_eq!(refusal(forget(&id, &elsewhere)).message, format!("Agent {id} does not belong to rig {elsewhere}"));
    let nobody = AgentId::from_random([7; 16]);
    assert_eq!(refusal(forget(&nobody, &rig.id)).message, format!("Agent {nobody} not found"));
    forget(&id, &rig.id).unwrap();
    assert_eq!(agent(&town, &rig, &id).dispatch_attempts, 0);
}

#[test]
fn a_line_for_people_is_shown_with_its_time() {
    let (town, rig) = Town::with_rig();
    let id = town.agent(&rig).unwrap().id;
    let say = |line: &str| town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS_MESSAGE, (&id, line), &town.polecat(&rig, &id));
    say(&"ß".repeat(280)).unwrap();
    let shown = agent(&town, &rig, &id);
    assert_eq!((shown.agent_status_message.unwrap().chars().count(), shown.agent_status_updated_at), (280, Some(town.fleet.now())));
    assert_eq!(code(say(" ")), Code::InvalidArgument);
    assert_eq!(code(say(&"x".repeat(281))), Code::InvalidArgument);
    assert_eq!(events(&town, &rig, &id).last().unwrap(), "agent_status");
}

#[test]
fn a_checkpoint_is_found_again_after_a_restart_and_goes_with_the_hook() {
    let (town, rig) = Town::with_rig();
    let id = town.sling(&rig, "work").agent.unwrap().id;
    let write = |data: &Value| town.fleet.tell(&rig.at, &rpc::WRITE_CHECKPOINT, (&id, data), &town.polecat(&rig, &id));
    let read = || town.fleet.ask::<Value>(&rig.at, &rpc::READ_CHECKPOINT, (&id,), &town.owner()).unwrap();
    assert_eq!(read(), Value::Null);
    let data = json!({"step": 3, "notes": ["a", {"b": null}]});
    write(&data).unwrap();
    town.fleet.restart();
    assert_eq!(read(), data);
    let deep = (0..33).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(code(write(&deep)), Code::InvalidArgument);
    assert_eq!(code(write(&json!("x".repeat(64 * 1024)))), Code::InvalidArgument);
    write(&json!("x".repeat(64 * 1024 - 2))).unwrap();
    town.unhook(&rig, &id).unwrap();
    assert_eq!(read(), Value::Null);
}

/// S4-11: what an agent does can be followed, from any point on.
#[test]
fn an_agents_events_have_no_gaps_and_the_newest_ten_thousand_stay() {
    let (town, rig) = Town::with_rig();
    let other = town.sling(&rig, "x").agent.unwrap().id;
    let id = town.agent(&rig).unwrap().id;
    let append = |agent: &AgentId, kind: &str, data: Value| {
        town.fleet.ask::<i64>(&rig.at, &rpc::APPEND_AGENT_EVENT, (agent, kind, data), &town.polecat(&rig, agent))
    };
    let list = |after: Option<i64>, limit: Option<i64>| {
        town.fleet.ask::<Vec<Value>>(&rig.at, &rpc::GET_AGENT_EVENTS, (&id, after, limit), &town.owner()).unwrap()
    };
    assert_eq!(append(&id, "note", json!({"n": 1})).unwrap(), 1);
    assert_eq!(append(&id, "note", json!({"n": 2})).unwrap(), 2);
    assert_eq!(list(None, None).iter().map(|event| event["data"]["n"].as_i64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(list(Some(1), Some(1))[0]["id"], 2);
    let fill = format!(
        "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
         INSERT INTO agent_events (agent_id, id, event_type, data, created_at) SELECT '{id}', i, 'note', '{{}}', 0 FROM n"
    );
    town.sql(&rig.at).rows::<Value>(&fill);
    assert_eq!(append(&id, "note", Value::Null).unwrap(), 10_001);
    assert_eq!(list(None, None)[0]["id"], 2);
    assert_eq!(append(&other, "note", json!("its own")).unwrap(), 1);
    assert_eq!(list(Some(0), Some(100_000)).len(), 500);
    // A page of much data ends early and goes on where it ended.
    for _ in 0..40 {
        append(&id, "big", json!("x".repeat(60_000))).unwrap();
    }
    let page = list(Some(10_001), None);
    assert!(page.len() < 20 && !page.is_empty());
    let end = page.last().unwrap()["id"].as_i64().unwrap();
    assert_eq!(list(Some(end), None)[0]["id"], end + 1);
    assert_eq!(code(append(&id, "", json!(1))), Code::InvalidArgument);
    assert_eq!(code(append(&id, "x", json!("x".repeat(64 * 1024)))), Code::InvalidArgument);
    town.delete_agent(&rig, &id);
    assert_eq!(list(None, None), Vec::<Value>::new());
}

#[test]
fn a_conversation_is_put_together_from_what_was_said() {
    let (town, rig) = Town::with_rig();
    let id = town.agent(&rig).unwrap().id;
    let conversation = || town.fleet.ask::<String>(&rig.at, &rpc::RECONSTRUCT_CONVERSATION, (&id,), &town.owner()).unwrap();
    assert_eq!(conversation(), "");
    for (kind, data) in [
        ("message", json!({"role": "user", "text": "Fix it."})),
        ("tool", json!({"name": "bash"})),
        ("message.part.updated", json!({"role": "assistant", "part": {"id": "p", "text": "I am"}})),
        ("message.part.updated", json!({"role": "assistant", "part": {"id": "p", "text": "I am done."}})),
        ("note", json!("plain")),
    ] {
        town.fleet.ask::<i64>(&rig.at, &rpc::APPEND_AGENT_EVENT, (&id, kind, data), &town.owner()).unwrap();
    }
    assert_eq!(conversation(), "user: Fix it.\n\nassistant: I am done.\n\nnote: plain");
}

/// An agent speaks, and listens, for itself only.
#[test]
fn an_agent_reports_and_reads_for_itself_only() {
    let (town, rig) = Town::with_rig();
    let own = town.sling(&rig, "a").agent.unwrap().id;
    let other = town.sling(&rig, "b").agent.unwrap().id;
    let me = town.polecat(&rig, &own);
    let mail = json!({"from_agent_id": other, "to_agent_id": own, "subject": "s", "body": "b"});
    let handoff = json!({"from": other, "to": own, "subject": "s", "body": "b"});
    let calls: Vec<(&'static rpc::Method, Value)> = vec![
        (&rpc::UPDATE_AGENT_STATUS, json!([other, "dead"])),
        (&rpc::TOUCH_AGENT_HEARTBEAT, json!([other, null])),
        (&rpc::UPDATE_AGENT_STATUS_MESSAGE, json!([other, "x"])),
        (&rpc::PRIME, json!([other])),
        (&rpc::WRITE_CHECKPOINT, json!([other, 1])),
        (&rpc::APPEND_AGENT_EVENT, json!([other, "x", 1])),
        (&rpc::GET_AGENT_EVENTS, json!([other, 0, 1])),
        (&rpc::RECONSTRUCT_CONVERSATION, json!([other])),
        (&rpc::CHECK_MAIL, json!([other])),
        (&rpc::SEND_MAIL, json!([mail])),
        (&rpc::SEND_HANDOFF, json!([handoff])),
        (&rpc::LIST_MESSAGES, json!([{"agentId": other}])),
        (&rpc::LIST_MESSAGES, json!([null])),
        (&rpc::GET_PENDING_NUDGES, json!([other])),
        (&rpc::QUEUE_NUDGE, json!([other, "x", {"source": "mayor"}])),
        // And these are for who leads.
        (&rpc::RESET_AGENT, json!([own])),
        (&rpc::REGISTER_AGENT, json!([{"role": "polecat", "name": "Nail", "identity": "n"}])),
        (&rpc::EXPIRE_STALE_NUDGES, json!([])),
    ];
    for (method, args) in calls {
        let context = serde_json::to_string(&me).unwrap();
        let reply = town.fleet.raw(&rig.at, method.name, &args.to_string(), &context);
        assert!(reply.contains("\"forbidden\""), "{}: {reply}", method.name);
    }
    // A container speaks for all of them.
    let container = tokens::container(&town.fleet, &town.id);
    town.fleet.tell(&rig.at, &rpc::TOUCH_AGENT_HEARTBEAT, (&other, Value::Null), &container).unwrap();
}
