//! Legacy streams: ids, priming, what happens when a client leaves, comes back, or takes a call back. L5, L7 to L10.

use crate::*;
use std::collections::BTreeSet;

fn cancel(server: &Product, session: &str, id: &Value) {
    let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "enough"}});
    assert_eq!(post_legacy(server, session, &message.to_string()).status, 202);
}

#[test]
fn l7_only_2025_11_25_begins_with_an_event_without_data() {
    let server = Product::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let session = initialize(&server, version);
        let events = stream(start_legacy(&server, &session, &tool(1, "talk", json!({}))).wait()).to_end();
        let primed: Vec<_> = events.iter().filter(|event| event.data.is_empty()).collect();
        assert_eq!(primed.len(), usize::from(version == "2025-11-25"), "{version}");
        assert!(primed.iter().all(|event| event.has_retry && event == &&events[0]), "{version}");
        let own = get(&server, &session, None).events();
        assert_eq!(own.iter().filter(|event| event.data.is_empty() && event.has_retry).count(), primed.len(), "{version}");
    }
}

#[test]
fn l8_every_event_of_a_session_has_an_id_of_its_own() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let mut ids = BTreeSet::new();
    for call in 0..3 {
        let events = stream(start_legacy(&server, &session, &tool(call, "talk", json!({}))).wait()).to_end();
        assert_eq!(events.len(), 5);
        for event in events {
            assert!(ids.insert(event.id.unwrap()));
        }
    }
    let own = get(&server, &session, None);
    server.world.store.publish("tools", &serde_json::Map::new());
    server.world.advance(1);
    assert!(own.events().into_iter().all(|event| ids.insert(event.id.unwrap())));
}

#[test]
fn l8_l9_a_client_that_left_fetches_the_rest_of_its_stream() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let reading = stream(start_legacy(&server, &session, &tool(1, "talk", json!({"millis": 1_000}))).wait());
    server.world.advance(500);
    let events = reading.events();
    assert_eq!(messages(&events).len(), 1);
    reading.leave();
    // Leaving is not cancelling: the work goes on.
    server.world.advance(1_000);
    let last = events.last().unwrap().id.as_deref();
    let resumed = get(&server, &session, last);
    let missed = messages(&resumed.events());
    assert_eq!(missed.iter().map(|message| &message["params"]["progress"]).collect::<Vec<_>>(), [1]);
    server.world.advance(2_000);
    let rest = messages(&resumed.events());
    assert_eq!(rest.len(), 2);
    assert_eq!(rest[1]["result"]["structuredContent"], json!({"said": 3}));
    assert!(resumed.has_ended());
    assert_eq!(noted(&server, "finished"), 1);
    // All of it again, from the beginning, for whoever comes from there.
    let first = events[0].id.as_deref();
    assert_eq!(messages(&get(&server, &session, first).to_end()).len(), 4);
}

#[test]
fn l8_a_message_is_on_one_stream_only() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let first = stream(start_legacy(&server, &session, &tool(1, "talk", json!({"millis": 1_000}))).wait());
    server.world.advance(500);
    let seen = first.events();
    // The client is back before its old connection is known to be gone.
    let second = get(&server, &session, seen.last().unwrap().id.as_deref());
    server.world.advance(5_000);
    assert_eq!(messages(&first.events()), [Value::Null; 0]);
    assert!(first.has_ended());
    assert_eq!(messages(&second.events()).len(), 3);
}

#[test]
fn l8_a_stream_is_its_own_sessions_and_a_lost_one_is_empty() {
    let server = Product::new();
    let (session, other) = (initialize(&server, "2025-11-25"), initialize(&server, "2025-11-25"));
    let events = stream(start_legacy(&server, &session, &tool(1, "talk", json!({}))).wait()).to_end();
    let id = events[1].id.clone().unwrap();
    for (session, last) in
        [(&other, id.as_str()), (&session, "nobodys_3"), (&session, "garbage"), (&session, "_"), (&session, "get/../x_1")]
    {
        let resumed = get(&server, session, Some(last));
        assert_eq!(resumed.text(), "", "{last}");
        assert!(resumed.has_ended(), "{last}");
    }
}

