//! The watch of a rig: orders that fall silent, work that is left behind, and agents that nobody needs. Runners and agents
//! are those of the tests, which say nothing while the clock is moved.

use super::reviews::Desk;
use crate::support::tokens::{self, ordered};
use crate::support::town::Rig;
use crate::support::{Town, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::{Agent, AgentStatus, BeadStatus, DispatchOrder, EscalationEntry, Nudge};
use gastown_mcp::rpc::call::Context;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

/// A runner takes all that there is to take.
pub fn take(town: &Town, rig: &Rig) -> Vec<DispatchOrder> {
    let container = tokens::container(&town.fleet, &town.id);
    town.fleet.ask(&rig.at, &rpc::TAKE_ORDERS, (json!({"runner": "north", "max": 50}),), &container).unwrap()
}

/// The token that came with an order.
pub fn token(town: &Town, rig: &Rig, order: &DispatchOrder) -> Context {
    ordered(&town.fleet, &town.id, &rig.id, &order.agent.id, order.order)
}

pub fn beat(town: &Town, rig: &Rig, order: &DispatchOrder) -> Result<Value, Failure> {
    town.fleet.ask(&rig.at, &rpc::TOUCH_AGENT_HEARTBEAT, (&order.agent.id, Value::Null), &token(town, rig, order))
}

/// The process of an order does something.
pub fn work(town: &Town, rig: &Rig, order: &DispatchOrder) -> Result<(), Failure> {
    town.fleet.tell(&rig.at, &rpc::WRITE_CHECKPOINT, (&order.agent.id, json!({"step": 1})), &token(town, rig, order))
}

pub fn exits(town: &Town, rig: &Rig, order: &DispatchOrder) {
    let failed = json!({"status": "failed", "reason": "exit 1"});
    town.fleet.tell(&rig.at, &rpc::AGENT_COMPLETED, (&order.agent.id, failed), &token(town, rig, order)).unwrap();
}

/// Heartbeats of an order for so many seconds, every 30 of them; nothing else happens.
pub fn beat_for(town: &Town, rig: &Rig, order: &DispatchOrder, seconds: i64) {
    for _ in 0..seconds / 30 {
        town.fleet.advance(30_000);
        beat(town, rig, order).unwrap();
    }
}

pub fn agent(town: &Town, rig: &Rig, id: &AgentId) -> Option<Agent> {
    town.agents(rig).into_iter().find(|agent| agent.id == *id)
}

/// Escalations that wait, with their categories.
pub fn waiting(town: &Town) -> Vec<(String, EscalationEntry)> {
    town.fleet.settle();
    let filter = json!({"acknowledged": false});
    let entries: Vec<EscalationEntry> = town.fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (filter,), &town.owner()).unwrap();
    entries.into_iter().map(|entry| (entry.category.clone().unwrap_or_default(), entry)).collect()
}

pub fn categories(town: &Town) -> Vec<String> {
    waiting(town).into_iter().map(|(category, _)| category).collect()
}

pub fn outcomes(town: &Town, rig: &Rig, bead: &BeadId) -> Vec<String> {
    let ended = format!("SELECT outcome FROM orders WHERE bead_id = '{bead}' AND ended_at IS NOT NULL ORDER BY id");
    town.sql(&rig.at).rows::<(String,)>(&ended).into_iter().map(|(outcome,)| outcome).collect()
}

fn nudges(town: &Town, rig: &Rig, agent: &AgentId) -> Vec<Nudge> {
    town.fleet.ask(&rig.at, &rpc::GET_PENDING_NUDGES, (agent,), &town.owner()).unwrap()
}

/// A rig with an order that a runner has taken.
fn taken() -> (Town, Rig, DispatchOrder) {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "work");
    let order = take(&town, &rig).remove(0);
    (town, rig, order)
}

/// S2-23, S4-10: whose heartbeats stop is lost after 90 seconds, and the same bead goes onto a hook again.
#[test]
fn a_process_that_falls_silent_is_lost_and_its_bead_is_given_out_again() {
    let (town, rig, order) = taken();
    let bead = &order.bead.bead_id;
    beat_for(&town, &rig, &order, 300);
    town.fleet.advance(89_000);
    assert_eq!(outcomes(&town, &rig, bead), Vec::<String>::new());
    assert_eq!(agent(&town, &rig, &order.agent.id).unwrap().status, AgentStatus::Working);
    town.fleet.advance(1_000);
    assert_eq!(outcomes(&town, &rig, bead), ["lost"]);
    assert_eq!(agent(&town, &rig, &order.agent.id).unwrap().status, AgentStatus::Idle);
    assert_eq!((town.bead(&rig, bead).status, town.bead(&rig, bead).dispatch_attempts), (BeadStatus::Open, 1));
    let late = refusal(beat(&town, &rig, &order));
    assert!(late.code == Code::Conflict && late.message.contains("lost"), "{}", late.message);
    town.fleet.advance(31_000);
    let again = take(&town, &rig).remove(0);
    assert_eq!((&again.bead.bead_id, again.attempt), (bead, 2));
    assert!(again.order > order.order);
}

