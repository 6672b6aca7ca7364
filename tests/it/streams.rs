//! Streams of the session object: who reads them, what is kept of them, and how changes elsewhere come onto them.

use crate::support::edge::{Got, Isolate, Reading, Sent, header, messages};
use crate::support::keeping::{Keeping, route, uris};
use crate::support::tokens::OWNER;
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble, tokens};
use gastown_mcp::rpc::call::Call;
use gastown_mcp::rpc::table::{
    ANSWERED, APPEND_EVENTS, AWAIT_WATCH, CANCELLED, END_SESSION, HEAR, OPEN_WATCH, PUBLISH, SET_LOG_LEVEL, SPEND_ONCE, SUBSCRIBE,
    UNSUBSCRIBE,
};
use mcp::session_types::{Appended, ClientReplies, OpenStream};
use serde_json::{Value, json};

const UPDATED: &str = "notifications/resources/updated";
/// A change must be heard of within this time.
const HEARD_MILLIS: u32 = 800;

/// A town, a rig, and the session object of the town's owner.
fn world() -> (Town, Rig, Keeping) {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    let keeping = Keeping::of(&town.fleet, &format!("user:{OWNER}"));
    (town, rig, keeping)
}

/// A legacy client of the fleet connection.
struct Client {
    at: Isolate,
    session: String,
}

impl Client {
    fn new(fleet: &Fleet) -> Self {
        let at = Isolate::new(fleet);
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
        let Got::Whole(response) = Self::send(&at, "POST", &[], body) else { panic!("a stream came") };
        let session = header(&response, "mcp-session-id").unwrap();
        Self { at, session }
    }

    fn send(at: &Isolate, method: &str, headers: &[(&str, &str)], body: &str) -> Got {
        let sent = Sent { body: body.to_owned(), ..Sent::new(method, "/mcp") };
        at.exchange(sent.bearer(&tokens::user(&at.fleet, OWNER).jwt).with_all(headers.iter().copied()))
    }

    /// Opens the session's stream on an isolate.
    fn get(&self, at: &Isolate, last: Option<&str>) -> Reading {
        let mut headers = vec![("mcp-session-id", self.session.as_str()), ("accept", "text/event-stream")];
        headers.extend(last.map(|last| ("last-event-id", last)));
        match Self::send(at, "GET", &headers, "") {
            Got::Stream(head, reading) => {
                assert_eq!(header(&head, "cache-control").as_deref(), Some("no-cache"));
                reading
            }
            Got::Whole(response) => panic!("no stream but {response:?}"),
        }
    }

    /// The random part of the session's id.
    fn key(&self) -> String {
        use base64ct::{Base64UrlUnpadded, Encoding};
        let claims = Base64UrlUnpadded::decode_vec(self.session.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&claims).unwrap()["jti"].as_str().unwrap().to_owned()
    }
}

/// Changes the rig, and lets what follows from it happen.
fn change(town: &Town, rig: &Rig) {
    town.sling(rig, "t");
    town.fleet.run_background();
}

#[test]
fn the_newest_connection_has_the_stream_and_a_message_is_on_one_only() {
    let (town, rig, keeping) = world();
    let (client, elsewhere) = (Client::new(&town.fleet), Isolate::new(&town.fleet));
    keeping.tell(&SUBSCRIBE, (client.key(), "get", "r", vec![route(&rig.at, "rig", &town, UPDATED)]));
    let first = client.get(&client.at, None);
    change(&town, &rig);
    assert_eq!(uris(&messages(&first.within(HEARD_MILLIS).0)), ["rig"]);
    let second = client.get(&elsewhere, None);
    change(&town, &rig);
    assert_eq!(first.within(10), (String::new(), true));
    assert_eq!(uris(&messages(&second.within(HEARD_MILLIS).0)), ["rig"]);
}

