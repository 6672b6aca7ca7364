//! H7, H12 to H15, H23: headers against the body.

use crate::*;

fn call(arguments: &Value, headers: &[(&str, &str)]) -> (u16, i64) {
    let mut all = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "echo")];
    all.extend_from_slice(headers);
    let message = modern("tools/call", json!({"name": "echo", "arguments": arguments}));
    verdict(&post(&Product::new(), &all, &message.to_string()))
}

fn call_named(name: &str, header: &str) -> (u16, i64) {
    let message = modern("tools/call", json!({"name": name}));
    let headers = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", header)];
    verdict(&post(&Product::new(), &headers, &message.to_string()))
}

const MISMATCH: (u16, i64) = (400, -32020);
const FINE: (u16, i64) = (200, 0);

#[test]
fn h7_the_version_stands_in_header_and_body() {
    let message = modern("tools/list", json!({})).to_string();
    let with = |headers: &[(&str, &str)]| {
        let mut all = vec![("mcp-method", "tools/list")];
        all.extend_from_slice(headers);
        verdict(&post(&Product::new(), &all, &message))
    };
    assert_eq!(with(&[]), MISMATCH);
    assert_eq!(with(&[("MCP-Protocol-Version", "2025-11-25")]), MISMATCH);
    assert_eq!(with(&[("mcp-PROTOCOL-version", " 2026-07-28\t")]), FINE);
    // H23: twice the same is not the same.
    assert_eq!(with(&[("MCP-Protocol-Version", MODERN), ("MCP-Protocol-Version", MODERN)]), MISMATCH);
    assert_eq!(with(&[("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/list")]), MISMATCH);
}

#[test]
fn h12_the_method_stands_in_the_header() {
    let message = modern("tools/list", json!({})).to_string();
    let with = |method: Option<&str>| {
        let mut all = vec![("MCP-Protocol-Version", MODERN)];
        all.extend(method.map(|method| ("MCP-method", method)));
        verdict(&post(&Product::new(), &all, &message))
    };
    assert_eq!(with(None), MISMATCH);
    assert_eq!(with(Some("")), MISMATCH);
    assert_eq!(with(Some("Tools/list")), MISMATCH);
    assert_eq!(with(Some("tools/call")), MISMATCH);
    assert_eq!(with(Some("\t tools/list ")), FINE);
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    assert_eq!(verdict(&post(&Product::new(), &[("MCP-Protocol-Version", MODERN)], notification)), (202, 0));
    let wrong = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "notifications/y")];
    assert_eq!(verdict(&post(&Product::new(), &wrong, notification)), MISMATCH);
}

#[test]
fn h13_the_name_stands_in_the_header() {
    let message = modern("tools/call", json!({"name": "echo"})).to_string();
    let without = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call")];
    assert_eq!(verdict(&post(&Product::new(), &without, &message)), MISMATCH);
    assert_eq!(call_named("echo", "Echo"), MISMATCH);
    assert_eq!(call_named("echo", "echo, echo"), MISMATCH);
    assert_eq!(call_named("echo", " echo "), FINE);
    for (method, params, name, other) in [
        ("prompts/get", json!({"name": "greet", "arguments": {"who": "Ada"}}), "greet", "Greet"),
        ("resources/read", json!({"uri": "test://a"}), "test://a", "test://b"),
        ("tasks/get", json!({"taskId": "t"}), "t", "u"),
        ("tasks/update", json!({"taskId": "t", "inputResponses": {}}), "t", ""),
        ("tasks/cancel", json!({"taskId": "t"}), "t", "t, t"),
    ] {
        let message = able(method, params, json!({})).to_string();
        let with = |name: Option<&str>| {
            let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)];
            headers.extend(name.map(|name| ("Mcp-Name", name)));
            verdict(&post(&Product::new(), &headers, &message))
        };
        assert_eq!((with(None), with(Some(other))), (MISMATCH, MISMATCH), "{method}");
        assert_eq!(with(Some(name)).0, 200, "{method}");
    }
}

