//! H2, DNS rebinding and CORS.

use crate::*;
use mcp::cors::{add_headers, preflight};
use mcp::origin::{OriginPolicy, check_origin};

const OWN: &str = "https://gastown.example";

fn allows(entries: &[&str], own: &str, origin: &str) -> bool {
    let allowed: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    check_origin(OriginPolicy { allowed: &allowed, is_loopback_only: false }, own, Some(origin)).is_ok()
}

#[test]
fn h2_an_origin_must_be_known() {
    assert!(check_origin(OriginPolicy { allowed: &[], is_loopback_only: false }, OWN, None).is_ok());
    let app = &["https://app.example", "http://old.example:80", "vscode-webview://abc"];
    for origin in
        [OWN, "https://GASTOWN.example:443", "https://app.example", "HTTPS://App.Example:443", "http://old.example", "vscode-webview://abc"]
    {
        assert!(allows(app, OWN, origin), "{origin}");
    }
    for origin in [
        "null",
        "",
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://app.example@evil.example",
        "https://app.example/",
        "https://app.example, https://app.example",
        "app.example",
        "https://",
        "https://app.example:x",
        "http://localhost:5173",
        "http://127.0.0.1",
    ] {
        assert!(!allows(app, OWN, origin), "{origin}");
    }
}

#[test]
fn h2_loopback_pages_may_call_a_loopback_deployment() {
    for own in ["http://localhost:8787", "http://127.0.0.1:8787", "http://[::1]:8787"] {
        for origin in ["http://localhost:5173", "https://localhost", "http://127.0.0.1:1", "http://[::1]:6274", "http://[::1]"] {
            assert!(allows(&[], own, origin), "{own} {origin}");
        }
        for origin in ["http://evil.example", "http://localhost.evil.example", "http://localhost:5173.evil.example", "null", "http://::1"] {
            assert!(!allows(&[], own, origin), "{own} {origin}");
        }
    }
}

#[test]
fn a_loopback_deployment_answers_to_no_other_name() {
    let policy = OriginPolicy { allowed: &[], is_loopback_only: true };
    assert!(check_origin(policy, "http://localhost:8787", None).is_ok());
    assert!(check_origin(policy, "http://localhost:8787", Some("http://localhost:8787")).is_ok());
    for (own, origin) in [
        ("http://evil.example", None),
        ("http://evil.example:8787", Some("http://evil.example:8787")),
        ("http://localhost.evil.example", None),
        ("nonsense", None),
        ("http://localhost:8787", Some("http://evil.example")),
    ] {
        let refused = check_origin(policy, own, origin).unwrap_err();
        assert_eq!(verdict(&refused), (403, -32600), "{own}");
        assert_eq!(body(&refused).get("id"), None);
    }
}

#[test]
fn a_preflight_allows_what_clients_send() {
    let response =
        preflight(Some("https://app.example"), Some("content-type,mcp-param-region, Mcp-Param-Row-Id,x-evil,mcp-param-,mcp-param-a b"));
    assert_eq!(response.status, 204);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("GET, POST, DELETE, OPTIONS"));
    assert_eq!(
        header(&response, "access-control-allow-headers"),
        Some(concat!(
            "Content-Type, Authorization, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID, ",
            "mcp-param-region, Mcp-Param-Row-Id"
        ))
    );
    assert_eq!(header(&response, "vary"), Some("Origin"));
    let flood = preflight(None, Some(&"mcp-param-x,".repeat(10_000)));
    assert!(header(&flood, "access-control-allow-headers").unwrap().len() < 2000);
    assert!(!header(&preflight(None, Some("mcp-param-ü")), "access-control-allow-headers").unwrap().contains('ü'));
}

#[test]
fn answers_to_pages_can_be_read() {
    let response = add_headers(Response::empty(202), Some("https://app.example"));
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(header(&response, "access-control-expose-headers"), Some("Mcp-Session-Id, WWW-Authenticate, MCP-Protocol-Version"));
    assert_eq!(header(&response, "vary"), Some("Origin"));
    assert!(add_headers(Response::empty(202), None).headers.is_empty());
}