#[test]
fn a_client_that_comes_back_gets_what_it_missed_once() {
    let (town, rig, keeping) = world();
    let client = Client::new(&town.fleet);
    keeping.tell(&SUBSCRIBE, (client.key(), "get", "r", vec![route(&rig.at, "rig", &town, UPDATED)]));
    let reading = client.get(&client.at, None);
    let (text, _) = reading.within(10);
    assert!(text.starts_with("id: get_0\nretry: "), "{text}");
    change(&town, &rig);
    let heard = messages(&reading.within(HEARD_MILLIS).0);
    drop(reading);
    change(&town, &rig);
    town.fleet.advance(1_000);
    change(&town, &rig);
    town.fleet.advance(1_000);
    // The object was gone in between as well.
    town.fleet.evict(&keeping.at);
    let back = client.get(&Isolate::new(&town.fleet), heard[0].0.as_deref());
    let missed = messages(&back.within(10).0);
    assert_eq!(missed.iter().map(|(id, _)| id.as_deref().unwrap()).collect::<Vec<_>>(), ["get_2", "get_3"]);
    assert_eq!(messages(&client.get(&client.at, Some("get_3")).within(10).0), []);
    assert_eq!(messages(&client.get(&client.at, Some("get_0")).within(10).0).len(), 3, "whoever lost all of it gets all of it");
}

#[test]
fn whoever_reads_on_from_a_call_that_is_gone_does_not_wait_for_ever() {
    let (town, _, keeping) = world();
    let client = Client::new(&town.fleet);
    let alive = || keeping.tell(&APPEND_EVENTS, (client.key(), "call", json!([]), false));
    alive();
    let reading = client.get(&client.at, Some("call_0"));
    for _ in 0..20 {
        assert!(!reading.within(60_000).1, "the call says that it goes on");
        alive();
    }
    let start = town.fleet.now();
    while !reading.within(15_000).1 {
        assert!(town.fleet.now().since(start) < 6 * 60_000, "nobody has said anything for six minutes");
    }
}

#[test]
fn a_sessions_stream_that_was_forgotten_begins_anew_and_skips_nothing() {
    let (town, rig, keeping) = world();
    let client = Client::new(&town.fleet);
    let routes = || vec![route(&rig.at, "rig", &town, UPDATED)];
    drop(client.get(&client.at, None));
    town.fleet.advance(20 * 60_000);
    let reading = client.get(&client.at, Some("get_7"));
    assert!(!reading.within(100).1, "a client that is sent away comes back at once, for ever");
    drop(reading);
    town.fleet.advance(20 * 60_000);
    keeping.tell(&SUBSCRIBE, (client.key(), "get", "r", routes()));
    change(&town, &rig);
    town.fleet.advance(1_000);
    assert_eq!(uris(&messages(&client.get(&client.at, Some("get_7")).within(10).0)), ["rig"]);
}

#[test]
fn the_end_of_a_session_ends_its_stream() {
    let (town, _, _) = world();
    let client = Client::new(&town.fleet);
    let reading = client.get(&client.at, None);
    reading.within(10);
    let Got::Whole(response) = Client::send(&client.at, "DELETE", &[("mcp-session-id", &client.session)], "") else {
        panic!("a stream came")
    };
    assert_eq!((response.status, reading.within(10)), (204, (String::new(), true)));
}

fn resume(keeping: &Keeping, session: &str, stream: &str, after: i64) -> Vec<(Option<String>, Value)> {
    let open = OpenStream { session: Some(session.to_owned()), after: Some(after), begins: false, ..keeping.stream(stream, Vec::new()) };
    messages(&keeping.open(open).within(10).0)
}

#[test]
fn of_a_stream_sixty_four_events_and_two_mebibytes_are_kept() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let append = |stream: &str, messages: Vec<String>| -> Appended { keeping.ask(&APPEND_EVENTS, ("s", stream, messages, false)) };
    let appended = append("many", (0..100).map(|number| format!("{{\"n\":{number}}}")).collect());
    assert_eq!(appended, Appended { number: 100, is_own: true });
    let kept = resume(&keeping, "s", "many", 0);
    assert_eq!((kept.len(), kept[0].0.as_deref(), &kept[63].1["n"]), (64, Some("many_37"), &json!(99)));
    let long = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    for _ in 0..5 {
        append("long", vec![long(700_000)]);
    }
    let kept = resume(&keeping, "s", "long", 0);
    assert_eq!(kept.iter().map(|(id, _)| id.as_deref().unwrap()).collect::<Vec<_>>(), ["long_4", "long_5"]);
    // What is too long to be kept has a number all the same.
    append("huge", vec!["{}".to_owned()]);
    assert_eq!(append("huge", vec![long(1_100_000)]).number, 2);
    append("huge", vec!["{}".to_owned()]);
    let kept = resume(&keeping, "s", "huge", 0);
    assert_eq!(kept.iter().map(|(id, _)| id.as_deref().unwrap()).collect::<Vec<_>>(), ["huge_1", "huge_3"]);
}

