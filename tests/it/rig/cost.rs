//! What a call costs in statements, and that no statement of a busy path reads a whole table.

use crate::support::tokens::with_key;
use crate::support::{Town, assert_indexed};
use serde_json::json;

/// Statements of a sling that makes a polecat: own row, number, bead, place in the roster, next in the queue, agent,
/// hook, outbox, and an event each for the bead, the hook and the polecat.
const SLING_STATEMENTS_MAX: usize = 12;
/// Of one that queues: neither agent nor hook, but its position.
const QUEUED_SLING_STATEMENTS_MAX: usize = 7;
/// An idempotency key is looked up, recorded, and the old ones are dropped.
const KEY_STATEMENTS: usize = 3;

#[test]
fn a_sling_takes_few_statements_in_one_transaction() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "warm");
    let sql = town.sql(&rig.at);
    let count = |title: &str, key: Option<&str>| {
        sql.take_log();
        let context = key.map_or_else(|| town.owner(), |key| with_key(town.owner(), key));
        town.sling_as(&rig, json!({"rigId": rig.id, "title": title}), &context).unwrap();
        let names: Vec<String> = sql.take_log().into_iter().map(|(statement, _)| statement.lines().next().unwrap().to_owned()).collect();
        names
    };
    let plain = count("plain", None);
    assert!(plain.len() <= SLING_STATEMENTS_MAX, "{plain:#?}");
    let keyed = count("keyed", Some("k"));
    assert!(keyed.len() <= SLING_STATEMENTS_MAX + KEY_STATEMENTS, "{keyed:#?}");
    for _ in 0..3 {
        town.sling(&rig, "fill");
    }
    let queued = count("queued", None);
    assert!(queued.len() <= QUEUED_SLING_STATEMENTS_MAX, "{queued:#?}");
}

#[test]
fn no_statement_of_a_rig_reads_a_whole_table() {
    let (town, rig) = Town::with_rig();
    let sql = town.sql(&rig.at);
    sql.take_log();
    let slung = town.sling(&rig, "a");
    for number in 0..8 {
        town.sling_as(&rig, json!({"rigId": rig.id, "title": format!("{number}")}), &with_key(town.owner(), &format!("k{number}")))
            .unwrap();
    }
    let agent = slung.agent.unwrap().id;
    let position = json!({"created_at": town.fleet.now(), "bead_id": slung.bead.bead_id});
    for filter in [
        json!({}),
        json!({"status": "open"}),
        json!({"type": "issue"}),
        json!({"type": "escalation"}),
        json!({"status": "open", "type": "issue"}),
        json!({"assignee_agent_bead_id": agent}),
        json!({"parent_bead_id": slung.bead.bead_id}),
        json!({"before": position}),
        json!({"before": position, "status": "open"}),
        json!({"before": position, "assignee_agent_bead_id": agent, "limit": 5}),
    ] {
        town.beads(&rig, filter);
    }
    let convoy = town.convoy(&rig, Some(false), &[&[], &[0]]);
    town.convoy_status(&convoy.convoy.id);
    town.close(&rig, &slung.bead.bead_id);
    town.unhook(&rig, &agent).unwrap();
    town.delete_agent(&rig, &agent);
    town.fleet.settle();
    for (statement, params) in sql.take_log() {
        // Agents are few: capacity bounds them. The outbox is read in order of time, and is short. A tally has a row per word.
        let small = ["FROM rig", "FROM agents", "FROM outbox", "_tally"].iter().any(|table| statement.contains(table))
            && !statement.contains("FROM beads");
        let listed = statement.starts_with("-- meta") || statement.contains("sqlite_master");
        if !small && !listed {
            assert_indexed(&sql, &statement, &params);
        }
    }
}
