//! The Mayor's conversation at its town: order, statuses, replies, and what is kept.

use crate::support::tokens::{self, with_key};
use crate::support::{Fleet, Town, code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::contract::shapes::MayorMessageStatus::{Answered, Queued, Read};
use gastown_mcp::contract::shapes::{MayorMail, MayorMessage, MayorMessagePage, MayorMessageResult, MayorPrime, MayorReplied, MayorStatus};
use gastown_mcp::objects::store::sql::Sql as _;
use gastown_mcp::objects::town::mayor::{mail, reading};
use gastown_mcp::rpc::call::{Call, Context, decode};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

pub fn send(town: &Town, text: &str) -> BeadId {
    let args = (text, Value::Null, Value::Null, Value::Null);
    let sent: MayorMessageResult = town.fleet.ask(&town.at, &rpc::SEND_MAYOR_MESSAGE, args, &town.owner()).unwrap();
    assert_eq!(sent.delivery.as_deref(), Some("queued"));
    sent.message_id.unwrap()
}

pub fn mayor(town: &Town) -> Context {
    tokens::mayor(&town.fleet, &town.id)
}

pub fn reply(town: &Town, id: &BeadId, text: &str) -> Result<MayorReplied, Failure> {
    town.fleet.ask(&town.at, &rpc::REPLY_AS_MAYOR, (id, text), &mayor(town))
}

fn check(town: &Town) -> MayorMail {
    town.fleet.ask(&town.at, &rpc::CHECK_MAYOR_MAIL, (), &mayor(town)).unwrap()
}

fn prime(town: &Town, who: &Context) -> MayorPrime {
    town.fleet.ask(&town.at, &rpc::PRIME_MAYOR, (), who).unwrap()
}

fn list(town: &Town, filter: Value) -> MayorMessagePage {
    town.fleet.ask(&town.at, &rpc::LIST_MAYOR_MESSAGES, (filter,), &town.owner()).unwrap()
}

pub fn get(town: &Town, id: &BeadId) -> Option<MayorMessage> {
    town.fleet.ask(&town.at, &rpc::GET_MAYOR_MESSAGE, (id,), &town.owner()).unwrap()
}

fn texts(messages: &[MayorMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.message.as_str()).collect()
}

fn waiting(town: &Town) -> i64 {
    town.fleet.ask::<MayorStatus>(&town.at, &rpc::GET_MAYOR_STATUS, (), &town.owner()).unwrap().queued_messages
}

/// So many messages of a status, by SQL.
fn fill(town: &Town, count: i64, status: &str) {
    town.sql(&town.at).rows::<()>(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
         INSERT INTO mayor_messages (id, sender, message, status, created_at, sequence, touched)
         SELECT printf('%08x-0000-4000-8000-%012x', n, n), 'user-owner', 'old ' || n, '{status}', 0, n - 1000000, n - 1000000 FROM numbers"
    ));
}

/// S0-06, S2-43: messages reach this town's Mayor in their order, and each is read once.
#[test]
fn messages_are_read_in_order_and_once_and_only_by_this_towns_mayor() {
    let (town, _rig) = Town::with_rig();
    let other = Town::new(&town.fleet, 7);
    for text in ["one", "two", "three"] {
        send(&town, text);
    }
    assert_eq!((texts(&check(&other).messages), waiting(&other)), (vec![], 0));
    town.fleet.restart();
    let mail = check(&town);
    assert_eq!((texts(&mail.messages), mail.more, waiting(&town)), (vec!["one", "two", "three"], 0, 0));
    assert!(mail.messages.iter().all(|message| message.status == Read && message.read_at == Some(town.fleet.now())));
    assert!(mail.messages.iter().all(|message| message.delivered_at.is_none()), "nothing is claimed that is not known");
    assert!(check(&town).messages.is_empty());
    send(&town, "four");
    town.fleet.evict(&town.at);
    assert_eq!(texts(&prime(&town, &mayor(&town)).mail.messages), ["four"]);
    assert_eq!(code(town.fleet.ask::<MayorMail>(&other.at, &rpc::CHECK_MAYOR_MAIL, (), &mayor(&town))), Code::Forbidden);
}

