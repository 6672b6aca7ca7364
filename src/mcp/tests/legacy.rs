//! 2025-11-25 and earlier. L1 to L15 number the requirements of these revisions.

use crate::*;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

fn initialized(version: &str) -> Value {
    let request = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": version}});
    body(&post(&Product::new(), &[], &request.to_string()))
}

#[test]
fn l1_initialize_settles_on_a_revision() {
    for (asked, settled) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"),
        ("2026-07-28", "2025-11-25"),
        ("2024-10-07", "2025-11-25"),
        ("1999-01-01", "2025-11-25"),
        ("", "2025-11-25"),
    ] {
        assert_eq!(initialized(asked)["result"]["protocolVersion"], settled);
    }
    assert_eq!(
        initialized("2025-11-25"),
        json!({"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25", "capabilities": {
            "tools": {"listChanged": true}, "logging": {}, "resources": {"subscribe": true, "listChanged": true}, "prompts": {},
            "completions": {}},
            "serverInfo": {"name": "test", "title": "Test", "version": "1.2.3"}, "instructions": "Say \"echo\"."}})
    );
    assert_eq!(initialized("2025-03-26")["result"]["serverInfo"], json!({"name": "test", "version": "1.2.3"}));
}

#[test]
fn l1_initialize_needs_a_version() {
    for params in [json!({}), json!({"protocolVersion": 5}), json!({"protocolVersion": null}), json!([1])] {
        let request = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        assert_eq!(verdict(&post(&Product::new(), &[], &request.to_string())), (200, -32602));
    }
}

#[test]
fn l1_initialize_asks_for_no_session_and_cares_for_no_header() {
    let request = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}"#;
    for headers in [[("Mcp-Session-Id", "stale")], [("MCP-Protocol-Version", "2031-01-01")]] {
        let response = post(&Product::new(), &headers, request);
        assert_eq!(response.status, 200);
        assert!(header(&response, "mcp-session-id").is_some());
    }
}

#[test]
fn l2_without_a_session_400_and_with_an_unknown_one_404() {
    let server = Product::new();
    for body in [PING, r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "[]"] {
        assert_eq!(verdict(&post(&server, &[], body)), (400, -32600), "{body}");
        assert_eq!(verdict(&post_legacy(&server, "unknown", body)), (404, -32600), "{body}");
    }
    assert_eq!(body(&post(&server, &[], PING))["id"], 1);
}

#[test]
fn l3_notifications_and_answers_are_accepted() {
    let server = Product::new();
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let session = initialize(&server, version);
        for body in [
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/never/heard/of"}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            r#"{"jsonrpc":"2.0","id":"x","error":{"code":1,"message":"no"}}"#,
        ] {
            assert_eq!(post_legacy(&server, &session, body).status, 202, "{body}");
        }
    }
    let session = initialize(&server, "2025-11-25");
    let call = r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}"#;
    assert_eq!(verdict(&post_legacy(&server, &session, call)), (400, -32600));
    assert_eq!(*server.world.calls.borrow(), [""; 0]);
}

#[test]
fn l4_the_version_header() {
    let server = Product::new();
    let session = initialize(&server, "2025-06-18");
    let with = |version: &str| post(&server, &[("Mcp-Session-Id", &session), ("MCP-Protocol-Version", version)], PING);
    assert_eq!(verdict(&with("2025-06-18")), (200, 0));
    // Served, though not what was settled on: the client only SHOULD repeat that.
    assert_eq!(verdict(&with("2025-11-25")), (200, 0));
    for version in ["2031-01-01", "", "latest", "2025-06-18, 2025-06-18"] {
        assert_eq!(verdict(&with(version)), (400, -32600), "{version}");
    }
    // A modern header belongs to the modern era, which misses its `_meta`.
    assert_eq!(verdict(&with("2026-07-28")), (400, -32602));
}

#[test]
fn l5_get_opens_the_sessions_stream() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let get = |headers: &[(&str, &str)]| exchange(&server, "GET", headers, RequestBody::Bytes(Vec::new()));
    let Got::Stream(head, reading) = get(&[("Mcp-Session-Id", &session)]) else { panic!("no stream") };
    assert_eq!((head.status, header(&head, "content-type")), (200, Some("text/event-stream")));
    assert!(!reading.has_ended());
    let refused = |headers: &[(&str, &str)]| send(&server, "GET", headers, RequestBody::Bytes(Vec::new())).status;
    assert_eq!(refused(&[]), 400);
    assert_eq!(refused(&[("Mcp-Session-Id", "unknown")]), 404);
    assert_eq!(refused(&[("Mcp-Session-Id", &session), ("MCP-Protocol-Version", "nonsense")]), 400);
    let put = send(&server, "PUT", &[], RequestBody::Bytes(Vec::new()));
    assert_eq!((put.status, header(&put, "allow")), (405, Some("GET, POST, DELETE")));
}

