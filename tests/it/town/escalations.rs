//! Escalations: one inbox, nothing forgotten, nothing raised twice.

use crate::support::fleet::Trouble;
use crate::support::town::Rig;
use crate::support::{Town, assert_indexed, code, tokens};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId, RigId, TownId};
use gastown_mcp::contract::shapes::{BeadStatus, EscalationEntry, FeedEntry, Severity};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

const HOUR_MILLIS: i64 = 60 * 60 * 1_000;

fn route(town: &Town, rig: Option<&RigId>, severity: &str) -> Result<EscalationEntry, Failure> {
    let input = json!({"townId": town.id, "source_rig_id": rig, "severity": severity, "category": "stuck", "message": "Toast hangs."});
    town.fleet.ask(&town.at, &rpc::ROUTE_ESCALATION, (input,), &town.owner())
}

fn list(town: &Town, acknowledged: Option<bool>) -> Vec<EscalationEntry> {
    town.fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (json!({"acknowledged": acknowledged}),), &town.owner()).unwrap()
}

fn acknowledge(town: &Town, id: &BeadId) -> Option<EscalationEntry> {
    town.fleet.ask(&town.at, &rpc::ACKNOWLEDGE_ESCALATION, (id,), &town.owner()).unwrap()
}

/// What the feed tells of escalations: kind, severity, how often raised again.
fn feed(town: &Town) -> Vec<(String, String, i64)> {
    let entries: Vec<FeedEntry> = town.fleet.ask(&town.at, &rpc::LIST_FEED, ((), 200), &town.owner()).unwrap();
    entries
        .iter()
        .filter(|entry| entry.kind.as_str().starts_with("escalation"))
        .map(|entry| {
            assert!(!entry.detail.contains_key("message"));
            let severity = entry.detail["severity"].as_str().unwrap().to_owned();
            (entry.kind.as_str().to_owned(), severity, entry.detail.get("re_escalation_count").and_then(Value::as_i64).unwrap_or(-1))
        })
        .collect()
}

fn to_mayor(town: &Town) -> Vec<String> {
    let rows: Vec<(String,)> = town.sql(&town.at).rows("SELECT message FROM mayor_messages ORDER BY sequence");
    rows.into_iter().map(|(message,)| message).collect()
}

/// An escalation that an agent writes as a bead.
fn raise(town: &Town, rig: &Rig, agent: &AgentId) -> BeadId {
    let input = json!({"type": "escalation", "title": "Merge conflict", "body": "in a.rs", "priority": "high", "created_by": agent,
        "metadata": {"category": "merge_conflict"}});
    let bead: gastown_mcp::contract::shapes::Bead =
        town.fleet.ask(&rig.at, &rpc::CREATE_BEAD, (input,), &town.polecat(rig, agent)).unwrap();
    bead.bead_id
}

/// S2-05, S2-28.
#[test]
fn an_escalation_makes_an_entry_a_request_and_a_message_to_the_mayor() {
    let (town, rig) = Town::with_rig();
    let entry = route(&town, Some(&rig.id), "high").unwrap();
    assert_eq!((entry.source_rig_id.as_str(), entry.severity, entry.acknowledged), (rig.id.as_str(), Severity::High, 0));
    assert_eq!((entry.category.as_deref(), entry.re_escalation_count, entry.acknowledged_at), (Some("stuck"), 0, None));
    assert_eq!(list(&town, Some(false)), std::slice::from_ref(&entry));
    assert_eq!(list(&town, Some(true)), []);
    // The rig was told before the answer.
    assert_eq!(town.bead(&rig, &entry.id).body.as_deref(), Some("Toast hangs."));
    assert_eq!(feed(&town), [("escalation_raised".to_owned(), "high".to_owned(), 0)]);
    assert!(to_mayor(&town)[0].contains("Toast hangs.") && to_mayor(&town)[0].contains(entry.id.as_str()));
    // Low ones wait quietly; one that concerns no rig has no bead.
    let low = route(&town, None, "low").unwrap();
    assert_eq!((low.source_rig_id.as_str(), low.bead_id), ("", None));
    assert_eq!(to_mayor(&town).len(), 1);
    assert_eq!(list(&town, None).iter().map(|entry| &entry.id).collect::<Vec<_>>(), [&low.id, &entry.id]);
}

