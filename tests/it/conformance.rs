//! The fixture of the conformance suite, tool by tool, as the suite calls them.

use crate::support::caller::Caller;
use crate::support::edge::{Isolate, Sent, messages, text};
use crate::support::{Fleet, tokens};
use conformance_fixture::tools::{LIST, TOOLS};
use conformance_fixture::{ADDITIONS, USER, authorization};
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::cache::Memory;
use gastown_mcp::edge::{Edge, Settings};
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::tools::run::View;
use gastown_mcp::tools::tool::ToolDef;
use gastown_mcp::tools::toolset::Toolsets;
use gastown_mcp::tools::{find, list};
use mcp::client::{ClientCapability, Interruption, TaskOutcome};
use mcp::types::ToolReply;
use serde_json::{Value, json};
use std::rc::Rc;

fn caller(capabilities: &[ClientCapability]) -> Rc<Caller> {
    let fleet = Fleet::new();
    let who = tokens::user(&fleet, USER);
    Caller::new(&fleet, &who, capabilities)
}

fn blocks(reply: Result<ToolReply, Interruption>) -> Vec<Value> {
    match reply {
        Ok(ToolReply::Content { blocks, is_error: false }) => serde_json::from_str(&blocks).unwrap(),
        other => panic!("no content: {other:?}"),
    }
}

/// What a tool says whose reply is one text.
fn says(reply: Result<ToolReply, Interruption>) -> String {
    let blocks = blocks(reply);
    assert_eq!((blocks.len(), &blocks[0]["type"]), (1, &json!("text")));
    blocks[0]["text"].as_str().unwrap().to_owned()
}

fn accepted(content: Value) -> Value {
    json!({"action": "accept", "content": content})
}