#[test]
fn a_coordinator_looks_and_takes_nothing() {
    let (town, rig) = Town::with_rig();
    let id = send(&town, "one");
    town.fleet.tell(&town.at, &rpc::SET_DASHBOARD_CONTEXT, ("<page/>",), &town.owner()).unwrap();
    town.fleet.tell(&town.at, &rpc::SET_PARKED, (&rig.id, true, Value::Null), &town.owner()).unwrap();
    town.convoy(&rig, Some(true), &[&[], &[]]);
    let input = json!({"severity": "low", "message": "m"});
    town.fleet.tell(&town.at, &rpc::ROUTE_ESCALATION, (input,), &town.owner()).unwrap();
    town.fleet.settle();
    for who in [town.owner(), tokens::container(&town.fleet, &town.id)] {
        let seen = prime(&town, &who);
        assert_eq!((texts(&seen.mail.messages), seen.mail.more, seen.is_read), (vec!["one"], 0, false));
        let refused = refusal(town.fleet.ask::<MayorMail>(&town.at, &rpc::CHECK_MAYOR_MAIL, (), &who));
        assert_eq!(refused.code, Code::Forbidden);
        assert!(refused.hint.unwrap().contains(&format!("gastown://towns/{}/mayor", town.id)));
        let said = town.fleet.ask::<MayorReplied>(&town.at, &rpc::REPLY_AS_MAYOR, (&id, "as if"), &who);
        assert_eq!(code(said), Code::Forbidden);
    }
    assert_eq!(get(&town, &id).unwrap().status, Queued);
    assert_eq!(list(&town, Value::Null).messages[0].status, Queued);
    let own = prime(&town, &mayor(&town));
    assert_eq!((own.is_read, own.unanswered, own.open_escalations), (true, 1, 1));
    assert_eq!((own.rigs.len(), own.rigs[0].parked, own.rigs[0].default_branch.as_str()), (1, true, "main"));
    assert_eq!((own.convoys.len(), own.convoys[0].staged, own.convoys[0].total_beads), (1, true, 2));
    assert_eq!((own.beads.open, own.coverage.missing.len()), (2, 0));
    assert_eq!((own.town_name.as_deref(), own.dashboard_context.as_deref()), (Some("town-1"), Some("<page/>")));
    // A container that speaks for the Mayor is the Mayor.
    send(&town, "two");
    let container = Context { agent_id: Some(own.mayor_agent_id.to_string()), ..tokens::container(&town.fleet, &town.id) };
    assert_eq!(texts(&prime(&town, &container).mail.messages), ["two"]);
}

#[test]
fn a_mayor_that_reads_is_active() {
    let (town, _rig) = Town::with_rig();
    let status = || town.fleet.ask::<MayorStatus>(&town.at, &rpc::GET_MAYOR_STATUS, (), &town.owner()).unwrap().session.unwrap();
    prime(&town, &town.owner());
    assert_eq!(status().status, "idle");
    town.fleet.advance(5_000);
    prime(&town, &mayor(&town));
    assert_eq!((status().status.as_str(), status().last_activity_at), ("active", town.fleet.now()));
    town.fleet.advance(90_000);
    assert_eq!(status().status, "idle");
    check(&town);
    assert_eq!(status().status, "active");
}

#[test]
fn the_first_reply_answers_a_message_and_others_follow_it() {
    let (town, _rig) = Town::with_rig();
    let (first, second) = (send(&town, "first"), send(&town, "second"));
    check(&town);
    town.fleet.advance(1_000);
    let replied = reply(&town, &first, "on it").unwrap();
    let answered_at = Some(town.fleet.now());
    assert_eq!((replied.status, replied.replies, replied.sender.as_str()), (Answered, 1, tokens::OWNER));
    town.fleet.restart();
    town.fleet.advance(1_000);
    assert_eq!(reply(&town, &first, "done").unwrap().replies, 2);
    let known = get(&town, &first).unwrap();
    assert_eq!((known.status, known.answered_at), (Answered, answered_at));
    assert_eq!(known.replies.iter().map(|reply| reply.text.as_str()).collect::<Vec<_>>(), ["on it", "done"]);
    assert!(known.sequence < known.replies[0].sequence && known.replies[0].sequence < known.replies[1].sequence);
    assert_eq!(get(&town, &second).unwrap().status, Read);
    // What nobody has fetched can be answered: who answers has read it.
    let third = send(&town, "third");
    reply(&town, &third, "yes").unwrap();
    assert!(check(&town).messages.is_empty());
    assert!(get(&town, &third).unwrap().read_at.is_some());
}