#[test]
fn l7_l9_a_call_that_hangs_up_is_answered_to_the_next_connection() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let reading = stream(start_legacy(&server, &session, &tool(1, "hang_up", json!({}))).wait());
    server.world.advance(50);
    assert!(reading.has_ended());
    let events = reading.events();
    assert!(events[0].has_retry);
    assert_eq!(messages(&events).len(), 1, "what was said before, and no answer");
    server.world.advance(1_000);
    let rest = messages(&get(&server, &session, events[1].id.as_deref()).to_end());
    assert_eq!((rest.len(), &rest[1]["result"]["structuredContent"]), (2, &json!({"resumed": true})));
    // Earlier clients would take it for a failure, and those without streams have nothing to come back to.
    let older = initialize(&server, "2025-06-18");
    let messages = messages(&stream(start_legacy(&server, &older, &tool(1, "hang_up", json!({}))).wait()).to_end());
    assert_eq!(messages.last().unwrap()["result"]["structuredContent"], json!({"resumed": true}));
    let plain = body(&post_legacy(&server, &session, &tool(1, "hang_up", json!({})).to_string()));
    assert_eq!(plain["result"]["structuredContent"], json!({"resumed": true}));
}

#[test]
fn a_cancelled_call_is_dropped_and_not_answered() {
    let server = Product::new();
    for version in ["2024-11-05", "2025-11-25"] {
        for id in [json!(7), json!("seven")] {
            let session = initialize(&server, version);
            let (before, finished) = (noted(&server, "dropped"), noted(&server, "finished"));
            let pending = start_legacy(&server, &session, &tool(id.clone(), "wait", json!({"millis": 5_000})));
            let other = start_legacy(&server, &session, &tool("other", "wait", json!({"millis": 5_000})));
            server.world.advance(1_000);
            cancel(&server, &session, &json!("unknown"));
            cancel(&server, &session, &id);
            server.world.advance(1);
            let Got::Whole(response) = pending.got().unwrap() else { panic!("a stream came") };
            assert_eq!((response.status, text(&response)), (202, ""));
            assert_eq!(noted(&server, "dropped"), before + 1);
            let Got::Whole(response) = other.wait() else { panic!("a stream came") };
            assert_eq!(body(&response)["result"]["content"][0]["text"], "{}");
            assert_eq!(noted(&server, "finished"), finished + 1);
        }
    }
}

#[test]
fn a_cancellation_that_cannot_be_read_or_comes_too_late_changes_nothing() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    for id in [json!(null), json!({}), json!(1.5), json!(1)] {
        cancel(&server, &session, &id);
    }
    assert_eq!(post_legacy(&server, &session, r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#).status, 202);
    let pending = start_legacy(&server, &session, &tool(2, "work", json!({"millis": 3_000})));
    server.world.advance(1_000);
    // Work that cannot be dropped is finished and answered.
    cancel(&server, &session, &json!(2));
    let Got::Whole(response) = pending.wait() else { panic!("a stream came") };
    assert_eq!(body(&response)["result"]["structuredContent"], json!({}));
}

#[test]
fn a_cancelled_stream_ends_for_those_who_come_back_too() {
    let server = Product::new();
    let session = initialize_able(&server, "2025-11-25", json!({"elicitation": {}}));
    let reading = stream(start_legacy(&server, &session, &tool(1, "ask", json!({}))).wait());
    server.world.advance(600);
    let events = reading.events();
    cancel(&server, &session, &json!(1));
    server.world.advance(1);
    assert!(reading.has_ended());
    assert_eq!(reading.events(), []);
    let resumed = get(&server, &session, events[0].id.as_deref());
    assert_eq!(messages(&resumed.to_end()).len(), 1, "the question, and no answer");
}

#[test]
fn a_long_legacy_call_becomes_a_stream_after_ten_seconds() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let pending = start_legacy(&server, &session, &tool(1, "work", json!({"millis": 31_000})));
    server.world.advance(9_999);
    assert!(pending.got().is_none());
    server.world.advance(1);
    let reading = stream(pending.got().unwrap());
    server.world.advance(20_500);
    assert_eq!(reading.text().matches(":\n\n").count(), 3, "one at once, one after 15 s, one after 30 s");
    assert_eq!(messages(&reading.to_end())[0]["result"]["structuredContent"], json!({}));
    // Without streams there is nothing to do but wait.
    let plain = body(&post_legacy(&server, &session, &tool(1, "work", json!({"millis": 31_000})).to_string()));
    assert_eq!(plain["result"]["structuredContent"], json!({}));
}

