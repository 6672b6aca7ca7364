//! What happened in a town and its rigs, in one order: nothing is missed and nothing comes twice.

use crate::support::tokens::{self, OWNER, internal};
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble, assert_indexed, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::shapes::{Activity, ActivityCursor, BeadStatus};
use gastown_mcp::rpc::call::{Call, read_reply};
use gastown_mcp::rpc::table as rpc;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn activity(town: &Town, input: Value) -> Result<Activity, Failure> {
    town.fleet.ask(&town.at, &rpc::GET_ACTIVITY, (input,), &town.owner())
}

fn kinds(page: &Activity) -> Vec<&str> {
    page.entries.iter().map(|entry| entry.kind.as_str()).collect()
}

/// S3-41: one stream of what happens to beads and to the town. S3-39: it goes on where it ended.
#[test]
fn beads_and_the_town_are_one_order_that_goes_on_where_it_ended() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    town.fleet.advance(1_000);
    let slung = town.sling(&rig, "one");
    town.fleet.advance(1_000);
    let convoy = town.convoy(&backend, Some(true), &[&[]]);
    town.fleet.settle();
    town.close(&rig, &slung.bead.bead_id);

    let all = activity(&town, json!({"cursor": "start"})).unwrap();
    assert_eq!(
        kinds(&all),
        ["town_created", "rig_added", "rig_added", "created", "hooked", "agent_spawned", "convoy_created", "created", "closed", "unhooked"]
    );
    assert!(all.entries.is_sorted_by_key(|entry| entry.at));
    assert_eq!((all.coverage.asked, all.coverage.answered, all.more), (2, 2, false));
    let closed = &all.entries[8];
    assert_eq!((closed.source.as_str(), closed.subject.as_str()), (rig.id.as_str(), slung.bead.bead_id.as_str()));
    assert_eq!((closed.actor.as_deref(), &closed.detail["new_value"]), (Some(OWNER), &json!("closed")));
    assert_eq!(all.entries[6].subject, convoy.convoy.id.as_str());

    // Page by page, each from the cursor before.
    let mut entries = Vec::new();
    let mut cursor = "start".to_owned();
    loop {
        let page = activity(&town, json!({"cursor": cursor, "limit": 2})).unwrap();
        let is_last = !page.more;
        entries.extend(page.entries);
        cursor = page.cursor;
        if is_last {
            break;
        }
    }
    assert_eq!(entries, all.entries);
    // Without a cursor: the newest, and on from there.
    let newest = activity(&town, json!({"limit": 3})).unwrap();
    assert_eq!(newest.entries, all.entries[7..]);
    assert_eq!(activity(&town, json!({"cursor": newest.cursor})).unwrap().entries, []);
    town.sling(&backend, "two");
    let next = activity(&town, json!({"cursor": newest.cursor})).unwrap();
    assert_eq!(kinds(&next), ["created", "hooked", "agent_spawned"]);
    // One rig only, and the rest is not behind the reader for ever.
    let one = activity(&town, json!({"cursor": "start", "rig_id": rig.id})).unwrap();
    assert_eq!(kinds(&one), ["created", "hooked", "agent_spawned", "closed", "unhooked"]);
    assert_eq!(activity(&town, json!({"cursor": one.cursor})).unwrap().entries.len(), 8);
}

/// S3-40: work history by actor.
#[test]
fn the_history_of_one_actor_or_one_bead_is_all_of_it_and_nothing_else() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "mine");
    town.sling(&rig, "another");
    let agent = slung.agent.unwrap();
    let close = (&slung.bead.bead_id, &agent.id);
    town.fleet.tell(&rig.at, &rpc::CLOSE_BEAD, close, &town.polecat(&rig, &agent.id)).unwrap();
    town.fleet.settle();
    let by = |actor: &str| activity(&town, json!({"cursor": "start", "actor": actor})).unwrap();
    assert_eq!(kinds(&by(agent.id.as_str())), ["closed", "unhooked"].as_slice(), "{:#?}", by(agent.id.as_str()));
    let owners = by(OWNER);
    assert_eq!(owners.entries.iter().filter(|entry| entry.kind == "created").count(), 2);
    assert!(owners.entries.iter().any(|entry| entry.kind == "rig_added"));
    assert!(owners.entries.iter().all(|entry| entry.actor.as_deref() == Some(OWNER)));
    assert_eq!(by("nobody").entries, []);
    let bead = activity(&town, json!({"bead": slung.bead.bead_id})).unwrap();
    assert_eq!(kinds(&bead), ["created", "hooked", "closed", "unhooked"]);
    // A reader of one actor that goes on sees only that actor's.
    let first = activity(&town, json!({"cursor": "start", "actor": OWNER, "limit": 1})).unwrap();
    let rest = activity(&town, json!({"cursor": first.cursor, "actor": OWNER})).unwrap();
    assert_eq!([first.entries, rest.entries].concat(), owners.entries);
}

