//! What the watch tells people: each thing once, as long as it is so, and never in a pause.

use super::reviews::Desk;
use super::watch::{agent, beat, beat_for, categories, exits, outcomes, take, token, waiting, work};
use crate::support::town::Rig;
use crate::support::{Town, refusal, tokens};
use base::error::Code;
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::contract::shapes::{AgentStatus, BeadStatus, EscalationEntry};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn acknowledge(town: &Town, id: &BeadId) {
    town.fleet.ask::<Value>(&town.at, &rpc::ACKNOWLEDGE_ESCALATION, (id,), &town.owner()).unwrap();
    town.fleet.settle();
}

fn raised(town: &Town) -> Vec<EscalationEntry> {
    town.fleet.settle();
    town.fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (Value::Null,), &town.owner()).unwrap()
}

fn park(town: &Town, parked: bool) {
    town.fleet.tell(&town.at, &rpc::SET_PARKED, (Value::Null, parked, Value::Null), &town.owner()).unwrap();
    town.fleet.settle();
}

/// Closes beads of the queue until so many wait.
fn shorten(town: &Town, rig: &Rig, to: i64) {
    let waits = |bead: &gastown_mcp::contract::shapes::Bead| bead.assignee_agent_bead_id.is_none();
    let mut beads: Vec<BeadId> =
        town.beads(rig, json!({"type": "issue", "status": "open"})).into_iter().filter(waits).map(|bead| bead.bead_id).collect();
    while i64::try_from(beads.len()).unwrap() > to {
        town.close(rig, &beads.pop().unwrap());
    }
    town.fleet.advance(6_000);
}

/// S2-40, S2-42: what is too much queues, nobody is over-allocated, and people hear of it once however it goes up and down.
#[test]
fn a_deep_queue_is_escalated_once_and_resolved_when_it_is_calm() {
    let (town, rig) = Town::with_rig();
    town.configure(
        json!({"max_polecats_per_rig": 1, "watch": {"queue_depth_alert": 5, "alert_calm_seconds": 60, "unclaimed_order_seconds": 86400}}),
    )
    .unwrap();
    let fill = |count: usize| {
        for number in 0..count {
            town.sling(&rig, &format!("{number}"));
        }
        town.fleet.advance(6_000);
    };
    fill(6);
    assert_eq!(categories(&town), Vec::<String>::new(), "five wait");
    fill(1);
    assert_eq!(categories(&town), ["queue_depth"]);
    assert!(waiting(&town)[0].1.message.starts_with("6 beads of rig frontend are ready"), "{}", waiting(&town)[0].1.message);
    assert_eq!(town.agents(&rig).len(), 1);
    // Up and down, below the threshold and above it, within the calm time.
    for _ in 0..5 {
        shorten(&town, &rig, 3);
        town.fleet.advance(30_000);
        fill(4);
        town.fleet.advance(30_000);
    }
    assert_eq!(raised(&town).len(), 1);
    shorten(&town, &rig, 5);
    town.fleet.advance(300_000);
    assert_eq!(categories(&town), ["queue_depth"], "five of five is not calm");
    shorten(&town, &rig, 4);
    town.fleet.advance(50_000);
    assert_eq!(categories(&town), ["queue_depth"]);
    town.fleet.advance(12_000);
    assert_eq!(categories(&town), Vec::<String>::new());
    assert_eq!(raised(&town)[0].acknowledged_by.as_deref(), Some("watch"));
    fill(3);
    assert_eq!((categories(&town), raised(&town).len()), (vec!["queue_depth".to_owned()], 2), "a new one");
}

