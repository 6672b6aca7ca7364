//! What happened: listed newest first for people, oldest first for whoever follows.

use crate::support::town::Rig;
use crate::support::{Town, tokens};
use gastown_mcp::contract::shapes::BeadEventRecord;
use gastown_mcp::rpc::table::{LIST_BEAD_EVENTS, LIST_EVENTS};
use serde_json::{Value, json};

fn newest_first(town: &Town, rig: &Rig, filter: Value) -> Vec<BeadEventRecord> {
    town.fleet.ask(&rig.at, &LIST_BEAD_EVENTS, (filter,), &town.owner()).unwrap()
}

fn oldest_first(town: &Town, rig: &Rig, filter: Value) -> Vec<i64> {
    let context = tokens::internal(&town.fleet, &town.at, Some(&town.id), &LIST_EVENTS);
    let events: Vec<BeadEventRecord> = town.fleet.ask(&rig.at, &LIST_EVENTS, (filter,), &context).unwrap();
    events.into_iter().map(|event| event.sequence).collect()
}

#[test]
fn the_events_of_a_rig_are_listed_newest_first_by_bead_and_by_time() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "first");
    let began = town.fleet.now();
    town.fleet.advance(1_000);
    town.sling(&rig, "second");
    town.close(&rig, &slung.bead.bead_id);
    let all = newest_first(&town, &rig, Value::Null);
    assert!(all.is_sorted_by(|one, next| one.sequence > next.sequence));
    let kinds: Vec<&str> = all.iter().map(|event| event.event_type.as_str()).collect();
    assert_eq!(kinds, ["unhooked", "closed", "agent_spawned", "hooked", "created", "agent_spawned", "hooked", "created"]);
    let closed = &all[1];
    assert_eq!(
        (closed.bead_id.as_str(), closed.agent_id.as_deref()),
        (slung.bead.bead_id.as_str(), slung.agent.as_ref().map(|agent| agent.id.as_str()))
    );
    assert_eq!(
        (closed.old_value.as_deref(), closed.new_value.as_deref(), closed.created_at),
        (Some("open"), Some("closed"), town.fleet.now())
    );
    assert_eq!(closed.actor.as_deref(), Some(tokens::OWNER));

    let later = newest_first(&town, &rig, json!({"since": began}));
    assert_eq!(later, all[..5]);
    let of_bead = newest_first(&town, &rig, json!({"beadId": slung.bead.bead_id}));
    assert_eq!(of_bead.iter().map(|event| event.event_type.as_str()).collect::<Vec<_>>(), ["unhooked", "closed", "hooked", "created"]);
    assert_eq!(newest_first(&town, &rig, json!({"beadId": slung.bead.bead_id, "since": began})), of_bead[..2]);
    assert_eq!(newest_first(&town, &rig, json!({"limit": 2})), all[..2]);
    assert!(newest_first(&town, &rig, json!({"limit": -1})).is_empty());
    assert_eq!(newest_first(&town, &rig, json!({"limit": 1_000_000})), all);
}

/// S3-39, S3-40: what the town merges into its feed.
#[test]
fn who_follows_the_events_gets_each_once_and_in_order() {
    let (town, rig) = Town::with_rig();
    let beads: Vec<_> = (0..4).map(|number| town.sling(&rig, &number.to_string()).bead.bead_id).collect();
    let mayor = tokens::mayor(&town.fleet, &town.id);
    town.fleet.ask::<Value>(&rig.at, &gastown_mcp::rpc::table::CLOSE_BEAD, (&beads[0], "mayor"), &mayor).unwrap();
    let all = oldest_first(&town, &rig, Value::Null);
    assert_eq!(all, (1..=14).collect::<Vec<i64>>(), "without gaps");
    assert_eq!(oldest_first(&town, &rig, json!({"limit": 3})), [12, 13, 14], "without a position the newest");
    let mut followed = Vec::new();
    while let page = oldest_first(&town, &rig, json!({"after": followed.last().copied().unwrap_or(0), "limit": 3}))
        && !page.is_empty()
    {
        followed.extend(page);
    }
    assert_eq!(followed, all);
    assert!(oldest_first(&town, &rig, json!({"after": i64::MAX})).is_empty());
    assert_eq!(oldest_first(&town, &rig, json!({"after": -7, "limit": 1})), [1]);
    assert_eq!(oldest_first(&town, &rig, json!({"bead": beads[1]})), [4, 5]);
    let by_mayor = oldest_first(&town, &rig, json!({"actor": "mayor-of-the-tests", "after": 0}));
    assert!(!by_mayor.is_empty() && by_mayor.iter().all(|sequence| *sequence > 12), "{by_mayor:?}");
    assert_eq!(oldest_first(&town, &rig, json!({"actor": tokens::OWNER, "after": 0, "limit": 500})), (1..=12).collect::<Vec<i64>>());
}
