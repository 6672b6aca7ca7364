//! How long a rig keeps what it keeps.

use crate::support::Town;
use crate::support::fill::{fill_events, fill_messages};
use gastown_mcp::objects::rig::retention::{BATCH, EVENTS_MAX, KEEP_MILLIS};
use serde_json::json;

#[test]
fn events_and_read_messages_are_kept_for_thirty_days_and_beads_for_ever() {
    let (town, rig) = Town::with_rig();
    town.unwatched();
    let sql = town.sql(&rig.at);
    let count = |table: &str| sql.value::<i64>(&format!("SELECT COUNT(*) FROM {table}"));
    let bead = town.sling(&rig, "old").bead.bead_id;
    let waiter = town.create_bead(&rig, json!({"type": "issue", "title": "t", "depends_on": [bead]})).unwrap().bead_id;
    let old = town.fleet.now();
    fill_events(&sql, BATCH * 2, old);
    fill_messages(&sql, BATCH + 5, old);
    sql.rows::<()>("UPDATE messages SET delivered_at = NULL, expires_at = NULL WHERE sequence <= 3");
    town.fleet.settle();
    // And that nobody has taken up the work for a week, which the watch escalates.
    let before = count("bead_events") + 2;
    town.fleet.advance(KEEP_MILLIS - 3_600_000);
    assert_eq!((count("bead_events"), count("messages")), (before, BATCH + 5), "not before their time");
    let new = town.sling(&rig, "new").bead.bead_id;
    let kept = town.sql(&rig.at).value::<i64>(&format!("SELECT COUNT(*) FROM bead_events WHERE created_at > {}", old.millis() + 1_000_000));
    assert!(kept >= 2);
    town.fleet.advance(2 * 3_600_000);
    assert_eq!((count("bead_events"), count("messages")), (kept, 3), "unread messages stay");
    assert_eq!(town.bead(&rig, &waiter).blockers_open, 1);
    assert_eq!(town.beads(&rig, json!({"type": "issue"})).len(), 3);
    assert!(town.bead(&rig, &new).assignee_agent_bead_id.is_some());
    // Nothing to do for weeks: the rig is not woken every hour for nothing.
    let next = town.fleet.alarm_of(&rig.at).unwrap();
    assert!(next.since(town.fleet.now()) > KEEP_MILLIS / 5, "{next}");
}

#[test]
fn a_rig_prunes_batch_by_batch_and_calls_do_not_wait_for_it() {
    let (town, rig) = Town::with_rig();
    let sql = town.sql(&rig.at);
    fill_events(&sql, BATCH * 3, town.fleet.now().plus_millis(-KEEP_MILLIS - 10_000));
    let count = || sql.value::<i64>("SELECT COUNT(*) FROM bead_events");
    for left in [2, 1, 0] {
        town.fleet.ring(&rig.at);
        town.fleet.advance(0);
        assert_eq!(count(), left * BATCH);
        let soon = town.fleet.alarm_of(&rig.at).unwrap().since(town.fleet.now());
        assert!(soon <= 1_000, "{soon}");
    }
    fill_events(&sql, BATCH * 3, town.fleet.now().plus_millis(-KEEP_MILLIS - 10_000));
    sql.take_log();
    town.sling(&rig, "t");
    assert!(sql.take_log().iter().all(|(statement, _)| !statement.starts_with("-- retention")));
}

#[test]
fn of_many_young_events_the_newest_half_million_are_kept() {
    let (town, rig) = Town::with_rig();
    let sql = town.sql(&rig.at);
    fill_events(&sql, 100, town.fleet.now());
    // As if so many had been written since.
    let newest = EVENTS_MAX + 60;
    sql.rows::<()>(&format!("UPDATE sqlite_sequence SET seq = {} WHERE name = 'bead_events'", newest - 1));
    fill_events(&sql, 1, town.fleet.now());
    town.fleet.ring(&rig.at);
    town.fleet.advance(0);
    let oldest = sql.value::<i64>("SELECT min(sequence) FROM bead_events");
    assert_eq!(newest - oldest + 1, EVENTS_MAX);
}
