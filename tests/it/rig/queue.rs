//! Which work is given out, and in which order.

use crate::support::Town;
use crate::support::town::Rig;
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::BeadStatus;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn sling_priority(town: &Town, rig: &Rig, priority: &str) -> BeadId {
    town.sling_as(rig, json!({"rigId": rig.id, "title": priority, "priority": priority}), &town.owner()).unwrap().bead.bead_id
}

/// The bead on the only polecat's hook.
fn hooked(town: &Town, rig: &Rig) -> Option<BeadId> {
    town.agents(rig).into_iter().find_map(|agent| agent.current_hook_bead_id)
}

/// S2-41: closing dispatches what waits, by priority, then in order of arrival.
#[test]
fn closing_gives_out_the_most_urgent_bead_and_among_equals_the_oldest() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let running = town.sling(&rig, "running").bead.bead_id;
    let beads: Vec<BeadId> = ["low", "medium", "critical", "nonsense", "high", "critical"]
        .iter()
        .map(|priority| sling_priority(&town, &rig, priority))
        .collect();
    let expected = [2, 5, 4, 1, 3, 0];
    let mut current = running;
    for index in expected {
        town.close(&rig, &current);
        current = hooked(&town, &rig).unwrap();
        assert_eq!(current, beads[index]);
    }
    town.close(&rig, &current);
    assert_eq!(hooked(&town, &rig), None);
}

/// S2-40: the answer says the place, and an urgent bead is told a better one.
#[test]
fn the_queue_position_counts_who_goes_first() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let positions: Vec<_> = ["medium", "medium", "low", "critical", "medium"]
        .iter()
        .map(|priority| {
            town.sling_as(&rig, json!({"rigId": rig.id, "title": "t", "priority": priority}), &town.owner()).unwrap().queue_position
        })
        .collect();
    assert_eq!(positions, [None, Some(1), Some(2), Some(1), Some(3)]);
    town.fleet.settle();
    assert_eq!(town.alarm_status().queue_depth, 4);
}

#[test]
fn held_beads_wait_and_say_so() {
    let (town, rig) = Town::with_rig();
    let held = town.sling_as(&rig, json!({"rigId": rig.id, "title": "t", "labels": ["gt:held"]}), &town.owner()).unwrap();
    assert_eq!((held.agent, held.queue_position), (None, None));
    town.fleet.advance(600_000);
    assert_eq!(hooked(&town, &rig), None);
}

/// S2-17; a bead made without a hurry is picked up at the next tick.
#[test]
fn a_created_issue_is_picked_up_by_the_next_tick() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let bead = town.create_bead(&rig, json!({"type": "issue", "title": "t"})).unwrap();
    assert_eq!(hooked(&town, &rig), None);
    town.fleet.advance(300_000);
    assert_eq!(hooked(&town, &rig), Some(bead.bead_id));
    // Other types are never given out.
    for kind in ["escalation", "merge_request", "molecule"] {
        town.create_bead(&rig, json!({"type": kind, "title": "t"})).unwrap();
    }
    town.fleet.advance(300_000);
    assert_eq!(town.agents(&rig).len(), 1);
}

/// Truth rule 4.
#[test]
fn a_failed_blocker_goes_on_blocking() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[], &[0], &[0, 1]]);
    let beads: Vec<&BeadId> = convoy.beads.iter().map(|part| &part.bead.bead_id).collect();
    town.fail(&rig, beads[0]);
    town.fleet.advance(600_000);
    assert_eq!(hooked(&town, &rig), None);
    assert_eq!(town.bead(&rig, beads[1]).blockers_open, 1);
    let failed = town.bead(&rig, beads[0]);
    assert_eq!((failed.status, failed.closed_at), (BeadStatus::Failed, None));
}

#[test]
fn a_dependent_starts_when_its_last_blocker_closes() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[], &[], &[0, 1]]);
    let beads: Vec<&BeadId> = convoy.beads.iter().map(|part| &part.bead.bead_id).collect();
    town.close(&rig, beads[0]);
    assert_eq!(town.bead(&rig, beads[2]).assignee_agent_bead_id, None);
    town.close(&rig, beads[1]);
    let last = town.bead(&rig, beads[2]);
    assert_eq!(last.blockers_open, 0);
    assert!(last.assignee_agent_bead_id.is_some());
}

