//! Triage: decisions about agents and beads that are stuck.

use crate::support::town::Rig;
use crate::support::{Town, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::{AgentStatus, Bead, BeadStatus, ConvoyEntry, EscalationEntry, Nudge};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn escalate(town: &Town, rig: &Rig, agent: Option<&AgentId>) -> BeadId {
    let input = json!({"townId": town.id, "source_rig_id": rig.id, "source_agent_id": agent, "severity": "medium", "category": "stuck",
        "message": "It says nothing."});
    let entry: EscalationEntry = town.fleet.ask(&town.at, &rpc::ROUTE_ESCALATION, (input,), &town.owner()).unwrap();
    entry.id
}

fn resolve(town: &Town, rig: &Rig, request: &BeadId, action: &str, notes: &str) -> Result<Bead, Failure> {
    let input = json!({"agent_id": "mayor", "triage_request_bead_id": request, "action": action, "resolution_notes": notes});
    town.fleet.ask(&rig.at, &rpc::RESOLVE_TRIAGE, (input,), &town.owner())
}

fn open(town: &Town) -> Vec<EscalationEntry> {
    town.fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (json!({"acknowledged": false}),), &town.owner()).unwrap()
}

/// A rig with an agent at work on a bead.
fn at_work() -> (Town, Rig, AgentId, BeadId) {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "work");
    let agent = slung.agent.unwrap().id;
    town.set_status(&rig, &slung.bead.bead_id, BeadStatus::InProgress);
    (town, rig, agent, slung.bead.bead_id)
}

/// S2-21, S2-25.
#[test]
fn a_request_is_never_given_out_and_is_counted_until_it_is_decided() {
    let (town, rig, agent, bead) = at_work();
    let request = escalate(&town, &rig, Some(&agent));
    let shown = town.bead(&rig, &request);
    assert_eq!((shown.status, shown.created_by.as_deref()), (BeadStatus::Open, Some("patrol")));
    assert_eq!(shown.labels, ["gt:triage-request"]);
    assert_eq!(shown.metadata["escalation_id"], request.as_str());
    assert_eq!(shown.metadata["source_bead_id"], bead.as_str());
    // One that somebody writes by hand is held too.
    town.create_bead(&rig, json!({"type": "issue", "title": "t", "labels": ["gt:triage-request"]})).unwrap();
    town.fleet.advance(10 * 60_000);
    town.fleet.settle();
    assert_eq!(town.agents(&rig).len(), 1);
    let status = town.alarm_status();
    assert_eq!((status.beads.triage_requests, status.queue_depth), (2, 0));
    resolve(&town, &rig, &request, "discard", "It was a false alarm.").unwrap();
    town.fleet.settle();
    assert_eq!(town.alarm_status().beads.triage_requests, 1);
    assert_eq!(town.bead(&rig, &bead).status, BeadStatus::InProgress, "discarding does nothing else");
    assert_eq!(open(&town), []);
    let written: Vec<(String, String)> =
        town.sql(&rig.at).rows("SELECT new_value, metadata FROM bead_events WHERE event_type = 'triage_resolved'");
    assert_eq!(written[0].0, "DISCARD");
    assert!(written[0].1.contains("a false alarm") && written[0].1.contains("\"mayor\""), "{}", written[0].1);
}

#[test]
fn every_action_does_what_it_says() {
    for action in ["RESTART", "restart_with_backoff"] {
        let (town, rig, agent, bead) = at_work();
        let request = escalate(&town, &rig, Some(&agent));
        assert_eq!(resolve(&town, &rig, &request, action, "").unwrap().status, BeadStatus::Closed);
        assert_eq!(town.bead(&rig, &bead).status, BeadStatus::Open);
        let holder = town.agents(&rig).into_iter().find(|other| other.id == agent).unwrap();
        assert_eq!(holder.status, AgentStatus::Idle);
        town.fleet.close();
    }
    let (town, rig, agent, bead) = at_work();
    let request = escalate(&town, &rig, Some(&agent));
    resolve(&town, &rig, &request, "CLOSE_BEAD", "Not worth it.").unwrap();
    let failed = town.bead(&rig, &bead);
    assert_eq!((failed.status, failed.failure_reason.as_deref()), (BeadStatus::Failed, Some("Not worth it.")));
    assert_eq!(town.agents(&rig)[0].current_hook_bead_id, None);

    let (town, rig, agent, bead) = at_work();
    let other = town.agent(&rig).unwrap().id;
    town.fleet.advance(1_000);
    let request = escalate(&town, &rig, Some(&agent));
    resolve(&town, &rig, &request, "REASSIGN_BEAD", "").unwrap();
    assert_eq!(town.bead(&rig, &bead).assignee_agent_bead_id, Some(other), "who was idle for longer has it now");

    let (town, rig, agent, bead) = at_work();
    let request = escalate(&town, &rig, Some(&agent));
    resolve(&town, &rig, &request, "Nudge", "").unwrap();
    let nudges: Vec<Nudge> = town.fleet.ask(&rig.at, &rpc::GET_PENDING_NUDGES, (&agent,), &town.owner()).unwrap();
    assert_eq!(nudges[0].message, "Progress check: are you blocked?");
    assert_eq!(town.bead(&rig, &bead).status, BeadStatus::InProgress);

    let request = escalate(&town, &rig, Some(&agent));
    resolve(&town, &rig, &request, "ESCALATE_TO_MAYOR", "I cannot decide.").unwrap();
    town.fleet.settle();
    let left = open(&town);
    assert_eq!(left.len(), 1);
    assert_eq!((left[0].category.as_deref(), left[0].severity.as_str()), (Some("triage"), "high"));
    assert!(left[0].message.starts_with("I cannot decide."), "{}", left[0].message);
    assert_eq!(left[0].source_agent_id.as_deref(), Some(agent.as_str()));
    let told: Vec<(String,)> = town.sql(&town.at).rows("SELECT message FROM mayor_messages ORDER BY sequence");
    assert!(told.last().unwrap().0.contains("I cannot decide."), "{told:?}");
}

