//! Hearing of changes: `subscriptions/listen`, and what a legacy session subscribes to.

use crate::*;
use serde_json::Map;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn listen(id: Value, filter: Value) -> Value {
    let mut message = able("subscriptions/listen", json!({"notifications": filter}), json!({}));
    message["id"] = id;
    message
}

fn publish(server: &Product, topic: &str) {
    server.world.store.publish(topic, &Map::new());
    server.world.advance(1);
}

/// What has come by now.
fn heard(reading: &Reading) -> Vec<Value> {
    let events = reading.events();
    assert!(events.iter().all(|event| event.id.is_none()));
    messages(&events)
}

#[test]
fn what_is_honoured_is_acknowledged_first_under_the_requests_own_id() {
    let server = Product::new();
    for id in [json!(7), json!("seven"), json!("")] {
        let reading = stream(start_modern(&server, &listen(id.clone(), json!({"toolsListChanged": true}))).wait());
        let ack = json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
            "params": {"_meta": {SUBSCRIPTION: id}, "notifications": {"toolsListChanged": true}}});
        assert_eq!(heard(&reading), [ack]);
        publish(&server, "tools");
        let told = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": {SUBSCRIPTION: id}}});
        assert_eq!(heard(&reading), [told]);
        assert!(!reading.has_ended());
        reading.leave();
    }
}

#[test]
fn only_what_is_there_is_honoured_and_only_what_was_asked_for_is_told() {
    let server = Product::new();
    let filter = json!({"promptsListChanged": true, "resourcesListChanged": false, "toolsListChanged": true,
        "resourceSubscriptions": ["test://a", "test://none"], "somethingElse": true});
    let reading = stream(start_modern(&server, &listen(json!(1), filter)).wait());
    let acknowledged = heard(&reading)[0]["params"]["notifications"].clone();
    assert_eq!(acknowledged, json!({"toolsListChanged": true, "resourceSubscriptions": ["test://a"]}));
    for topic in ["resources", "test://b", "test://none"] {
        publish(&server, topic);
    }
    assert_eq!(heard(&reading), [Value::Null; 0]);
    publish(&server, "test://a");
    let told = heard(&reading);
    assert_eq!(
        (told.len(), &told[0]["method"], &told[0]["params"]["uri"]),
        (1, &json!("notifications/resources/updated"), &json!("test://a"))
    );
    // Nothing at all is a filter too.
    let nothing = stream(start_modern(&server, &listen(json!(2), json!({}))).wait());
    assert_eq!(heard(&nothing)[0]["params"]["notifications"], json!({}));
}

#[test]
fn several_streams_hear_side_by_side_and_nothing_of_calls() {
    let server = Product::new();
    let readings: Vec<Reading> =
        (0..3).map(|id| stream(start_modern(&server, &listen(json!(id), json!({"toolsListChanged": true}))).wait())).collect();
    let loud = able("tools/call", json!({"name": "log"}), json!({"io.modelcontextprotocol/logLevel": "debug", "progressToken": 1}));
    stream(start_modern(&server, &loud).wait()).to_end();
    publish(&server, "tools");
    for (id, reading) in readings.iter().enumerate() {
        let heard = heard(reading);
        assert_eq!(heard.len(), 2);
        assert!(heard.iter().all(|message| message["params"]["_meta"][SUBSCRIPTION] == id), "{heard:?}");
    }
}

#[test]
fn a_stream_that_the_server_ends_is_answered() {
    let mut server = Product::new();
    for limit in [None, Some(60_000)] {
        server.authorized_until = limit.map(|limit| server.world.now().millis() + limit);
        let reading = stream(start_modern(&server, &listen(json!("x"), json!({"toolsListChanged": true}))).wait());
        heard(&reading);
        server.world.advance(limit.unwrap_or(60 * 60_000) - 1);
        assert!(!reading.has_ended());
        server.world.advance(1);
        let last = heard(&reading);
        assert_eq!((last.len(), &last[0]["id"], &last[0]["result"]["resultType"]), (1, &json!("x"), &json!("complete")));
        assert_eq!(last[0]["result"]["_meta"][SUBSCRIPTION], "x");
        assert!(reading.has_ended());
    }
}

