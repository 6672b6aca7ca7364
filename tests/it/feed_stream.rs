//! The feed as an event stream: it begins with the newest, goes on with what happens, and is gone on with.

use crate::support::edge::{Got, Isolate, Reading, Sent, header, messages, text};
use crate::support::tokens::{self, LIFE_SECONDS, OWNER};
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble};
use base::http::Response;
use gastown_mcp::contract::ids::AgentId;
use serde_json::{Value, json};

fn request(town: &Town, token: &str, query: &str, headers: &[(&str, &str)]) -> Sent {
    Sent::new("GET", format!("/api/towns/{}/feed{query}", town.id)).bearer(token).with_all(headers.iter().copied())
}

/// Follows as the owner, from an isolate of its own.
fn follow(town: &Town, last: Option<&str>) -> Reading {
    let mut headers = vec![("accept", "text/event-stream")];
    headers.extend(last.map(|last| ("last-event-id", last)));
    Isolate::new(&town.fleet).open(request(town, &town.owner().jwt, "", &headers))
}

fn page(town: &Town, query: &str) -> Value {
    let response = Isolate::new(&town.fleet).send(request(town, &town.owner().jwt, query, &[]));
    assert_eq!(response.status, 200, "{}", text(&response));
    serde_json::from_str::<Value>(&text(&response)).unwrap()["data"].clone()
}

/// Everything that comes within so many milliseconds, while objects go on with what they left for after their replies.
fn hear(town: &Town, reading: &Reading, millis: u32) -> Vec<(String, Value)> {
    let mut all = String::new();
    for _ in 0..millis.div_ceil(50) {
        town.fleet.run_background();
        let (text, is_over) = reading.within(50);
        all.push_str(&text);
        if is_over {
            break;
        }
    }
    messages(&all).into_iter().map(|(id, data)| (id.unwrap(), data)).collect()
}

fn kinds(events: &[(String, Value)]) -> Vec<&str> {
    events.iter().map(|(_, data)| data["kind"].as_str().unwrap()).collect()
}

fn world() -> (Town, Rig) {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    (town, rig)
}

#[test]
fn it_begins_with_the_newest_and_goes_on_with_what_happens() {
    let (town, rig) = world();
    let reading = follow(&town, None);
    let (text, _) = reading.within(10);
    assert!(text.starts_with("retry: 1000\n\nevent: town_created\nid: "), "{text}");
    let slung = town.sling(&rig, "one");
    let heard = hear(&town, &reading, 1_200);
    assert_eq!(kinds(&heard), ["created", "hooked", "agent_spawned"]);
    assert_eq!((&heard[0].1["source"], &heard[0].1["subject"]), (&json!(rig.id), &json!(slung.bead.bead_id)));
    town.convoy(&rig, Some(true), &[&[]]);
    assert_eq!(kinds(&hear(&town, &reading, 1_200))[0], "convoy_created");
    // Silence is filled with comments, and costs no look at the rigs.
    town.fleet.take_shown();
    let (text, is_over) = reading.within(60_000);
    assert!(!is_over && text.replace(":\n\n", "").is_empty() && text.len() >= 9, "{text:?}");
    assert!(town.fleet.take_shown().iter().all(|(to, _)| *to == town.at));
}

/// S3-39, S3-41: whoever comes back, to whichever isolate, misses nothing and sees nothing twice.
#[test]
fn a_client_that_comes_back_goes_on_behind_any_event() {
    let (town, rig) = world();
    let reading = follow(&town, None);
    for _ in 0..3 {
        town.sling(&rig, "t");
    }
    town.convoy(&rig, Some(false), &[&[], &[0]]);
    let mut all = hear(&town, &reading, 3_000);
    drop(reading);
    town.sling(&rig, "while away");
    town.fleet.restart();
    town.fleet.settle();
    for at in 0..all.len() {
        let back = hear(&town, &follow(&town, Some(&all[at].0)), 2_000);
        let (missed, known) = (back.len() - 3, all.len() - 1 - at);
        assert_eq!(missed, known, "behind event {at}");
        assert_eq!(
            back[..known].iter().map(|(_, data)| data).collect::<Vec<_>>(),
            all[at + 1..].iter().map(|(_, data)| data).collect::<Vec<_>>()
        );
    }
    let newest = hear(&town, &follow(&town, Some(&all.pop().unwrap().0)), 2_000).pop().unwrap();
    assert_eq!(hear(&town, &follow(&town, Some(&newest.0)), 2_000), []);
    // The id of an event is the cursor of a page, and the other way round.
    assert_eq!(page(&town, &format!("?cursor={}", newest.0))["entries"], json!([]));
    let first = page(&town, "?cursor=start&limit=1");
    assert_eq!(first["entries"][0]["kind"], "town_created");
    let rest = hear(&town, &follow(&town, first["cursor"].as_str()), 2_000);
    assert_eq!(rest[0].1["kind"], "rig_added");
    assert_eq!(rest.len() + 1, page(&town, "?cursor=start&limit=200")["entries"].as_array().unwrap().len());
}

