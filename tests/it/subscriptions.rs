//! What subscribers of a town, its feed and its convoys hear of what happens: from the change to the client.

use crate::support::Fleet;
use crate::support::client::{Client, messages, watch};
use crate::support::edge::Reading;
use crate::support::tokens::{OWNER, internal};
use gastown_mcp::contract::shapes::SlingConvoyResult;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table::{APPEND_EVENTS, DELIVER_TO_TOWN, SEND_MAYOR_MESSAGE};
use serde_json::{Value, json};

/// From a change to the client.
const SOON_MILLIS: u32 = 800;
const UPDATED: &str = "notifications/resources/updated";

struct Started {
    convoy: SlingConvoyResult,
}

type World = crate::support::World<Started>;

impl World {
    fn new() -> Self {
        Self::holding(|town, rig| {
            town.configure(json!({"convoy_merge_mode": "review-and-merge"})).unwrap();
            let convoy = town.convoy(rig, Some(false), &[&[], &[]]);
            town.fleet.settle();
            Started { convoy }
        })
    }

    fn town_uri(&self) -> String {
        format!("gastown://towns/{}", self.town.id)
    }

    fn feed_uri(&self) -> String {
        format!("{}/feed", self.town_uri())
    }

    fn convoy_uri(&self) -> String {
        format!("{}/convoys/{}", self.town_uri(), self.convoy.convoy.id)
    }

    /// One stream that hears of all three, in either era.
    fn listen(&self, is_modern: bool) -> (Client, Reading) {
        let uris = [self.town_uri(), self.feed_uri(), self.convoy_uri()];
        if is_modern {
            let client = Client::modern(&self.town.fleet, json!({}));
            let reading = client.open("subscriptions/listen", json!("s"), json!({"notifications": {"resourceSubscriptions": uris}}));
            let first = messages(&reading.within(50).0);
            assert_eq!(first[0]["params"]["notifications"]["resourceSubscriptions"], json!(uris));
            return (client, reading);
        }
        let client = Client::legacy(&self.town.fleet);
        for uri in uris {
            client.result("resources/subscribe", json!({"uri": uri}));
        }
        let reading = client.listen();
        (client, reading)
    }

    fn close_all(&self) {
        for part in &self.convoy.beads {
            self.town.close(&self.rig, &part.bead.bead_id);
        }
    }

    /// The rig tells that its beads were merged.
    fn merge_all(&self) {
        let letter = |bead: Value| {
            let mut body = bead;
            body["merge_commit"] = json!("c0ffee");
            json!({"kind": "bead", "subject": body["bead_id"], "generation": 1_000_000, "body": body})
        };
        let letters: Vec<Value> =
            self.town.convoy_status(&self.convoy.convoy.id).beads.into_iter().map(|bead| letter(json!(bead))).collect();
        let context = internal(&self.town.fleet, &self.rig.at, Some(&self.town.id), &DELIVER_TO_TOWN);
        self.town.fleet.tell(&self.town.at, &DELIVER_TO_TOWN, (letters,), &context).unwrap();
    }
}

/// The outcomes that came for a URI, those of them that say something.
fn outcomes(messages: &[Value], uri: &str) -> Vec<Value> {
    let about = messages.iter().filter(|message| message["method"] == UPDATED && message["params"]["uri"] == uri);
    about.map(|message| message["params"]["_meta"]["gastown/outcome"].clone()).filter(|outcome| !outcome.is_null()).collect()
}

/// What a subscriber heard of what happened: kinds and subjects.
fn happened(messages: &[Value], uri: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    outcomes(messages, uri).iter().map(|outcome| (text(&outcome["kind"]), text(&outcome["subject"]))).collect()
}

fn in_both_eras(test: impl Fn(bool)) {
    [true, false].into_iter().for_each(test);
}

#[test]
fn a_convoy_that_landed_is_told_to_all_three() {
    in_both_eras(|is_modern| {
        let world = World::new();
        world.close_all();
        world.town.fleet.settle();
        let (_client, reading) = world.listen(is_modern);
        world.merge_all();
        let (heard, _) = watch(&reading, &world.town.fleet, SOON_MILLIS);
        let id = world.convoy.convoy.id.to_string();
        for uri in [world.town_uri(), world.feed_uri()] {
            assert_eq!(happened(&heard, &uri), [("convoy_landed".to_owned(), id.clone())], "{uri}: {heard:?}");
        }
        let told = outcomes(&heard, &world.convoy_uri());
        assert_eq!(
            told.last().unwrap(),
            &json!({"convoy_id": id, "status": "landed", "total_beads": 2, "closed_beads": 2, "failed_beads": 0})
        );
    });
}

#[test]
fn a_convoy_that_ended_with_failures_is_told_and_is_not_called_done() {
    in_both_eras(|is_modern| {
        let world = World::new();
        let (_client, reading) = world.listen(is_modern);
        world.town.close(&world.rig, &world.convoy.beads[0].bead.bead_id);
        world.town.fail(&world.rig, &world.convoy.beads[1].bead.bead_id);
        let (heard, _) = watch(&reading, &world.town.fleet, SOON_MILLIS);
        let id = world.convoy.convoy.id.to_string();
        for uri in [world.town_uri(), world.feed_uri()] {
            assert_eq!(happened(&heard, &uri).last(), Some(&("convoy_ended".to_owned(), id.clone())), "{uri}: {heard:?}");
        }
        let told = outcomes(&heard, &world.convoy_uri());
        assert_eq!((&told.last().unwrap()["status"], &told.last().unwrap()["failed_beads"]), (&json!("failed"), &json!(1)));
        assert!(!json!(heard).to_string().contains("task "), "text of agents");
    });
}