/// A call that first asks for these, and what it says once they are answered.
fn asks(capabilities: &[ClientCapability], tool: &str, answers: &[(&'static str, Value)]) -> (Vec<Value>, String) {
    let caller = caller(capabilities);
    assert!(matches!(caller.call(tool, json!({})), Err(Interruption::InputRequired)), "{tool}");
    let asked = caller.told();
    for (name, answer) in answers {
        caller.answer(name, answer.clone());
    }
    (asked, says(caller.call(tool, json!({}))))
}

#[test]
fn every_tool_is_described_once_in_order_with_its_mirrored_arguments() {
    let listed: Vec<Value> = serde_json::from_str(LIST).unwrap();
    assert_eq!(listed.len(), 35);
    assert!(listed.iter().map(|tool| tool["name"].as_str().unwrap()).eq(TOOLS.iter().map(|tool| tool.name)));
    for (tool, entry) in TOOLS.iter().zip(&listed) {
        assert!(entry["description"].as_str().is_some_and(|text| !text.is_empty()), "{}", tool.name);
        assert_eq!(entry["inputSchema"]["type"], "object", "{}", tool.name);
        let properties = entry["inputSchema"]["properties"].as_object().unwrap();
        let mirrored = properties.iter().filter_map(|(name, schema)| Some((vec![name.as_str()], schema.get("x-mcp-header")?.as_str()?)));
        assert!(mirrored.eq(tool.header_parameters.iter().map(|known| (known.path.to_vec(), known.header))), "{}", tool.name);
    }
    let product = gastown_mcp::tools::TOOLS;
    assert!(product.iter().all(|tool: &ToolDef| !TOOLS.iter().any(|fixture| fixture.name == tool.name)));
}

#[test]
fn the_fixture_is_listed_after_the_products_tools_and_found_on_calls() {
    let view = View { profile: Profile::Coordinator, read_only: false, scope: Scope::Admin, pinned: false, toolsets: Toolsets::ALL };
    let shown: Vec<Value> = serde_json::from_str(&list::text(view, true, ADDITIONS.tools)).unwrap();
    assert_eq!(shown.len(), gastown_mcp::tools::TOOLS.len() + TOOLS.len());
    assert_eq!(shown.last().unwrap()["name"], "test_tool_with_task");
    assert!(
        TOOLS
            .iter()
            .all(|tool| ADDITIONS.tools.find(Profile::Coordinator, tool.name).is_some() && find(Profile::Coordinator, tool.name).is_none())
    );
}

#[test]
fn content_is_what_the_suite_expects() {
    let caller = caller(&[]);
    let call = |tool: &str| blocks(caller.call(tool, json!({})));
    assert_eq!(says(caller.call("test_simple_text", json!({}))), "This is a simple text response for testing.");
    let image = &call("test_image_content")[0];
    assert_eq!((&image["type"], &image["mimeType"]), (&json!("image"), &json!("image/png")));
    assert!(image["data"].as_str().unwrap().starts_with("iVBORw0KGgo"));
    let audio = &call("test_audio_content")[0];
    assert_eq!((&audio["type"], &audio["mimeType"]), (&json!("audio"), &json!("audio/wav")));
    let embedded = json!({"uri": "test://embedded-resource", "mimeType": "text/plain", "text": "This is an embedded resource content."});
    assert_eq!(call("test_embedded_resource")[0], json!({"type": "resource", "resource": embedded}));
    let mixed = call("test_multiple_content_types");
    assert_eq!(mixed[0]["text"], "Multiple content types test:");
    assert_eq!(mixed[1]["type"], "image");
    let resource =
        json!({"uri": "test://mixed-content-resource", "mimeType": "application/json", "text": "{\"test\":\"data\",\"value\":123}"});
    assert_eq!(mixed[2]["resource"], resource);
    let Ok(ToolReply::Content { blocks, is_error: true }) = caller.call("test_error_handling", json!({})) else { panic!("no error") };
    assert!(blocks.contains("This tool intentionally returns an error for testing"));
    assert_eq!(says(caller.call("test_x_mcp_header", json!({"value": "Hello"}))), "Hello");
    assert_eq!(says(caller.call("json_schema_2020_12_tool", json!({"email": "a@b"}))), r#"{"email":"a@b"}"#);
    assert_eq!(says(caller.call("greet", json!({"name": "World"}))), "Hello, World!");
}

#[test]
fn logs_progress_and_the_end_of_a_connection_come_in_their_order() {
    let caller = caller(&[]);
    says(caller.call("test_tool_with_logging", json!({})));
    let logs = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    assert_eq!(caller.told(), logs.map(|text| json!({"log": ["info", text]})));
    says(caller.call("test_tool_with_progress", json!({})));
    assert_eq!(caller.told(), [0.0, 50.0, 100.0].map(|done| json!({"progress": [done, 100.0]})));
    says(caller.call("test_logging_tool", json!({})));
    assert_eq!(caller.told().len(), 1);
    says(caller.call("test_reconnection", json!({})));
    assert_eq!(caller.told(), [json!({"hang_up": null})]);
}

#[test]
fn questions_of_the_legacy_scenarios_have_the_schemas_they_ask_for() {
    let client = caller(&[ClientCapability::Sampling, ClientCapability::Elicitation]);
    client.answer("response", json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Paris"}}));
    assert_eq!(says(client.call("test_sampling", json!({"prompt": "Where?"}))), "LLM response: Paris");

    let (asked, said) =
        asks(&[ClientCapability::Elicitation], "test_elicitation_sep1034_defaults", &[("response", accepted(json!({"age": 25})))]);
    assert_eq!(said, r#"Elicitation completed: action=accept, content={"age":25}"#);
    let fields = &asked[0]["response"]["params"]["requestedSchema"]["properties"];
    let defaults = ["name", "age", "score", "status", "verified"].map(|field| fields[field]["default"].clone());
    assert_eq!(Value::from(defaults.to_vec()), json!(["John Doe", 30, 95.5, "active", true]));
    assert_eq!(fields["status"]["enum"], json!(["active", "inactive", "pending"]));

    let (asked, _) = asks(&[ClientCapability::Elicitation], "test_elicitation_sep1330_enums", &[("response", accepted(json!({})))]);
    let fields = &asked[0]["response"]["params"]["requestedSchema"]["properties"];
    assert_eq!(fields["untitledSingle"], json!({"type": "string", "enum": ["option1", "option2", "option3"]}));
    assert_eq!(fields["titledSingle"]["oneOf"][0], json!({"const": "value1", "title": "First Option"}));
    assert_eq!(fields["legacyEnum"]["enumNames"], json!(["Option One", "Option Two", "Option Three"]));
    assert_eq!(fields["untitledMulti"]["items"], json!({"type": "string", "enum": ["option1", "option2", "option3"]}));
    assert_eq!(fields["titledMulti"]["items"]["anyOf"][0], json!({"const": "value1", "title": "First Choice"}));

    client.answer("response", accepted(json!({"username": "u", "email": "e"})));
    let said = says(client.call("test_elicitation", json!({"message": "Who?"})));
    assert_eq!(said, r#"User response: action=accept, content={"email":"e","username":"u"}"#);
    let (_, said) = asks(&[ClientCapability::Elicitation], "test_streaming_elicitation", &[("response", json!({"action": "decline"}))]);
    assert_eq!(said, "Elicitation completed: action=decline, content=null");
}

#[test]
fn a_capability_that_was_not_declared_is_named() {
    assert!(matches!(
        caller(&[]).call("test_missing_capability", json!({})),
        Err(Interruption::MissingCapability(ClientCapability::Sampling))
    ));
    says(caller(&[ClientCapability::Sampling]).call("test_missing_capability", json!({})));
    for tool in ["failing_job", "protocol_error_job", "confirm_delete", "multi_input", "test_tool_with_task"] {
        let arguments = json!({"filename": "x"});
        assert!(
            matches!(
                caller(&[ClientCapability::Elicitation]).call(tool, arguments),
                Err(Interruption::MissingCapability(ClientCapability::Tasks))
            ),
            "{tool}"
        );
    }
}

#[test]
fn answers_that_are_required_are_asked_by_their_keys_and_used() {
    let every = [ClientCapability::Elicitation, ClientCapability::Sampling, ClientCapability::Roots];
    let keys =
        |asked: &[Value]| -> Vec<String> { asked.iter().map(|one| one.as_object().unwrap().keys().next().unwrap().clone()).collect() };
    let sampled = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Bonjour"}});
    let roots = json!({"roots": [{"uri": "file:///test/root"}]});
    let alice = accepted(json!({"name": "Alice"}));

    let (asked, said) = asks(&every, "test_input_required_result_elicitation", &[("user_name", alice.clone())]);
    assert_eq!((keys(&asked), said.as_str()), (vec!["user_name".to_owned()], "Hello, Alice!"));
    assert_eq!(asked[0]["user_name"]["method"], "elicitation/create");
    let (asked, said) = asks(&every, "test_input_required_result_sampling", &[("capital_question", sampled.clone())]);
    assert_eq!((keys(&asked), said.as_str()), (vec!["capital_question".to_owned()], "Bonjour"));
    assert_eq!(asked[0]["capital_question"]["params"]["maxTokens"], 100);
    let (asked, said) = asks(&every, "test_input_required_result_list_roots", &[("client_roots", roots.clone())]);
    assert_eq!((keys(&asked), said.as_str()), (vec!["client_roots".to_owned()], "Client roots: file:///test/root"));
    for tool in ["test_input_required_result_request_state", "test_input_required_result_tampered_state"] {
        let (asked, said) = asks(&every, tool, &[("confirm", accepted(json!({"ok": true})))]);
        assert_eq!((keys(&asked), said.as_str()), (vec!["confirm".to_owned()], "state-ok: ok=true"));
    }
    let answers = [("user_name", alice.clone()), ("greeting", sampled), ("client_roots", roots)];
    let (asked, said) = asks(&every, "test_input_required_result_multiple_inputs", &answers);
    assert_eq!(keys(&asked), ["user_name", "greeting", "client_roots"]);
    assert_eq!(said, "Bonjour Alice. Client roots: file:///test/root");

    let rounds = caller(&every);
    let call = || rounds.call("test_input_required_result_multi_round", json!({}));
    assert!(matches!(call(), Err(Interruption::InputRequired)));
    assert_eq!(keys(&rounds.told()), ["step1"]);
    rounds.answer("step1", alice);
    assert!(matches!(call(), Err(Interruption::InputRequired)));
    assert_eq!(keys(&rounds.told()), ["step2"]);
    rounds.answer("step2", accepted(json!({"color": "blue"})));
    assert_eq!(says(call()), "Alice likes blue");

    let only = caller(&[ClientCapability::Sampling]);
    assert!(matches!(only.call("test_input_required_result_capabilities", json!({})), Err(Interruption::InputRequired)));
    assert_eq!(keys(&only.told()), ["capital_question"]);
}

#[test]
fn a_computation_is_a_task_for_those_who_take_tasks_else_it_waits() {
    let client = caller(&[ClientCapability::Tasks]);
    let arguments = json!({"seconds": 2, "label": "x"});
    assert!(matches!(client.call("slow_compute", arguments.clone()), Err(Interruption::BecameTask)));
    let Ok(ToolReply::Deferred(later)) = client.call("slow_compute", arguments.clone()) else { panic!("it is not done at once") };
    let (due, ending) = later.due.unwrap();
    let TaskOutcome::Result(result) = ending else { panic!("it ends well") };
    assert_eq!(result["content"][0]["text"], "Computed x for 2 s");
    assert!(result.get("isError").is_none());
    assert_eq!(due, Fleet::new().now().plus_millis(2_000));
    says(client.call("slow_compute", json!({"seconds": 0})));
    assert_eq!(says(caller(&[]).call("slow_compute", arguments)), "Computed x for 2 s");
}

#[test]
fn jobs_end_as_their_names_say() {
    let ending = |tool: &str| {
        let client = caller(&[ClientCapability::Tasks]);
        assert!(matches!(client.call(tool, json!({})), Err(Interruption::BecameTask)), "{tool}");
        let Ok(ToolReply::Deferred(later)) = client.call(tool, json!({})) else { panic!("{tool} is not done at once") };
        later.due.unwrap().1
    };
    let TaskOutcome::Result(result) = ending("failing_job") else { panic!("a tool that failed has a result") };
    assert_eq!(result["isError"], true);
    let TaskOutcome::Error(error) = ending("protocol_error_job") else { panic!("a call that failed has none") };
    assert!(error["code"].is_i64() && error["message"].is_string());
}

#[test]
fn tasks_ask_and_what_was_asked_before_a_task_is_known_in_it() {
    let client = caller(&[ClientCapability::Tasks, ClientCapability::Elicitation]);
    let arguments = json!({"filename": "a.txt"});
    assert!(matches!(client.call("confirm_delete", arguments.clone()), Err(Interruption::BecameTask)));
    assert!(matches!(client.call("confirm_delete", arguments.clone()), Err(Interruption::InputRequired)));
    client.answer("confirm", accepted(json!({"confirm": true})));
    assert_eq!(says(client.call("confirm_delete", arguments.clone())), "Deleted a.txt");
    client.answer("confirm", json!({"action": "decline"}));
    assert_eq!(says(client.call("confirm_delete", arguments)), "Kept a.txt");

    let client = caller(&[ClientCapability::Tasks, ClientCapability::Elicitation]);
    assert!(matches!(client.call("multi_input", json!({})), Err(Interruption::BecameTask)));
    assert!(matches!(client.call("multi_input", json!({})), Err(Interruption::InputRequired)));
    assert_eq!(client.told().len(), 2);

    let client = caller(&[ClientCapability::Tasks, ClientCapability::Elicitation]);
    assert!(matches!(client.call("test_tool_with_task", json!({})), Err(Interruption::InputRequired)));
    client.answer("user_name", accepted(json!({"name": "Alice"})));
    assert!(matches!(client.call("test_tool_with_task", json!({})), Err(Interruption::BecameTask)));
    assert_eq!(says(client.call("test_tool_with_task", json!({}))), "Hello from a task, Alice!");
}

#[test]
fn triggers_reach_the_object_that_listeners_wait_at() {
    for tool in ["test_trigger_tool_change", "test_trigger_prompt_change"] {
        says(caller(&[]).call(tool, json!({})));
    }
}

#[test]
fn the_suites_user_needs_no_token_on_this_machine_and_on_mcp_doors_only() {
    let fleet = Fleet::new();
    let settings = |loopback_only: &str| {
        let read = |name: &str| if name == "LOOPBACK_ONLY" { loopback_only.to_owned() } else { String::new() };
        Settings::read(read).unwrap()
    };
    let (memory, here, elsewhere) = (Memory::default(), settings("true"), settings(""));
    let edge = |settings| Edge { runtime: &fleet, memory: &memory, settings, additions: &ADDITIONS };
    assert!(authorization(edge(&here)).unwrap().starts_with("Bearer "));
    assert_eq!(authorization(edge(&elsewhere)), None);

    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}).to_string();
    let headers = [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/list")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let send = |at: &Isolate, path: &str| {
        let sent = Sent { method: "POST".to_owned(), path: path.to_owned(), headers: Clone::clone(&headers), body: body.clone() };
        let response = at.send(sent);
        (response.status, text(&response))
    };
    let (status, answer) = send(&Isolate::on_loopback(&fleet), "/mcp");
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("test_simple_text") && answer.contains("list_towns"));
    assert_eq!(send(&Isolate::on_loopback(&fleet), "/api/users/conformance/towns").0, 401);
    assert_eq!(send(&Isolate::new(&fleet), "/mcp").0, 401);
}

#[test]
fn clients_hear_of_the_fixtures_lists_and_no_list_of_the_products() {
    let fleet = Fleet::new();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let wanted = json!({"toolsListChanged": true, "promptsListChanged": true});
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {"_meta": meta, "notifications": wanted}});
    let honoured = |at: &Isolate, token: Option<String>| {
        let mut headers: std::collections::BTreeMap<String, String> =
            [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "subscriptions/listen"), ("accept", "text/event-stream")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let sent = Sent { method: "POST".to_owned(), path: "/mcp".to_owned(), headers, body: body.to_string() };
        let (_, acknowledged) = messages(&at.open(sent).within(10).0).remove(0);
        acknowledged["params"]["notifications"].clone()
    };
    assert_eq!(honoured(&Isolate::on_loopback(&fleet), None), wanted);
    assert_eq!(honoured(&Isolate::new(&fleet), Some(tokens::user(&fleet, USER).jwt)), json!({}));
}
