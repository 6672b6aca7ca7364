//! Connections on a town's status: what they are shown, and for how long.

use crate::support::edge::{Isolate, Sent, header, text};
use crate::support::sockets::TestSocket;
use crate::support::tokens::{self, LIFE_SECONDS, OWNER};
use crate::support::town::Rig;
use crate::support::{Fleet, Town, Trouble, code, refusal};
use base::error::{Code, Failure};
use base::http::{Response, ResponseBody};
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::objects::socket::{MESSAGE_BYTES_MAX, received};
use gastown_mcp::objects::town::views::viewers::{SNAPSHOT_MILLIS, SOCKETS_MAX, WATCH_MILLIS};
use gastown_mcp::rpc::call::Context;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn world() -> (Town, Rig) {
    let (town, rig) = Town::with_rig();
    town.fleet.settle();
    (town, rig)
}

/// A request for a connection, with these headers beside the upgrade's.
fn ask(town: &Town, headers: &[(&str, &str)]) -> Response {
    let sent = Sent::new("GET", format!("/api/towns/{}/status/ws", town.id)).with("upgrade", "websocket");
    Isolate::new(&town.fleet).send(sent.with_all(headers.iter().copied()))
}

fn ask_as(town: &Town, context: &Context) -> Response {
    ask(town, &[("authorization", &format!("Bearer {}", context.jwt))])
}

/// A connection of the owner's, and what it was shown first.
fn connect(town: &Town) -> (TestSocket, Value) {
    let socket = socket(&ask_as(town, &town.owner()));
    let first = socket.take();
    assert_eq!(first.len(), 1, "{first:?}");
    (socket, first[0].clone())
}

fn socket(response: &Response) -> TestSocket {
    match &response.body {
        ResponseBody::Socket(socket) => socket.0.downcast_ref::<TestSocket>().unwrap().clone(),
        _ => panic!("{} {}", response.status, text(response)),
    }
}

/// Lets everything be told.
fn pass(fleet: &Fleet, millis: i64) {
    for _ in 0..4 {
        fleet.run_background();
        fleet.advance(millis / 4);
    }
}

fn channel<'a>(frames: &'a [Value], name: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["channel"] == name).collect()
}

fn snapshots(frames: &[Value]) -> Vec<&Value> {
    frames.iter().filter(|frame| frame["alarm"].is_object()).collect()
}

/// Contract 3.8.
#[test]
fn a_connection_is_shown_the_status_and_then_what_happens() {
    let (town, rig) = world();
    let (socket, first) = connect(&town);
    assert_eq!((&first["beads"]["open"], &first["coverage"]["asked"]), (&json!(0), &json!(1)));
    assert!(first.get("channel").is_none());
    pass(&town.fleet, 400);
    socket.take();

    let slung = town.sling(&rig, "fix the build");
    pass(&town.fleet, 2_000);
    let frames = socket.take();
    let bead = &slung.bead.bead_id;
    let created = json!({"channel": "bead", "type": "bead.created", "beadId": bead, "title": "fix the build", "status": "open",
        "rigId": rig.id, "ts": slung.bead.created_at});
    assert_eq!(channel(&frames, "bead"), [&created]);
    assert_eq!(snapshots(&frames).last().unwrap()["beads"]["open"], 1);

    town.set_status(&rig, bead, gastown_mcp::contract::shapes::BeadStatus::InProgress);
    pass(&town.fleet, 2_000);
    town.fail(&rig, bead);
    pass(&town.fleet, 2_000);
    let other = town.sling(&rig, "b");
    town.close(&rig, &other.bead.bead_id);
    pass(&town.fleet, 2_000);
    let frames = socket.take();
    let seen: Vec<(&str, &str)> =
        channel(&frames, "bead").iter().map(|frame| (frame["type"].as_str().unwrap(), frame["status"].as_str().unwrap())).collect();
    assert_eq!(
        seen,
        [("bead.status_changed", "in_progress"), ("bead.failed", "failed"), ("bead.created", "open"), ("bead.closed", "closed")]
    );

    let convoy = town.convoy(&rig, Some(false), &[&[], &[]]);
    pass(&town.fleet, 2_000);
    town.close(&rig, &convoy.beads[0].bead.bead_id);
    pass(&town.fleet, 2_000);
    let frames = socket.take();
    let shown = channel(&frames, "convoy");
    let last = shown.last().unwrap();
    assert_eq!((&last["convoyId"], &last["totalBeads"], &last["closedBeads"]), (&json!(convoy.convoy.id), &json!(2), &json!(1)));
    assert!(last["ts"].is_string());
}

