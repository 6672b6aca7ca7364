//! Letters between objects: nothing is lost, nothing counts twice, nobody waits for somebody else's trouble.

use crate::support::tokens::internal;
use crate::support::town::Rig;
use crate::support::{Town, Trouble, code};
use base::error::Code;
use gastown_mcp::contract::ids::{BeadId, ConvoyId, RigId};
use gastown_mcp::contract::shapes::ConvoyDetail;
use gastown_mcp::rpc::call::{Call, Instance};
use gastown_mcp::rpc::table::{DELIVER_TO_RIG, DELIVER_TO_SESSION, DELIVER_TO_TOWN, END_SESSION, SLING_BEAD, SLING_CONVOY};
use serde_json::{Value, json};

/// The statuses of a convoy's beads as the town's mirror has them.
fn mirror(town: &Town, convoy: &ConvoyId) -> Vec<String> {
    let details: Vec<ConvoyDetail> = town.fleet.ask(&town.at, &gastown_mcp::rpc::table::LIST_CONVOYS_DETAILED, (), &town.owner()).unwrap();
    let detail = details.into_iter().find(|detail| detail.entry.id == *convoy).unwrap();
    detail.beads.into_iter().map(|bead| bead.status.as_str().to_owned()).collect()
}

/// Closes the first bead of a convoy of two while the town has trouble; the mirror must be right in the end.
fn heals(trouble: Trouble) {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[], &[0]]);
    town.fleet.settle();
    town.fleet.trouble(&town.at, Some(trouble));
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    town.fleet.run_background();
    town.fleet.advance(20_000);
    town.fleet.trouble(&town.at, None);
    town.fleet.settle();
    assert_eq!(mirror(&town, &convoy.convoy.id), ["closed", "open"], "{trouble:?}");
    assert_eq!(town.alarm_status().agents.hooked, 1, "{trouble:?}");
    assert_eq!(town.fleet.owed(), 0);
}

#[test]
fn letters_that_were_lost_delivered_twice_or_delayed_arrive_in_the_end() {
    for trouble in [Trouble::DropBefore, Trouble::DropAfter, Trouble::Duplicate, Trouble::Delay(300), Trouble::Delay(7_000), Trouble::Hang]
    {
        heals(trouble);
    }
}

#[test]
fn a_crash_between_commit_and_delivery_leaves_the_delivery_to_the_alarm() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    town.sling(&rig, "t");
    town.fleet.evict(&rig.at);
    assert_eq!(town.fleet.owed(), 1);
    assert_eq!(town.alarm_status().agents.hooked, 0);
    town.fleet.advance(5_000);
    assert_eq!(town.fleet.owed(), 0);
    assert_eq!(town.alarm_status().agents.hooked, 1);
}

#[test]
fn a_crash_before_delivery_leaves_the_convoy_to_the_alarm() {
    let (town, rig) = Town::with_rig();
    town.fleet.trouble(&rig.at, Some(Trouble::Hang));
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "a"}], "staged": false});
    let _never = town.fleet.start(&Call::new(town.at.clone(), &SLING_CONVOY, (input,)).unwrap(), &town.owner());
    town.fleet.advance(0);
    town.fleet.evict(&town.at);
    town.fleet.trouble(&rig.at, None);
    assert!(town.beads(&rig, json!({})).is_empty());
    town.fleet.advance(5_000);
    assert_eq!(town.beads(&rig, json!({})).len(), 1);
}

/// The alarm rings while a delivery that will die with its object is still under way.
#[test]
fn an_alarm_that_rings_during_a_flush_is_set_again() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    town.fleet.trouble(&town.at, Some(Trouble::Hang));
    town.sling(&rig, "t");
    town.fleet.advance(4_000);
    town.fleet.run_background();
    town.fleet.advance(1_100);
    town.fleet.evict(&rig.at);
    town.fleet.trouble(&town.at, None);
    // Whatever was under way is gone; only an alarm can help.
    town.fleet.settle();
    assert_eq!(town.alarm_status().agents.hooked, 1);
}

#[test]
fn the_alarm_is_set_again_while_anything_is_owed_and_rests_afterwards() {
    let (town, rig) = Town::with_rig();
    town.unwatched();
    town.fleet.settle();
    town.fleet.trouble(&town.at, Some(Trouble::DropBefore));
    town.sling(&rig, "t");
    town.fleet.run_background();
    for _ in 0..20 {
        town.fleet.advance(10_000);
        let rings = town.fleet.alarm_of(&rig.at).expect("an alarm is set");
        assert!(rings.since(town.fleet.now()) <= 60_000);
    }
    town.fleet.trouble(&town.at, None);
    town.fleet.advance(61_000);
    assert_eq!(town.fleet.owed(), 0);
    town.fleet.advance(3_600_000);
    // What is set then is for what is past its time in a month.
    assert!(town.fleet.alarm_of(&rig.at).is_none_or(|at| at.since(town.fleet.now()) > 86_400_000));
}