/// What somebody has acknowledged is not raised again while it is still so; what nobody has, is.
#[test]
fn an_acknowledged_alert_stays_quiet_for_as_long_as_it_lasts() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"watch": {"re_escalate_seconds": 900}})).unwrap();
    town.sling(&rig, "work");
    town.fleet.advance(601_000);
    let (category, entry) = waiting(&town).remove(0);
    assert_eq!((category.as_str(), entry.severity.as_str(), entry.re_escalation_count), ("no_runner", "low", 0));
    town.fleet.advance(900_000);
    let (_, again) = waiting(&town).remove(0);
    assert_eq!((&again.id, again.severity.as_str(), again.re_escalation_count), (&entry.id, "medium", 1));
    acknowledge(&town, &entry.id);
    town.fleet.advance(86_400_000);
    assert_eq!((categories(&town), raised(&town).len()), (Vec::new(), 1));
    // A second hook that nobody takes is the same alert; it ends when a runner comes, and a later one is new.
    town.sling(&rig, "more");
    town.fleet.advance(3_600_000);
    assert_eq!(raised(&town).len(), 1);
    let orders = take(&town, &rig);
    assert_eq!(orders.len(), 2, "the hooks were left alone");
    for order in &orders {
        beat(&town, &rig, order).unwrap();
        work(&town, &rig, order).unwrap();
    }
    town.fleet.advance(60_000);
    for order in &orders {
        town.close(&rig, &order.bead.bead_id);
    }
    town.fleet.advance(301_000);
    town.sling(&rig, "later");
    town.fleet.advance(606_000);
    assert_eq!(raised(&town).len(), 2);
}

/// S2-23: three orders that end without a report within half an hour are a loop.
#[test]
fn a_restart_loop_is_escalated_and_the_bead_fails_after_its_attempts() {
    let (town, rig) = Town::with_rig();
    let config = json!({"max_dispatch_attempts": 4});
    town.fleet.tell(&town.at, &rpc::UPDATE_RIG_CONFIG, (&rig.id, config), &town.owner()).unwrap();
    let bead = town.sling(&rig, "work").bead.bead_id;
    let mut rests = Vec::new();
    for attempt in 1..=4 {
        let before = town.fleet.now();
        let order = loop {
            match take(&town, &rig).pop() {
                Some(order) => break order,
                None => town.fleet.advance(1_000),
            }
        };
        rests.push(town.fleet.now().since(before) / 1_000);
        assert_eq!(order.attempt, attempt);
        beat(&town, &rig, &order).unwrap();
        exits(&town, &rig, &order);
        town.fleet.advance(6_000);
        let expected: &[&str] = match attempt {
            1 | 2 => &[],
            3 => &["agent_restart_loop"],
            _ => &["max_dispatch_attempts", "agent_restart_loop"],
        };
        assert_eq!(categories(&town), expected, "attempt {attempt}");
    }
    assert!(rests.is_sorted() && rests[1] >= 20, "{rests:?}");
    let failed = town.bead(&rig, &bead);
    assert_eq!((failed.status, failed.failure_reason.as_deref()), (BeadStatus::Failed, Some("max_dispatch_attempts")));
    let events = "SELECT COUNT(*) FROM bead_events WHERE event_type = 'agent_restart_loop'";
    assert_eq!(town.sql(&rig.at).value::<i64>(events), 1);
    // The loop is over by itself; that the bead failed waits for somebody.
    town.fleet.advance(3_600_000);
    assert_eq!(categories(&town), ["max_dispatch_attempts"]);
}

/// S2-22: a review that gets nowhere is taken from the refinery and given out again; people hear of it until it ends.
#[test]
fn a_review_that_gets_nowhere_is_stopped_and_escalated_until_it_ends() {
    let desk = Desk::new();
    let (town, rig) = (&desk.town, &desk.rig);
    let (_, request, _) = desk.in_review("one");
    let order = take(town, rig).into_iter().find(|order| order.bead.bead_id == request).unwrap();
    beat_for(town, rig, &order, 1_770);
    assert_eq!(outcomes(town, rig, &request), Vec::<String>::new());
    // Counted from the first sign of life.
    beat_for(town, rig, &order, 30);
    town.fleet.advance(30_000);
    assert_eq!(outcomes(town, rig, &request), ["stopped"]);
    assert_eq!(agent(town, rig, &desk.refinery.id).unwrap().status, AgentStatus::Idle, "a rig has one refinery");
    assert_eq!(refusal(beat(town, rig, &order)).code, Code::Conflict);
    town.fleet.advance(31_000);
    let again = take(town, rig).into_iter().find(|order| order.bead.bead_id == request).unwrap();
    beat_for(town, rig, &again, 600);
    assert_eq!(categories(town), ["stuck_review"]);
    desk.complete(&request, "merged", json!({"commit_sha": "abcdef1234"})).unwrap();
    town.fleet.advance(306_000);
    assert_eq!(categories(town), Vec::<String>::new());
}