#[test]
fn a_call_never_opens_two_streams() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    // The work begins to speak just before it would become a stream by itself, and keeping a message takes long.
    server.world.store.append_millis.set(600);
    let pending = start_legacy(&server, &session, &tool(1, "talk", json!({"before": 9_800})));
    let events = stream(pending.wait()).to_end();
    assert_eq!(events.iter().filter(|event| event.data.is_empty()).count(), 1, "{events:?}");
    let streams: BTreeSet<_> = events.iter().map(|event| event.id.as_deref().unwrap().split_once('_').unwrap().0.to_owned()).collect();
    assert_eq!((streams.len(), messages(&events).len()), (1, 4));
    assert_eq!(server.world.store.streams.borrow().len(), 1);
}

#[test]
fn l8_a_message_is_kept_before_it_is_sent() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let reading = stream(start_legacy(&server, &session, &tool(1, "talk", json!({"millis": 100}))).wait());
    assert_eq!(messages(&reading.events()).len(), 1);
    server.world.store.append_millis.set(400);
    server.world.advance(499);
    assert_eq!(reading.text(), "");
    server.world.advance(1);
    assert_eq!(messages(&reading.events()).len(), 1);
    let streams = server.world.store.streams.borrow();
    assert_eq!(streams.values().next().unwrap().messages.len(), 2);
}

#[test]
fn what_cannot_be_kept_is_sent_all_the_same_without_an_id() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let reading = stream(start_legacy(&server, &session, &tool(1, "talk", json!({"millis": 100}))).wait());
    reading.events();
    server.world.store.is_down.set(true);
    let events = reading.to_end();
    assert_eq!(messages(&events).len(), 3);
    assert!(events.iter().all(|event| event.id.is_none()));
    // A stream that cannot be begun is none: the answer comes in one piece.
    server.world.store.is_down.set(false);
    let pending = start_legacy(&server, &session, &tool(1, "talk", json!({"before": 100})));
    server.world.store.is_down.set(true);
    assert!(matches!(pending.wait(), Got::Whole(_)));
}

#[test]
fn l5_the_newest_connection_has_the_sessions_stream() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let publish = || {
        server.world.store.publish("tools", &serde_json::Map::new());
        server.world.advance(1);
    };
    let first = get(&server, &session, None);
    publish();
    assert_eq!(messages(&first.events())[0]["method"], "notifications/tools/list_changed");
    let second = get(&server, &session, None);
    assert!(first.has_ended());
    publish();
    let heard = second.events();
    assert_eq!(messages(&heard).len(), 1);
    second.leave();
    publish();
    let third = get(&server, &session, heard.last().unwrap().id.as_deref());
    assert_eq!(messages(&third.events()).len(), 1);
    assert_eq!(first.text(), "");
}

#[test]
fn l10_no_answer_is_on_the_sessions_own_stream() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let own = get(&server, &session, None);
    stream(start_legacy(&server, &session, &tool(1, "talk", json!({}))).wait()).to_end();
    server.world.advance(1);
    assert_eq!(messages(&own.events()), [Value::Null; 0]);
}

#[test]
fn l6_the_end_of_a_session_is_the_end_of_its_streams() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let own = get(&server, &session, None);
    assert_eq!(send(&server, "DELETE", &[("Mcp-Session-Id", &session)], RequestBody::Bytes(Vec::new())).status, 204);
    server.world.advance(1);
    assert!(own.has_ended());
}

#[test]
fn no_stream_outlives_the_callers_token() {
    let mut server = Product::new();
    server.authorized_until = Some(server.world.now().millis() + 60_000);
    let session = initialize(&server, "2025-11-25");
    let own = get(&server, &session, None);
    server.world.advance(59_999);
    assert!(!own.has_ended());
    server.world.advance(1);
    assert!(own.has_ended());
}