/// Two calls ask at nearly the same time; the second hears of the alarm as it was before the first one set it.
#[test]
fn a_later_wish_never_postpones_an_alarm() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    town.fleet.restart();
    town.fleet.delay_alarm_answers(1_000);
    let sling = Call::new(rig.at.clone(), &SLING_BEAD, (json!({"rigId": rig.id, "title": "t"}),)).unwrap();
    let before = town.fleet.now();
    let _first = town.fleet.start(&sling, &town.owner());
    town.fleet.advance(500);
    let _second = town.fleet.start(&sling, &town.owner());
    town.fleet.advance(1_100);
    assert_eq!(town.beads(&rig, json!({})).len(), 2);
    assert_eq!(town.fleet.alarm_of(&rig.at).unwrap().since(before), 6_000);
    // Nor does one that comes after a restart.
    town.fleet.evict(&rig.at);
    town.create_bead(&rig, json!({"type": "issue", "title": "t"})).unwrap();
    assert_eq!(town.fleet.alarm_of(&rig.at).unwrap().since(before), 6_000);
}

/// What a rejected letter counted was undone with it, and must not be counted on by the next one.
#[test]
fn a_rejected_letter_leaves_no_number_behind() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(true), &[&[]]);
    town.fleet.settle();
    let bead = |id: u8, title: &str| json!({"bead_id": BeadId::from_random([id; 16]), "joined": id, "title": title, "body": null, "metadata": {}, "depends_on": []});
    let mut member = bead(73, "t");
    member["bead_id"] = json!(convoy.beads[0].bead.bead_id);
    let order = |convoy: &ConvoyId, beads: Vec<Value>| json!({"convoy_id": convoy, "staged": true, "created_by": null, "created_at": town.fleet.now(), "beads": beads});
    let letters = json!([
        {"kind": "convoy", "subject": "bad", "generation": 1_000_000, "body": order(&ConvoyId::from_random([70; 16]), vec![bead(71, "t"), bead(72, "")])},
        {"kind": "convoy", "subject": convoy.convoy.id, "generation": 1_000_000, "body": order(&convoy.convoy.id, vec![member])},
    ]);
    let context = internal(&town.fleet, &town.at, Some(&town.id), &DELIVER_TO_RIG);
    let rejected: Vec<Value> = town.fleet.ask(&rig.at, &DELIVER_TO_RIG, (letters,), &context).unwrap();
    assert_eq!(rejected.len(), 1);
    town.fleet.settle();
    assert_eq!(town.alarm_status().agents.hooked, 0);
    town.sling(&rig, "t");
    town.fleet.settle();
    assert_eq!(town.alarm_status().agents.hooked, 1);
}

#[test]
fn an_older_letter_that_arrives_later_changes_nothing() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let letter = |generation: i64, total: i64| {
        let counts = json!({"working": 0, "waiting": 0, "idle": total, "stalled": 0, "dead": 0, "total": total});
        let beads = json!({"open": 0, "inProgress": 0, "inReview": 0, "failed": 0, "triageRequests": 0});
        let body = json!({"rig_id": rig.id, "name": "frontend", "agents": counts, "beads": beads, "queue_depth": 0, "capacity": 5, "as_of": town.fleet.now()});
        json!({"kind": "summary", "subject": rig.id, "generation": generation, "body": body})
    };
    let deliver = |letters: Vec<Value>| {
        let context = internal(&town.fleet, &rig.at, Some(&town.id), &DELIVER_TO_TOWN);
        town.fleet.tell(&town.at, &DELIVER_TO_TOWN, (letters,), &context).unwrap();
        town.alarm_status().agents.total
    };
    assert_eq!(deliver(vec![letter(1_000, 3)]), 3);
    assert_eq!(deliver(vec![letter(999, 7)]), 3);
    assert_eq!(deliver(vec![letter(1_000, 8)]), 3);
    assert_eq!(deliver(vec![letter(1_002, 4), letter(1_001, 9)]), 4);
}