/// A deliberate pause is no outage: nothing is stopped, lost or raised in it, however long it lasts, and it is not undone.
#[test]
fn in_a_pause_the_watch_does_nothing_and_begins_to_count_after_it() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let order = take(&town, &rig).remove(0);
    beat(&town, &rig, &order).unwrap();
    for number in 0..30 {
        town.sling(&rig, &format!("{number}"));
    }
    park(&town, true);
    town.fleet.advance(48 * 3_600_000);
    assert_eq!((outcomes(&town, &rig, &order.bead.bead_id), categories(&town)), (Vec::new(), Vec::new()));
    assert!(town.alarm_status().parked);
    park(&town, false);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), Vec::<String>::new());
    town.fleet.advance(80_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), Vec::<String>::new(), "it may come back");
    town.fleet.advance(11_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), ["lost"]);
    assert_eq!(categories(&town), ["queue_depth"]);
    // The same for a drain, which ends by itself.
    let order = take(&town, &rig).remove(0);
    beat(&town, &rig, &order).unwrap();
    town.fleet.tell(&town.at, &rpc::RECORD_EVICTION, (), &tokens::container(&town.fleet, &town.id)).unwrap();
    town.fleet.advance(7 * 60_000 + 2_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), Vec::<String>::new());
    town.fleet.advance(91_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), ["lost"]);
}

/// Whatever is set is merged key by key, reaches the rigs, and fits together.
#[test]
fn thresholds_are_settings_of_the_town() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "work");
    let order = take(&town, &rig).remove(0);
    assert_eq!(order.lease_seconds, 90);
    let set = town.configure(json!({"watch": {"heartbeat_seconds": 7}})).unwrap();
    assert_eq!((set["watch"]["heartbeat_seconds"].as_i64(), set["watch"]["start_seconds"].as_i64()), (Some(7), Some(90)));
    let set = town.configure(json!({"watch": {"start_seconds": 8}})).unwrap();
    assert_eq!((set["watch"]["heartbeat_seconds"].as_i64(), set["watch"]["start_seconds"].as_i64()), (Some(7), Some(8)));
    beat(&town, &rig, &order).unwrap();
    town.fleet.advance(8_000);
    assert_eq!(outcomes(&town, &rig, &order.bead.bead_id), ["lost"]);
    for wrong in [
        json!({"heartbeat_seconds": 0}),
        json!({"heartbeat_seconds": "90"}),
        json!({"heartbeat": 1}),
        json!({"queue_depth_alert": 201}),
        json!({"stop_after_seconds": 60}),
        json!(90),
    ] {
        let refused = refusal(town.configure(json!({"watch": wrong})));
        assert!(refused.code == Code::InvalidArgument && refused.message.starts_with("watch"), "{}", refused.message);
    }
    let refused = refusal(town.configure(json!({"watch": {"stop_after_seconds": 60}})));
    assert!(refused.message.contains("nudge_after_seconds (1800)") && refused.hint.is_some(), "{}", refused.message);
    town.configure(json!({"watch": null})).unwrap();
    let mine = token(&town, &rig, &order);
    assert_eq!(refusal(town.fleet.ask::<Value>(&rig.at, &rpc::PRIME, (&order.agent.id,), &mine)).code, Code::Conflict);
}