/// A convoy letter that comes after a blocker was closed counts it as met, not as waiting for ever.
#[test]
fn a_blocker_that_is_closed_already_does_not_block() {
    let (town, rig) = Town::with_rig();
    let done = town.sling(&rig, "done").bead.bead_id;
    let failed = town.sling(&rig, "failed").bead.bead_id;
    town.close(&rig, &done);
    town.fail(&rig, &failed);
    let bead = |id: u8, on: &[&BeadId]| {
        let on: Vec<Value> = on.iter().map(|on| json!({"bead_id": on, "until": "closed"})).collect();
        json!({"bead_id": BeadId::from_random([id; 16]), "joined": id, "title": "t", "body": null, "metadata": {}, "depends_on": on})
    };
    let order = json!({
        "convoy_id": BeadId::from_random([40; 16]), "staged": false, "created_by": null, "created_at": town.fleet.now(),
        "beads": [bead(41, &[&done]), bead(42, &[&done, &failed])]
    });
    let letter = json!([{"kind": "convoy", "subject": BeadId::from_random([40; 16]), "generation": 1_000_000, "body": order}]);
    let method = &gastown_mcp::rpc::table::DELIVER_TO_RIG;
    let context = crate::support::tokens::internal(&town.fleet, &town.at, Some(&town.id), method);
    town.fleet.tell(&rig.at, method, (letter,), &context).unwrap();
    let waiting = |id: u8| town.bead(&rig, &BeadId::from_random([id; 16]));
    assert_eq!((waiting(41).blockers_open, waiting(41).assignee_agent_bead_id.is_some()), (0, true));
    assert_eq!((waiting(42).blockers_open, waiting(42).assignee_agent_bead_id.is_some()), (1, false));
}

/// What waited longer goes first even when a sling finds a free polecat.
#[test]
fn a_sling_does_not_overtake_what_waits() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let waiting: Value = json!({"type": "issue", "title": "waits", "priority": "medium"});
    let waiting = town.create_bead(&rig, waiting).unwrap();
    let slung = town.sling(&rig, "later");
    assert_eq!((slung.agent, slung.queue_position), (None, Some(1)));
    assert_eq!(hooked(&town, &rig), Some(waiting.bead_id));
}

/// The tallies are kept by triggers; whatever happens to beads, they say what a count would.
#[test]
fn the_tallies_agree_with_a_recount() {
    let (town, rig) = Town::with_rig();
    let sql = town.sql(&rig.at);
    let agree = |when: &str| {
        let waiting: i64 = sql.value("SELECT coalesce(sum(waiting), 0) FROM queue_tally");
        let counted: i64 = sql.value(
            "SELECT COUNT(*) FROM beads WHERE type = 'issue' AND status = 'open' AND assignee_agent_id IS NULL AND blockers_open = 0 AND held = 0",
        );
        assert_eq!(waiting, counted, "{when}");
        let told: Vec<(String, i64)> = sql.rows("SELECT status, beads FROM status_tally WHERE beads > 0 ORDER BY status");
        let recount: Vec<(String, i64)> = sql.rows("SELECT status, COUNT(*) FROM beads GROUP BY status ORDER BY status");
        assert_eq!(told, recount, "{when}");
    };
    let slung: Vec<_> = (0..8).map(|number| town.sling(&rig, &number.to_string())).collect();
    agree("eight were slung");
    let convoy = town.convoy(&rig, Some(true), &[&[], &[0]]);
    agree("a convoy is staged");
    town.start(&convoy.convoy.id).unwrap();
    agree("it runs");
    town.close(&rig, &slung[0].bead.bead_id);
    agree("one was closed");
    town.unhook(&rig, &slung[1].agent.as_ref().unwrap().id).unwrap();
    agree("one was unhooked");
    town.delete_agent(&rig, &slung[2].agent.as_ref().unwrap().id);
    agree("an agent is gone");
    town.fleet.settle();
    agree("all is quiet");
}

/// Whoever was busy without a bead on the hook takes what waits as soon as that is over, and nobody need do anything for it.
#[test]
fn an_agent_that_held_nothing_and_is_free_again_is_given_what_waits() {
    let free: [fn(&Town, &Rig, &AgentId); 4] = [
        |town, rig, agent| town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS, (agent, "idle"), &town.owner()).unwrap(),
        |town, rig, agent| town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS, (agent, "dead"), &town.owner()).unwrap(),
        |town, rig, agent| {
            town.fleet.tell(&rig.at, &rpc::AGENT_COMPLETED, (agent, json!({"status": "completed"})), &town.owner()).unwrap();
        },
        |town, rig, agent| {
            town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS, (agent, "stalled"), &town.owner()).unwrap();
            town.fleet.tell(&rig.at, &rpc::TOUCH_AGENT_HEARTBEAT, (agent, Value::Null), &town.owner()).unwrap();
        },
    ];
    for (way, free) in free.into_iter().enumerate() {
        let (town, rig) = Town::with_rig();
        town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
        let agent = town.agent(&rig).unwrap().id;
        town.fleet.tell(&rig.at, &rpc::UPDATE_AGENT_STATUS, (&agent, "working"), &town.owner()).unwrap();
        assert!(town.sling(&rig, "waits").agent.is_none());
        town.fleet.settle();
        town.fleet.advance(600_000);
        assert_eq!(hooked(&town, &rig), None, "way {way}");
        free(&town, &rig, &agent);
        town.fleet.restart();
        town.fleet.advance(10_000);
        assert!(hooked(&town, &rig).is_some(), "way {way}");
    }
}
