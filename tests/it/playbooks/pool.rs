//! How many polecats for how much work, and whether what a higher limit is said to change comes true.

use crate::rig::watch::{exits, take};
use crate::support::playbook::{ask, call_as_given, expect_answer, make};
use crate::support::town::Rig;
use crate::support::{Town, Trouble};
use base::error::Code;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn town_of(limit: i64) -> (Town, Rig) {
    let (town, rig) = Town::with_rig();
    town.unwatched();
    town.configure(json!({"max_polecats_per_rig": limit, "watch": {"queue_depth_alert": 2, "backoff_seconds": 30}})).unwrap();
    town.fleet.settle();
    (town, rig)
}

fn pool(town: &Town, more: Value) -> Value {
    town.fleet.settle();
    ask(town, "pool_status", more)
}

fn hooked(town: &Town, rig: &Rig) -> i64 {
    let hooked = town.agents(rig).iter().filter(|agent| agent.current_hook_bead_id.is_some()).count();
    i64::try_from(hooked).unwrap()
}

/// S2-13, S2-14, S2-24, S2-40 to S2-42: all are busy, and the offered call changes exactly what was said.
#[test]
fn when_all_polecats_are_busy_a_higher_limit_gives_out_what_was_said() {
    let (town, rig) = town_of(2);
    let first = town.sling(&rig, "a").bead.bead_id;
    for title in ["b", "c", "d", "e"] {
        town.sling(&rig, title);
    }
    town.create_bead(&rig, json!({"type": "issue", "title": "later", "depends_on": [first]})).unwrap();
    town.create_bead(&rig, json!({"type": "issue", "title": "held", "held": true})).unwrap();
    town.convoy(&rig, Some(true), &[&[], &[0]]);
    town.fleet.advance(3_700_000);
    let seen = pool(&town, json!({}));
    expect_answer("pool_all_busy", &seen);
    let line = &seen["rigs"][0];
    assert_eq!((&line["held_up_by"], &line["raise"]), (&json!("limit"), &json!({"by": 3, "to": 5, "gives_out": 3})));
    // Looking has changed nothing, and of fewer more it says how many.
    assert_eq!((hooked(&town, &rig), pool(&town, json!({"raise_by": 1}))["rigs"][0]["raise"]["gives_out"].clone()), (2, json!(1)));
    make(&town, &line["call"]);
    assert_eq!(hooked(&town, &rig), 5);
    let after = pool(&town, json!({"rig": "frontend"}));
    assert_eq!((&after["rigs"][0]["queue"]["ready"], &after["rigs"][0]["held_up_by"]), (&json!(0), &json!("blockers")));
    assert!(after["rigs"][0].get("call").is_none());
}

/// Whatever the rig has otherwise than its town stays, and what cannot be repeated in a call is not lost by one.
#[test]
fn the_offered_call_keeps_the_rigs_other_settings() {
    let (town, rig) = town_of(1);
    for title in ["a", "b", "c"] {
        town.sling(&rig, title);
    }
    let set = |config: Value| town.fleet.tell(&town.at, &rpc::UPDATE_RIG_CONFIG, (&rig.id, config), &town.owner()).unwrap();
    set(json!({"max_dispatch_attempts": 7}));
    make(&town, &pool(&town, json!({"raise_by": 1}))["rigs"][0]["call"]);
    let config = ask(&town, "get_config", json!({"rig": "frontend"}))["config"].clone();
    assert_eq!(config, json!({"max_dispatch_attempts": 7, "max_concurrent_polecats": 2}));
    set(json!({"max_concurrent_polecats": 2, "custom_instructions": {"polecat": "Ignore the reviewers"}}));
    let line = pool(&town, json!({}))["rigs"][0].clone();
    assert!(line.get("call").is_none() && line["hint"].as_str().unwrap().contains("get_config"), "{line}");
    assert_eq!(line["raise"], json!({"by": 1, "to": 3, "gives_out": 1}));
}

/// For any number of idle, busy and dead polecats.
#[test]
fn what_is_said_to_be_given_out_is_given_out() {
    for (limit, lowered, work, by) in [(1, 1, 4, 1), (3, 1, 7, 1), (3, 1, 7, 4), (4, 2, 3, 2), (2, 2, 9, 30), (5, 3, 2, 1)] {
        let (town, rig) = town_of(limit);
        for number in 0..work {
            town.sling(&rig, &format!("{number}"));
        }
        // A limit that was lowered holds for those who come.
        town.configure(json!({"max_polecats_per_rig": lowered})).unwrap();
        let line = pool(&town, json!({"raise_by": by}))["rigs"][0].clone();
        let before = hooked(&town, &rig);
        let raised = json!({"town": town.id, "rig": rig.id, "config": {"max_concurrent_polecats": lowered + by}});
        make(&town, &json!({"tool": "update_rig", "arguments": raised}));
        assert_eq!(json!(hooked(&town, &rig) - before), line["raise"]["gives_out"], "{limit} {lowered} {work} {by}: {line}");
    }
}

