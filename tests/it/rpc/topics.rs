//! Sessions that listen: they hear of what they asked for, in the end always, and cost nothing when they are gone.

use crate::support::listener::LEASE_MILLIS;
use crate::support::tokens::internal;
use crate::support::town::Rig;
use crate::support::{HostSql, Listener, Town, Trouble, code};
use base::error::Code;
use gastown_mcp::contract::shapes::BeadStatus;
use gastown_mcp::objects::listeners::{LEASE_MILLIS_MAX, TOPIC_BYTES_MAX, TOPICS_MAX};
use gastown_mcp::objects::store::sql::Sql;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table::{LISTEN_TO_REGISTRY, LISTEN_TO_RIG, LISTEN_TO_TOWN, START_CONVOY};
use serde_json::json;

/// A town, a rig, and a session that listens to nothing yet.
fn world() -> (Town, Rig, Listener) {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let session = Listener::of(&town, "principal:user:owner");
    (town, rig, session)
}

fn topic(kind: &str, id: impl std::fmt::Display) -> String {
    format!("{kind}:{id}")
}

fn statements(sql: &HostSql) -> Vec<String> {
    sql.take_log().into_iter().map(|(statement, _)| statement.lines().next().unwrap().to_owned()).collect()
}

fn topics_owed(town: &Town, at: &Instance) -> i64 {
    town.sql(at).value("SELECT COUNT(*) FROM outbox WHERE kind = 'topic'")
}

#[test]
fn a_listener_hears_of_its_topic_once_per_burst_and_of_nothing_else() {
    let (town, rig, session) = world();
    session.listen(&rig.at, &["rig"]);
    for title in ["a", "b", "c"] {
        town.sling(&rig, title);
    }
    let letters = session.letters();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!((letters[0].kind.as_str(), letters[0].subject.as_str()), ("topic", "rig"));
    assert_eq!(letters[0].body, json!({"terminal": false, "outcome": {}}));
    assert_eq!(session.inbox(), [(rig.at.to_string(), "rig".to_owned(), letters[0].generation)]);
    town.sling(&rig, "d");
    assert_eq!(session.heard(), ["rig"]);
    // Reading is no change.
    town.beads(&rig, json!({}));
    assert!(session.heard().is_empty());
}

#[test]
fn a_lease_ends_by_itself_and_its_rows_go_with_the_next_one() {
    let (town, rig, session) = world();
    town.unwatched();
    session.listen(&rig.at, &["rig", "bead:x"]);
    town.fleet.advance(LEASE_MILLIS);
    town.sling(&rig, "t");
    assert!(session.heard().is_empty());
    let count = || town.sql(&rig.at).value::<i64>("SELECT COUNT(*) FROM listeners");
    assert_eq!(count(), 2);
    Listener::of(&town, "another").listen(&rig.at, &["rig"]);
    assert_eq!(count(), 1);
    // A lease that is renewed goes on.
    session.listen(&rig.at, &["rig"]);
    town.fleet.advance(LEASE_MILLIS - 100);
    session.listen(&rig.at, &["rig"]);
    town.fleet.advance(LEASE_MILLIS - 100);
    town.sling(&rig, "t");
    assert_eq!(session.heard(), ["rig"]);
}

/// What one call of each sort asks of the rig and of the town.
fn costs(town: &Town, rig: &Rig) -> Vec<Vec<String>> {
    let (of_rig, of_town) = (town.sql(&rig.at), town.sql(&town.at));
    town.fleet.settle();
    let mut costs = Vec::new();
    let mut note = || {
        town.fleet.settle();
        costs.push(statements(&of_rig));
        costs.push(statements(&of_town));
    };
    note();
    let slung = town.sling(rig, "t");
    note();
    town.set_status(rig, &slung.bead.bead_id, BeadStatus::InProgress);
    note();
    let convoy = town.convoy(rig, Some(true), &[&[]]);
    note();
    town.start(&convoy.convoy.id).unwrap();
    note();
    town.fail(rig, &convoy.beads[0].bead.bead_id);
    note();
    town.close(rig, &slung.bead.bead_id);
    note();
    town.delete_agent(rig, &slung.agent.unwrap().id);
    note();
    town.configure(json!({"default_model": "m"})).unwrap();
    note();
    costs.split_off(2)
}