#[test]
fn a_full_object_refuses_new_streams_and_goes_on_with_those_it_has() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let append = |stream: String| keeping.try_tell(&APPEND_EVENTS, ("s", stream, ["{}"], false));
    for number in 0..1_000 {
        append(number.to_string()).unwrap();
    }
    assert!(append("more".to_owned()).is_err());
    append("7".to_owned()).unwrap();
    assert_eq!(resume(&keeping, "s", "7", 1).len(), 1);
    keeping.fleet.advance(16 * 60_000);
    append("more".to_owned()).unwrap();
}

#[test]
fn a_call_learns_that_another_connection_sends_its_messages_now() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let append = |ends: bool| -> Appended { keeping.ask(&APPEND_EVENTS, ("s", "call", ["{}"], ends)) };
    assert!(append(false).is_own);
    let open = OpenStream { session: Some("s".to_owned()), after: Some(1), begins: false, ..keeping.stream("call", Vec::new()) };
    let reading = keeping.open(open);
    assert!(!append(false).is_own);
    assert_eq!(messages(&reading.within(10).0).len(), 1);
    append(true);
    let (text, has_ended) = reading.within(10);
    assert_eq!((messages(&text).len(), has_ended), (1, true));
    // Another session's stream of the same name is not there.
    assert!(resume(&keeping, "t", "call", 0).is_empty());
}

#[test]
fn subscribers_hear_of_rigs_and_towns_on_every_connection() {
    let (town, rig, keeping) = world();
    let of_town = Keeping::of_town(&town);
    let readings = [
        keeping.listen("one", vec![route(&rig.at, "rig", &town, UPDATED)]),
        keeping.listen("two", vec![route(&rig.at, "rig", &town, UPDATED), route(&town.at, "mayor", &town, UPDATED)]),
        of_town.listen("three", vec![route(&rig.at, "rig", &town, UPDATED)]),
    ];
    for reading in &readings {
        assert_eq!(reading.within(1).0, "data: {\"first\":1}\n\n");
    }
    change(&town, &rig);
    town.fleet.advance(i64::from(HEARD_MILLIS));
    for (reading, name) in readings.iter().zip(["one", "two", "three"]) {
        let heard = messages(&reading.within(0).0);
        assert_eq!(uris(&heard), ["rig"]);
        assert_eq!((heard[0].0.as_ref(), &heard[0].1["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"]), (None, &json!(name)));
    }
    let message = ("hello", Value::Null, Value::Null, Value::Null);
    town.fleet.tell(&town.at, &gastown_mcp::rpc::table::SEND_MAYOR_MESSAGE, message, &town.owner()).unwrap();
    town.fleet.run_background();
    let heard = readings.map(|reading| messages(&reading.within(HEARD_MILLIS).0).len());
    assert_eq!(heard, [0, 1, 0]);
}

#[test]
fn a_lease_is_renewed_for_as_long_as_somebody_listens() {
    let (town, rig, keeping) = world();
    town.unwatched();
    let reading = keeping.listen("one", vec![route(&rig.at, "rig", &town, UPDATED)]);
    for minute in 0..30 {
        town.fleet.advance(60_000);
        change(&town, &rig);
        assert_eq!(uris(&messages(&reading.within(HEARD_MILLIS).0)), ["rig"], "minute {minute}");
    }
    drop(reading);
    town.fleet.advance(30 * 60_000);
    assert_eq!(keeping.rows(), []);
    assert_eq!(
        town.sql(&rig.at).value::<i64>(&format!("SELECT COUNT(*) FROM listeners WHERE expires_at > {}", town.fleet.now().millis())),
        0
    );
}

