//! Truth rule 5: retries are safe.

use crate::support::tokens::{self, OWNER, mayor, with_key};
use crate::support::{Town, code, refusal};
use base::error::Code;
use gastown_mcp::contract::limits::idempotency::KEY_CHARS_MAX;
use gastown_mcp::contract::shapes::SlingResult;
use gastown_mcp::objects::idempotency::REMEMBER_MILLIS;
use gastown_mcp::rpc::call::Call;
use gastown_mcp::rpc::table::{CLOSE_BEAD, CREATE_BEAD, SLING_BEAD, SLING_CONVOY};
use serde_json::{Value, json};

fn records(town: &Town, rig: &gastown_mcp::rpc::call::Instance) -> i64 {
    town.sql(rig).value("SELECT COUNT(*) FROM idempotency")
}

#[test]
fn the_same_key_and_arguments_give_the_same_answer_and_one_effect() {
    let (town, rig) = Town::with_rig();
    let sling = || town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &with_key(town.owner(), "k1")).unwrap();
    let first = sling();
    town.fleet.advance(5_000);
    assert_eq!(sling(), first);
    town.fleet.evict(&rig.at);
    assert_eq!(sling(), first);
    assert_eq!(town.beads(&rig, json!({})).len(), 1);
    assert_eq!(town.agents(&rig).len(), 1);
}

#[test]
fn the_same_key_with_other_arguments_or_another_method_is_a_conflict() {
    let (town, rig) = Town::with_rig();
    let key = with_key(town.owner(), "k1");
    town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &key).unwrap();
    let refusal = refusal(town.sling_as(&rig, json!({"rigId": rig.id, "title": "other"}), &key));
    assert_eq!(refusal.code, Code::IdempotencyConflict);
    assert!(refusal.message.contains("k1") && refusal.message.contains("slingBead"), "{}", refusal.message);
    assert_eq!(
        code(town.fleet.ask::<Value>(&rig.at, &CREATE_BEAD, (json!({"type": "issue", "title": "t"}),), &key)),
        Code::IdempotencyConflict
    );
    assert_eq!(town.beads(&rig, json!({})).len(), 1);
}

#[test]
fn two_callers_may_choose_the_same_key() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "title": "t"});
    let first = town.sling_as(&rig, input.clone(), &with_key(town.owner(), "k1")).unwrap();
    let second = town.sling_as(&rig, input, &with_key(mayor(&town.fleet, &town.id), "k1")).unwrap();
    assert_ne!(first.bead.bead_id, second.bead.bead_id);
}

#[test]
fn a_refused_call_may_be_corrected_under_the_same_key() {
    let (town, rig) = Town::with_rig();
    let key = with_key(town.owner(), "k1");
    assert_eq!(code(town.sling_as(&rig, json!({"rigId": rig.id, "title": " "}), &key)), Code::InvalidArgument);
    assert_eq!(records(&town, &rig.at), 0);
    town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &key).unwrap();
    assert_eq!(records(&town, &rig.at), 1);
}

#[test]
fn a_key_is_forgotten_after_a_day_and_not_before() {
    let (town, rig) = Town::with_rig();
    let sling = || town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &with_key(town.owner(), "k1")).unwrap();
    let first = sling();
    town.fleet.advance(REMEMBER_MILLIS);
    assert_eq!(sling(), first);
    town.fleet.advance(1);
    assert_ne!(sling().bead.bead_id, first.bead.bead_id);
    // What expired is gone, not only unused.
    assert_eq!(records(&town, &rig.at), 1);
}

#[test]
fn a_crash_between_commit_and_reply_is_healed_by_a_retry() {
    let (town, rig) = Town::with_rig();
    town.fleet.trouble(&rig.at, Some(crate::support::Trouble::DropAfter));
    let key = with_key(town.owner(), "k1");
    let call = Call::new(rig.at.clone(), &SLING_BEAD, (json!({"rigId": rig.id, "title": "t"}),)).unwrap();
    assert!(town.fleet.reply(&call, &key).is_err());
    town.fleet.evict(&rig.at);
    town.fleet.trouble(&rig.at, None);
    let answer: SlingResult = serde_json::from_str(&town.fleet.reply(&call, &key).unwrap()).unwrap();
    let beads = town.beads(&rig, json!({}));
    assert_eq!(beads.len(), 1);
    assert_eq!(beads[0].bead_id, answer.bead.bead_id);
}

#[test]
fn concurrent_duplicates_are_one_effect() {
    let (town, rig) = Town::with_rig();
    let call = Call::new(rig.at.clone(), &SLING_BEAD, (json!({"rigId": rig.id, "title": "t"}),)).unwrap();
    let calls: Vec<_> = (0..8).map(|_| town.fleet.start(&call, &with_key(town.owner(), "k1"))).collect();
    let replies: Vec<String> = town.fleet.block_on(futures::future::join_all(calls)).into_iter().map(Result::unwrap).collect();
    assert!(replies.iter().all(|reply| *reply == replies[0]));
    assert_eq!(town.beads(&rig, json!({})).len(), 1);
}

#[test]
fn a_convoy_is_slung_once_however_often_it_is_asked_for() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "convoyTitle": "c", "tasks": [{"title": "a"}, {"title": "b"}], "staged": false});
    let sling = || town.fleet.ask::<Value>(&town.at, &SLING_CONVOY, (&input,), &with_key(town.owner(), "k1")).unwrap();
    assert_eq!(sling(), sling());
    assert_eq!(town.beads(&rig, json!({})).len(), 2);
}

#[test]
fn a_void_answer_is_remembered_as_one() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap();
    let mail = json!({"from_agent_id": "mayor", "to_agent_id": agent.id, "subject": "s", "body": "b"});
    for _ in 0..2 {
        town.fleet.tell(&rig.at, &gastown_mcp::rpc::table::SEND_MAIL, (&mail,), &with_key(town.owner(), "k1")).unwrap();
    }
    assert_eq!(town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM messages"), 1);
}

#[test]
fn a_key_is_short_and_visible() {
    let (town, rig) = Town::with_rig();
    for bad in ["", " ", "a b", "ключ", &"k".repeat(KEY_CHARS_MAX + 1)] {
        let outcome = town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &with_key(tokens::user(&town.fleet, OWNER), bad));
        assert_eq!(code(outcome), Code::InvalidArgument, "{bad:?}");
    }
    town.sling_as(&rig, json!({"rigId": rig.id, "title": "t"}), &with_key(town.owner(), &"k".repeat(KEY_CHARS_MAX))).unwrap();
}

/// A terminal bead answers as it is: the record does not grow old.
#[test]
fn a_key_used_for_closing_answers_what_was_answered_then() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "t");
    let close = || town.fleet.ask::<Value>(&rig.at, &CLOSE_BEAD, (&slung.bead.bead_id, "me"), &with_key(town.owner(), "k1")).unwrap();
    let first = close();
    town.fleet.advance(60_000);
    assert_eq!(close(), first);
}