#[test]
fn one_letter_that_is_refused_does_not_hold_up_the_others() {
    let (town, rig) = Town::with_rig();
    let convoy = town.convoy(&rig, Some(false), &[&[]]);
    town.fleet.settle();
    // Letters of a kind the town does not know, and of a subject that makes no letter.
    for (kind, subject, target) in [
        ("riddle", "x", town.at.to_string()),
        ("bead", "nobody", town.at.to_string()),
        ("bead", "x", "nowhere:1".to_owned()),
        ("bead", "x", "user:u".to_owned()),
    ] {
        let insert = format!("INSERT INTO outbox VALUES ('{kind}', '{subject}', '{target}', 1, 0, 0)");
        gastown_mcp::objects::store::sql::Sql::exec(&*town.sql(&rig.at), &insert, "[]").unwrap();
    }
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    town.fleet.run_background();
    town.fleet.advance(20_000);
    assert_eq!(mirror(&town, &convoy.convoy.id), ["closed"]);
    let kept: Vec<String> = ["riddle", "nobody"].into_iter().filter(|word| is_kept(&town, &rig.at, word)).map(str::to_owned).collect();
    assert_eq!((kept, town.fleet.owed()), (vec!["riddle".to_owned(), "nobody".to_owned()], 2), "what has nowhere to go is dropped");
}

/// Whether a row of this kind or subject is owed and has been tried.
fn is_kept(town: &Town, at: &Instance, word: &str) -> bool {
    let count = format!("SELECT COUNT(*) FROM outbox WHERE '{word}' IN (kind, subject) AND attempts > 0");
    town.sql(at).value::<i64>(&count) == 1
}

/// A kind that its sender does not know, perhaps another version of it, is a fault: the row is kept, tried again ever more
/// seldom, and logged each time.
#[test]
fn a_row_of_an_unknown_kind_is_kept_and_logged_by_whoever_owes_it() {
    let (town, rig) = Town::with_rig();
    let session = Instance::Session(format!("town:{}", town.id));
    let end = internal(&town.fleet, &session, None, &END_SESSION);
    town.fleet.tell(&session, &END_SESSION, ("s", town.fleet.now().plus_millis(30 * 24 * 3_600_000)), &end).unwrap();
    town.fleet.settle();
    town.fleet.take_faults();
    let owed = [(&rig.at, &town.at), (&rig.at, &session), (&town.at, &rig.at), (&town.at, &session), (&session, &town.at)];
    for (number, (sender, target)) in owed.into_iter().enumerate() {
        let row = format!("INSERT INTO outbox VALUES ('riddle', 'subject {number}', '{target}', 1, 0, 0)");
        gastown_mcp::objects::store::sql::Sql::exec(&*town.sql(sender), &row, "[]").unwrap();
    }
    for sender in [&rig.at, &town.at, &session] {
        town.fleet.ring(sender);
        town.fleet.advance(1);
    }
    for (number, (sender, target)) in owed.into_iter().enumerate() {
        assert!(is_kept(&town, sender, &format!("subject {number}")), "{sender} to {target}");
    }
    let faults = town.fleet.take_faults();
    for (_, target) in owed {
        assert!(faults.iter().any(|fault| fault.contains(&format!("{target} is sent no letters of kind riddle"))), "{target}: {faults:?}");
    }
    assert_eq!(faults.len(), owed.len(), "{faults:?}");
    // A day later each has been tried some thirty times, and is owed still.
    town.fleet.advance(24 * 3_600_000);
    for sender in [&rig.at, &town.at, &session] {
        let attempts: i64 = town.sql(sender).value("SELECT max(attempts) FROM outbox");
        assert!((20..60).contains(&attempts), "{sender}: {attempts}");
    }
    assert_eq!(town.fleet.owed(), 5);
}