#[test]
fn a_source_that_is_down_at_first_is_asked_until_it_answers() {
    let (town, rig, keeping) = world();
    town.fleet.trouble(&rig.at, Some(Trouble::DropBefore));
    let reading = keeping.listen("one", vec![route(&rig.at, "rig", &town, UPDATED)]);
    town.fleet.advance(20_000);
    town.fleet.trouble(&rig.at, None);
    town.fleet.advance(61_000);
    change(&town, &rig);
    assert_eq!(uris(&messages(&reading.within(HEARD_MILLIS).0)), ["rig"]);
    // Nobody is asked for ever on behalf of those who have gone.
    town.fleet.trouble(&town.at, Some(Trouble::DropBefore));
    drop(keeping.listen("two", vec![route(&town.at, "mayor", &town, UPDATED)]));
    drop(reading);
    town.fleet.advance(60 * 60_000);
    assert_eq!(keeping.rows(), []);
}

#[test]
fn an_evicted_object_ends_its_streams_and_goes_on_hearing_for_them() {
    let (town, rig, keeping) = world();
    let open = |after: Option<i64>| {
        let routes = vec![route(&rig.at, "rig", &town, UPDATED)];
        keeping.open(OpenStream { session: Some("s".to_owned()), after, ..keeping.stream("get", routes) })
    };
    let reading = open(None);
    town.fleet.evict(&keeping.at);
    assert_eq!(reading.within(10), (String::new(), true));
    change(&town, &rig);
    town.fleet.advance(1_000);
    assert_eq!(uris(&messages(&open(Some(0)).within(10).0)), ["rig"]);
}

#[test]
fn an_idle_stream_lives_and_ends_with_the_servers_word() {
    let (town, rig, keeping) = world();
    let reading = keeping.listen("one", vec![route(&rig.at, "rig", &town, UPDATED)]);
    reading.within(1);
    assert_eq!(reading.within(14_998).0, "");
    assert_eq!(reading.within(1).0, ":\n\n");
    let (text, has_ended) = reading.within(60 * 60_000);
    assert!(has_ended && text.ends_with("data: {\"last\":1}\n\n"), "{}", text.len());
    assert_eq!(text.matches(":\n\n").count(), 239, "one in fifteen seconds");
}

#[test]
fn what_is_unsubscribed_is_not_heard_of() {
    let (town, rig, keeping) = world();
    for name in ["a", "b"] {
        keeping.tell(&SUBSCRIBE, ("s", "get", name, vec![route(&rig.at, name, &town, UPDATED)]));
    }
    keeping.tell(&UNSUBSCRIBE, ("s", "get", "a"));
    assert_eq!(town.sql(&keeping.at).rows::<(String,)>("SELECT topic FROM routes"), [("b".to_owned(),)]);
    // What the object itself is the source of needs no lease.
    let own =
        mcp::client::NotificationRoute { source: "self".to_owned(), ..route(&rig.at, "tools", &town, "notifications/tools/list_changed") };
    let reading = keeping.listen("one", vec![own]);
    keeping.tell(&PUBLISH, ("tools",));
    assert_eq!(uris(&messages(&reading.within(1).0)), ["tools"]);
}