#[test]
fn a_change_that_nobody_listens_to_asks_and_posts_nothing() {
    // The same calls in worlds that differ in what was listened to five minutes ago, or is listened to now.
    let outcome = |before: &[&str], now: Option<&[&str]>| {
        let (town, rig, session) = world();
        session.listen(&rig.at, before);
        session.listen(&town.at, before);
        town.fleet.advance(LEASE_MILLIS);
        if let Some(now) = now {
            session.listen(&rig.at, now);
            session.listen(&town.at, now);
        }
        let costs = costs(&town, &rig);
        (costs, town.fleet.take_letters(&session.at).len())
    };
    let (costs, letters) = outcome(&[], None);
    assert!(costs.iter().flatten().all(|statement| !statement.contains("listen")), "{costs:#?}");
    assert_eq!(letters, 0);
    // A lease that has ended, and one that was given back.
    assert_eq!(outcome(&["rig", "town"], None), (costs.clone(), 0));
    assert_eq!(outcome(&["rig", "town"], Some(&[])), (costs.clone(), 0));
    let (listened, letters) = outcome(&[], Some(&["rig", "town"]));
    assert!(listened != costs && letters > 10, "{letters}");
}

#[test]
fn a_bead_tells_how_it_stands_and_that_it_has_ended() {
    let (town, rig, session) = world();
    let slung = town.sling(&rig, "a title that agents wrote");
    let bead = &slung.bead.bead_id;
    let about = topic("bead", bead);
    session.listen(&rig.at, &[&about]);
    town.set_status(&rig, bead, BeadStatus::InProgress);
    assert_eq!(session.news(&about), json!({"terminal": false, "outcome": {"bead_id": bead, "status": "in_progress", "rig_id": rig.id}}));
    town.close(&rig, bead);
    assert_eq!(session.news(&about), json!({"terminal": true, "outcome": {"bead_id": bead, "status": "done", "rig_id": rig.id}}));
    let failed = town.sling(&rig, "t").bead.bead_id;
    let about = topic("bead", &failed);
    session.listen(&rig.at, &[&about]);
    town.fail(&rig, &failed);
    assert_eq!(session.news(&about)["outcome"]["status"], "failed");
    // The state when the letter is sent counts, not the one when it was posted.
    let gone = town.sling(&rig, "t").bead.bead_id;
    let about = topic("bead", &gone);
    session.listen(&rig.at, &[&about]);
    town.set_status(&rig, &gone, BeadStatus::InProgress);
    town.sql(&rig.at).exec("DELETE FROM beads WHERE bead_id = ?", &json!([gone]).to_string()).unwrap();
    assert_eq!(session.news(&about), json!({"terminal": true, "outcome": {"bead_id": gone, "status": "deleted", "rig_id": rig.id}}));
}

/// Whatever way a bead changes, who listens to it hears of it.
#[test]
fn every_change_of_a_bead_and_of_an_agent_is_told() {
    let (town, rig, session) = world();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let first = town.sling(&rig, "first");
    let agent = first.agent.unwrap().id;
    let waits = town.sling(&rig, "second").bead.bead_id;
    let (one, two, who) = (topic("bead", &first.bead.bead_id), topic("bead", &waits), topic("agent", &agent));
    session.listen(&rig.at, &[&one, &two, &who]);
    // The agent finishes the first and is given the second.
    town.close(&rig, &first.bead.bead_id);
    let mut all = vec![who.clone(), one.clone(), two.clone()];
    all.sort();
    assert_eq!(session.heard(), all);
    town.unhook(&rig, &agent).unwrap();
    let mut both = vec![who.clone(), two.clone()];
    both.sort();
    town.fleet.run_background();
    town.fleet.advance(1_000);
    let mut heard: Vec<String> = town.fleet.take_letters(&session.at).into_iter().map(|letter| letter.subject).collect();
    heard.sort();
    assert_eq!(heard, both);
    // The next tick gives it out again.
    town.fleet.advance(6_000);
    assert_eq!(session.heard(), both);
    town.delete_agent(&rig, &agent);
    let heard = session.heard();
    assert!(heard.contains(&who) && heard.contains(&two), "{heard:?}");
    // A bead that is freed by the end of another, and one that a convoy brings.
    town.configure(json!({"max_polecats_per_rig": 5})).unwrap();
    let convoy = town.convoy(&rig, Some(false), &[&[], &[0]]);
    town.fleet.settle();
    let freed = topic("bead", &convoy.beads[1].bead.bead_id);
    session.listen(&rig.at, &[&freed]);
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    assert_eq!(session.heard(), [freed]);
    town.fleet.trouble(&rig.at, Some(Trouble::DropBefore));
    let late = town.convoy(&rig, Some(true), &[&[]]);
    town.fleet.trouble(&rig.at, None);
    let coming = topic("bead", &late.beads[0].bead.bead_id);
    session.listen(&rig.at, &[&coming]);
    assert_eq!(session.news(&coming)["outcome"]["status"], "open");
}

