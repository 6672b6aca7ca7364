//! Progress and log messages, in both eras.

use crate::*;

/// The parameters of the notifications of a method, from a call that is answered as a stream or not at all so.
fn told(got: Got, method: &str) -> Vec<Value> {
    match got {
        Got::Whole(_) => Vec::new(),
        Got::Stream(_, reading) => {
            let messages = messages(&reading.to_end());
            assert!(messages.last().unwrap().get("result").is_some(), "the answer comes last");
            messages.iter().filter(|message| message["method"] == method).map(|message| message["params"].clone()).collect()
        }
    }
}

fn modern_call(server: &Product, name: &str, meta: Value) -> Got {
    start_modern(server, &able("tools/call", json!({"name": name}), meta)).wait()
}

fn legacy_call(server: &Product, session: &str, name: &str, meta: Value) -> Got {
    let params = json!({"name": name, "_meta": meta});
    start_legacy(server, session, &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})).wait()
}

#[test]
fn progress_grows_strictly_and_has_the_token_as_it_was_sent() {
    let server = Product::new();
    for token in [json!(7), json!("seven"), json!("")] {
        let expected = [
            json!({"progressToken": token, "progress": 0, "total": 100, "message": "working"}),
            json!({"progressToken": token, "progress": 50, "total": 100, "message": "working"}),
            json!({"progressToken": token, "progress": 99.5, "message": "working"}),
        ];
        assert_eq!(told(modern_call(&server, "progress", json!({"progressToken": token})), "notifications/progress"), expected);
        for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
            let session = initialize(&server, version);
            let got = legacy_call(&server, &session, "progress", json!({"progressToken": token}));
            assert_eq!(told(got, "notifications/progress"), expected, "{version}");
        }
    }
}

#[test]
fn progress_had_no_message_in_the_first_revision() {
    let server = Product::new();
    let session = initialize(&server, "2024-11-05");
    let told = told(legacy_call(&server, &session, "progress", json!({"progressToken": 7})), "notifications/progress");
    assert_eq!(told[0], json!({"progressToken": 7, "progress": 0, "total": 100}));
}

#[test]
fn without_a_good_token_there_is_no_progress() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    for meta in [json!({}), json!({"progressToken": null}), json!({"progressToken": 1.5}), json!({"progressToken": {}})] {
        assert!(matches!(modern_call(&server, "progress", meta.clone()), Got::Whole(_)), "{meta}");
        assert!(matches!(legacy_call(&server, &session, "progress", meta.clone()), Got::Whole(_)), "{meta}");
    }
}

#[test]
fn modern_log_messages_come_for_requests_that_name_a_level_from_it_on() {
    let server = Product::new();
    let levels = |level: Value| {
        let got = modern_call(&server, "log", json!({"io.modelcontextprotocol/logLevel": level}));
        let told = told(got, "notifications/message");
        told.iter().map(|message| message["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(levels(json!("debug")), ["debug", "info", "error"]);
    assert_eq!(levels(json!("notice")), ["error"]);
    assert_eq!(levels(json!("emergency")), [""; 0]);
    assert!(matches!(modern_call(&server, "log", json!({})), Got::Whole(_)), "no level, no messages");
    for level in [json!("loud"), json!(null), json!(3), json!("Debug")] {
        let message = able("tools/call", json!({"name": "log"}), json!({"io.modelcontextprotocol/logLevel": level}));
        assert_eq!(ask_modern(&server, &message)["code"], -32602, "{level}");
    }
}

#[test]
fn l12_legacy_log_messages_come_from_the_sessions_level_on() {
    let server = Product::new();
    let (session, other) = (initialize(&server, "2025-11-25"), initialize(&server, "2025-06-18"));
    let levels = |session: &str| {
        let told = told(legacy_call(&server, session, "log", json!({})), "notifications/message");
        told.iter().map(|message| message["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(levels(&session), ["info", "error"]);
    let set = |level: Value| {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": level}});
        body(&post_legacy(&server, &session, &request.to_string()))
    };
    assert_eq!(set(json!("warning")), json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    assert_eq!(levels(&session), ["error"]);
    assert_eq!(levels(&other), ["info", "error"]);
    set(json!("debug"));
    assert_eq!(levels(&session), ["debug", "info", "error"]);
    for level in [json!("loud"), json!(null), json!(["debug"])] {
        assert_eq!(set(level)["error"]["code"], -32602);
    }
    // The modern key means nothing here.
    let got = legacy_call(&server, &other, "log", json!({"io.modelcontextprotocol/logLevel": "debug"}));
    assert_eq!(told(got, "notifications/message").len(), 2);
}

#[test]
fn when_the_level_cannot_be_asked_for_it_is_the_usual_one_and_logged() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let message = tool(1, "talk", json!({"millis": 10}));
    let pending = start_legacy(&server, &session, &message);
    let reading = stream(pending.wait());
    server.world.store.is_down.set(true);
    let messages = messages(&reading.to_end());
    assert_eq!(messages.last().unwrap()["result"]["structuredContent"], json!({"said": 3}));
    assert!(!server.world.faults.borrow().is_empty());
}