/// S2-23: processes that could not report, because the rig itself was away, are not lost.
#[test]
fn silence_while_the_rig_itself_was_away_is_nobodys_fault() {
    let (town, rig, order) = taken();
    beat(&town, &rig, &order).unwrap();
    town.fleet.advance(20_000);
    town.fleet.restart();
    town.fleet.jump(10 * 60_000);
    town.fleet.advance(60_000);
    beat(&town, &rig, &order).unwrap();
    town.fleet.advance(80_000);
    assert!(outcomes(&town, &rig, &order.bead.bead_id).is_empty());
    // From then on it is held to its heartbeats again.
    town.fleet.advance(20_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), ["lost"]);
}

/// S2-23: a runner that took an order and never starts anything has lost it as well.
#[test]
fn an_order_without_any_sign_of_life_is_lost() {
    let (town, rig, order) = taken();
    town.fleet.advance(89_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), Vec::<String>::new());
    town.fleet.advance(1_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), ["lost"]);
    // An agent that reports without a runner, and sends no heartbeats, is held to none.
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "by hand");
    town.set_status(&rig, &slung.bead.bead_id, BeadStatus::InProgress);
    town.fleet.advance(1_700_000);
    assert_eq!(town.bead(&rig, &slung.bead.bead_id).status, BeadStatus::InProgress);
}

/// S2-19, S2-21, S2-25: who makes no progress is asked, then escalated as stalled, then stopped; another one goes on.
#[test]
fn a_stalled_polecat_is_nudged_escalated_stopped_and_replaced() {
    let (town, rig, order) = taken();
    let (id, bead) = (&order.agent.id, &order.bead.bead_id);
    beat_for(&town, &rig, &order, 1_770);
    assert!(nudges(&town, &rig, id).is_empty());
    beat_for(&town, &rig, &order, 60);
    let nudge = nudges(&town, &rig, id).remove(0);
    assert_eq!((nudge.message.as_str(), nudge.source.as_str()), ("Progress check: are you blocked?", "watch"));
    assert_eq!((nudge.mode.as_str(), nudge.priority.as_str()), ("immediate", "urgent"));
    assert_eq!(town.alarm_status().patrol.gupp_warnings, 1);
    beat_for(&town, &rig, &order, 1_800);
    assert_eq!(nudges(&town, &rig, id).len(), 1, "once");
    assert_eq!(agent(&town, &rig, id).unwrap().status, AgentStatus::Stalled);
    let (category, raised) = waiting(&town).remove(0);
    assert_eq!((category.as_str(), raised.source_agent_id.as_deref()), ("stalled_agent", Some(id.as_str())));
    let status = town.alarm_status();
    assert_eq!((status.patrol.stalled_agents, status.patrol.gupp_escalations, status.beads.triage_requests), (1, 1, 1));
    beat_for(&town, &rig, &order, 3_540);
    assert_eq!(agent(&town, &rig, id).unwrap().status, AgentStatus::Stalled, "being there is not getting on");
    town.fleet.advance(60_000);
    assert_eq!(outcomes(&town, &rig, bead), ["stopped"]);
    assert_eq!(agent(&town, &rig, id).unwrap().status, AgentStatus::Dead);
    assert_eq!(refusal(beat(&town, &rig, &order)).code, Code::Conflict);
    town.fleet.advance(31_000);
    let again = take(&town, &rig).remove(0);
    assert_eq!((&again.bead.bead_id, again.agent.name.as_str()), (bead, "Toast"), "the name is free");
    assert_ne!(again.agent.id, *id);
    work(&town, &rig, &again).unwrap();
    town.fleet.advance(400_000);
    assert_eq!(categories(&town), Vec::<String>::new(), "what was escalated is over");
}