#[test]
fn what_a_listener_missed_or_heard_twice_it_hears_once_in_the_end() {
    for trouble in [Trouble::DropBefore, Trouble::DropAfter, Trouble::Duplicate, Trouble::Delay(300), Trouble::Delay(7_000), Trouble::Hang]
    {
        let (town, rig, session) = world();
        let bead = town.sling(&rig, "t").bead.bead_id;
        let about = topic("bead", &bead);
        session.listen(&rig.at, &[&about]);
        town.fleet.trouble(&session.at, Some(trouble));
        town.set_status(&rig, &bead, BeadStatus::InProgress);
        town.fleet.run_background();
        town.fleet.advance(1_000);
        town.close(&rig, &bead);
        town.fleet.run_background();
        town.fleet.advance(20_000);
        town.fleet.trouble(&session.at, None);
        let letters = session.letters();
        let [(source, subject, newest)] = &session.inbox()[..] else { panic!("{trouble:?}") };
        assert_eq!((source, subject), (&rig.at.to_string(), &about));
        let counted: Vec<_> = letters.iter().filter(|letter| letter.generation == *newest).collect();
        assert!(!counted.is_empty() && letters.iter().all(|letter| letter.generation <= *newest), "{trouble:?}");
        assert!(counted.iter().all(|letter| letter.body["outcome"]["status"] == "done"), "{trouble:?}");
        assert_eq!(town.fleet.owed(), 0, "{trouble:?}");
    }
}

#[test]
fn a_crash_after_the_change_leaves_its_letter_to_the_alarm() {
    let (town, rig, session) = world();
    session.listen(&rig.at, &["rig"]);
    session.listen(&town.at, &["mayor"]);
    town.sling(&rig, "t");
    town.fleet.evict(&rig.at);
    town.fleet.evict(&session.at);
    assert_eq!(topics_owed(&town, &rig.at), 1);
    town.fleet.advance(5_000);
    assert_eq!(session.heard(), ["rig"]);
    // The session dies while it takes a letter.
    town.fleet.trouble(&session.at, Some(Trouble::Delay(1_000)));
    town.sling(&rig, "t");
    town.fleet.run_background();
    town.fleet.advance(1_020);
    town.fleet.restart();
    town.fleet.trouble(&session.at, None);
    town.fleet.settle();
    assert_eq!(town.fleet.owed(), 0);
    assert!(session.inbox().iter().any(|(_, topic, _)| topic == "rig"));
}

#[test]
fn each_session_hears_its_topics_and_a_hanging_one_delays_nobody() {
    let (town, rig, one) = world();
    let two = Listener::of(&town, "town:x");
    let bead = town.sling(&rig, "t").bead.bead_id;
    let about = topic("bead", &bead);
    town.fleet.settle();
    one.listen(&rig.at, &["rig"]);
    two.listen(&rig.at, &["rig", &about]);
    town.close(&rig, &bead);
    assert_eq!(one.heard(), ["rig"]);
    assert_eq!(two.heard(), [about, "rig".to_owned()]);
    town.fleet.trouble(&one.at, Some(Trouble::Hang));
    town.sling(&rig, "t");
    town.fleet.run_background();
    town.fleet.advance(100);
    assert_eq!(town.fleet.take_letters(&two.at).len(), 1);
    assert_eq!(town.alarm_status().agents.hooked, 1);
    town.fleet.trouble(&one.at, None);
    assert_eq!(one.heard(), ["rig"]);
}

/// Letters that a caller waits for are sent before the reply; those to sessions never are.
#[test]
fn a_reply_does_not_wait_for_sessions() {
    let (town, rig, session) = world();
    session.listen(&town.at, &["convoys"]);
    town.fleet.trouble(&session.at, Some(Trouble::Hang));
    let before = town.fleet.now();
    let convoy = town.convoy(&rig, Some(true), &[&[]]);
    assert_eq!(town.fleet.now(), before);
    assert_eq!(town.beads(&rig, json!({})).len(), 1);
    town.fleet.trouble(&session.at, None);
    assert_eq!(session.heard(), ["convoys"]);
    let started = town.fleet.ask::<serde_json::Value>(&town.at, &START_CONVOY, (&convoy.convoy.id,), &town.owner());
    assert!(started.is_ok());
    // After the reply, and not only when the alarm rings.
    town.fleet.run_background();
    town.fleet.advance(100);
    assert_eq!(town.fleet.take_letters(&session.at).len(), 1);
}

