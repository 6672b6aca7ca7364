//! 2026-07-28. H1 to H23 number its requirements.

use crate::*;

#[test]
fn discover_says_who_and_what() {
    let response = post_modern(&Product::new(), &modern("server/discover", json!({})));
    assert_eq!(response.status, 200);
    assert_eq!(response.headers, []);
    assert_eq!(
        text(&response),
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","#,
            r#""supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"#,
            r#""capabilities":{"tools":{"listChanged":true},"logging":{},"resources":{"subscribe":true,"listChanged":true},"#,
            r#""prompts":{},"completions":{},"extensions":{"test/extension":{"a":1},"io.modelcontextprotocol/tasks":{},"#,
            r#""io.modelcontextprotocol/skills":{"directoryRead":true}}},"instructions":"Say \"echo\".","ttlMs":300000,"cacheScope":"private","#,
            r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"test","title":"Test","version":"1.2.3"}}}}"#
        )
    );
}

#[test]
fn tools_list_splices_the_prepared_text() {
    let response = post_modern(&Product::new(), &modern("tools/list", json!({})));
    assert_eq!(
        text(&response),
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","#,
            r#""tools":[{"name":"echo","title":"Echo","inputSchema":{"type":"object"},"outputSchema":{"type":"object"}}],"#,
            r#""ttlMs":300000,"cacheScope":"private","#,
            r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"test","title":"Test","version":"1.2.3"}}}}"#
        )
    );
}

#[test]
fn tools_call_answers_structured_content_and_the_same_as_text() {
    let response = post_modern(&Product::new(), &modern("tools/call", json!({"name": "echo", "arguments": {"a": "ü\"\n"}})));
    assert_eq!(
        text(&response),
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","#,
            r#""content":[{"type":"text","text":"{\"a\":\"ü\\\"\\n\"}"}],"structuredContent":{"a":"ü\"\n"},"#,
            r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"test","title":"Test","version":"1.2.3"}}}}"#
        )
    );
}

#[test]
fn a_call_without_arguments_is_a_call_with_none() {
    for arguments in [json!({"name": "echo"}), json!({"name": "echo", "arguments": null}), json!({"name": "echo", "arguments": {}})] {
        let response = post_modern(&Product::new(), &modern("tools/call", arguments));
        assert_eq!(body(&response)["result"]["structuredContent"], json!({}));
    }
}

#[test]
fn a_refusal_is_a_result_that_teaches() {
    let response = post_modern(&Product::new(), &modern("tools/call", json!({"name": "refuse"})));
    assert_eq!(response.status, 200);
    let result = &body(&response)["result"];
    assert_eq!(result["isError"], true);
    assert_eq!(result.get("structuredContent"), None);
    let refusal: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(refusal, json!({"code": "not_found", "message": "no such town", "hint": "call list_towns"}));
}

#[test]
fn a_fault_shows_its_incident_and_nothing_else() {
    let server = Product::new();
    let response = post_modern(&server, &modern("tools/call", json!({"name": "break"})));
    assert_eq!(response.status, 200);
    assert_eq!(text(&response), r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error (incident inc-1)"}}"#);
    assert_eq!(*server.world.faults.borrow(), ["asking: the secret cause"]);
}

#[test]
fn h3_one_message_per_body_and_no_answers() {
    let server = Product::new();
    let version = [("MCP-Protocol-Version", MODERN)];
    assert_eq!(verdict(&post(&server, &version, &format!("[{}]", modern("tools/list", json!({}))))), (400, -32600));
    assert_eq!(verdict(&post(&server, &version, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)), (400, -32600));
}

#[test]
fn h4_notifications_are_accepted_known_or_not() {
    for method in ["notifications/cancelled", "notifications/initialized", "notifications/whatever"] {
        let bare = json!({"jsonrpc": "2.0", "method": method});
        let full = json!({"jsonrpc": "2.0", "method": method, "params": {"_meta": meta(MODERN)}});
        assert_eq!(post_modern(&Product::new(), &bare).status, 202);
        assert_eq!(post_modern(&Product::new(), &full).status, 202);
    }
    // What nobody could answer is refused and not run.
    let server = Product::new();
    let call = json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "echo", "_meta": meta(MODERN)}});
    assert_eq!(verdict(&post_modern(&server, &call)), (400, -32600));
    assert_eq!(*server.world.calls.borrow(), [""; 0]);
}

