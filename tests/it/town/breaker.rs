//! The circuit breaker of a town: many orders that end without a report, in whichever rig, and nothing is given out.

use crate::rig::watch::{beat, categories, exits, take, waiting};
use crate::support::town::Rig;
use crate::support::{Town, refusal};
use base::error::Code;
use base::time::Timestamp;
use gastown_mcp::contract::shapes::{EscalationEntry, FeedEntry, Severity};
use gastown_mcp::contract::watch::WatchSettings;
use gastown_mcp::objects::town::rigs::breaker::{Verdict, judge};
use gastown_mcp::rpc::table as rpc;
use proptest::prelude::*;
use serde_json::{Value, json};

const MINUTE_MILLIS: i64 = 60_000;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000_000 + minute * MINUTE_MILLIS)
}

/// Opens at the twentieth failure in half an hour, closes below ten.
#[test]
fn it_opens_and_closes_by_what_is_recent() {
    let settings = WatchSettings::default();
    let failures = |count: i64| (0..count).map(at).collect::<Vec<_>>();
    let judged = |is_open: bool, count: i64, now: i64| judge(is_open, &failures(count), Timestamp::default(), &settings, at(now));
    assert_eq!(judged(false, 19, 20), Verdict::Stay(None));
    assert_eq!(judged(false, 20, 20), Verdict::Open);
    assert_eq!(judged(false, 20, 30), Verdict::Stay(None), "the first of them is half an hour old");
    // Ten are left after minute 39, nine after minute 40.
    assert_eq!(judged(true, 20, 20), Verdict::Stay(Some(at(40))));
    assert_eq!(judged(true, 20, 39), Verdict::Stay(Some(at(40))));
    assert_eq!(judged(true, 20, 40), Verdict::Close);
    assert_eq!(judge(false, &failures(20), at(0), &settings, at(20)), Verdict::Stay(None), "nineteen are newer than that");
}

proptest! {
    #[test]
    fn it_never_flaps_by_time_alone_and_wakes_in_time(
        minutes in prop::collection::vec(0_i64..60, 0..60), now in 0_i64..90, is_open: bool, from in 0_i64..60, most in 1_i64..30,
    ) {
        let failed: Vec<Timestamp> = minutes.into_iter().map(at).filter(|failed| *failed <= at(now)).collect();
        let settings = WatchSettings { breaker_failures: most, ..WatchSettings::default() };
        let judge_at = |is_open: bool, now: Timestamp| judge(is_open, &failed, at(from), &settings, now);
        match judge_at(is_open, at(now)) {
            Verdict::Open => prop_assert!(!is_open && matches!(judge_at(true, at(now)), Verdict::Stay(Some(_)))),
            Verdict::Close => prop_assert!(is_open && judge_at(false, at(now)) == Verdict::Stay(None)),
            Verdict::Stay(next) => {
                prop_assert_eq!(next.is_some(), is_open);
                if let Some(next) = next {
                    prop_assert!(next > at(now));
                    prop_assert_eq!(judge_at(true, next), Verdict::Close);
                    prop_assert_ne!(judge_at(true, next.plus_millis(-1)), Verdict::Close);
                }
            }
        }
    }
}

/// Every order that there is ends without a report.
fn fail_all(town: &Town, rig: &Rig) -> usize {
    let orders = take(town, rig);
    for order in &orders {
        beat(town, rig, order).unwrap();
        exits(town, rig, order);
    }
    orders.len()
}

/// A town of two rigs whose breaker has opened.
fn broken() -> (Town, [Rig; 2]) {
    let (town, web) = Town::with_rig();
    let api = town.add_rig("backend", 3);
    let watch = json!({"breaker_failures": 4, "breaker_seconds": 600, "restart_loop_exits": 50});
    town.configure(json!({"watch": watch})).unwrap();
    for number in 0..2 {
        town.sling(&web, &format!("web {number}"));
        town.sling(&api, &format!("api {number}"));
    }
    assert_eq!(fail_all(&town, &web), 2);
    town.fleet.settle();
    assert_eq!(town.alarm_status().breaker, None);
    assert_eq!(fail_all(&town, &api), 2);
    town.fleet.settle();
    (town, [web, api])
}

fn feed(town: &Town) -> Vec<String> {
    let entries: Vec<FeedEntry> = town.fleet.ask(&town.at, &rpc::LIST_FEED, (Value::Null, -50), &town.owner()).unwrap();
    entries.into_iter().map(|entry| entry.kind.as_str().to_owned()).filter(|kind| kind.starts_with("breaker")).collect()
}

#[test]
fn failures_of_all_rigs_open_the_breaker_until_they_have_aged() {
    let (town, [web, api]) = broken();
    let open = town.alarm_status().breaker.unwrap();
    assert_eq!(open.failures, 4);
    let (category, raised) = waiting(&town).remove(0);
    assert_eq!(
        (category.as_str(), raised.severity, Some(&raised.id)),
        ("dispatch_breaker", Severity::Critical, open.escalation_id.as_ref())
    );
    assert_eq!(feed(&town), ["breaker_opened"]);
    let slung = town.sling(&web, "more");
    assert!(slung.agent.is_none(), "it queues");
    town.fleet.advance(120_000);
    assert!(take(&town, &web).is_empty() && take(&town, &api).is_empty(), "what had rested waits too");
    let agent = town.agents(&web).remove(0).id;
    let refused = refusal(town.hook(&web, &agent, &slung.bead.bead_id));
    assert!(refused.code == Code::Conflict && refused.hint.unwrap().contains("dispatch_breaker"), "{}", refused.message);
    town.fleet.advance(500_000);
    town.fleet.settle();
    assert_eq!((town.alarm_status().breaker, feed(&town)), (None, vec!["breaker_opened".to_owned(), "breaker_closed".to_owned()]));
    let all: Vec<EscalationEntry> = town.fleet.ask(&town.at, &rpc::LIST_ESCALATIONS, (Value::Null,), &town.owner()).unwrap();
    let ended = all.into_iter().find(|entry| entry.id == raised.id).unwrap();
    assert_eq!(ended.acknowledged_by.as_deref(), Some("watch"));
    town.fleet.advance(6_000);
    assert_eq!(take(&town, &web).len(), 3, "all of it is given out again");
}

#[test]
fn acknowledging_its_escalation_closes_it_and_counts_from_zero() {
    let (town, [web, api]) = broken();
    let id = town.alarm_status().breaker.unwrap().escalation_id.unwrap();
    town.fleet.advance(31_000);
    assert!(take(&town, &web).is_empty());
    town.fleet.ask::<Value>(&town.at, &rpc::ACKNOWLEDGE_ESCALATION, (&id,), &town.owner()).unwrap();
    town.fleet.settle();
    assert_eq!(town.alarm_status().breaker, None);
    assert_eq!(fail_all(&town, &web), 2);
    town.fleet.settle();
    assert_eq!(town.alarm_status().breaker, None, "two, not six");
    assert!(!categories(&town).contains(&"dispatch_breaker".to_owned()));
    assert_eq!(fail_all(&town, &api), 2);
    town.fleet.settle();
    assert_eq!(town.alarm_status().breaker.unwrap().failures, 4);
    assert_eq!(feed(&town).len(), 3);
}