#[test]
fn a_reply_that_makes_no_sense_is_refused() {
    let (town, _rig) = Town::with_rig();
    let other = Town::new(&town.fleet, 7);
    let (id, foreign) = (send(&town, "one"), send(&other, "theirs"));
    for unknown in [BeadId::from_random([9; 16]), foreign] {
        let refused = refusal(reply(&town, &unknown, "x"));
        assert_eq!((refused.code, refused.message), (Code::NotFound, format!("Message {unknown} not found in this town")));
    }
    assert_eq!(code(reply(&town, &id, " ")), Code::InvalidArgument);
    assert_eq!(code(reply(&town, &id, &"x".repeat(reading::REPLY_BYTES_MAX + 1))), Code::InvalidArgument);
    assert_eq!(get(&town, &id).unwrap().status, Queued);
    reply(&town, &id, &"x".repeat(reading::REPLY_BYTES_MAX)).unwrap();
    for _ in 1..reading::REPLIES_MAX {
        reply(&town, &id, "more").unwrap();
    }
    assert_eq!(code(reply(&town, &id, "too many")), Code::Conflict);
}

#[test]
fn what_is_sent_twice_with_a_key_is_done_once_even_at_once() {
    let (town, _rig) = Town::with_rig();
    let id = send(&town, "one");
    let twice = |method: &'static rpc::Method, args: Value, who: Context| -> Vec<String> {
        let call = Call::new(town.at.clone(), method, args).unwrap();
        let who = with_key(who, method.name);
        let both = futures::future::join(town.fleet.start(&call, &who), town.fleet.start(&call, &who));
        let (one, two) = town.fleet.block_on(both);
        vec![one.unwrap(), two.unwrap()]
    };
    let sent = twice(&rpc::SEND_MAYOR_MESSAGE, json!(["two", null, null, null]), town.owner());
    assert_eq!(sent[0], sent[1]);
    let read: Vec<MayorMail> =
        twice(&rpc::CHECK_MAYOR_MAIL, json!([]), mayor(&town)).iter().map(|text| decode(&rpc::CHECK_MAYOR_MAIL, text).unwrap()).collect();
    assert_eq!((texts(&read[0].messages), &read[0]), (vec!["one", "two"], &read[1]));
    let replied = twice(&rpc::REPLY_AS_MAYOR, json!([id, "yes"]), mayor(&town));
    assert_eq!((&replied[0], get(&town, &id).unwrap().replies.len()), (&replied[1], 1));
}

#[test]
fn the_list_goes_on_with_whatever_was_sent_read_or_answered_since() {
    let (town, _rig) = Town::with_rig();
    let ids: Vec<BeadId> = ["one", "two", "three"].iter().map(|text| send(&town, text)).collect();
    let newest = list(&town, json!({"limit": 2}));
    assert_eq!((texts(&newest.messages), newest.more, newest.unread), (vec!["two", "three"], false, 3));
    let first = list(&town, json!({"after": 0, "limit": 2}));
    assert_eq!((texts(&first.messages), first.more), (vec!["one", "two"], true));
    let rest = list(&town, json!({"after": first.next}));
    assert_eq!((texts(&rest.messages), rest.more, rest.next), (vec!["three"], false, newest.next));
    let nothing = list(&town, json!({"after": newest.next}));
    assert_eq!((nothing.messages.len(), nothing.next), (0, newest.next));
    check(&town);
    let read = list(&town, json!({"after": newest.next}));
    assert_eq!(texts(&read.messages), ["one", "two", "three"]);
    reply(&town, &ids[1], "yes").unwrap();
    let answered = list(&town, json!({"after": read.next}));
    assert_eq!((texts(&answered.messages), answered.messages[0].replies[0].text.as_str()), (vec!["two"], "yes"));
    assert_eq!(texts(&list(&town, json!({"status": "read"})).messages), ["one", "three"]);
    assert_eq!(texts(&list(&town, json!({"status": "answered", "after": 0})).messages), ["two"]);
}