#[test]
fn h14_base64_is_read_and_broken_base64_refused() {
    assert_eq!(call_named("echo", "=?base64?ZWNobw==?="), FINE);
    assert_eq!(call_named("é", "=?base64?w6k=?="), (200, -32602));
    assert_eq!(call_named("echo", "=?base64?ZWNobw?="), MISMATCH, "no padding");
    assert_eq!(call_named("echo", "=?base64?ZWNo*w==?="), MISMATCH, "alphabet");
    assert_eq!(call_named("echo", "=?base64?/w==?="), MISMATCH, "not UTF-8");
    assert_eq!(call_named("echo", "=?BASE64?ZWNobw==?="), MISMATCH, "the marker is lower case");
    assert_eq!(call_named("echo", "=?base64?ZWNobw=="), MISMATCH, "no suffix: literal");
    assert_eq!(call_named("=?base64?x", "=?base64?x"), (200, -32602), "no suffix: literal");
    assert_eq!(call_named("", "=?base64??="), (200, -32602));
}

#[test]
fn h15_arguments_stand_in_their_headers() {
    assert_eq!(call(&json!({"region": "eu"}), &[("Mcp-Param-Region", "eu")]), FINE);
    assert_eq!(call(&json!({"region": "eu"}), &[("mcp-param-REGION", " eu ")]), FINE);
    assert_eq!(call(&json!({"region": "eu"}), &[]), MISMATCH);
    assert_eq!(call(&json!({"region": "eu"}), &[("Mcp-Param-Region", "us")]), MISMATCH);
    assert_eq!(call(&json!({"region": "eu"}), &[("Mcp-Param-Region", "EU")]), MISMATCH);
    assert_eq!(call(&json!({"region": "zürich"}), &[("Mcp-Param-Region", "=?base64?esO8cmljaA==?=")]), FINE);
    assert_eq!(call(&json!({"region": "eu"}), &[("Mcp-Param-Region", "=?base64?ZXU?=")]), MISMATCH);
    assert_eq!(call(&json!({"region": "=?base64?x"}), &[("Mcp-Param-Region", "=?base64?x")]), FINE);
}

#[test]
fn h15_null_and_absent_values_have_no_header() {
    assert_eq!(call(&json!({}), &[]), FINE);
    assert_eq!(call(&json!({"region": null, "deep": null}), &[]), FINE);
    assert_eq!(call(&json!({"deep": {"other": 1}}), &[]), FINE);
    assert_eq!(call(&json!({}), &[("Mcp-Param-Region", "eu")]), FINE);
}

#[test]
fn h15_numbers_by_value_and_booleans_by_word() {
    for (argument, header) in
        [("42", "42"), ("42", "42.0"), ("42.0", "42"), ("4.2e1", "42"), ("-0", "0"), ("9007199254740993", "9007199254740993")]
    {
        let arguments: Value = serde_json::from_str(&format!("{{\"count\":{argument}}}")).unwrap();
        assert_eq!(call(&arguments, &[("Mcp-Param-Count", header)]), FINE, "{argument} {header}");
    }
    for header in ["43", "", "forty-two", "NaN", "42,42", "=?base64?NDM=?="] {
        assert_eq!(call(&json!({"count": 42}), &[("Mcp-Param-Count", header)]), MISMATCH, "{header}");
    }
    assert_eq!(call(&json!({"count": 9_007_199_254_740_993_i64}), &[("Mcp-Param-Count", "9007199254740992")]), MISMATCH);
    assert_eq!(call(&json!({"deep": {"flag": true}}), &[("Mcp-Param-Flag", "true")]), FINE);
    assert_eq!(call(&json!({"deep": {"flag": true}}), &[("Mcp-Param-Flag", "True")]), MISMATCH);
    assert_eq!(call(&json!({"deep": {"flag": false}}), &[("Mcp-Param-Flag", "true")]), MISMATCH);
}

#[test]
fn l15_legacy_requests_have_no_such_headers() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"region":"eu"}}}"#;
    assert_eq!(verdict(&post_legacy(&server, &session, body)), FINE);
}