#[test]
fn a_rig_that_does_not_answer_is_named_and_comes_later() {
    let (town, rig) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    town.fleet.settle();
    let start = activity(&town, json!({})).unwrap();
    town.sling(&rig, "seen");
    town.sling(&backend, "not seen");
    town.fleet.trouble(&backend.at, Some(Trouble::Hang));
    let page = activity(&town, json!({"cursor": start.cursor})).unwrap();
    assert_eq!(kinds(&page), ["created", "hooked", "agent_spawned"]);
    assert_eq!((page.coverage.asked, &page.coverage.missing), (2, &vec![backend.id.clone()]));
    // Somebody who comes now has no place in the silent rig yet: what happens there from now on is still not missed.
    let newcomer = activity(&town, json!({"limit": 1})).unwrap();
    town.fleet.trouble(&backend.at, None);
    let late = activity(&town, json!({"cursor": page.cursor})).unwrap();
    assert!(late.entries.iter().all(|entry| entry.source == backend.id.as_str()), "{late:#?}");
    assert_eq!(kinds(&late), ["created", "hooked", "agent_spawned"]);
    town.sling(&backend, "after");
    assert_eq!(activity(&town, json!({"cursor": newcomer.cursor})).unwrap().entries.len(), 6);
}

#[test]
fn a_cursor_of_another_town_and_one_that_is_none_are_refused() {
    let (town, _rig) = Town::with_rig();
    let other = Town::new(&town.fleet, 7);
    let foreign = activity(&other, json!({})).unwrap().cursor;
    let mut forged = ActivityCursor::read(&activity(&town, json!({})).unwrap().cursor).unwrap();
    forged.set("town", -1);
    for cursor in [foreign, forged.write(), "garbage".to_owned(), String::new(), "A".repeat(100_000)] {
        let refusal = refusal(activity(&town, json!({"cursor": cursor})));
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.hint.unwrap().contains("start"));
    }
    let elsewhere = json!({"rig_id": gastown_mcp::contract::ids::RigId::from_random([44; 16])});
    assert_eq!(code(activity(&town, elsewhere)), Code::NotFound);
    // One from the future is a reader that waits.
    forged.set("town", 1_000_000);
    assert_eq!(activity(&town, json!({"cursor": forged.write()})).unwrap().entries, []);
}

#[test]
fn what_is_no_longer_kept_is_told_as_a_gap() {
    let (town, rig) = Town::with_rig();
    town.sling(&rig, "one");
    let early = activity(&town, json!({})).unwrap().cursor;
    town.sling(&rig, "two");
    town.sling(&rig, "three");
    assert_eq!(activity(&town, json!({"cursor": early})).unwrap().gaps, Vec::<String>::new());
    town.sql(&rig.at).value::<Value>("DELETE FROM bead_events WHERE sequence <= 6 RETURNING sequence");
    let page = activity(&town, json!({"cursor": early})).unwrap();
    assert_eq!(page.gaps, [rig.id.to_string()]);
    assert_eq!(page.entries.len(), 3);
    // It is told once, and whoever begins has missed nothing.
    assert_eq!(activity(&town, json!({"cursor": page.cursor})).unwrap().gaps, Vec::<String>::new());
    assert_eq!(activity(&town, json!({"cursor": "start"})).unwrap().gaps, Vec::<String>::new());
    town.fleet.settle();
    town.sql(&rig.at).value::<Value>("DELETE FROM bead_events RETURNING sequence");
    let empty = activity(&town, json!({"cursor": early})).unwrap();
    assert_eq!((empty.gaps.len(), empty.entries.len()), (1, 0));
    assert_eq!(activity(&town, json!({"cursor": empty.cursor})).unwrap().gaps, Vec::<String>::new());
}

