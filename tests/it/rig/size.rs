//! A rig of 50,000 beads and half a million events: what is done with it costs what it costs in a small one.

use crate::support::fill::{bead_id, fill_beads, fill_events};
use crate::support::town::Rig;
use crate::support::{HostSql, Town, assert_indexed, tokens};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

const BEADS: i64 = 50_000;
const EVENTS: i64 = 500_000;
/// Work that any one call may be: a page of 100 beads takes a third of it, all beads would take fifty times as much.
const STEPS_MAX: u64 = 10_000;

/// Tables that have few rows: agents, whom capacity bounds, tallies with a row for each word, what is owed, who listens.
const SMALL: [&str; 7] = ["rig", "agents", "status_tally", "queue_tally", "quality_tally", "outbox", "listeners"];

fn large() -> (Town, Rig) {
    let (town, rig) = Town::with_rig();
    // Else it would tell of the queue, and look again.
    town.unwatched();
    let sql = town.sql(&rig.at);
    fill_beads(&sql, &rig.id, BEADS, town.fleet.now());
    fill_events(&sql, EVENTS, town.fleet.now().plus_millis(-EVENTS - 1));
    town.fleet.advance(1_000);
    (town, rig)
}

/// A call to the rig, whose statements are looked at one by one.
fn costs(town: &Town, rig: &Rig, method: &'static rpc::Method, args: Value) -> (Vec<String>, u64) {
    let sql = town.sql(&rig.at);
    let context =
        if method.access == rpc::Access::Internal { tokens::internal(&town.fleet, &town.at, Some(&town.id), method) } else { town.owner() };
    sql.take_log();
    sql.take_steps();
    town.fleet.tell(&rig.at, method, args, &context).unwrap_or_else(|failure| panic!("{}: {failure:?}", method.name));
    let steps = sql.take_steps();
    (looked_at(&sql), steps)
}

/// The names of the statements since the last call; each of them that reads a table with many rows uses an index.
fn looked_at(sql: &HostSql) -> Vec<String> {
    let log = sql.take_log();
    for (statement, params) in &log {
        let words: Vec<&str> = statement.split_whitespace().collect();
        let reads = words.windows(2).filter(|pair| ["FROM", "JOIN", "UPDATE"].contains(&pair[0])).map(|pair| pair[1]);
        let is_large = reads.into_iter().any(|table| !SMALL.contains(&table) && !table.starts_with("sqlite_master") && table != "meta");
        // Few agents, and the bead of each by its id.
        if is_large && !statement.starts_with("-- agents_list") {
            assert_indexed(sql, statement, params);
        }
    }
    log.into_iter().map(|(statement, _)| statement.lines().next().unwrap().to_owned()).collect()
}

