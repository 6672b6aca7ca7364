//! The extension `io.modelcontextprotocol/tasks`.

use crate::*;

fn call(name: &str, arguments: Value) -> Value {
    able("tools/call", json!({"name": name, "arguments": arguments}), json!({}))
}

/// Makes a task; its id.
fn begin(server: &Product, name: &str) -> String {
    let made = ask_modern(server, &call(name, json!({"x": 1})));
    assert_eq!(made["resultType"], "task", "{made}");
    made["taskId"].as_str().unwrap().to_owned()
}

fn on(server: &Product, method: &str, id: &str, mut more: Value) -> Value {
    more["taskId"] = json!(id);
    ask_modern(server, &able(method, more, json!({})))
}

fn look(server: &Product, id: &str) -> Value {
    let task = on(server, "tasks/get", id, json!({}));
    assert_eq!(task["resultType"], "complete", "{task}");
    assert_eq!(task["taskId"], id);
    task
}

fn update(server: &Product, id: &str, answers: Value) -> Value {
    on(server, "tasks/update", id, json!({"inputResponses": answers}))
}

fn accept(name: &str) -> Value {
    json!({"action": "accept", "content": {"name": name}})
}

/// What a method is acknowledged with.
fn assert_acknowledged(result: &Value) {
    let fields: Vec<&String> = result.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["_meta", "resultType"], "{result}");
}

#[test]
fn a_task_is_answered_at_once_and_its_result_is_fetched() {
    let server = Product::new();
    let made = ask_modern(&server, &call("task_later", json!({})));
    let mut fields: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
    fields.sort_unstable();
    let expected = ["_meta", "createdAt", "lastUpdatedAt", "pollIntervalMs", "resultType", "status", "statusMessage", "taskId", "ttlMs"];
    assert_eq!(fields, expected);
    assert_eq!((&made["resultType"], &made["status"]), (&json!("task"), &json!("working")));
    assert!(made["ttlMs"].is_i64() && made["pollIntervalMs"].is_i64() && made["createdAt"].as_str().unwrap().ends_with('Z'));
    let id = made["taskId"].as_str().unwrap();
    assert!(id.len() >= 22);
    let working = look(&server, id);
    assert_eq!((&working["status"], &working["statusMessage"]), (&json!("working"), &json!("Under way")));
    assert_eq!((working.get("result"), working.get("error"), working.get("requestState")), (None, None, None));
    server.world.advance(1_000);
    let done = look(&server, id);
    assert_eq!(done["status"], "completed");
    assert_eq!(done["result"], json!({"resultType": "complete", "content": [{"type": "text", "text": "done"}]}));
    assert!(done["lastUpdatedAt"].as_str() > done["createdAt"].as_str());
}

#[test]
fn a_task_ends_as_its_work_does() {
    let server = Product::new();
    let at_once = look(&server, &begin(&server, "task_at_once"));
    assert_eq!((&at_once["status"], &at_once["result"]["structuredContent"]), (&json!("completed"), &json!({"task": true})));
    let refused = look(&server, &begin(&server, "task_refused"));
    assert_eq!((&refused["status"], &refused["result"]["isError"]), (&json!("completed"), &json!(true)));
    let error = json!({"code": -32603, "message": "no"});
    let failed = look(&server, &begin(&server, "task_fails"));
    assert_eq!((&failed["status"], &failed["error"], failed.get("result")), (&json!("failed"), &error, None));
    let later = begin(&server, "task_fails_later");
    server.world.advance(1_000);
    assert_eq!((&look(&server, &later)["status"], &look(&server, &later)["error"]), (&json!("failed"), &error));
    let tasks = server.world.store.tasks.borrow().len();
    for name in ["task_breaks", "later"] {
        assert_eq!(ask_modern(&server, &call(name, json!({})))["code"], -32603, "{name}");
    }
    assert_eq!(ask_modern(&server, &call("twice", json!({})))["code"], -32602);
    assert_eq!(server.world.store.tasks.borrow().len(), tasks, "what broke leaves no task");
}

#[test]
fn only_a_client_that_takes_tasks_gets_one() {
    let server = Product::new();
    let required = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
    for capabilities in
        [json!({}), json!({"extensions": {}}), json!({"tasks": {}}), json!({"extensions": {"io.modelcontextprotocol/tasks": 1}})]
    {
        let with = |mut message: Value| {
            message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities.clone();
            ask_modern(&server, &message)
        };
        assert_eq!(with(call("task_if_wanted", json!({})))["structuredContent"], json!({"task": false}));
        let id = begin(&server, "task_later");
        let mut refusals = vec![with(call("task_at_once", json!({})))];
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            refusals.push(with(able(method, json!({"taskId": id, "inputResponses": {}}), json!({}))));
        }
        for refused in refusals {
            assert_eq!((&refused["code"], &refused["data"]["requiredCapabilities"]), (&json!(-32021), &required));
        }
    }
    assert_eq!(look(&server, &begin(&server, "task_if_wanted"))["result"]["structuredContent"], json!({"task": true}));
}

