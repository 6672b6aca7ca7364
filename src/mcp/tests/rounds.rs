//! Multi round-trip requests (2026-07-28): a call asks, and its client answers by calling again.

use crate::*;

fn call(name: &str) -> Value {
    able("tools/call", json!({"name": name, "arguments": {"a": 1, "b": [2]}}), json!({}))
}

/// The same call again, with answers.
fn again(message: &Value, state: &Value, answers: Value) -> Value {
    let mut message = message.clone();
    message["id"] = json!("again");
    message["params"]["requestState"] = state.clone();
    message["params"]["inputResponses"] = answers;
    message
}

fn accept(name: &str) -> Value {
    json!({"action": "accept", "content": {"name": name}})
}

/// What a call that asks is answered with: what it asks, and its state.
fn asked(server: &Product, message: &Value) -> (Vec<String>, Value) {
    let result = ask_modern(server, message);
    assert_eq!(result["resultType"], "input_required", "{result}");
    assert_eq!((result.get("ttlMs"), result.get("cacheScope")), (None, None));
    (result["inputRequests"].as_object().unwrap().keys().cloned().collect(), result["requestState"].clone())
}

#[test]
fn a_question_is_a_result_and_its_answer_another_call() {
    let server = Product::new();
    let message = call("ask");
    let result = ask_modern(&server, &message);
    assert_eq!(result["inputRequests"]["name"]["method"], "elicitation/create");
    assert_eq!(result["inputRequests"]["name"]["params"]["mode"], "form");
    assert!(result["requestState"].is_string());
    let answered = ask_modern(&server, &again(&message, &result["requestState"], json!({"name": accept("Ada")})));
    assert_eq!(answered["resultType"], "complete");
    assert_eq!(answered["structuredContent"], json!({"answers": [accept("Ada")]}));
}

#[test]
fn a_declined_question_is_answered_too() {
    let server = Product::new();
    for action in ["decline", "cancel"] {
        let (_, state) = asked(&server, &call("ask"));
        let answered = ask_modern(&server, &again(&call("ask"), &state, json!({"name": {"action": action}})));
        assert_eq!(answered["structuredContent"], json!({"answers": [{"action": action}]}));
    }
}

#[test]
fn what_was_answered_is_kept_and_the_rest_is_asked_again() {
    let server = Product::new();
    let message = call("ask_two");
    let (names, state) = asked(&server, &message);
    assert_eq!(names, ["name", "roots"]);
    let (names, state) = asked(&server, &again(&message, &state, json!({"roots": {"roots": []}})));
    assert_eq!(names, ["name"]);
    // Answers to what was not asked are nobody's, also where another round had asked it.
    let answers = json!({"name": accept("Ada"), "roots": {"roots": [{"uri": "file:///evil"}]}, "evil": accept("Eve")});
    let answered = ask_modern(&server, &again(&message, &state, answers));
    assert_eq!(answered["structuredContent"], json!({"answers": [accept("Ada"), {"roots": []}]}));
}

#[test]
fn rounds_follow_each_other_until_nothing_is_missing() {
    let server = Product::new();
    let message = call("rounds");
    let (names, first) = asked(&server, &message);
    assert_eq!(names, ["first"]);
    let (names, second) = asked(&server, &again(&message, &first, json!({"first": accept("1")})));
    assert_eq!(names, ["second"]);
    assert_ne!(first, second);
    let answered = ask_modern(&server, &again(&message, &second, json!({"second": accept("2")})));
    assert_eq!(answered["structuredContent"], json!({"answers": [accept("1"), accept("2")]}));
}

#[test]
fn a_wrong_or_missing_answer_is_asked_for_again() {
    let server = Product::new();
    let message = call("ask");
    let (_, state) = asked(&server, &message);
    for answers in [
        json!({}),
        json!({"unknown": accept("Ada")}),
        json!({"name": null}),
        json!({"name": "Ada"}),
        json!({"name": {"action": "maybe"}}),
        json!({"name": {"action": "accept", "content": ["Ada"]}}),
    ] {
        assert_eq!(asked(&server, &again(&message, &state, answers.clone())).0, ["name"], "{answers}");
    }
    // Answers without a state belong to no question, and authorize nothing.
    let mut stateless = again(&message, &json!(""), json!({"name": accept("Ada")}));
    stateless["params"].as_object_mut().unwrap().remove("requestState");
    let refused = ask_modern(&server, &stateless);
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(refused["content"][0]["text"].as_str().unwrap().contains("were not asked for"), "{refused}");
    for answers in [json!(null), json!([]), json!("x")] {
        assert_eq!(ask_modern(&server, &again(&message, &state, answers))["code"], -32602);
    }
    assert_eq!(noted(&server, "changed"), 0);
}

#[test]
fn a_changed_state_is_refused() {
    let server = Product::new();
    let message = call("ask");
    let (_, state) = asked(&server, &message);
    let genuine = state.as_str().unwrap();
    let calls = noted(&server, "ask");
    let with = |state: Value| ask_modern(&server, &again(&message, &state, json!({"name": accept("Ada")})))["code"].clone();
    for at in 0..genuine.len() {
        let mut bent = genuine.as_bytes().to_vec();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(with(json!(String::from_utf8(bent).unwrap())), -32602, "byte {at}");
    }
    let session = initialize(&server, "2025-11-25");
    for state in [json!(""), json!(null), json!(7), json!({}), json!(session), json!(format!("{genuine}x")), json!("x".repeat(300_000))] {
        assert_eq!(with(state), -32602);
    }
    assert_eq!(noted(&server, "ask"), calls, "the tool does not run");
}