#[test]
fn a_message_for_the_mayor_is_told_by_its_id_and_without_its_text() {
    in_both_eras(|is_modern| {
        let world = World::new();
        let (client, reading) = world.listen(is_modern);
        let answer = client.call("send_mayor_message", &json!({"town": world.town.id, "message": "hold the release"}));
        let id = answer["structuredContent"]["message_id"].as_str().unwrap().to_owned();
        let (heard, _) = watch(&reading, &world.town.fleet, SOON_MILLIS);
        for uri in [world.town_uri(), world.feed_uri()] {
            assert_eq!(happened(&heard, &uri), [("mayor_message".to_owned(), id.clone())], "{uri}: {heard:?}");
        }
        let number = &outcomes(&heard, &world.feed_uri())[0]["number"];
        assert_eq!(number.as_i64(), Some(world.town.sql(&world.town.at).value::<i64>("SELECT max(number) FROM feed")));
        assert!(!json!(heard).to_string().contains("release"));
    });
}

// As docs/streams.md says: of a burst only the newest is told, and its number shows that there was more.
#[test]
fn of_a_burst_the_newest_is_told_and_its_number_jumps() {
    let world = World::new();
    let (_client, reading) = world.listen(true);
    let last = || world.town.sql(&world.town.at).value::<i64>("SELECT max(number) FROM feed");
    let before = last();
    for text in ["one", "two", "three"] {
        world.town.fleet.tell(&world.town.at, &SEND_MAYOR_MESSAGE, (text, (), (), ()), &world.town.owner()).unwrap();
    }
    let (heard, _) = watch(&reading, &world.town.fleet, SOON_MILLIS);
    let numbers: Vec<i64> = outcomes(&heard, &world.feed_uri()).iter().map(|outcome| outcome["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers.last(), Some(&last()));
    assert!(numbers.len() < 3 && last() == before + 3, "{numbers:?}");
}

#[test]
fn subscriptions_survive_a_restart_and_missed_messages_are_sent_again() {
    let world = World::new();
    let (client, reading) = world.listen(false);
    let fleet: &Fleet = &world.town.fleet;
    drop(reading);
    fleet.restart();
    world.town.fleet.tell(&world.town.at, &SEND_MAYOR_MESSAGE, ("x", (), (), ()), &world.town.owner()).unwrap();
    fleet.settle();
    let (heard, _) = watch(&client.listen(), fleet, SOON_MILLIS);
    assert_eq!(happened(&heard, &world.feed_uri())[0].0, "mayor_message");
}

fn sessions() -> Instance {
    Instance::Session(format!("principal:user:{OWNER}"))
}

#[test]
fn a_stream_keeps_its_newest_64_events_for_five_minutes() {
    let world = World::new();
    let (client, reading) = world.listen(false);
    drop(reading);
    let fleet: &Fleet = &world.town.fleet;
    let kept = || fleet.sql(&sessions()).value::<i64>("SELECT COUNT(*) FROM events");
    for _ in 0..40 {
        // Two events each: the town's and its feed's.
        world.town.fleet.tell(&world.town.at, &SEND_MAYOR_MESSAGE, ("x", (), (), ()), &world.town.owner()).unwrap();
        fleet.settle();
    }
    assert_eq!(kept(), 64);
    let (heard, _) = watch(&client.listen(), fleet, SOON_MILLIS);
    assert_eq!(heard.len(), 64);
    let last = world.town.sql(&world.town.at).value::<i64>("SELECT max(number) FROM feed");
    assert_eq!(outcomes(&heard, &world.feed_uri()).last().unwrap()["number"], last, "the newest are kept");
    fleet.advance(16 * 60_000);
    for table in ["events", "streams", "routes", "leases"] {
        assert_eq!(fleet.sql(&sessions()).value::<i64>(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table}");
    }
}

#[test]
fn a_stream_keeps_two_mebibytes_at_most() {
    let fleet = Fleet::new();
    let context = internal(&fleet, &sessions(), None, &APPEND_EVENTS);
    let messages = vec!["x".repeat(900 * 1_024); 4];
    fleet.tell(&sessions(), &APPEND_EVENTS, ("s", "t", messages, false), &context).unwrap();
    assert_eq!(fleet.sql(&sessions()).rows::<(i64,)>("SELECT number FROM events ORDER BY number"), [(3,), (4,)]);
}

#[test]
fn a_stateless_stream_ends_with_its_connection_and_after_an_hour() {
    let world = World::new();
    let (_client, reading) = world.listen(true);
    world.town.fleet.advance(61 * 60_000);
    let (_, is_over) = watch(&reading, &world.town.fleet, 1_000);
    assert!(is_over);
    let (_client, reading) = world.listen(true);
    drop(reading);
    world.town.fleet.advance(16 * 60_000);
    assert_eq!(world.town.fleet.sql(&sessions()).value::<i64>("SELECT COUNT(*) FROM routes"), 0);
}