#[test]
fn l6_delete_ends_the_session() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let other = initialize(&server, "2025-11-25");
    let delete = |headers: &[(&str, &str)]| send(&server, "DELETE", headers, RequestBody::Bytes(Vec::new()));
    assert_eq!(delete(&[]).status, 400);
    assert_eq!(delete(&[("Mcp-Session-Id", "unknown")]).status, 404);
    assert_eq!(delete(&[("Mcp-Session-Id", &session), ("MCP-Protocol-Version", "nonsense")]).status, 400);
    assert_eq!(delete(&[("Mcp-Session-Id", &session)]).status, 204);
    assert_eq!(delete(&[("Mcp-Session-Id", &session)]).status, 404);
    assert_eq!(verdict(&post_legacy(&server, &session, PING)), (404, -32600));
    assert_eq!(verdict(&post_legacy(&server, &other, PING)), (200, 0));
}

#[test]
fn l12_methods_of_the_other_era_are_not_found() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    assert_eq!(text(&post_legacy(&server, &session, PING)), r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    for method in ["server/discover", "nothing", "notifications/initialized", "subscriptions/listen"] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method});
        assert_eq!(verdict(&post_legacy(&server, &session, &request.to_string())), (200, -32601), "{method}");
    }
    for params in [json!({"cursor": "x"}), json!([1])] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
        assert_eq!(verdict(&post_legacy(&server, &session, &request.to_string())), (200, -32602));
    }
}

#[test]
fn tool_results_have_the_form_of_the_revision() {
    let server = Product::new();
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1}}}"#;
    for (version, expected) in [
        ("2024-11-05", json!({"content": [{"type": "text", "text": "{\"a\":1}"}]})),
        ("2025-03-26", json!({"content": [{"type": "text", "text": "{\"a\":1}"}]})),
        ("2025-06-18", json!({"content": [{"type": "text", "text": "{\"a\":1}"}], "structuredContent": {"a": 1}})),
        ("2025-11-25", json!({"content": [{"type": "text", "text": "{\"a\":1}"}], "structuredContent": {"a": 1}})),
    ] {
        let session = initialize(&server, version);
        assert_eq!(body(&post_legacy(&server, &session, call))["result"], expected);
        let list = body(&post_legacy(&server, &session, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#));
        assert_eq!(list["result"]["tools"][0].get("outputSchema").is_some(), version >= "2025-06-18");
    }
    let session = initialize(&server, "2025-11-25");
    for (name, status, code) in [("nobody", 200, -32602), ("sample", 200, -32602), ("break", 200, -32603), ("refuse", 200, 0)] {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}});
        assert_eq!(verdict(&post_legacy(&server, &session, &request.to_string())), (status, code), "{name}");
    }
}

#[test]
fn l13_batches_in_2025_03_26_only() {
    let server = Product::new();
    let batch = format!(r#"[{PING},{{"jsonrpc":"2.0","id":"b","method":"ping"}}]"#);
    for version in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        let session = initialize(&server, version);
        assert_eq!(verdict(&post_legacy(&server, &session, &batch)), (400, -32600));
    }
    let session = initialize(&server, "2025-03-26");
    let response = post_legacy(&server, &session, &batch);
    assert_eq!(text(&response), r#"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":"b","result":{}}]"#);
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    assert_eq!(post_legacy(&server, &session, &format!("[{notification},{notification}]")).status, 202);
    let one = post_legacy(&server, &session, &format!("[{notification},{PING}]"));
    assert_eq!(text(&one), r#"[{"jsonrpc":"2.0","id":1,"result":{}}]"#);
    assert_eq!(verdict(&post_legacy(&server, &session, "[]")), (400, -32600));
    assert_eq!(verdict(&post_legacy(&server, &session, "[{},")), (400, -32700));
    assert_eq!(verdict(&post_legacy(&server, &session, "[{}] x")), (400, -32700));
}

#[test]
fn l13_each_element_of_a_batch_is_answered_on_its_own() {
    let server = Product::new();
    let session = initialize(&server, "2025-03-26");
    let batch = concat!(
        r#"[5,{"jsonrpc":"2.0","id":1,"method":"nothing"},{"jsonrpc":"1.0","id":2,"method":"ping"},"#,
        r#"{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"protocolVersion":"2025-03-26"}},"#,
        r#"{"jsonrpc":"2.0","id":4,"result":{}},{"jsonrpc":"2.0","id":5,"method":"ping"}]"#
    );
    let response = post_legacy(&server, &session, batch);
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "mcp-session-id"), None);
    let answers = body(&response);
    let verdicts: Vec<(Option<i64>, Option<i64>)> =
        answers.as_array().unwrap().iter().map(|answer| (answer["id"].as_i64(), answer["error"]["code"].as_i64())).collect();
    let expected = [(None, Some(-32600)), (Some(1), Some(-32601)), (Some(2), Some(-32600)), (Some(3), Some(-32600)), (Some(5), None)];
    assert_eq!(verdicts, expected);
}

#[test]
fn l13_a_batch_is_bounded() {
    let server = Product::new();
    let session = initialize(&server, "2025-03-26");
    let of = |count: usize| format!("[{}]", vec![PING; count].join(","));
    assert_eq!(body(&post_legacy(&server, &session, &of(50))).as_array().unwrap().len(), 50);
    assert_eq!(verdict(&post_legacy(&server, &session, &of(51))), (400, -32600));
}