#[test]
fn what_is_no_escalation_of_this_town_is_refused() {
    let (town, rig) = Town::with_rig();
    let outcome = |input: Value, who: &gastown_mcp::rpc::call::Context| {
        code(town.fleet.ask::<Value>(&town.at, &rpc::ROUTE_ESCALATION, (input,), who))
    };
    let elsewhere = RigId::from_random([77; 16]);
    let say = |more: Value| {
        let mut input = json!({"severity": "high", "message": "m"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        input
    };
    let owner = town.owner();
    assert_eq!(outcome(say(json!({"townId": TownId::from_random([9; 16])})), &owner), Code::InvalidArgument);
    assert_eq!(outcome(say(json!({"source_rig_id": elsewhere})), &owner), Code::NotFound);
    assert_eq!(outcome(say(json!({"source_rig_id": "frontend"})), &owner), Code::NotFound);
    assert_eq!(outcome(say(json!({"severity": "urgent"})), &owner), Code::InvalidArgument);
    assert_eq!(outcome(say(json!({"message": " "})), &owner), Code::InvalidArgument);
    assert_eq!(outcome(say(json!({"message": "m".repeat(16_385)})), &owner), Code::InvalidArgument);
    assert_eq!(outcome(say(json!({"category": "m".repeat(201)})), &owner), Code::InvalidArgument);
    // An agent escalates for itself, in its own rig.
    let agent = town.agent(&rig).unwrap().id;
    let backend = town.add_rig("backend", 3);
    let polecat = town.polecat(&rig, &agent);
    assert_eq!(outcome(say(json!({"source_agent_id": AgentId::from_random([8; 16])})), &polecat), Code::Forbidden);
    assert_eq!(outcome(say(json!({"source_rig_id": backend.id})), &polecat), Code::Forbidden);
    let own = say(json!({"source_rig_id": rig.id}));
    let entry: EscalationEntry = town.fleet.ask(&town.at, &rpc::ROUTE_ESCALATION, (own,), &polecat).unwrap();
    assert_eq!(entry.source_agent_id.as_deref(), Some(agent.as_str()));
    let acknowledged = town.fleet.ask::<Value>(&town.at, &rpc::ACKNOWLEDGE_ESCALATION, (&entry.id,), &polecat);
    assert_eq!(code(acknowledged), Code::Forbidden);
}

#[test]
fn acknowledging_closes_the_bead_once_and_an_unknown_one_is_null() {
    let (town, rig) = Town::with_rig();
    let entry = route(&town, Some(&rig.id), "high").unwrap();
    let closed = acknowledge(&town, &entry.id).unwrap();
    assert_eq!((closed.acknowledged, closed.acknowledged_by.as_deref()), (1, Some(tokens::OWNER)));
    assert_eq!(town.bead(&rig, &entry.id).status, BeadStatus::Closed);
    town.fleet.advance(1_000);
    assert_eq!(acknowledge(&town, &entry.id), Some(closed));
    assert_eq!(feed(&town).len(), 2);
    assert_eq!(acknowledge(&town, &BeadId::from_random([7; 16])), None);
    town.fleet.settle();
    assert_eq!(list(&town, Some(true)).len(), 1);
    assert_eq!(town.fleet.take_faults(), Vec::<String>::new());
}

/// Gastown contract 3.5: every further four hours one step more severe, three times; each is told.
#[test]
fn what_nobody_acknowledges_is_raised_again_three_times() {
    let (town, _rig) = Town::with_rig();
    route(&town, None, "low").unwrap();
    let dealt_with = route(&town, None, "medium").unwrap();
    acknowledge(&town, &dealt_with.id).unwrap();
    let told = to_mayor(&town).len();
    town.fleet.advance(4 * HOUR_MILLIS - 1_000);
    assert_eq!(list(&town, Some(false))[0].re_escalation_count, 0);
    town.fleet.restart();
    for (count, severity) in [(1, Severity::Medium), (2, Severity::High), (3, Severity::Critical)] {
        town.fleet.advance(if count == 1 { 1_000 } else { 4 * HOUR_MILLIS });
        let open = list(&town, Some(false));
        assert_eq!((open[0].re_escalation_count, open[0].severity), (count, severity));
        assert_eq!(to_mayor(&town).len() - told, usize::try_from(count).unwrap());
    }
    town.fleet.advance(40 * HOUR_MILLIS);
    assert_eq!(list(&town, Some(false))[0].re_escalation_count, 3);
    assert_eq!(to_mayor(&town).len() - told, 3);
    assert!(to_mayor(&town).last().unwrap().contains("3 of 3"));
    assert_eq!(list(&town, Some(true))[0].re_escalation_count, 0);
    let raised: Vec<i64> = feed(&town).into_iter().filter(|(kind, ..)| kind == "escalation_raised").map(|(_, _, count)| count).collect();
    assert_eq!(raised, [0, 0, 1, 2, 3]);
    // A late alarm makes up for one step, not for all that it missed.
    let (town, _rig) = Town::with_rig();
    route(&town, None, "low").unwrap();
    town.sql(&town.at).rows::<Value>("UPDATE escalations SET next_at = 1");
    town.fleet.ring(&town.at);
    town.fleet.settle();
    assert_eq!(list(&town, None)[0].re_escalation_count, 1);
}

/// S2-22. An escalation that an agent writes is in the inbox, whatever the messages between objects go through; what was
/// dealt with stays so.
#[test]
fn an_escalation_of_an_agent_reaches_the_inbox_once_and_stays_resolved() {
    for trouble in [None, Some(Trouble::DropBefore), Some(Trouble::DropAfter), Some(Trouble::Duplicate), Some(Trouble::Delay(900))] {
        let (town, rig) = Town::with_rig();
        town.unwatched();
        let agent = town.sling(&rig, "work").agent.unwrap().id;
        town.fleet.settle();
        town.fleet.trouble(&town.at, trouble);
        let id = raise(&town, &rig, &agent);
        town.fleet.run_background();
        town.fleet.advance(100);
        town.fleet.trouble(&town.at, None);
        town.fleet.settle();
        let open = list(&town, Some(false));
        assert_eq!(open.len(), 1, "{trouble:?}");
        assert_eq!((&open[0].id, open[0].severity, open[0].category.as_deref()), (&id, Severity::High, Some("merge_conflict")));
        assert_eq!(open[0].message, "Merge conflict\n\nin a.rs");
        assert_eq!((open[0].source_agent_id.as_deref(), open[0].source_rig_id.as_str()), (Some(agent.as_str()), rig.id.as_str()));
        assert_eq!(town.bead(&rig, &id).labels, ["gt:escalation", "severity:high"]);
        assert_eq!(to_mayor(&town).len(), 1);
        acknowledge(&town, &id).unwrap();
        town.fleet.settle();
        assert_eq!(town.bead(&rig, &id).status, BeadStatus::Closed);
        // The rig tells again, late, and it is no news.
        let from = tokens::internal(&town.fleet, &rig.at, Some(&town.id), &rpc::DELIVER_TO_TOWN);
        let body = json!({"agent_id": agent, "severity": "high", "category": null, "message": "m", "created_at": 0, "status": "open"});
        let letter = json!([{"kind": "escalation", "subject": id, "generation": 1_000_000, "body": body}]);
        town.fleet.tell(&town.at, &rpc::DELIVER_TO_TOWN, (letter,), &from).unwrap();
        assert_eq!(list(&town, Some(false)), []);
        town.fleet.advance(13 * HOUR_MILLIS);
        assert_eq!(to_mayor(&town).len(), 1);
        assert_eq!(feed(&town).len(), 2);
        town.fleet.close();
    }
}

#[test]
fn an_escalation_whose_bead_is_closed_in_the_rig_is_dealt_with() {
    let (town, rig) = Town::with_rig();
    let agent = town.sling(&rig, "work").agent.unwrap().id;
    let id = raise(&town, &rig, &agent);
    town.fleet.settle();
    town.close(&rig, &id);
    town.fleet.settle();
    assert_eq!(list(&town, Some(false)), []);
    assert_eq!(list(&town, Some(true))[0].acknowledged_by, None);
    let routed = route(&town, Some(&rig.id), "high").unwrap();
    town.close(&rig, &routed.id);
    town.fleet.settle();
    assert_eq!(list(&town, Some(false)), []);
    // Raised and closed before the town heard of it: it is in the inbox as dealt with, and nobody was alarmed.
    let told = to_mayor(&town).len();
    let short = raise(&town, &rig, &agent);
    town.close(&rig, &short);
    town.fleet.settle();
    assert_eq!(list(&town, Some(true))[0].id, short);
    assert_eq!(to_mayor(&town).len(), told);
}

#[test]
fn an_escalation_acknowledged_early_leaves_no_request() {
    let (town, rig) = Town::with_rig();
    town.fleet.trouble(&rig.at, Some(Trouble::DropBefore));
    let entry = route(&town, Some(&rig.id), "high").unwrap();
    acknowledge(&town, &entry.id).unwrap();
    town.fleet.trouble(&rig.at, None);
    town.fleet.settle();
    assert_eq!(town.beads(&rig, json!({})), []);
}

// The request is still under way when it is acknowledged, and arrives after that is known.
#[test]
fn a_request_that_comes_after_its_acknowledgement_is_not_made() {
    let (town, rig) = Town::with_rig();
    town.fleet.trouble_for(&rig.at, Some(Trouble::Delay(9_000)), 1);
    let entry = route(&town, Some(&rig.id), "high").unwrap();
    acknowledge(&town, &entry.id).unwrap();
    town.fleet.advance(20_000);
    town.fleet.settle();
    assert_eq!(town.beads(&rig, json!({})), []);
    assert_eq!(list(&town, Some(false)), []);
}

#[test]
fn a_rig_cannot_tell_of_another_rigs_escalation() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let entry = route(&town, Some(&rig.id), "high").unwrap();
    let from = tokens::internal(&town.fleet, &backend.at, Some(&town.id), &rpc::DELIVER_TO_TOWN);
    let body = json!({"agent_id": null, "severity": "high", "category": null, "message": "m", "created_at": 0, "status": "closed"});
    let letter = json!([{"kind": "escalation", "subject": entry.id, "generation": 1, "body": body}]);
    let rejected: Value = town.fleet.ask(&town.at, &rpc::DELIVER_TO_TOWN, (letter,), &from).unwrap();
    assert!(rejected[0]["reason"].as_str().unwrap().contains("another rig"), "{rejected}");
    assert_eq!(list(&town, Some(false)).len(), 1);
}

#[test]
fn the_inbox_is_bounded_and_read_by_index() {
    let (town, _rig) = Town::with_rig();
    let sql = town.sql(&town.at);
    let fill = |from: i64, acknowledged: i64| {
        sql.rows::<Value>(&format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {from} + 999)
             INSERT INTO escalations (id, source_rig_id, severity, message, acknowledged, acknowledged_at, created_at, sequence)
             SELECT printf('00000000-0000-4000-8000-%012d', i), '', 'low', 'm', {acknowledged}, i, i, i FROM n"
        ));
    };
    fill(1_000_000, 0);
    assert_eq!(code(route(&town, None, "high")), Code::Conflict);
    assert_eq!(list(&town, None).len(), 100);
    fill(2_000_000, 1);
    sql.take_log();
    acknowledge(&town, &BeadId::parse("00000000-0000-4000-8000-000001000000").unwrap()).unwrap();
    assert_eq!(sql.value::<i64>("SELECT COUNT(*) FROM escalations WHERE acknowledged = 1"), 1_000);
    route(&town, None, "high").unwrap();
    list(&town, Some(true));
    town.fleet.advance(5 * HOUR_MILLIS);
    for (statement, params) in sql.take_log() {
        if statement.contains("escalations") && !statement.contains("INSERT") {
            assert_indexed(&sql, &statement, &params);
        }
    }
}

#[test]
fn an_agent_raises_nothing_in_anothers_name_not_even_as_a_bead() {
    let (town, rig) = Town::with_rig();
    let (one, other) = (town.sling(&rig, "a").agent.unwrap().id, town.sling(&rig, "b").agent.unwrap().id);
    let raise = |source: &str| {
        let input = json!({"type": "escalation", "title": "t", "metadata": {"source_agent_id": source}});
        town.fleet.ask::<Value>(&rig.at, &rpc::CREATE_BEAD, (input,), &town.polecat(&rig, &one))
    };
    assert_eq!(code(raise(other.as_str())), Code::Forbidden);
    raise(one.as_str()).unwrap();
}