/// Gastown contract 2.5, word for word.
#[test]
fn what_cannot_be_resolved_is_refused_in_the_contracts_words() {
    let (town, rig, agent, bead) = at_work();
    let nothing = BeadId::from_random([7; 16]);
    assert_eq!(refusal(resolve(&town, &rig, &nothing, "NUDGE", "")).message, format!("Triage request bead {nothing} not found"));
    assert_eq!(refusal(resolve(&town, &rig, &bead, "NUDGE", "")).message, format!("Bead {bead} is not a triage request"));
    let request = escalate(&town, &rig, Some(&agent));
    assert_eq!(code(resolve(&town, &rig, &request, " ", "")), Code::InvalidArgument);
    assert_eq!(code(resolve(&town, &rig, &request, "NUDGE", &"x".repeat(2_001))), Code::InvalidArgument);
    resolve(&town, &rig, &request, "PROVIDE_GUIDANCE", "Ask the owner.").unwrap();
    let again = refusal(resolve(&town, &rig, &request, "NUDGE", ""));
    assert_eq!(again.message, format!("Triage request {request} is already closed — cannot resolve again"));
    // An action that has nobody to act on changes nothing.
    let request = escalate(&town, &rig, None);
    for action in ["RESTART", "NUDGE", "CLOSE_BEAD", "REASSIGN_BEAD"] {
        let refusal = refusal(resolve(&town, &rig, &request, action, ""));
        assert_eq!(refusal.code, Code::Conflict);
        assert!(refusal.hint.unwrap().contains("DISCARD"));
    }
    assert_eq!(town.bead(&rig, &request).status, BeadStatus::Open);
    town.close(&rig, &bead);
    let about_ended = escalate(&town, &rig, Some(&agent));
    assert_eq!(code(resolve(&town, &rig, &about_ended, "CLOSE_BEAD", "")), Code::Conflict);
}

/// Only who leads decides: an agent could end the work of another.
#[test]
fn triage_is_decided_by_who_leads() {
    let (town, rig, agent, _) = at_work();
    let request = escalate(&town, &rig, Some(&agent));
    let input = json!({"agent_id": agent, "triage_request_bead_id": request, "action": "NUDGE", "resolution_notes": ""});
    let outcome = town.fleet.ask::<Value>(&rig.at, &rpc::RESOLVE_TRIAGE, (&input,), &town.polecat(&rig, &agent));
    assert_eq!(code(outcome), Code::Forbidden);
    // Nobody named: the caller it is.
    let input = json!({"triage_request_bead_id": request, "action": "NUDGE", "resolution_notes": ""});
    town.fleet.ask::<Value>(&rig.at, &rpc::RESOLVE_TRIAGE, (input,), &town.owner()).unwrap();
    let sender: String = town.sql(&rig.at).value("SELECT sender FROM messages WHERE channel = 'nudge'");
    assert_eq!(sender, crate::support::tokens::OWNER);
}

/// Joining a convoy and leaving it makes no work of it.
#[test]
fn a_request_in_a_convoy_is_not_given_out_either() {
    let (town, rig) = Town::with_rig();
    let request = escalate(&town, &rig, None);
    let input = json!({"title": "mixed", "beads": [{"bead_id": request, "rig_id": rig.id}]});
    let convoy: ConvoyEntry = town.fleet.ask(&town.at, &rpc::CREATE_CONVOY, (input,), &town.owner()).unwrap();
    town.fleet.settle();
    town.fleet.tell(&town.at, &rpc::CONVOY_REMOVE_BEAD, (&convoy.id, &request), &town.owner()).unwrap();
    town.fleet.settle();
    town.fleet.advance(10 * 60_000);
    assert_eq!(town.agents(&rig).len(), 0);
    resolve(&town, &rig, &request, "discard", "").unwrap();
}

#[test]
fn who_resolves_is_named_in_few_words() {
    let (town, rig) = Town::with_rig();
    let request = escalate(&town, &rig, None);
    let input = json!({"agent_id": "x".repeat(2_001), "triage_request_bead_id": request, "action": "DISCARD", "resolution_notes": ""});
    assert_eq!(code(town.fleet.ask::<Bead>(&rig.at, &rpc::RESOLVE_TRIAGE, (input,), &town.owner())), Code::InvalidArgument);
}