#[test]
fn the_status_is_shown_once_a_second_with_the_last_change_in_it() {
    let (town, rig) = world();
    town.unwatched();
    let (socket, _) = connect(&town);
    pass(&town.fleet, 3_000);
    socket.take();
    let mut shown = Vec::new();
    for number in 0..40 {
        town.sling(&rig, &format!("{number}"));
        pass(&town.fleet, 100);
        shown.extend(snapshots(&socket.take()).into_iter().cloned());
    }
    assert!((3..=5).contains(&shown.len()), "{} in four seconds", shown.len());
    pass(&town.fleet, SNAPSHOT_MILLIS + 200);
    shown.extend(snapshots(&socket.take()).into_iter().cloned());
    assert_eq!(shown.last().unwrap()["beads"]["open"], 40);
    // Then nothing changes, and nothing is shown.
    pass(&town.fleet, 60_000);
    assert_eq!(socket.take(), Vec::<Value>::new());
}

/// Everybody sees every event once, even when letters are lost or come twice, or the town leaves memory.
#[test]
fn an_event_is_shown_once_to_everyone_who_is_there() {
    let (town, rig) = world();
    let (early, _) = connect(&town);
    pass(&town.fleet, 2_000);
    for (number, trouble) in [Trouble::DropBefore, Trouble::DropAfter, Trouble::Duplicate].into_iter().enumerate() {
        town.fleet.trouble(&town.at, Some(trouble));
        town.sling(&rig, &format!("{number}"));
        pass(&town.fleet, 100);
        town.fleet.trouble(&town.at, None);
        town.fleet.evict(&town.at);
        town.fleet.settle();
    }
    let (late, _) = connect(&town);
    pass(&town.fleet, 2_000);
    town.sling(&rig, "last");
    pass(&town.fleet, 2_000);
    let titles = |socket: &TestSocket| -> Vec<String> {
        channel(&socket.take(), "bead").iter().map(|frame| frame["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&early), ["0", "1", "2", "last"]);
    assert_eq!(titles(&late), ["last"]);
}

#[test]
fn while_nobody_watches_a_change_costs_nothing() {
    let (town, rig) = world();
    town.unwatched();
    let told = || {
        town.fleet.settle();
        let sql = town.sql(&rig.at);
        sql.take_log();
        town.sling(&rig, "t");
        let posts: Vec<String> =
            sql.take_log().into_iter().filter(|(_, params)| params.contains("\"frames\"")).map(|(name, _)| name).collect();
        posts.len()
    };
    assert_eq!(told(), 0);
    let (socket, _) = connect(&town);
    assert_eq!(told(), 3, "an event each for the bead, its hook and its polecat");
    // As long as it is open the rigs tell, however quiet it is.
    pass(&town.fleet, 4 * WATCH_MILLIS);
    assert!(socket.closed().is_none());
    assert_ne!(told(), 0);
    socket.leave();
    pass(&town.fleet, 2 * WATCH_MILLIS);
    assert_eq!(told(), 0);
    town.fleet.advance(WATCH_MILLIS);
    assert_eq!(town.fleet.alarm_of(&town.at), None, "the town's alarm is at rest");
}

#[test]
fn a_connection_ends_with_its_token() {
    let (town, rig) = world();
    let (socket, _) = connect(&town);
    pass(&town.fleet, LIFE_SECONDS * 1_000 - 10_000);
    assert!(socket.closed().is_none());
    town.fleet.advance(11_000);
    town.sling(&rig, "too late");
    pass(&town.fleet, 2_000);
    assert_eq!(socket.closed(), Some(4001));
    assert_eq!(channel(&socket.take(), "bead"), Vec::<&Value>::new());
    // Also when nothing happens: the alarm sees to it.
    let (quiet, _) = connect(&town);
    town.sling(&rig, "once");
    town.fleet.advance(LIFE_SECONDS * 1_000 - 1_000);
    assert_eq!(quiet.closed(), None);
    town.fleet.advance(2_000);
    assert_eq!(quiet.closed(), Some(4001));
    assert!(town.fleet.take_faults().is_empty());
}

#[test]
fn fifty_connections_watch_a_town_and_no_more() {
    let (town, _rig) = world();
    let sockets: Vec<TestSocket> = (0..SOCKETS_MAX).map(|_| connect(&town).0).collect();
    let refused = ask_as(&town, &town.owner());
    assert_eq!(refused.status, 503, "{}", text(&refused));
    assert!(text(&refused).contains("50 connections watch this town already"));
    sockets[7].leave();
    connect(&town);
    assert_eq!(ask_as(&town, &town.owner()).status, 503);
    // Those whose tokens have ended make room.
    town.fleet.advance(LIFE_SECONDS * 1_000 + 1);
    connect(&town);
}

#[test]
fn who_may_not_watch_is_refused_before_there_is_a_connection() {
    let (town, rig) = world();
    let polecat = town.polecat(&rig, &AgentId::from_random([5; 16]));
    for (response, status) in [
        (ask(&town, &[]), 401),
        (ask(&town, &[("authorization", "Bearer garbage")]), 401),
        (ask(&town, &[("sec-websocket-protocol", "gastown-status, bearer.garbage")]), 401),
        (ask_as(&town, &tokens::user(&town.fleet, "stranger")), 403),
        (ask_as(&town, &polecat), 403),
        (ask_as(&town, &tokens::mayor(&town.fleet, &Town::new(&town.fleet, 9).id)), 403),
        (ask(&town, &[("origin", "https://evil.example"), ("authorization", &format!("Bearer {}", town.owner().jwt))]), 403),
        (ask(&town, &[("upgrade", "h2c"), ("authorization", &format!("Bearer {}", town.owner().jwt))]), 426),
    ] {
        assert_eq!(response.status, status, "{}", text(&response));
    }
    // A token in the query is none.
    let path = format!("/api/towns/{}/status/ws?token={}&access_token={0}", town.id, town.owner().jwt);
    let response = Isolate::new(&town.fleet).send(Sent::new("GET", path).with("upgrade", "websocket"));
    assert_eq!(response.status, 401);
    assert_eq!(town.sql(&town.at).value::<i64>("SELECT watched_until FROM town"), 0);
    // Whoever may read may watch.
    for context in [
        tokens::observer(&town.fleet, OWNER),
        tokens::user_with(&town.fleet, OWNER, Some(Scope::Write), &[]),
        tokens::mayor(&town.fleet, &town.id),
    ] {
        assert_eq!(ask_as(&town, &context).status, 101);
    }
}

/// A browser sends no headers with a WebSocket, but names of protocols.
#[test]
fn a_browser_shows_its_token_as_a_protocol_which_is_not_said_back() {
    let (town, _rig) = world();
    let protocols = format!("gastown-status, bearer.{}", town.owner().jwt);
    let response = ask(&town, &[("sec-websocket-protocol", &protocols), ("origin", "https://allowed.example")]);
    assert_eq!(response.status, 101);
    assert_eq!(header(&response, "sec-websocket-protocol").as_deref(), Some("gastown-status"));
    let without = ask(&town, &[("sec-websocket-protocol", &format!("bearer.{}", town.owner().jwt))]);
    assert_eq!((without.status, header(&without, "sec-websocket-protocol")), (101, None));
    // At other doors a protocol is no token.
    let sent = Sent::new("GET", format!("/api/towns/{}/feed", town.id)).with("sec-websocket-protocol", protocols);
    let response = Isolate::new(&town.fleet).send(sent);
    assert_eq!(response.status, 401);
}

#[test]
fn a_client_that_says_too_much_is_sent_away() {
    let (town, _rig) = world();
    let (socket, _) = connect(&town);
    received(&socket, MESSAGE_BYTES_MAX);
    assert_eq!(socket.closed(), None);
    received(&socket, MESSAGE_BYTES_MAX + 1);
    assert_eq!(socket.closed(), Some(1009));
}

/// Contract 2.4 and 3.11.
#[test]
fn a_ui_action_reaches_every_client_with_the_towns_own_id() {
    let (town, rig) = world();
    let cast = |action: &Value, context: &Context| -> Result<(), Failure> {
        town.fleet.tell(&town.at, &rpc::BROADCAST_UI_ACTION, (action,), context)
    };
    let id = rig.id.as_str();
    // Nobody is there: nobody is told, and that is no error.
    cast(&json!({"type": "navigate", "page": "beads"}), &town.owner()).unwrap();
    let (one, _) = connect(&town);
    let (two, _) = connect(&town);
    pass(&town.fleet, 2_000);
    drop((one.take(), two.take()));
    let good = [
        json!({"type": "open_bead_drawer", "beadId": id, "rigId": id}),
        json!({"type": "highlight_bead", "beadId": id, "rigId": id}),
        json!({"type": "open_convoy_drawer", "convoyId": id, "townId": "another"}),
        json!({"type": "open_agent_drawer", "agentId": id, "rigId": id, "townId": id}),
        json!({"type": "navigate", "page": "town-overview", "more": "<script>"}),
    ];
    for action in &good {
        cast(action, &tokens::mayor(&town.fleet, &town.id)).unwrap();
    }
    for socket in [one, two] {
        let frames = socket.take();
        let actions = channel(&frames, "ui_action");
        assert_eq!(actions.len(), good.len());
        assert_eq!(actions[0]["action"], good[0]);
        assert_eq!(actions[2]["action"], json!({"type": "open_convoy_drawer", "convoyId": id, "townId": town.id}));
        assert_eq!(actions[3]["action"]["townId"], json!(town.id));
        assert_eq!(actions[4]["action"], json!({"type": "navigate", "page": "town-overview"}));
    }
    for (bad, says) in [
        (json!({}), "type must be"),
        (json!({"type": "reboot"}), "type must be"),
        (json!({"type": "navigate", "page": "https://evil.example"}), "page must be one of town-overview"),
        (json!({"type": "open_bead_drawer", "rigId": id}), "beadId must be an id"),
    ] {
        let refusal = refusal(cast(&bad, &town.owner()));
        assert_eq!(refusal.code, Code::InvalidArgument);
        assert!(refusal.message.contains(says), "{}", refusal.message);
    }
    let elsewhere = json!({"type": "highlight_bead", "beadId": id, "rigId": town.id.as_str()});
    assert_eq!(code(cast(&elsewhere, &town.owner())), Code::NotFound);
    assert_eq!(code(cast(&good[0], &town.polecat(&rig, &AgentId::from_random([5; 16])))), Code::Forbidden);
}

/// Only what an agent says is shown, not that its status changed.
#[test]
fn what_an_agent_says_it_is_doing_is_shown() {
    let (town, rig) = world();
    let (socket, _) = connect(&town);
    let agent = AgentId::from_random([5; 16]);
    let event = |sequence: i64, metadata: Value| {
        json!([{"sequence": sequence, "bead_event_id": agent, "bead_id": agent, "agent_id": agent, "actor": agent, "event_type": "agent_status",
            "old_value": null, "new_value": "working", "metadata": metadata, "created_at": town.fleet.now()}, null])
    };
    let told = [event(1, json!({})), event(2, json!({"message": "running the tests"}))];
    let letters = json!([{"kind": "frames", "subject": rig.id, "generation": 1_000_000, "body": told}]);
    let context = tokens::internal(&town.fleet, &rig.at, Some(&town.id), &rpc::DELIVER_TO_TOWN);
    town.fleet.tell(&town.at, &rpc::DELIVER_TO_TOWN, (letters,), &context).unwrap();
    let expected = json!({"type": "agent_status", "agentId": agent, "message": "running the tests", "timestamp": town.fleet.now()});
    assert_eq!(socket.take(), [expected]);
}

/// What a letter did that was undone is not shown.
#[test]
fn a_frame_stands_for_a_change_that_was_made() {
    let (town, rig) = world();
    let (socket, _) = connect(&town);
    pass(&town.fleet, 2_000);
    socket.take();
    let letters = json!([{"kind": "frames", "subject": rig.id, "generation": 1_000_000, "body": [{"event": 7}]}]);
    let context = tokens::internal(&town.fleet, &rig.at, Some(&town.id), &rpc::DELIVER_TO_TOWN);
    let rejected: Value = town.fleet.ask(&town.at, &rpc::DELIVER_TO_TOWN, (letters,), &context).unwrap();
    assert_eq!(rejected.as_array().unwrap().len(), 1);
    assert_eq!(socket.take(), Vec::<Value>::new());
}
