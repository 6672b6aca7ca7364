//! Nothing modern in a legacy answer, and nothing legacy in a modern one.

use crate::*;

const MODERN_ONLY: [&str; 5] = ["resultType", "ttlMs", "cacheScope", "_meta", "supportedVersions"];
const LEGACY_ONLY: [&str; 2] = ["protocolVersion", "serverInfo"];

#[test]
fn l15_legacy_results_know_nothing_of_the_modern_era() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let server = Product::new();
        let session = initialize(&server, version);
        for (method, params) in [
            ("initialize", json!({"protocolVersion": version})),
            ("ping", json!({})),
            ("tools/list", json!({})),
            ("tools/call", json!({"name": "echo"})),
            ("tools/call", json!({"name": "refuse"})),
            ("tools/call", json!({"name": "content"})),
            ("resources/list", json!({})),
            ("resources/templates/list", json!({})),
            ("resources/read", json!({"uri": "test://a"})),
            ("resources/subscribe", json!({"uri": "test://a"})),
            ("resources/unsubscribe", json!({"uri": "test://a"})),
            ("prompts/list", json!({})),
            ("prompts/get", json!({"name": "greet", "arguments": {"who": "Ada"}})),
            ("completion/complete", json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "who", "value": ""}})),
            ("logging/setLevel", json!({"level": "info"})),
        ] {
            let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
            let result = body(&post_legacy(&server, &session, &request.to_string()))["result"].clone();
            assert!(result.is_object(), "{version} {method}");
            for key in MODERN_ONLY {
                assert_eq!(result.get(key), None, "{version} {method}");
            }
        }
        for name in ["sample", "nobody", "break"] {
            let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}});
            let code = verdict(&post_legacy(&server, &session, &request.to_string())).1;
            assert!(!(-32099..=-32020).contains(&code), "{code}");
        }
    }
}

#[test]
fn modern_results_know_nothing_of_sessions() {
    let server = Product::new();
    for (method, params) in [
        ("server/discover", json!({})),
        ("tools/list", json!({})),
        ("tools/call", json!({"name": "echo"})),
        ("tools/call", json!({"name": "refuse"})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("prompts/list", json!({})),
        ("prompts/get", json!({"name": "greet", "arguments": {"who": "Ada"}})),
        ("completion/complete", json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": {"name": "who", "value": ""}})),
        ("skills/list", json!({})),
    ] {
        let response = post_modern(&server, &modern(method, params));
        assert_eq!(response.headers, []);
        let result = body(&response)["result"].clone();
        assert_eq!(result["resultType"], "complete");
        assert_eq!(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "test");
        let is_kept = !["tools/call", "prompts/get", "completion/complete"].contains(&method);
        assert_eq!((result.get("ttlMs").is_some(), result.get("cacheScope").is_some()), (is_kept, is_kept), "{method}");
        for key in LEGACY_ONLY {
            assert_eq!(result.get(key), None, "{method}");
        }
    }
}

#[test]
fn a_claim_in_the_body_makes_a_request_modern_whatever_else_it_carries() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let message = modern("ping", json!({})).to_string();
    let headers = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "ping"), ("Mcp-Session-Id", session.as_str())];
    assert_eq!(verdict(&post(&server, &headers, &message)), (404, -32601));
    // A `_meta` without the claim is a legacy one.
    let progress = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":1}}}"#;
    assert_eq!(verdict(&post_legacy(&server, &session, progress)), (200, 0));
}