#[test]
fn h5_h6_json_whatever_is_accepted() {
    let message = modern("tools/list", json!({})).to_string();
    for accept in [None, Some("application/json"), Some("*/*"), Some("text/event-stream"), Some("text/html")] {
        let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")];
        headers.extend(accept.map(|accept| ("Accept", accept)));
        let response = post(&Product::new(), &headers, &message);
        assert!(matches!(response.body, ResponseBody::Json(_)));
        assert_eq!(response.status, 200);
    }
}

#[test]
fn h8_an_unserved_version_is_told_what_is_served() {
    for version in ["2027-01-01", "v999.0.0", "2025-11-25"] {
        let message = json!({"jsonrpc": "2.0", "id": "x", "method": "tools/list", "params": {"_meta": meta(version)}});
        let response = post(&Product::new(), &[("MCP-Protocol-Version", version), ("Mcp-Method", "tools/list")], &message.to_string());
        assert_eq!(response.status, 400);
        assert_eq!(
            body(&response),
            json!({"jsonrpc": "2.0", "id": "x", "error": {"code": -32022, "message": "Unsupported protocol version", "data":
                {"supported": ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"], "requested": version}}})
        );
    }
}

#[test]
fn h9_meta_is_required_and_client_info_is_not() {
    let version = "io.modelcontextprotocol/protocolVersion";
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let cases = [
        (json!({}), -32602),
        (json!({"_meta": null}), -32602),
        (json!({"_meta": 5}), -32602),
        (json!({"_meta": [MODERN, {}]}), -32602),
        (json!({"_meta": {}}), -32602),
        (json!({"_meta": {version: MODERN}}), -32602),
        (json!({"_meta": {version: MODERN, capabilities: null}}), -32602),
        (json!({"_meta": {version: MODERN, capabilities: []}}), -32602),
        (json!({"_meta": {version: 20_260_728, capabilities: {}}}), -32602),
        (json!({"_meta": {version: null, capabilities: {}}}), -32602),
        (json!({"_meta": {capabilities: {}}}), -32602),
        (json!({"_meta": {version: MODERN, capabilities: {}}}), 0),
    ];
    for (params, code) in cases {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params});
        let status = if code == 0 { 200 } else { 400 };
        assert_eq!(verdict(&post_modern(&Product::new(), &message)), (status, code), "{message}");
    }
    let without_params = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    assert_eq!(verdict(&post_modern(&Product::new(), &without_params)), (400, -32602));
    let twice = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{},"_meta":{}}}"#;
    assert_eq!(verdict(&post(&Product::new(), &[("MCP-Protocol-Version", MODERN)], twice)), (400, -32602));
}

#[test]
fn h10_a_missing_capability_is_named() {
    let response = post_modern(&Product::new(), &modern("tools/call", json!({"name": "sample"})));
    assert_eq!(response.status, 400);
    assert_eq!(
        text(&response),
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"Missing required client capability: {\"sampling\":{}}","#,
            r#""data":{"requiredCapabilities":{"sampling":{}}}}}"#
        )
    );
    let mut declared = modern("tools/call", json!({"name": "sample"}));
    declared["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"sampling": {}});
    assert_eq!(verdict(&post_modern(&Product::new(), &declared)), (200, 0));
}

#[test]
fn h11_unknown_and_removed_methods_are_not_found() {
    let removed = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "notifications/initialized"];
    for method in removed.into_iter().chain(["unknown/method", "", "tools/List"]) {
        let response = post_modern(&Product::new(), &modern(method, json!({})));
        assert_eq!(verdict(&response), (404, -32601), "{method}");
        assert_eq!(body(&response)["id"], 1);
    }
}