/// What arrives and is not known is refused, and what its sender owes stays owed.
#[test]
fn a_letter_of_an_unknown_kind_is_refused_by_whoever_gets_it() {
    let (town, rig) = Town::with_rig();
    let session = Instance::Session(format!("town:{}", town.id));
    let letters = json!([{"kind": "riddle", "subject": "x", "generation": 1, "body": null}]);
    for (from, to, method, who) in [
        (&town.at, &rig.at, &DELIVER_TO_RIG, "A rig"),
        (&rig.at, &town.at, &DELIVER_TO_TOWN, "A town"),
        (&rig.at, &session, &DELIVER_TO_SESSION, "A session"),
        (&session, &town.at, &DELIVER_TO_TOWN, "A town"),
    ] {
        let context = internal(&town.fleet, from, Some(&town.id), method);
        let rejected: Vec<Value> = town.fleet.ask(to, method, (&letters,), &context).unwrap();
        let reason = rejected[0]["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("{who} takes no letters of kind riddle")), "{reason}");
    }
}

#[test]
fn a_letter_that_is_refused_waits_ever_longer_and_is_logged() {
    let (town, rig) = Town::with_rig();
    let other = Town::new(&town.fleet, 50);
    town.fleet.settle();
    town.fleet.take_faults();
    // A rig keeps its town: the other town may list it, but is never obeyed by it.
    other.try_add_rig("stolen", &rig.id).unwrap();
    assert_eq!(other.fleet.owed(), 1);
    assert!(town.fleet.take_faults().iter().any(|fault| fault.contains("not found in this town")));
    let own = other.add_rig("own", 51);
    other.sling(&own, "t");
    town.fleet.advance(24 * 3_600_000);
    let attempts: i64 = town.sql(&other.at).value("SELECT attempts FROM outbox");
    assert!((10..60).contains(&attempts), "{attempts}");
    assert_eq!(other.alarm_status().agents.hooked, 1);
    assert_eq!(town.sling(&rig, "still mine").agent.unwrap().name, "Toast");
}

#[test]
fn one_bad_letter_in_a_delivery_leaves_the_good_ones_applied() {
    let (town, rig) = Town::with_rig();
    let rig_letter = json!({"kind": "rig", "subject": rig.id, "generation": 1_000_000, "body": {
        "rig_id": rig.id, "town_id": town.id, "name": "frontend", "git_url": "u", "default_branch": "main",
        "owner_user_id": crate::support::tokens::OWNER, "owner_org_id": null, "capacity": 1
    }});
    let letters = json!([
        {"kind": "riddle", "subject": "x", "generation": 1, "body": null},
        {"kind": "convoy", "subject": "y", "generation": 1, "body": {"convoy_id": 7}},
        rig_letter
    ]);
    let context = internal(&town.fleet, &town.at, Some(&town.id), &DELIVER_TO_RIG);
    let rejected: Vec<Value> = town.fleet.ask(&rig.at, &DELIVER_TO_RIG, (&letters,), &context).unwrap();
    let kinds: Vec<&str> = rejected.iter().map(|letter| letter["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["riddle", "convoy"]);
    assert!(town.sling(&rig, "a").agent.is_some());
    assert!(town.sling(&rig, "b").agent.is_none(), "the capacity of the good letter holds");
    // What was rejected is news when it comes again.
    let again: Vec<Value> = town.fleet.ask(&rig.at, &DELIVER_TO_RIG, (&letters,), &context).unwrap();
    assert_eq!(again, rejected);
}

#[test]
fn letters_come_from_the_rigs_own_town_and_the_towns_own_rigs_only() {
    let (town, rig) = Town::with_rig();
    let stranger = Instance::Rig(RigId::from_random([77; 16]));
    let context = internal(&town.fleet, &stranger, Some(&town.id), &DELIVER_TO_TOWN);
    let none: [Value; 0] = [];
    assert_eq!(code(town.fleet.tell(&town.at, &DELIVER_TO_TOWN, (none.clone(),), &context)), Code::NotFound);
    for from in [&rig.at, &stranger, &Instance::User("u".to_owned())] {
        let context = internal(&town.fleet, from, Some(&town.id), &DELIVER_TO_RIG);
        assert_eq!(code(town.fleet.tell(&rig.at, &DELIVER_TO_RIG, (none.clone(),), &context)), Code::Forbidden);
    }
}

/// A convoy for one rig does not wait for another that hangs, once that one is known to hang.
#[test]
fn a_rig_that_hangs_does_not_slow_the_calls_for_another() {
    let (town, rig) = Town::with_rig();
    let slow = town.add_rig("slow", 3);
    town.fleet.trouble(&slow.at, Some(Trouble::Hang));
    let waited = |rig: &Rig| {
        let before = town.fleet.now();
        town.convoy(rig, Some(false), &[&[]]);
        town.fleet.now().since(before)
    };
    assert_eq!(waited(&slow), 2_000);
    assert_eq!(waited(&rig), 0);
    town.fleet.advance(10_000);
    assert_eq!(waited(&rig), 0);
    town.fleet.trouble(&slow.at, None);
    town.fleet.settle();
    assert_eq!(town.beads(&slow, json!({})).len(), 1);
}

/// S1-22: a burst is one delivery after the replies, not one each.
#[test]
fn a_burst_of_slings_is_one_letter() {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    town.sql(&town.at).take_log();
    for _ in 0..50 {
        town.sling(&rig, "t");
    }
    town.fleet.run_background();
    town.fleet.advance(100);
    assert_eq!(town.fleet.owed(), 0);
    let applied = town.sql(&town.at).take_log().iter().filter(|(statement, _)| statement.starts_with("-- rigs_apply_summary")).count();
    assert_eq!(applied, 1);
}

#[test]
fn many_rigs_hear_of_a_change_in_one_call() {
    let town = Town::new(&crate::support::Fleet::new(), 1);
    let rigs: Vec<Rig> = (10..135).map(|seed| town.add_rig(&format!("rig-{seed}"), seed)).collect();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    assert_eq!(town.fleet.owed(), 0);
    for rig in [&rigs[0], &rigs[124]] {
        assert!(town.sling(rig, "a").agent.is_some());
        assert!(town.sling(rig, "b").agent.is_none());
    }
}