/// What a silent rig did comes when it speaks again, and nobody is asked without end meanwhile.
#[test]
fn a_rig_that_does_not_answer_holds_up_nobody_and_is_made_up_for() {
    let (town, rig) = world();
    let backend = town.add_rig("backend", 3);
    town.fleet.settle();
    let reading = follow(&town, None);
    reading.within(10);
    town.sling(&backend, "told of");
    town.fleet.run_background();
    town.fleet.advance(100);
    town.fleet.trouble(&backend.at, Some(Trouble::Hang));
    town.sling(&rig, "seen");
    let heard = hear(&town, &reading, 3_000);
    assert_eq!(kinds(&heard), ["created", "hooked", "agent_spawned"]);
    assert!(heard.iter().all(|(_, data)| data["source"] == json!(rig.id)));
    town.fleet.take_shown();
    hear(&town, &reading, 30_000);
    let asked = town.fleet.take_shown().iter().filter(|(to, _)| *to == backend.at).count();
    assert!(asked <= 12, "{asked} calls in 30 s");
    town.fleet.trouble(&backend.at, None);
    let late = hear(&town, &reading, 12_000);
    assert_eq!(kinds(&late), ["created", "hooked", "agent_spawned"]);
    assert!(late.iter().all(|(_, data)| data["source"] == json!(backend.id)));
}

#[test]
fn it_ends_with_its_token_and_after_an_hour() {
    let (town, _rig) = world();
    let reading = follow(&town, None);
    town.fleet.advance(LIFE_SECONDS * 1_000 - 60_000);
    assert!(!reading.within(1_000).1);
    assert!(reading.within(61_000).1);
    // A token that lives for longer: the client comes back after an hour.
    let claims = gastown_mcp::auth::mint::UserClaims { user_id: OWNER, orgs: &[], scope: None };
    let long = gastown_mcp::auth::mint::mint_user(town.fleet.keys(), &claims, 30 * 24 * 3_600, town.fleet.now()).unwrap();
    let reading = Isolate::new(&town.fleet).open(request(&town, &long, "", &[("accept", "text/event-stream")]));
    assert!(!reading.within(3_590_000).1);
    assert!(reading.within(30_000).1);
    assert!(town.fleet.take_faults().is_empty());
}

#[test]
fn a_burst_is_looked_at_once_a_second() {
    let (town, rig) = world();
    let reading = follow(&town, None);
    reading.within(10);
    town.fleet.take_shown();
    let mut heard = 0;
    for _ in 0..50 {
        town.sling(&rig, "t");
        heard += hear(&town, &reading, 100).len();
    }
    heard += hear(&town, &reading, 2_000).len();
    assert!(heard >= 55, "{heard}");
    let looks = town.fleet.take_shown().iter().filter(|(to, _)| *to == rig.at).count() - 50;
    assert!(looks <= 20, "{looks} calls of the rig beside the slings");
}

fn answer(town: &Town, token: &str, query: &str, headers: &[(&str, &str)]) -> Response {
    match Isolate::new(&town.fleet).exchange(request(town, token, query, headers)) {
        Got::Whole(response) => response,
        Got::Stream(..) => panic!("a stream came"),
    }
}

#[test]
fn who_may_not_see_it_is_refused_before_it_begins() {
    let (town, rig) = world();
    let stream = [("accept", "text/event-stream")];
    let fleet: &Fleet = &town.fleet;
    let polecat = town.polecat(&rig, &AgentId::from_random([5; 16])).jwt;
    for (token, query, status) in [
        ("garbage", "", 401),
        (tokens::user(fleet, "stranger").jwt.as_str(), "", 403),
        (polecat.as_str(), "", 403),
        (tokens::mayor(fleet, &Town::new(fleet, 9).id).jwt.as_str(), "", 403),
        (town.owner().jwt.as_str(), "?cursor=garbage", 400),
        (town.owner().jwt.as_str(), "?limit=many", 400),
    ] {
        let response = answer(&town, token, query, &stream);
        assert_eq!(response.status, status, "{query}: {}", text(&response));
    }
    let mut gone = request(&town, &town.owner().jwt, "", &stream);
    gone.path = format!("/api/towns/{}/feed", gastown_mcp::contract::ids::TownId::from_random([88; 16]));
    assert_eq!(Isolate::new(fleet).send(gone).status, 404);
    let mut posted = request(&town, &town.owner().jwt, "", &stream);
    posted.method = "POST".to_owned();
    assert_eq!(Isolate::new(fleet).send(posted).status, 405);
    // Whoever may read may follow; a page that was let in may read the answer.
    let headers = [stream[0], ("origin", "https://allowed.example")];
    for token in [tokens::observer(fleet, OWNER).jwt, tokens::mayor(fleet, &town.id).jwt, tokens::container(fleet, &town.id).jwt] {
        let Got::Stream(head, _) = Isolate::new(fleet).exchange(request(&town, &token, "", &headers)) else { panic!("no stream") };
        assert_eq!(header(&head, "content-type").as_deref(), Some("text/event-stream"));
        assert_eq!(header(&head, "cache-control").as_deref(), Some("no-cache"));
        assert_eq!(header(&head, "access-control-allow-origin").as_deref(), Some("https://allowed.example"));
    }
}