#[test]
fn h17_sessions_and_resumption_are_ignored() {
    let message = modern("tools/list", json!({})).to_string();
    let headers = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list"), ("Mcp-Session-Id", "garbage"), ("Last-Event-ID", "7")];
    let response = post(&Product::new(), &headers, &message);
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "mcp-session-id"), None);
    for method in ["GET", "DELETE", "PUT", "PATCH", "OPTIONS"] {
        let response = send(&Product::new(), method, &[("MCP-Protocol-Version", MODERN)], RequestBody::Bytes(Vec::new()));
        assert_eq!((response.status, header(&response, "allow")), (405, Some("POST")));
    }
}

#[test]
fn h22_media_type_and_size() {
    let message = modern("tools/list", json!({})).to_string();
    let cases = [
        (Some("application/json"), 200),
        (Some("Application/JSON; charset=utf-8"), 200),
        (Some("application/json;charset=\"utf-8\""), 200),
        (Some("text/plain"), 415),
        (Some("application/jsonp"), 415),
        (Some("application/json, application/json"), 415),
        (None, 415),
    ];
    for (content_type, status) in cases {
        let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")];
        headers.extend(content_type.map(|content_type| ("Content-Type", content_type)));
        let response = send(&Product::new(), "POST", &headers, RequestBody::Bytes(message.clone().into_bytes()));
        assert_eq!(response.status, status, "{content_type:?}");
    }
    let json = [("Content-Type", "application/json")];
    assert_eq!(send(&Product::new(), "POST", &json, RequestBody::TooLarge).status, 413);
}

#[test]
fn ids_are_echoed_as_they_were_written() {
    for id in ["1", "-7", "\"a\"", "\"\\u00fc\\\"\"", "\"\"", "1.0", "10e-1", "12345678901234567890123", "0"] {
        let message = modern("tools/list", json!({})).to_string().replace("\"id\":1,", &format!("\"id\":{id},"));
        let response = post(&Product::new(), &[("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")], &message);
        assert_eq!(response.status, 200, "{id}");
        assert!(text(&response).starts_with(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result""#)), "{}", text(&response));
    }
    for id in ["null", "1.5", "true", "{}", "[1]", "1e999", "\"\\ud800\""] {
        let message = modern("tools/list", json!({})).to_string().replace("\"id\":1,", &format!("\"id\":{id},"));
        let response = post(&Product::new(), &[("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")], &message);
        assert_eq!(verdict(&response), (400, -32600), "{id}");
        assert_eq!(body(&response).get("id"), None);
    }
}

#[test]
fn a_known_id_is_echoed_in_errors_of_the_envelope_too() {
    for message in [r#"{"jsonrpc":"1.0","id":9,"method":"a"}"#, r#"{"id":9,"method":"a"}"#, r#"{"jsonrpc":"2.0","id":9,"method":5}"#] {
        let response = post(&Product::new(), &[("MCP-Protocol-Version", MODERN)], message);
        assert_eq!(verdict(&response), (400, -32600), "{message}");
        assert_eq!(body(&response)["id"], 9);
    }
}

#[test]
fn parameters_that_do_not_fit_are_answered_in_band() {
    let cases = [
        ("tools/list", json!({"cursor": ""})),
        ("tools/list", json!({"cursor": "x"})),
        ("tools/list", json!({"cursor": 5})),
        ("tools/call", json!({})),
        ("tools/call", json!({"name": 5})),
        ("tools/call", json!({"name": null})),
        ("tools/call", json!({"name": "nobody"})),
        ("tools/call", json!({"name": "echo", "arguments": []})),
        ("tools/call", json!({"name": "echo", "arguments": "{}"})),
    ];
    for (method, params) in cases {
        let message = modern(method, params);
        assert_eq!(verdict(&post_modern(&Product::new(), &message)), (200, -32602), "{message}");
    }
    let long = "x".repeat(4000);
    assert!(text(&post_modern(&Product::new(), &modern("tools/call", json!({"name": long})))).len() < 300);
}