/// S2-24: where the limit is not what holds work up, it says what is, and names the call that ends that.
#[test]
fn a_limit_that_holds_nothing_up_is_not_blamed() {
    let (town, rig) = town_of(1);
    let fill = || {
        for title in ["a", "b", "c", "d"] {
            town.sling(&rig, title);
        }
    };
    fill();
    let mut seen = serde_json::Map::new();
    let park = |rig: Value, parked: bool| town.fleet.tell(&town.at, &rpc::SET_PARKED, (rig, parked, Value::Null), &town.owner()).unwrap();
    park(json!(rig.id), true);
    let parked = pool(&town, json!({}));
    make(&town, &parked["rigs"][0]["call"]);
    seen.insert("parked".to_owned(), parked);
    park(Value::Null, true);
    let parked = pool(&town, json!({}));
    make(&town, &parked["rigs"][0]["call"]);
    seen.insert("town parked".to_owned(), parked);
    ask(&town, "drain", json!({"action": "begin"}));
    let draining = pool(&town, json!({}));
    make(&town, &draining["rigs"][0]["call"]);
    seen.insert("draining".to_owned(), draining);
    let lines = |name: &str| seen[name]["rigs"][0].clone();
    for (name, held_up_by) in [("parked", "parked"), ("town parked", "town_parked"), ("draining", "draining")] {
        assert_eq!((lines(name)["held_up_by"].clone(), lines(name)["raise"]["gives_out"].clone()), (json!(held_up_by), json!(0)), "{name}");
    }
    assert_eq!(pool(&town, json!({}))["rigs"][0]["held_up_by"], "limit", "all of that is over");
    // One bead is left, and its process ended without a report.
    let waiting: Vec<_> =
        town.beads(&rig, json!({"status": "open"})).into_iter().filter(|bead| bead.assignee_agent_bead_id.is_none()).collect();
    for bead in waiting {
        town.close(&rig, &bead.bead_id);
    }
    exits(&town, &rig, &take(&town, &rig)[0]);
    let resting = pool(&town, json!({"queue_threshold": 1, "age_minutes": 1}));
    assert_eq!(resting["rigs"][0]["held_up_by"], "back_off");
    seen.insert("back-off".to_owned(), resting);
    expect_answer("pool_held_up", &Value::Object(seen));
    town.fleet.advance(31_000);
    assert_eq!((hooked(&town, &rig), pool(&town, json!({}))["rigs"][0]["held_up_by"].clone()), (1, json!("nothing")));
}

/// Too much has failed: settling the breaker's escalation is what gives out work again.
#[test]
fn an_open_breaker_is_named_with_the_call_that_closes_it() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"watch": {"breaker_failures": 1}})).unwrap();
    town.sling(&rig, "a");
    exits(&town, &rig, &take(&town, &rig)[0]);
    town.fleet.settle();
    let line = pool(&town, json!({}))["rigs"][0].clone();
    assert_eq!((&line["held_up_by"], &line["raise"]["gives_out"]), (&json!("breaker"), &json!(0)), "{line}");
    make(&town, &line["call"]);
    assert_ne!(pool(&town, json!({}))["rigs"][0]["held_up_by"], "breaker");
}

/// A rig that does not answer is named; what it has is not shown as nothing.
#[test]
fn a_rig_that_does_not_answer_is_missing_from_the_pool() {
    let (town, _) = town_of(1);
    let other = town.add_rig("backend", 3);
    town.fleet.settle();
    town.fleet.trouble(&other.at, Some(Trouble::DropBefore));
    let seen = ask(&town, "pool_status", json!({}));
    assert_eq!((seen["rigs"].as_array().unwrap().len(), &seen["coverage"]["missing"][0]["id"]), (1, &json!(other.id)));
    for wrong in [json!({"raise_by": 0}), json!({"raise_by": 51}), json!({"queue_threshold": 0}), json!({"age_minutes": 20_000})] {
        let mut arguments = json!({"town": town.id});
        arguments.as_object_mut().unwrap().extend(wrong.as_object().unwrap().clone());
        assert_eq!(call_as_given(&town, "pool_status", &arguments).unwrap_err().code, Code::InvalidArgument);
    }
}