#[test]
fn no_more_is_read_at_once_than_a_model_can_take() {
    let (town, _rig) = Town::with_rig();
    send(&town, &"x".repeat(mail::MESSAGE_BYTES_MAX));
    for number in 0..25 {
        send(&town, &format!("{number}"));
    }
    let sizes: Vec<(usize, i64)> = (0..4).map(|_| check(&town)).map(|mail| (mail.messages.len(), mail.more)).collect();
    assert_eq!(sizes, [(1, 25), (20, 5), (5, 0), (0, 0)]);
}

#[test]
fn so_many_may_wait_whether_or_not_they_were_delivered() {
    let town = Town::new(&Fleet::new(), 1);
    fill(&town, mail::UNREAD_MAX - 1, "queued");
    town.sql(&town.at).exec("UPDATE mayor_messages SET status = 'delivered' WHERE sequence % 2 = 0", "[]").unwrap();
    send(&town, "the last");
    let args = ("one too many", Value::Null, Value::Null, Value::Null);
    assert_eq!(code(town.fleet.tell(&town.at, &rpc::SEND_MAYOR_MESSAGE, args, &town.owner())), Code::Conflict);
    town.sql(&town.at).take_log();
    let mail = check(&town);
    assert_eq!((mail.messages.len(), mail.more), (20, mail::UNREAD_MAX - 20));
    assert_eq!(texts(&mail.messages[..3]), ["old 1", "old 2", "old 3"]);
    list(&town, json!({"limit": 1}));
    list(&town, json!({"limit": 1, "status": "answered"}));
    list(&town, json!({"limit": 1, "after": 0}));
    for (statement, params) in town.sql(&town.at).take_log().iter().filter(|(statement, _)| statement.starts_with("-- mayor_")) {
        let plan = town.sql(&town.at).explain(statement, params);
        let reads_all = |step: &str| step.starts_with("SCAN mayor_messages") && !step.contains("USING");
        assert!(!plan.lines().any(reads_all), "{statement}\n{plan}");
    }
    send(&town, "room again");
}

#[test]
fn of_what_was_read_or_answered_the_newest_is_kept() {
    let town = Town::new(&Fleet::new(), 1);
    fill(&town, reading::SETTLED_MAX, "read");
    let oldest: BeadId = BeadId::parse("00000001-0000-4000-8000-000000000001").unwrap();
    let next: BeadId = BeadId::parse("00000002-0000-4000-8000-000000000002").unwrap();
    reply(&town, &oldest, "late, but it counts as new").unwrap();
    let id = send(&town, "one");
    assert_eq!(texts(&check(&town).messages), ["one"]);
    assert_eq!((get(&town, &next), get(&town, &oldest).unwrap().replies.len()), (None, 1));
    assert_eq!(get(&town, &id).unwrap().status, Read);
    let count = |table: &str| town.sql(&town.at).value::<i64>(&format!("SELECT COUNT(*) FROM {table}"));
    assert_eq!(count("mayor_messages"), reading::SETTLED_MAX);
    // Replies go with their message; what waits is never dropped.
    town.sql(&town.at).exec("UPDATE mayor_messages SET touched = touched - 9000000 WHERE status = 'answered'", "[]").unwrap();
    let unread = send(&town, "two");
    reply(&town, &send(&town, "three"), "yes").unwrap();
    assert_eq!((get(&town, &oldest), count("mayor_replies")), (None, 1));
    assert_eq!(get(&town, &unread).unwrap().status, Queued);
}