/// Every call that lists, counts, gives out, changes or follows.
fn calls(rig: &Rig, agent: &str) -> Vec<(&'static rpc::Method, Value)> {
    // An open issue, which waits; one that nobody waits for; one that ended.
    let (open, free, ended) = (bead_id(BEADS - 2), bead_id(BEADS - 9), bead_id(BEADS / 2));
    let before = json!({"created_at": 1_795_200_000_000_i64, "bead_id": ended});
    let mut calls = vec![
        (&rpc::SLING_BEAD, json!([{"rigId": rig.id, "title": "t", "priority": "critical"}])),
        (&rpc::SLING_BEAD, json!([{"rigId": rig.id, "title": "t"}])),
        (&rpc::CREATE_BEAD, json!([{"type": "issue", "title": "t", "depends_on": [open, ended]}])),
        (&rpc::GET_BEAD, json!([ended])),
        (&rpc::DEBUG_GET_BEAD, json!([ended])),
        (&rpc::UPDATE_BEAD, json!([open, {"title": "new", "add_labels": ["x"], "add_depends_on": [ended], "parent_bead_id": ended}, "me"])),
        (&rpc::UPDATE_BEAD_STATUS, json!([free, "failed", "me", null])),
        (&rpc::CLOSE_BEAD, json!([bead_id(BEADS - 19), "me"])),
        (&rpc::DELETE_BEAD, json!([bead_id(BEADS - 29), null])),
        (&rpc::DELETE_BEADS, json!([[bead_id(7), bead_id(8)], null])),
        (&rpc::GET_OR_CREATE_AGENT, json!(["refinery", null])),
        (&rpc::LIST_AGENTS, json!([null])),
        (&rpc::CONVOY_BEADS, json!([ended])),
        (
            &rpc::UNSTICK_BEAD,
            json!([{"convoy_id": ended, "bead_id": open, "step": "escalate", "category": "blocked_bead", "message": "m"}]),
        ),
        (&rpc::INSPECT_MEMBERS, json!([[ended], [open]])),
        (&rpc::FAILED_MEMBERS, json!([ended])),
        (&rpc::LIST_BEAD_EVENTS, json!([null])),
        (&rpc::LIST_BEAD_EVENTS, json!([{"beadId": ended}])),
        (&rpc::LIST_BEAD_EVENTS, json!([{"since": "2026-11-20T23:58:00.000Z"}])),
        (&rpc::LIST_EVENTS, json!([null])),
        (&rpc::LIST_EVENTS, json!([{"after": EVENTS / 2}])),
        (&rpc::LIST_EVENTS, json!([{"after": 0, "actor": "user-owner"}])),
        (&rpc::LIST_EVENTS, json!([{"actor": "user-owner"}])),
        (&rpc::LIST_EVENTS, json!([{"after": 5, "bead": bead_id(1_000)}])),
    ];
    for filter in [
        json!({}),
        json!({"status": "open"}),
        json!({"status": "closed", "limit": 50}),
        json!({"status": "failed"}),
        json!({"type": "issue"}),
        json!({"type": "merge_request"}),
        json!({"type": "merge_request", "status": "open"}),
        json!({"type": "escalation", "status": "open"}),
        json!({"type": "issue", "status": "open"}),
        json!({"assignee_agent_bead_id": agent}),
        json!({"parent_bead_id": ended}),
        json!({"before": before}),
        json!({"before": before, "status": "closed", "type": "issue"}),
        json!({"before": before, "type": "merge_request"}),
    ] {
        calls.push((&rpc::LIST_BEADS, json!([filter])));
    }
    calls
}

#[test]
fn no_call_to_a_large_rig_reads_more_than_it_shows() {
    let (town, rig) = large();
    town.sling(&rig, "warm");
    let agent = town.agents(&rig)[0].id.to_string();
    for (method, args) in calls(&rig, &agent) {
        let (statements, steps) = costs(&town, &rig, method, args.clone());
        assert!(steps < STEPS_MAX, "{} {args}: {steps} steps, {statements:#?}", method.name);
    }
    // What happens by itself.
    let sql = town.sql(&rig.at);
    sql.take_steps();
    town.fleet.run_background();
    town.fleet.advance(10_000);
    let statements = looked_at(&sql);
    assert!(statements.iter().any(|name| name == "-- retention_oldest_event"), "{statements:?}");
    let steps = sql.take_steps();
    assert!(steps < 3 * STEPS_MAX, "{steps} {statements:#?}");
}

#[test]
fn a_sling_runs_the_same_statements_in_a_large_rig_as_in_an_empty_one() {
    let (small, small_rig) = Town::with_rig();
    let (large, large_rig) = large();
    // In both nothing else waits, and there is room for a new polecat.
    let sling =
        |town: &Town, rig: &Rig| costs(town, rig, &rpc::SLING_BEAD, json!([{"rigId": rig.id, "title": "t", "priority": "critical"}]));
    for (town, rig) in [(&small, &small_rig), (&large, &large_rig)] {
        town.sql(&rig.at).rows::<()>("UPDATE beads SET held = 1");
        town.configure(json!({"max_polecats_per_rig": 20})).unwrap();
        town.sling(rig, "first");
    }
    let ((few, small_steps), (many, large_steps)) = (sling(&small, &small_rig), sling(&large, &large_rig));
    assert_eq!(few, many);
    assert!(large_steps < small_steps * 3 / 2, "{small_steps} steps and {large_steps}");
}

#[test]
fn clearing_a_large_rig_takes_few_statements() {
    let (town, rig) = Town::with_rig();
    let sql = town.sql(&rig.at);
    fill_beads(&sql, &rig.id, 10_000, town.fleet.now());
    sql.take_log();
    let deleted: i64 = town.fleet.ask(&rig.at, &rpc::DELETE_BEADS_BY_STATUS, ("closed", Value::Null, Value::Null), &town.owner()).unwrap();
    assert_eq!(deleted, 8_820);
    let statements = looked_at(&sql);
    assert!(statements.len() < 200, "{}", statements.len());
}