#[test]
fn waiting_ends_with_the_next_thing_that_happens_or_with_its_time() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let wait = |cursor: &str, millis: i64| -> (bool, i64) {
        let began = town.fleet.now();
        let context = internal(&town.fleet, &town.at, Some(&town.id), &rpc::AWAIT_ACTIVITY);
        let heard = town.fleet.ask(&town.at, &rpc::AWAIT_ACTIVITY, (cursor, began.plus_millis(millis)), &context).unwrap();
        (heard, town.fleet.now().since(began))
    };
    let cursor = activity(&town, json!({})).unwrap().cursor;
    assert_eq!(wait(&cursor, 15_000), (false, 15_000));
    // It has begun to wait when the bead is slung.
    let context = internal(&town.fleet, &town.at, Some(&town.id), &rpc::AWAIT_ACTIVITY);
    let call = Call::new(town.at.clone(), &rpc::AWAIT_ACTIVITY, (&cursor, town.fleet.now().plus_millis(15_000))).unwrap();
    let heard = town.fleet.start(&call, &context);
    town.fleet.advance(3_000);
    let began = town.fleet.now();
    town.sling(&rig, "now");
    town.fleet.run_background();
    let fleet = town.fleet.clone();
    let reply = town.fleet.block_on(heard).unwrap();
    assert_eq!(read_reply(&reply).unwrap(), "true");
    assert!(fleet.now().since(began) < 100);
    assert_eq!(wait(&cursor, 15_000), (true, 0));
    // A page of the rigs that have told of something has it, and asks no others.
    town.add_rig("quiet", 9);
    town.fleet.settle();
    let told = activity(&town, json!({"cursor": cursor, "told": true})).unwrap();
    assert_eq!((kinds(&told), told.coverage.asked), (vec!["created", "hooked", "agent_spawned", "rig_added"], 1));
    assert_eq!(wait(&told.cursor, 0), (false, 0));
    assert_eq!(
        code(town.fleet.ask::<Value>(&town.at, &rpc::GET_ACTIVITY, (Value::Null,), &tokens::user(&town.fleet, "x"))),
        Code::Forbidden
    );
}

/// Contract 3.10.
#[test]
fn the_status_has_the_newest_of_the_towns_feed() {
    let (town, rig) = Town::with_rig();
    for _ in 0..25 {
        town.convoy(&rig, Some(true), &[&[]]);
    }
    let events = town.alarm_status().recent_events;
    assert_eq!(events.len(), 20);
    assert_eq!(events[0]["type"], "convoy_created");
    assert_eq!(events[0]["message"], "convoy created: Payments API");
    assert!(events[0]["time"].as_str().unwrap().starts_with("2026-11-21T"));
}