#[test]
fn listening_again_replaces_what_was_listened_to_and_nothing_forgets_it() {
    let (town, rig, session) = world();
    let other = Listener::of(&town, "other");
    session.listen(&rig.at, &["rig", "bead:x", "rig"]);
    other.listen(&rig.at, &["rig"]);
    session.listen(&rig.at, &["agent:y"]);
    let rows = || town.sql(&rig.at).rows::<(String, String)>("SELECT session, topic FROM listeners ORDER BY session");
    assert_eq!(rows(), [(other.at.to_string(), "rig".to_owned()), (session.at.to_string(), "agent:y".to_owned())]);
    town.sling(&rig, "t");
    assert!(session.heard().is_empty());
    assert_eq!(other.heard(), ["rig"]);
    // Who stops listening gets no letter that was still owed.
    town.sling(&rig, "t");
    other.listen(&rig.at, &[]);
    assert!(other.heard().is_empty());
    assert_eq!((rows().len(), town.fleet.owed()), (1, 0));
    // A lease that is over already is none.
    session.try_listen(&rig.at, &["rig"], -1).unwrap();
    town.sling(&rig, "t");
    assert!(session.heard().is_empty());
}

#[test]
fn a_session_that_never_answers_is_forgotten_with_its_lease() {
    let (town, rig, session) = world();
    town.unwatched();
    session.listen(&rig.at, &["rig"]);
    town.fleet.trouble(&session.at, Some(Trouble::DropBefore));
    town.sling(&rig, "t");
    town.fleet.run_background();
    town.fleet.advance(LEASE_MILLIS + 61_000);
    assert_eq!(town.fleet.owed(), 0);
    town.fleet.advance(3_600_000);
    // What is set then is for what is past its time in a month.
    assert!(town.fleet.alarm_of(&rig.at).is_none_or(|at| at.since(town.fleet.now()) > 86_400_000));
}

#[test]
fn only_a_session_listens_and_only_within_the_limits() {
    let (town, rig, session) = world();
    for (at, method) in [(&rig.at, &LISTEN_TO_RIG), (&town.at, &LISTEN_TO_TOWN), (&Instance::User("u".to_owned()), &LISTEN_TO_REGISTRY)] {
        for from in [&rig.at, &town.at, &Instance::User("u".to_owned())] {
            let context = internal(&town.fleet, from, Some(&town.id), method);
            let outcome = town.fleet.tell(at, method, (["rig"], town.fleet.now()), &context);
            assert_eq!(code(outcome), Code::Forbidden, "{at} {from}");
        }
    }
    let many: Vec<String> = (0..=TOPICS_MAX).map(|number| format!("bead:{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    session.try_listen(&rig.at, &many[1..], LEASE_MILLIS_MAX).unwrap();
    for (topics, millis) in [
        (&many[..], LEASE_MILLIS),
        (&["rig"], LEASE_MILLIS_MAX + 1),
        (&[""], LEASE_MILLIS),
        (&[&*"t".repeat(TOPIC_BYTES_MAX + 1)], LEASE_MILLIS),
    ] {
        assert_eq!(code(session.try_listen(&rig.at, topics, millis)), Code::InvalidArgument);
    }
    assert_eq!(town.sql(&rig.at).value::<usize>("SELECT COUNT(*) FROM listeners"), TOPICS_MAX);
    let nowhere = Instance::Rig(gastown_mcp::contract::ids::RigId::from_random([9; 16]));
    assert_eq!(code(session.try_listen(&nowhere, &["rig"], LEASE_MILLIS)), Code::NotFound);
}

#[test]
fn no_statement_about_listeners_reads_the_whole_table() {
    let (town, rig, session) = world();
    let sql = town.sql(&rig.at);
    sql.take_log();
    session.listen(&rig.at, &["rig"]);
    town.sling(&rig, "t");
    town.fleet.settle();
    let log = sql.take_log();
    let about: Vec<_> = log.iter().filter(|(statement, _)| statement.contains("listeners")).collect();
    assert!(about.len() > 4, "{about:?}");
    for (statement, params) in about {
        // A lease is made from a list; the last one to end is read from the end of an index.
        if !statement.contains("json_each") && !statement.starts_with("-- rig_listened") {
            crate::support::assert_indexed(&sql, statement, params);
        }
    }
}
