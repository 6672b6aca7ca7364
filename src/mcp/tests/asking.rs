//! Requests to a legacy client, on the stream of the call that they belong to. L11.

use crate::*;

const EVERYTHING: &str = r#"{"elicitation":{},"sampling":{},"roots":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}"#;

fn begin(server: &Product, version: &str) -> String {
    initialize_able(server, version, serde_json::from_str(EVERYTHING).unwrap())
}

/// Calls a tool that asks; the stream, and what it asks.
fn ask(server: &Product, session: &str, name: &str) -> (Reading, Vec<Value>) {
    let reading = stream(start_legacy(server, session, &tool(1, name, json!({}))).wait());
    server.world.advance(1);
    let asked = messages(&reading.events());
    (reading, asked)
}

fn answer(server: &Product, session: &str, answer: Value) {
    assert_eq!(post_legacy(server, session, &answer.to_string()).status, 202);
}

fn accept(id: &Value, name: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {"action": "accept", "content": {"name": name}}})
}

/// The result that ends the stream.
fn result(reading: &Reading) -> Value {
    let messages = messages(&reading.to_end());
    let [.., last] = &messages[..] else { panic!("nothing came") };
    assert_eq!(last["id"], 1);
    last["result"].clone()
}

#[test]
fn l11_a_question_is_streamed_and_its_answer_comes_by_another_post() {
    let server = Product::new();
    for (version, has_mode) in [("2025-06-18", false), ("2025-11-25", true)] {
        let session = begin(&server, version);
        let (reading, asked) = ask(&server, &session, "ask");
        let [question] = &asked[..] else { panic!("{asked:?}") };
        assert_eq!((&question["method"], question["params"].get("mode").is_some()), (&json!("elicitation/create"), has_mode));
        assert_eq!(question["params"]["requestedSchema"]["required"], json!(["name"]));
        assert!(!reading.has_ended());
        answer(&server, &session, accept(&question["id"], "Ada"));
        let answers = json!({"answers": [{"action": "accept", "content": {"name": "Ada"}}]});
        assert_eq!(result(&reading)["structuredContent"], answers);
    }
}

#[test]
fn l11_two_questions_are_asked_at_once_and_answered_in_any_order() {
    let server = Product::new();
    let session = begin(&server, "2025-11-25");
    let (reading, asked) = ask(&server, &session, "ask_two");
    assert_eq!(asked.iter().map(|one| one["method"].as_str().unwrap()).collect::<Vec<_>>(), ["elicitation/create", "roots/list"]);
    assert_eq!(asked[1].get("params"), None);
    answer(&server, &session, json!({"jsonrpc": "2.0", "id": asked[1]["id"], "result": {"roots": []}}));
    server.world.advance(60_000);
    assert!(!reading.has_ended());
    answer(&server, &session, accept(&asked[0]["id"], "Ada"));
    assert_eq!(
        result(&reading)["structuredContent"],
        json!({"answers": [{"action": "accept", "content": {"name": "Ada"}}, {"roots": []}]})
    );
}

#[test]
fn l11_several_rounds_are_several_questions() {
    let server = Product::new();
    let session = begin(&server, "2025-11-25");
    let (reading, asked) = ask(&server, &session, "rounds");
    answer(&server, &session, accept(&asked[0]["id"], "first"));
    server.world.advance(1);
    let then = messages(&reading.events());
    assert_ne!(then[0]["id"], asked[0]["id"]);
    answer(&server, &session, accept(&then[0]["id"], "second"));
    assert_eq!(result(&reading)["structuredContent"]["answers"][1]["content"]["name"], "second");
}