#[test]
fn no_statement_reads_a_whole_table() {
    let (town, rig) = Town::with_rig();
    let bead = town.sling(&rig, "one").bead.bead_id;
    let sqls = [town.sql(&town.at), town.sql(&rig.at)];
    for sql in &sqls {
        sql.take_log();
    }
    for input in
        [json!({}), json!({"cursor": "start"}), json!({"actor": OWNER}), json!({"cursor": "start", "actor": OWNER}), json!({"bead": bead})]
    {
        activity(&town, input).unwrap();
    }
    let mut seen = 0;
    for sql in &sqls {
        for (statement, params) in sql.take_log() {
            // The newest of all is at the end of the table.
            let is_newest = !statement.contains("WHERE");
            if (statement.contains("FROM feed") || statement.contains("bead_events")) && !is_newest {
                seen += 1;
                assert_indexed(sql, &statement, &params);
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[derive(Debug, Clone)]
enum Op {
    Sling(usize),
    Close(usize),
    Convoy(usize),
    Lose(usize),
    Mend,
    Pass(i64),
    Back(i64),
    Read { limit: i64, told: bool },
    AddRig,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => (0..3_usize).prop_map(Op::Sling),
        2 => (0..3_usize).prop_map(Op::Close),
        2 => (0..3_usize).prop_map(Op::Convoy),
        2 => (0..3_usize).prop_map(Op::Lose),
        1 => Just(Op::Mend),
        2 => prop_oneof![Just(0_i64), Just(20), Just(3_000)].prop_map(Op::Pass),
        1 => (1..5_000_i64).prop_map(Op::Back),
        6 => (1..7_i64, any::<bool>()).prop_map(|(limit, told)| Op::Read { limit, told }),
        1 => Just(Op::AddRig),
    ]
}

/// What the databases hold, by source.
fn held(town: &Town, rigs: &[Rig]) -> BTreeMap<String, Vec<i64>> {
    let numbers = |at, statement: &str| town.sql(at).rows::<(i64,)>(statement).into_iter().map(|(number,)| number).collect::<Vec<_>>();
    let mut all = BTreeMap::from([("town".to_owned(), numbers(&town.at, "SELECT number FROM feed ORDER BY number"))]);
    for rig in rigs {
        all.insert(rig.id.to_string(), numbers(&rig.at, "SELECT sequence FROM bead_events ORDER BY sequence"));
    }
    all.retain(|_, numbers| !numbers.is_empty());
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The law of the cursor: whatever is lost on the way, however long the pages, and even where a clock ran backwards,
    /// whoever goes on from the beginning gets everything once, and the events of a source in its order.
    #[test]
    fn following_the_cursor_yields_everything_once(ops in prop::collection::vec(op(), 1..40)) {
        let town = Town::new(&Fleet::new(), 1);
        let mut rigs = vec![town.add_rig("a", 2), town.add_rig("b", 3), town.add_rig("c", 4)];
        let mut cursor = "start".to_owned();
        let mut got: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut read = |limit: i64, told: bool| {
            let page = activity(&town, json!({"cursor": cursor, "limit": limit, "told": told})).unwrap();
            assert!(page.entries.len() <= usize::try_from(limit).unwrap());
            assert_eq!(page.gaps, Vec::<String>::new());
            for entry in &page.entries {
                got.entry(entry.source.clone()).or_default().push(entry.number);
            }
            cursor.clone_from(&page.cursor);
            page
        };
        for op in ops {
            match op {
                Op::Sling(rig) => drop(town.fleet.ask::<Value>(&rigs[rig].at, &rpc::SLING_BEAD, (json!({"rigId": rigs[rig].id, "title": "t"}),), &town.owner())),
                Op::Close(rig) => {
                    let open = town.sql(&rigs[rig].at).rows::<(gastown_mcp::contract::ids::BeadId,)>("SELECT bead_id FROM beads WHERE status = 'open' LIMIT 1");
                    for (bead,) in open {
                        drop(town.fleet.ask::<Value>(&rigs[rig].at, &rpc::UPDATE_BEAD_STATUS, (bead, BeadStatus::Closed, "t", Value::Null), &town.owner()));
                    }
                }
                Op::Convoy(rig) => drop(town.convoy(&rigs[rig], Some(false), &[&[], &[0]])),
                Op::Lose(rig) => town.fleet.trouble(&rigs[rig].at, Some(Trouble::DropBefore)),
                Op::Mend => rigs.iter().for_each(|rig| town.fleet.trouble(&rig.at, None)),
                Op::Pass(millis) => {
                    town.fleet.run_background();
                    town.fleet.advance(millis);
                }
                Op::Back(millis) => {
                    // As if the newest event had been written by a slower clock.
                    let back = format!("UPDATE bead_events SET created_at = created_at - {millis} WHERE sequence = (SELECT max(sequence) FROM bead_events) RETURNING 1");
                    town.sql(&rigs[0].at).rows::<(i64,)>(&back);
                }
                Op::Read { limit, told } => drop(read(limit, told)),
                Op::AddRig if rigs.len() < 5 => rigs.push(town.add_rig(&format!("rig {}", rigs.len()), u8::try_from(10 + rigs.len()).unwrap())),
                Op::AddRig => {}
            }
        }
        for rig in &rigs {
            town.fleet.trouble(&rig.at, None);
        }
        town.fleet.settle();
        while read(3, false).more {}
        prop_assert_eq!(got, held(&town, &rigs));
        town.fleet.close();
    }
}
