//! When an answer becomes a stream, what is on it, and what happens when the client leaves: the modern era.

use crate::*;

fn call(name: &str, arguments: Value, more: Value) -> Value {
    able("tools/call", json!({"name": name, "arguments": arguments}), more)
}

#[test]
fn h5_h18_a_call_with_news_is_a_stream_that_ends_with_its_answer() {
    let server = Product::new();
    let reading = stream(start_modern(&server, &call("talk", json!({"millis": 10}), json!({"progressToken": 1}))).wait());
    let events = reading.to_end();
    assert!(events.iter().all(|event| event.id.is_none() && !event.has_retry), "{events:?}");
    let messages = messages(&events);
    let methods: Vec<_> = messages.iter().map(|message| message["method"].as_str().unwrap_or("answer")).collect();
    assert_eq!(methods, ["notifications/progress", "notifications/progress", "notifications/progress", "answer"]);
    assert_eq!(messages[3]["result"]["structuredContent"], json!({"said": 3}));
    assert_eq!(messages[3]["result"]["resultType"], "complete");
    assert!(messages.iter().all(|message| message.get("id").is_none() || message.get("method").is_none()), "no request of ours");
}

#[test]
fn h5_h6_who_takes_no_streams_gets_json_and_nothing_before_it() {
    let server = Product::new();
    let message = call("talk", json!({"millis": 10}), json!({"progressToken": 1}));
    let response = post_modern(&server, &message);
    assert_eq!(body(&response)["result"]["structuredContent"], json!({"said": 3}));
    // Nor does a client that wants to hear of nothing.
    assert_eq!(ask_modern(&server, &call("talk", json!({"millis": 10}), json!({})))["structuredContent"], json!({"said": 3}));
}

#[test]
fn h5_an_error_after_the_stream_began_is_on_the_stream() {
    let server = Product::new();
    let message = call("talk", json!({"fails": true}), json!({"progressToken": 1}));
    let messages = messages(&stream(start_modern(&server, &message).wait()).to_end());
    assert_eq!(messages.last().unwrap()["error"]["code"], -32603);
    assert!(!messages.last().unwrap().to_string().contains("secret"));
}

#[test]
fn h19_a_call_that_can_be_stopped_shows_every_half_second_that_it_lives() {
    let server = Product::new();
    let pending = start_modern(&server, &call("wait", json!({"millis": 2_300}), json!({})));
    server.world.advance(499);
    assert!(pending.got().is_none());
    server.world.advance(1);
    let reading = stream(pending.got().unwrap());
    assert_eq!(reading.text(), ":\n\n");
    server.world.advance(1_500);
    assert_eq!(reading.text(), ":\n\n".repeat(3));
    let messages = messages(&reading.to_end());
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["result"]["structuredContent"], json!({}));
    // A call that cannot be stopped has no reason to.
    assert_eq!(ask_modern(&server, &call("work", json!({"millis": 2_300}), json!({})))["structuredContent"], json!({}));
}

#[test]
fn h19_no_stream_is_silent_for_longer_than_fifteen_seconds() {
    let server = Product::new();
    let reading = stream(start_modern(&server, &call("talk", json!({"millis": 40_000}), json!({"progressToken": 1}))).wait());
    reading.text();
    server.world.advance(14_999);
    assert_eq!(reading.text(), "");
    server.world.advance(1);
    assert_eq!(reading.text(), ":\n\n");
    server.world.advance(24_000);
    assert_eq!(reading.text(), ":\n\n");
}

#[test]
fn h20_closing_the_stream_stops_the_work() {
    let server = Product::new();
    let pending = start_modern(&server, &call("wait", json!({"millis": 5_000}), json!({})));
    server.world.advance(700);
    let reading = stream(pending.got().unwrap());
    reading.leave();
    assert_eq!((noted(&server, "dropped"), noted(&server, "finished")), (1, 0));
    server.world.advance(10_000);
    assert_eq!((reading.text().as_str(), noted(&server, "finished")), (":\n\n", 0));
}

#[test]
fn h20_a_modern_cancellation_message_stops_nothing() {
    let server = Product::new();
    let pending = start_modern(&server, &call("wait", json!({"millis": 2_000}), json!({})));
    server.world.advance(100);
    let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "_meta": meta(MODERN)}});
    assert_eq!(post_modern(&server, &cancel).status, 202);
    assert_eq!(messages(&stream(pending.wait()).to_end()).len(), 1);
}

#[test]
fn h17_nothing_of_a_modern_call_is_kept() {
    let server = Product::new();
    stream(start_modern(&server, &call("talk", json!({}), json!({"progressToken": 1}))).wait()).to_end();
    assert!(server.world.store.streams.borrow().is_empty());
}