#[test]
fn l11_an_error_or_a_malformed_answer_is_a_failed_call_that_says_so() {
    let server = Product::new();
    let session = begin(&server, "2025-11-25");
    for payload in [
        json!({"error": {"code": -1, "message": "user went away"}}),
        json!({"result": {}}),
        json!({"result": {"action": "maybe"}}),
        json!({"result": {"action": "accept", "content": "Ada"}}),
        json!({"result": 7}),
        json!({"result": null}),
    ] {
        let (reading, asked) = ask(&server, &session, "ask");
        let mut message = payload.clone();
        message["jsonrpc"] = json!("2.0");
        message["id"] = asked[0]["id"].clone();
        answer(&server, &session, message);
        let result = result(&reading);
        assert_eq!(result["isError"], true, "{payload}");
        assert!(result["content"][0]["text"].as_str().unwrap().contains("did not answer elicitation/create"), "{result}");
    }
    assert_eq!(noted(&server, "changed"), 0);
}

#[test]
fn l11_the_first_answer_counts_and_a_strangers_or_another_sessions_never() {
    let server = Product::new();
    let (session, other) = (begin(&server, "2025-11-25"), begin(&server, "2025-11-25"));
    let (reading, asked) = ask(&server, &session, "ask");
    let id = &asked[0]["id"];
    answer(&server, &other, accept(id, "other"));
    let stranger = server.seen_by("user:eve");
    assert_eq!(post_legacy(&stranger, &session, &accept(id, "Eve").to_string()).status, 404);
    answer(&server, &session, accept(&json!("unknown"), "x"));
    answer(&server, &session, accept(&json!(5), "x"));
    server.world.advance(1_000);
    assert!(!reading.has_ended());
    answer(&server, &session, accept(id, "first"));
    answer(&server, &session, accept(id, "second"));
    assert_eq!(result(&reading)["structuredContent"]["answers"][0]["content"]["name"], "first");
}

#[test]
fn l11_only_what_the_client_declared_is_asked() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let call = |session: &str, name: &str| body(&post_legacy(&server, session, &tool(1, name, json!({})).to_string()));
    for name in ["ask", "ask_two", "sample"] {
        assert_eq!(call(&session, name)["error"]["code"], -32602, "{name}");
    }
    // Forms came with 2025-06-18, and tasks are no legacy revision's, whatever a client declares.
    for version in ["2024-11-05", "2025-03-26"] {
        assert_eq!(call(&begin(&server, version), "ask")["error"]["code"], -32602, "{version}");
    }
    for version in ["2025-06-18", "2025-11-25"] {
        let session = begin(&server, version);
        assert_eq!(call(&session, "task_at_once")["error"]["code"], -32602, "{version}");
        assert_eq!(call(&session, "task_if_wanted")["result"]["structuredContent"], json!({"task": false}), "{version}");
    }
    let forms = initialize_able(&server, "2025-11-25", json!({"elicitation": {"url": {}}}));
    assert_eq!(call(&forms, "ask")["error"]["code"], -32602, "URLs are no forms");
}

#[test]
fn l11_a_client_without_streams_cannot_be_asked_and_is_told_how() {
    let server = Product::new();
    let session = begin(&server, "2025-11-25");
    let result = body(&post_legacy(&server, &session, &tool(1, "ask", json!({})).to_string()))["result"].clone();
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().unwrap().contains("text/event-stream"));
}

#[test]
fn l11_a_client_that_never_answers_is_waited_for_ten_minutes() {
    let server = Product::new();
    let session = begin(&server, "2025-11-25");
    let (reading, _) = ask(&server, &session, "ask");
    server.world.advance(9 * 60_000 + 50_000);
    assert!(!reading.has_ended());
    assert_eq!(reading.text(), ":\n\n".repeat(39), "one comment in fifteen seconds");
    server.world.advance(30_000);
    let result = result(&reading);
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().unwrap().contains("in time"));
}

#[test]
fn a_cancelled_question_is_not_answered_however_early_it_was_cancelled() {
    let server = Product::new();
    for millis in [0, 100, 1_000] {
        let session = begin(&server, "2025-11-25");
        let (reading, _) = ask(&server, &session, "ask");
        server.world.advance(millis);
        let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
        assert_eq!(post_legacy(&server, &session, cancel).status, 202);
        server.world.advance(1_000);
        assert!(reading.has_ended(), "{millis}");
        assert_eq!(reading.events(), [], "{millis}");
    }
    assert_eq!(noted(&server, "changed"), 0);
}