#[test]
fn an_answer_reaches_its_call_or_waits_for_it() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let until = || keeping.fleet.now().plus_millis(20_000);
    let wait = |session: &str, request: &str, ids: &[&str]| {
        let call = Call::new(keeping.at.clone(), &HEAR, (session, request, ids, until())).unwrap();
        keeping.fleet.start(&call, &keeping.context(&HEAR))
    };
    let heard = |reply: String| serde_json::from_str::<ClientReplies>(&reply).unwrap();
    let waiting = wait("s", "1", &["q1", "q2"]);
    keeping.fleet.advance(5_000);
    keeping.tell(&ANSWERED, ("t", "q1", r#"{"result":0}"#));
    keeping.tell(&ANSWERED, ("s", "q2", r#"{"result":2}"#));
    let start = keeping.fleet.now();
    let got = heard(keeping.fleet.block_on(waiting).unwrap());
    assert_eq!((Value::from(got.answers), got.is_cancelled), (json!({"q2": {"result": 2}}), false));
    assert_eq!(keeping.fleet.now(), start, "at once");
    // The first answer counts, and is taken once.
    keeping.tell(&ANSWERED, ("s", "q1", r#"{"result":1}"#));
    keeping.tell(&ANSWERED, ("s", "q1", r#"{"result":9}"#));
    assert_eq!(Value::from(heard(keeping.fleet.block_on(wait("s", "1", &["q1"])).unwrap()).answers), json!({"q1": {"result": 1}}));
    let nothing = heard(keeping.fleet.block_on(wait("s", "1", &["q1"])).unwrap());
    assert_eq!((nothing, keeping.fleet.now()), (ClientReplies::default(), start.plus_millis(20_000)));
    // A cancellation is its session's and its call's.
    let (mine, others) = (wait("s", "\"a\"", &[]), wait("t", "\"a\"", &[]));
    keeping.tell(&CANCELLED, ("s", "\"a\""));
    assert!(heard(keeping.fleet.block_on(mine).unwrap()).is_cancelled);
    assert!(!heard(keeping.fleet.block_on(others).unwrap()).is_cancelled);
    // A session that ends takes its calls with it.
    let orphaned = wait("u", "2", &["q1"]);
    keeping.tell(&END_SESSION, ("u", keeping.fleet.now().plus_millis(3_600_000)));
    let ended = keeping.fleet.now();
    assert!(heard(keeping.fleet.block_on(orphaned).unwrap()).is_cancelled);
    assert_eq!(keeping.fleet.now(), ended, "at once");
    for number in 0..100 {
        keeping.tell(&ANSWERED, ("s", format!("x{number}"), "{}"));
    }
    assert_eq!(keeping.fleet.sql(&keeping.at).value::<i64>("SELECT COUNT(*) FROM client_messages WHERE session = 's'"), 64);
}

#[test]
fn what_is_spent_is_spent_after_an_eviction_too() {
    let keeping = Keeping::of(&Fleet::new(), "user:x");
    let spend = |what: &str| -> bool { keeping.ask(&SPEND_ONCE, (what, keeping.fleet.now().plus_millis(60_000))) };
    assert!(spend("a"));
    keeping.fleet.evict(&keeping.at);
    assert_eq!((spend("a"), spend("b")), (false, true));
}

#[test]
fn a_watch_hears_from_the_moment_it_was_opened() {
    let (town, rig, keeping) = world();
    keeping.tell(&OPEN_WATCH, ("w", vec![route(&rig.at, "rig", &town, "")], town.fleet.now().plus_millis(60_000)));
    let wait = |millis: i64| -> bool { keeping.ask(&AWAIT_WATCH, ("w", town.fleet.now().plus_millis(millis))) };
    assert!(!wait(5_000));
    change(&town, &rig);
    assert!(wait(1_000));
    assert!(!wait(0), "each change counts once");
}

#[test]
fn in_the_end_nothing_is_kept() {
    let (town, rig, keeping) = world();
    let now = town.fleet.now();
    let routes = || vec![route(&rig.at, "rig", &town, UPDATED)];
    keeping.tell(&SET_LOG_LEVEL, ("s", "debug", now.plus_millis(7 * 24 * 60 * 60_000)));
    keeping.tell(&END_SESSION, ("t", now.plus_millis(7 * 24 * 60 * 60_000)));
    keeping.tell(&SPEND_ONCE, ("x", now.plus_millis(15 * 60_000)));
    keeping.tell(&ANSWERED, ("s", "q", "{}"));
    keeping.tell(&APPEND_EVENTS, ("s", "call", ["{}"], false));
    keeping.tell(&SUBSCRIBE, ("s", "get", "r", routes()));
    keeping.tell(&OPEN_WATCH, ("w", routes(), now.plus_millis(60_000)));
    let mut task = keeping.new_task("t1", "p");
    task.routes = routes();
    keeping.create(&task);
    drop(keeping.listen("one", routes()));
    change(&town, &rig);
    town.fleet.settle();
    assert!(keeping.rows().len() >= 9, "{:?}", keeping.rows());
    town.fleet.advance(8 * 24 * 60 * 60_000);
    assert_eq!((keeping.rows(), keeping.fleet.alarm_of(&keeping.at)), (Vec::new(), None));
}