/// S2-21: progress clears what was held against an agent, and the escalation is resolved, once.
#[test]
fn an_agent_that_gets_on_again_is_stalled_no_more() {
    let (town, rig, order) = taken();
    let id = &order.agent.id;
    beat_for(&town, &rig, &order, 3_690);
    assert_eq!(agent(&town, &rig, id).unwrap().status, AgentStatus::Stalled);
    let raised = waiting(&town).remove(0).1.id;
    work(&town, &rig, &order).unwrap();
    town.fleet.advance(1_000);
    assert_eq!(agent(&town, &rig, id).unwrap().status, AgentStatus::Working);
    assert_eq!(categories(&town), ["stalled_agent"], "it is calm first");
    beat_for(&town, &rig, &order, 330);
    assert_eq!(categories(&town), Vec::<String>::new());
    let all: Vec<EscalationEntry> = town.fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (Value::Null,), &town.owner()).unwrap();
    assert_eq!((all.len(), &all[0].id, all[0].acknowledged_by.as_deref()), (1, &raised, Some("watch")));
    // The next silence is a new one.
    beat_for(&town, &rig, &order, 1_500);
    assert_eq!(nudges(&town, &rig, id).len(), 2);
}

/// S2-21: what was escalated about an agent is decided like any triage request.
#[test]
fn a_stalled_agent_is_a_triage_request_that_somebody_may_resolve() {
    let (town, rig, order) = taken();
    beat_for(&town, &rig, &order, 3_690);
    let request = waiting(&town).remove(0).1.id;
    let input = json!({"agent_id": "mayor", "triage_request_bead_id": request, "action": "RESTART", "resolution_notes": ""});
    town.fleet.tell(&rig.at, &rpc::RESOLVE_TRIAGE, (input,), &town.owner()).unwrap();
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), ["released"]);
    assert_eq!(categories(&town), Vec::<String>::new());
}

/// Work and reviews that nobody holds, which only a fault leaves behind, are open again.
#[test]
fn what_is_in_progress_on_nobodys_hook_is_open_again() {
    let desk = Desk::new();
    let (town, rig) = (&desk.town, &desk.rig);
    let (bead, _) = desk.sling("work");
    town.set_status(rig, &bead, BeadStatus::InProgress);
    let (_, request, _) = desk.in_review("reviewed");
    town.set_status(rig, &request, BeadStatus::InProgress);
    let sql = town.sql(&rig.at);
    sql.rows::<()>("UPDATE orders SET ended_at = created_at, outcome = 'released'");
    sql.rows::<()>("UPDATE agents SET current_hook_bead_id = NULL, status = 'waiting'");
    town.fleet.ring(&rig.at);
    town.fleet.advance(119_000);
    assert_eq!(town.bead(rig, &request).status, BeadStatus::InProgress);
    town.fleet.advance(3_000);
    assert_eq!((town.bead(rig, &request).status, town.bead(rig, &bead).status), (BeadStatus::Open, BeadStatus::InProgress));
    town.fleet.advance(180_000);
    assert_eq!(town.bead(rig, &bead).status, BeadStatus::Open);
    // One with a pull request waits for its result, however long.
    sql.rows::<()>("UPDATE beads SET status = 'in_progress' WHERE type = 'merge_request'");
    sql.rows::<()>("UPDATE merge_requests SET pr_url = 'https://example.test/pull/1'");
    town.fleet.advance(3_600_000);
    assert_eq!(town.bead(rig, &request).status, BeadStatus::InProgress);
}

/// S4-04: names come back when nobody needs their agents any more.
#[test]
fn an_agent_that_nobody_needs_is_removed_unless_mail_waits_for_it() {
    let desk = Desk::new();
    let (town, rig) = (&desk.town, &desk.rig);
    let [(first, idle), (second, mailed)] = ["one", "two"].map(|title| desk.sling(title)).map(|(bead, agent)| (bead, agent.id));
    town.close(rig, &first);
    town.close(rig, &second);
    let mail = json!({"from_agent_id": "tester", "to_agent_id": mailed, "subject": "s", "body": "b"});
    town.fleet.tell(&rig.at, &rpc::SEND_MAIL, (mail,), &town.owner()).unwrap();
    town.fleet.advance(86_300_000);
    assert!(agent(town, rig, &idle).is_some());
    town.fleet.advance(200_000);
    assert_eq!(town.agents(rig).into_iter().map(|agent| agent.id).collect::<Vec<_>>(), [desk.refinery.id.clone(), mailed.clone()]);
    let events = "SELECT COUNT(*) FROM bead_events WHERE event_type = 'agent_exited'";
    assert_ne!(town.sql(&rig.at).value::<i64>(events), 0);
    town.fleet.tell(&rig.at, &rpc::CHECK_MAIL, (&mailed,), &town.owner()).unwrap();
    town.fleet.advance(2 * 86_400_000);
    assert_eq!(
        town.agents(rig).into_iter().map(|agent| agent.id).collect::<Vec<_>>(),
        std::slice::from_ref(&desk.refinery.id),
        "the refinery stays"
    );
}
