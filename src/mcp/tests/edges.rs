//! What a client gets at the edges of the protocol, probe by probe, in both eras.

use crate::*;

type Probe<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, String, (u16, i64));

fn probe(server: &Product, (name, method, headers, body, expected): &Probe<'_>) {
    let mut all = headers.clone();
    if !all.iter().any(|(name, _)| *name == "Content-Type") {
        all.push(("Content-Type", "application/json"));
    }
    let response = send(server, method, &all, RequestBody::Bytes(body.clone().into_bytes()));
    assert_eq!(verdict(&response), *expected, "{name}: {}", text(&response));
}

/// Headers of a modern request.
fn with<'a>(method: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut headers = vec![("MCP-Protocol-Version", MODERN), ("Mcp-Method", method)];
    headers.extend_from_slice(more);
    headers
}

#[test]
fn modern_probes() {
    let server = Product::new();
    let of = |method: &str| modern(method, json!({})).to_string();
    let call = |params: Value| modern("tools/call", params).to_string();
    let read = |uri: &str| modern("resources/read", json!({"uri": uri})).to_string();
    let raw = |text: &str| text.to_owned();
    let version = || vec![("MCP-Protocol-Version", MODERN)];
    let no_caps = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params":
        {"_meta": {"io.modelcontextprotocol/protocolVersion": MODERN}}});
    let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta("2027-01-01")}});
    let probes: Vec<Probe<'_>> = vec![
        ("discover ok", "POST", with("server/discover", &[]), of("server/discover"), (200, 0)),
        ("no Mcp-Method", "POST", version(), of("tools/list"), (400, -32020)),
        ("unknown tool", "POST", with("tools/call", &[("Mcp-Name", "no")]), call(json!({"name": "no"})), (200, -32602)),
        ("name not a string", "POST", with("tools/call", &[("Mcp-Name", "5")]), call(json!({"name": 5})), (200, -32602)),
        ("unknown resource", "POST", with("resources/read", &[("Mcp-Name", "x:y")]), read("x:y"), (200, -32602)),
        ("bad cursor", "POST", with("tools/list", &[]), modern("tools/list", json!({"cursor": "?"})).to_string(), (200, -32602)),
        ("no arguments", "POST", with("tools/call", &[("Mcp-Name", "echo")]), call(json!({"name": "echo"})), (200, 0)),
        ("unknown method", "POST", with("no/such", &[]), of("no/such"), (404, -32601)),
        ("initialize with _meta", "POST", with("initialize", &[]), of("initialize"), (404, -32601)),
        (
            "_meta missing",
            "POST",
            with("tools/list", &[]),
            raw(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#),
            (400, -32602),
        ),
        ("no capabilities", "POST", with("tools/list", &[]), no_caps.to_string(), (400, -32602)),
        ("_meta without header", "POST", vec![("Mcp-Method", "tools/list")], of("tools/list"), (400, -32020)),
        (
            "version mismatch",
            "POST",
            vec![("MCP-Protocol-Version", "2025-11-25"), ("Mcp-Method", "tools/list")],
            of("tools/list"),
            (400, -32020),
        ),
        (
            "unknown version",
            "POST",
            vec![("MCP-Protocol-Version", "2027-01-01"), ("Mcp-Method", "tools/list")],
            unknown.to_string(),
            (400, -32022),
        ),
        (
            "known notification",
            "POST",
            version(),
            raw(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#),
            (202, 0),
        ),
        ("unknown notification", "POST", version(), raw(r#"{"jsonrpc":"2.0","method":"notifications/no"}"#), (202, 0)),
        ("id null", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":null,"method":"tools/list"}"#), (400, -32600)),
        ("id 1.5", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}"#), (400, -32600)),
        ("id true", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":true,"method":"tools/list"}"#), (400, -32600)),
        ("id {}", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":{},"method":"tools/list"}"#), (400, -32600)),
        ("batch", "POST", version(), format!("[{}]", of("tools/list")), (400, -32600)),
        ("empty batch", "POST", version(), raw("[]"), (400, -32600)),
        ("bad JSON", "POST", version(), raw(r#"{"jsonrpc":"2.0","#), (400, -32700)),
        ("no body", "POST", version(), raw(""), (400, -32700)),
        ("two messages", "POST", version(), raw("{} {}"), (400, -32700)),
        ("a byte order mark", "POST", version(), format!("\u{feff}{}", of("tools/list")), (400, -32700)),
        ("not an object", "POST", version(), raw("42"), (400, -32600)),
        ("an empty object", "POST", version(), raw("{}"), (400, -32600)),
        ("jsonrpc 1.0", "POST", version(), raw(r#"{"jsonrpc":"1.0","id":1,"method":"tools/list"}"#), (400, -32600)),
        ("jsonrpc 2", "POST", version(), raw(r#"{"jsonrpc":2.0,"id":1,"method":"tools/list"}"#), (400, -32600)),
        ("a key twice", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#), (400, -32600)),
        ("method twice", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#), (400, -32600)),
        (
            "name twice",
            "POST",
            with("tools/call", &[]),
            call(json!({"name": "echo"})).replace(r#""name":"echo""#, r#""name":"a","name":"echo""#),
            (200, -32602),
        ),
        ("method and result", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#), (400, -32600)),
        ("client response", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), (400, -32600)),
        ("client error", "POST", version(), raw(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#), (400, -32600)),
        ("Accept JSON only", "POST", with("tools/list", &[("Accept", "application/json")]), of("tools/list"), (200, 0)),
        ("Accept anything", "POST", with("tools/list", &[("Accept", "*/*")]), of("tools/list"), (200, 0)),
        ("text/plain", "POST", with("tools/list", &[("Content-Type", "text/plain")]), of("tools/list"), (415, -32600)),
        ("charset", "POST", with("tools/list", &[("Content-Type", "application/json; charset=UTF-8")]), of("tools/list"), (200, 0)),
        ("garbage session", "POST", with("tools/list", &[("Mcp-Session-Id", "\u{1}garbage")]), of("tools/list"), (200, 0)),
        ("modern GET", "GET", version(), raw(""), (405, 0)),
        ("modern DELETE", "DELETE", version(), raw(""), (405, 0)),
        ("PUT", "PUT", version(), raw(""), (405, 0)),
    ];
    for row in &probes {
        probe(&server, row);
    }
}

#[test]
fn legacy_probes() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let session = || ("Mcp-Session-Id", session.as_str());
    let begin = |version: &str| {
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": version, "capabilities": {}}}).to_string()
    };
    let list = || r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_owned();
    let raw = |text: &str| text.to_owned();
    let unknown = ("Mcp-Session-Id", "unknown");
    let probes: Vec<Probe<'_>> = vec![
        ("initialize 2025-11-25", "POST", vec![], begin("2025-11-25"), (200, 0)),
        ("initialize 2024-11-05", "POST", vec![], begin("2024-11-05"), (200, 0)),
        ("initialize 2026-07-28", "POST", vec![], begin("2026-07-28"), (200, 0)),
        ("initialize 1999-01-01", "POST", vec![], begin("1999-01-01"), (200, 0)),
        ("initialize under a modern header", "POST", vec![("MCP-Protocol-Version", MODERN)], begin("2025-11-25"), (400, -32602)),
        ("in a session", "POST", vec![session()], list(), (200, 0)),
        ("no session", "POST", vec![], list(), (400, -32600)),
        ("bad version header", "POST", vec![session(), ("MCP-Protocol-Version", "1999-01-01")], list(), (400, -32600)),
        ("unknown session POST", "POST", vec![unknown], list(), (404, -32600)),
        ("unknown session GET", "GET", vec![unknown], raw(""), (404, -32600)),
        ("unknown session DELETE", "DELETE", vec![unknown], raw(""), (404, -32600)),
        ("GET without session", "GET", vec![], raw(""), (400, -32600)),
        ("bad JSON", "POST", vec![session()], raw("{"), (400, -32700)),
        (
            "not UTF-8 is bad JSON, but an escape is fine",
            "POST",
            vec![session()],
            raw(r#"{"jsonrpc":"2.0","id":1,"method":"p\u0069ng"}"#),
            (200, 0),
        ),
        ("id null", "POST", vec![session()], raw(r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#), (400, -32600)),
        ("unknown method", "POST", vec![session()], raw(r#"{"jsonrpc":"2.0","id":1,"method":"no"}"#), (200, -32601)),
        ("PUT", "PUT", vec![session()], raw(""), (405, 0)),
    ];
    for row in &probes {
        probe(&server, row);
    }
    let garbled = send(&server, "POST", &[("Content-Type", "application/json"), session()], RequestBody::Bytes(vec![b'"', 0xff, b'"']));
    assert_eq!(verdict(&garbled), (400, -32700));
}