#[test]
fn tasks_are_listened_to_by_clients_that_take_tasks() {
    let server = Product::new();
    let task = |name: &str| {
        let made = ask_modern(&server, &able("tools/call", json!({"name": name, "arguments": {}}), json!({})));
        made["taskId"].as_str().unwrap().to_owned()
    };
    let (id, other) = (task("task_asks"), task("task_later"));
    let mut message = listen(json!(1), json!({"taskIds": [id]}));
    message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let refused = ask_modern(&server, &message);
    assert_eq!(refused["code"], -32021);
    assert_eq!(refused["data"]["requiredCapabilities"], json!({"extensions": {"io.modelcontextprotocol/tasks": {}}}));

    let reading = stream(start_modern(&server, &listen(json!(1), json!({"taskIds": [id, "unknown"]}))).wait());
    assert_eq!(heard(&reading)[0]["params"]["notifications"], json!({"taskIds": [id]}));
    let stranger = server.seen_by("user:eve");
    let strangers = stream(start_modern(&stranger, &listen(json!(1), json!({"taskIds": [id]}))).wait());
    assert_eq!(heard(&strangers)[0]["params"]["notifications"], json!({}));
    let update = |id: &str, answers: Value| {
        ask_modern(&server, &able("tasks/update", json!({"taskId": id, "inputResponses": answers}), json!({})));
        server.world.advance(1);
    };
    update(&id, json!({"roots": {"roots": []}}));
    update(&id, json!({"name": {"action": "decline"}}));
    ask_modern(&server, &able("tasks/cancel", json!({"taskId": other}), json!({})));
    server.world.advance(1);
    let told = heard(&reading);
    assert!(told.iter().all(|message| message["method"] == "notifications/tasks" && message["params"]["_meta"][SUBSCRIPTION] == 1));
    let statuses: Vec<_> = told.iter().map(|message| message["params"]["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["input_required", "completed"]);
    assert_eq!(told[1]["params"]["taskId"], id);
    assert_eq!(told[1]["params"]["result"]["resultType"], "complete", "all of the task is told");
    assert_eq!(heard(&strangers), [Value::Null; 0]);
}

#[test]
fn a_filter_that_cannot_be_read_is_refused() {
    let server = Product::new();
    for filter in [json!(null), json!([]), json!("x"), json!({"toolsListChanged": "yes"}), json!({"taskIds": 5})] {
        assert_eq!(ask_modern(&server, &listen(json!(1), filter))["code"], -32602);
    }
    assert_eq!(ask_modern(&server, &able("subscriptions/listen", json!({}), json!({})))["code"], -32602);
    let many: Vec<String> = (0..201).map(|index| format!("test://{index}")).collect();
    assert_eq!(ask_modern(&server, &listen(json!(1), json!({"resourceSubscriptions": many})))["code"], -32602);
    assert_eq!(ask_modern(&server, &listen(json!(1), json!({"resourceSubscriptions": ["test://broken"]})))["code"], -32603);
    server.world.store.is_down.set(true);
    assert_eq!(ask_modern(&server, &listen(json!(1), json!({"toolsListChanged": true})))["code"], -32603);
}

#[test]
fn l12_a_session_hears_on_its_own_stream_of_what_it_subscribed_to() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let own = get(&server, &session, None);
    own.events();
    let call = |method: &str, uri: Value| {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"uri": uri}});
        body(&post_legacy(&server, &session, &request.to_string()))
    };
    let told = || messages(&own.events());
    let done = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    // Changes of lists need no subscription.
    publish(&server, "tools");
    assert_eq!(told(), [json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {}})]);
    publish(&server, "test://a");
    assert!(told().is_empty());
    for _ in 0..2 {
        assert_eq!(call("resources/subscribe", json!("test://a")), done);
    }
    publish(&server, "test://b");
    publish(&server, "test://a");
    assert_eq!(told(), [json!({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "test://a"}})]);
    for uri in ["test://a", "test://never"] {
        assert_eq!(call("resources/unsubscribe", json!(uri)), done);
    }
    publish(&server, "test://a");
    assert!(told().is_empty());
    let unknown = call("resources/subscribe", json!("test://none"));
    assert_eq!((&unknown["error"]["code"], &unknown["error"]["data"]["uri"]), (&json!(-32002), &json!("test://none")));
    for method in ["resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(call(method, json!(null))["error"]["code"], -32602);
    }
}

#[test]
fn what_happens_before_a_session_opens_its_stream_waits_for_it() {
    let server = Product::new();
    let session = initialize(&server, "2025-06-18");
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": {"uri": "test://a"}});
    post_legacy(&server, &session, &request.to_string());
    publish(&server, "test://a");
    assert_eq!(messages(&get(&server, &session, None).events()).len(), 1);
}