#[test]
fn a_task_asks_and_takes_answers_in_parts() {
    let server = Product::new();
    let id = begin(&server, "task_asks");
    let asked = |task: &Value| task["inputRequests"].as_object().map(|asked| asked.keys().cloned().collect::<Vec<_>>());
    let waiting = look(&server, &id);
    assert_eq!((&waiting["status"], asked(&waiting)), (&json!("input_required"), Some(vec!["name".to_owned(), "roots".to_owned()])));
    assert_eq!(waiting["inputRequests"]["name"]["method"], "elicitation/create");
    assert_acknowledged(&update(&server, &id, json!({"roots": {"roots": []}, "unknown": accept("x")})));
    assert_eq!(asked(&look(&server, &id)), Some(vec!["name".to_owned()]));
    // A wrong answer is no answer, and what was answered is not asked again.
    assert_acknowledged(&update(&server, &id, json!({"name": {"action": "maybe"}, "roots": {"roots": [1]}})));
    assert_eq!(asked(&look(&server, &id)), Some(vec!["name".to_owned()]));
    assert_acknowledged(&update(&server, &id, json!({})));
    assert_acknowledged(&update(&server, &id, json!({"name": accept("Ada")})));
    let done = look(&server, &id);
    assert_eq!((&done["status"], asked(&done)), (&json!("completed"), None));
    assert_eq!(done["result"]["structuredContent"], json!({"answers": [accept("Ada"), {"roots": []}], "arguments": {"x": 1}}));
    // What comes after the end changes nothing.
    assert_acknowledged(&update(&server, &id, json!({"name": accept("Eve")})));
    assert_eq!(look(&server, &id), done);
    let id = begin(&server, "task_asks");
    for answers in [json!(null), json!([]), json!("x")] {
        assert_eq!(update(&server, &id, answers)["code"], -32602);
    }
}

#[test]
fn what_is_asked_before_a_task_begins_is_asked_as_in_any_call() {
    let server = Product::new();
    let mut message = call("ask_then_task", json!({}));
    let first = ask_modern(&server, &message);
    assert_eq!(first["resultType"], "input_required");
    message["params"]["requestState"] = first["requestState"].clone();
    message["params"]["inputResponses"] = json!({"name": accept("Ada")});
    let made = ask_modern(&server, &message);
    assert_eq!((&made["resultType"], made.get("requestState")), (&json!("task"), None));
    let done = look(&server, made["taskId"].as_str().unwrap());
    assert_eq!(done["result"]["structuredContent"], json!({"answers": [accept("Ada")]}));
    // The same answers make no second task.
    assert_eq!(ask_modern(&server, &message)["code"], -32602);
    assert_eq!(server.world.store.tasks.borrow().len(), 1);
}

#[test]
fn cancelling_is_idempotent_and_ends_what_has_not_ended() {
    let server = Product::new();
    for name in ["task_later", "task_asks"] {
        let id = begin(&server, name);
        assert_acknowledged(&on(&server, "tasks/cancel", &id, json!({})));
        let cancelled = look(&server, &id);
        assert_eq!((&cancelled["status"], cancelled.get("result"), cancelled.get("inputRequests")), (&json!("cancelled"), None, None));
        assert_acknowledged(&on(&server, "tasks/cancel", &id, json!({})));
        assert_acknowledged(&update(&server, &id, json!({"name": accept("Ada"), "roots": {"roots": []}})));
        server.world.advance(2_000);
        assert_eq!(look(&server, &id), cancelled);
    }
    let id = begin(&server, "task_at_once");
    assert_acknowledged(&on(&server, "tasks/cancel", &id, json!({})));
    assert_eq!(look(&server, &id)["status"], "completed");
}

#[test]
fn a_task_is_its_principals_and_an_unknown_one_is_refused() {
    let server = Product::new();
    let id = begin(&server, "task_later");
    let stranger = server.seen_by("user:eve");
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        for (server, id) in [(&stranger, id.as_str()), (&server, "unknown"), (&server, "")] {
            assert_eq!(on(server, method, id, json!({"inputResponses": {}}))["code"], -32602, "{method}");
        }
        for id in [json!(null), json!(5)] {
            let message = able(method, json!({"taskId": id, "inputResponses": {}}), json!({}));
            assert_eq!(ask_modern(&server, &message)["code"], -32602);
        }
        let missing = post(
            &server,
            &[("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)],
            &able(method, json!({"taskId": id}), json!({})).to_string(),
        );
        assert_eq!(verdict(&missing), (400, -32020), "the id stands in Mcp-Name");
    }
    assert_eq!(look(&server, &id)["status"], "working");
}

#[test]
fn methods_of_the_experimental_tasks_are_gone() {
    let server = Product::new();
    for method in ["tasks/list", "tasks/result"] {
        assert_eq!(verdict(&post_modern(&server, &able(method, json!({}), json!({})))), (404, -32601));
    }
    let session = initialize(&server, "2025-11-25");
    for method in ["tasks/get", "tasks/list", "tasks/result", "tasks/cancel"] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"taskId": "x"}});
        assert_eq!(verdict(&post_legacy(&server, &session, &request.to_string())), (200, -32601));
    }
    // The parameter that asked for one is nobody's.
    let call = able("tools/call", json!({"name": "echo", "arguments": {}, "task": {"ttl": 5}}), json!({}));
    assert_eq!(ask_modern(&server, &call)["resultType"], "complete");
}

#[test]
fn a_task_is_kept_before_it_is_answered_with() {
    let server = Product::new();
    server.world.store.is_down.set(true);
    assert_eq!(ask_modern(&server, &call("task_later", json!({})))["code"], -32603);
}