#[test]
fn a_state_is_good_for_one_principal_one_method_and_one_set_of_parameters() {
    let server = Product::new();
    let message = call("ask");
    let (_, state) = asked(&server, &message);
    let answers = json!({"name": accept("Ada")});
    let code = |server: &Product, message: &Value| ask_modern(server, &again(message, &state, answers.clone()))["code"].clone();
    assert_eq!(code(&server.seen_by("user:eve"), &message), -32602);
    assert_eq!(code(&Product { key: b"another key".to_vec(), ..server.clone() }, &message), -32602);
    let mut others = vec![call("rounds"), able("prompts/get", json!({"name": "ask", "arguments": {}}), json!({}))];
    others.push(able("tools/call", json!({"name": "ask", "arguments": {"a": 2, "b": [2]}}), json!({})));
    others.push(able("tools/call", json!({"name": "ask", "arguments": {"a": 1, "b": [2]}, "more": 1}), json!({})));
    others.push(able("tools/call", json!({"name": "ask"}), json!({})));
    for other in &others {
        assert_eq!(code(&server, other), -32602, "{other}");
    }
    // `_meta` is another one in each request, and the order of keys says nothing.
    let mut reordered = able("tools/call", json!({"arguments": {"b": [2], "a": 1}, "name": "ask"}), json!({"progressToken": 9}));
    reordered["params"]["_meta"]["x"] = json!(1);
    assert_eq!(ask_modern(&server, &again(&reordered, &state, answers))["resultType"], "complete");
}

#[test]
fn a_state_expires_after_fifteen_minutes_whatever_the_rounds() {
    let server = Product::new();
    let message = call("rounds");
    let (_, first) = asked(&server, &message);
    server.world.advance(15 * 60_000 - 1);
    let (_, second) = asked(&server, &again(&message, &first, json!({"first": accept("1")})));
    server.world.advance(1);
    for (state, answers) in [(&first, json!({"first": accept("1")})), (&second, json!({"second": accept("2")}))] {
        assert_eq!(ask_modern(&server, &again(&message, state, answers))["code"], -32602);
    }
}

#[test]
fn answers_that_a_change_was_made_with_are_used_up() {
    let server = Product::new();
    let message = call("ask");
    let (_, state) = asked(&server, &message);
    let answered = again(&message, &state, json!({"name": accept("Ada")}));
    assert_eq!(ask_modern(&server, &answered)["resultType"], "complete");
    let replayed = ask_modern(&server, &answered);
    assert_eq!(replayed["isError"], true);
    assert!(replayed["content"][0]["text"].as_str().unwrap().contains("used already"));
    assert_eq!(noted(&server, "changed"), 1);
    // Nor can an earlier round be answered anew.
    let message = call("rounds");
    let (_, first) = asked(&server, &message);
    let (_, second) = asked(&server, &again(&message, &first, json!({"first": accept("1")})));
    assert_eq!(ask_modern(&server, &again(&message, &second, json!({"second": accept("2")})))["resultType"], "complete");
    let (_, forked) = asked(&server, &again(&message, &first, json!({"first": accept("3")})));
    assert_eq!(ask_modern(&server, &again(&message, &forked, json!({"second": accept("4")})))["isError"], true);
}

#[test]
fn h10_only_what_the_client_declared_is_asked() {
    let server = Product::new();
    let with = |name: &str, capabilities: Value| {
        let mut message = call(name);
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
        ask_modern(&server, &message)
    };
    let refused = with("ask", json!({}));
    assert_eq!((&refused["code"], &refused["data"]["requiredCapabilities"]), (&json!(-32021), &json!({"elicitation": {}})));
    let refused = with("ask_two", json!({"elicitation": {}}));
    assert_eq!((&refused["code"], &refused["data"]["requiredCapabilities"]), (&json!(-32021), &json!({"roots": {}})));
    for forms in [json!({"elicitation": {}}), json!({"elicitation": {"form": {}}}), json!({"elicitation": {"form": {}, "url": {}}})] {
        assert_eq!(with("ask", forms)["resultType"], "input_required");
    }
    for none in [json!({"elicitation": {"url": {}}}), json!({"elicitation": true}), json!({"elicitation": null}), json!({"sampling": {}})] {
        assert_eq!(with("ask", none)["code"], -32021);
    }
}

#[test]
fn prompts_and_resources_may_ask_as_well_and_nothing_else_may() {
    let server = Product::new();
    let prompt = able("prompts/get", json!({"name": "greet_asked"}), json!({}));
    let (_, state) = asked(&server, &prompt);
    let answered = ask_modern(&server, &again(&prompt, &state, json!({"name": accept("Ada")})));
    assert_eq!(answered["messages"][0]["content"]["text"], "Ada");
    let resource = able("resources/read", json!({"uri": "test://ask"}), json!({}));
    let (_, state) = asked(&server, &resource);
    let answered = ask_modern(&server, &again(&resource, &state, json!({"name": accept("Ada")})));
    assert_eq!(answered["contents"][0]["uri"], "test://ask");
    // Where nothing is asked, a state means nothing.
    let list = able("tools/list", json!({}), json!({}));
    assert_eq!(ask_modern(&server, &again(&list, &json!("x"), json!({})))["resultType"], "complete");
}

#[test]
fn an_answer_counts_for_its_question_and_no_other_of_that_name() {
    let server = Product::new();
    let message = call("ask_of_today");
    let yes = json!({"ok": {"action": "accept", "content": {"ok": true}}});
    let (_, state) = asked(&server, &message);
    assert_eq!(ask_modern(&server, &again(&message, &state, yes.clone()))["structuredContent"]["answers"], json!([yes["ok"]]));
    server.world.advance(1_000);
    let (names, state) = asked(&server, &again(&message, &state, yes.clone()));
    assert_eq!(names, ["ok"], "it asks something else now");
    assert_eq!(ask_modern(&server, &again(&message, &state, yes))["resultType"], "complete");
}
