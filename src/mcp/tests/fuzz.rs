//! Whatever arrives, the answer is legal (`assert_legal` looks at each) and nothing panics.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

/// Valid messages of both eras, to be damaged.
const MESSAGES: [&str; 8] = [
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    r#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo","arguments":{"region":"eu","count":42,"deep":{"flag":true}},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
    r#"{"jsonrpc":"2.0","id":2,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"\ud83d\ude00"}}"#,
    r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1,2.5e3,null]}}}"#,
    r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"}]"#,
    r#"{"jsonrpc":"2.0","id":9,"error":{"code":-1,"message":"no"}}"#,
    r#"{"jsonrpc":"2.0","id":4,"method":"ping"}"#,
];

const SPLICES: [&str; 16] = [
    "null",
    "{}",
    "[",
    "]",
    "\"",
    ",",
    "1e999",
    "-",
    "\\ud800",
    "\u{0}",
    "\"_meta\":",
    "\"id\":1.5,",
    "[[[[[[",
    "}",
    "é",
    "\"jsonrpc\":\"2.0\",",
];

const METHODS: [&str; 5] = ["POST", "POST", "POST", "GET", "DELETE"];
const VERSIONS: [&str; 7] = ["", "2024-11-05", "2025-03-26", "2025-11-25", "2026-07-28", "2031-01-01", "garbage"];

fn any_header() -> impl Strategy<Value = String> {
    prop_oneof![Just("tools/call".to_owned()), Just("echo".to_owned()), "=\\?base64\\?[A-Za-z0-9+/=]{0,12}\\?=", "\\PC{0,24}"]
}

fn exchange(method: &str, version: &str, session: Option<&str>, mirrored: &[(&str, String)], body: Vec<u8>) {
    let server = Product::new();
    let legacy = session.map(|session| if session == "good" { initialize(&server, "2025-03-26") } else { session.to_owned() });
    let mut headers = vec![("Content-Type", "application/json")];
    if !version.is_empty() {
        headers.push(("MCP-Protocol-Version", version));
    }
    headers.extend(legacy.as_deref().map(|session| ("Mcp-Session-Id", session)));
    headers.extend(mirrored.iter().map(|(name, value)| (*name, value.as_str())));
    send(&server, method, &headers, RequestBody::Bytes(body));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_get_a_legal_answer(
        method in select(&METHODS[..]),
        version in select(&VERSIONS[..]),
        session in prop_oneof![Just(None), Just(Some("good".to_owned())), any_header().prop_map(Some)],
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        exchange(method, version, session.as_deref(), &[], body);
    }

    #[test]
    fn damaged_messages_get_a_legal_answer(
        message in select(&MESSAGES[..]),
        version in select(&VERSIONS[..]),
        has_session in any::<bool>(),
        mirrored in (any_header(), any_header(), any_header()),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..8, select(&SPLICES[..])), 0..4),
    ) {
        let mut bytes = message.as_bytes().to_vec();
        for (at, removed, splice) in cuts {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, splice.bytes());
        }
        let headers = [("Mcp-Method", mirrored.0), ("Mcp-Name", mirrored.1), ("Mcp-Param-Region", mirrored.2)];
        exchange("POST", version, has_session.then_some("good"), &headers, bytes);
    }

    #[test]
    fn origins_never_panic(own in "\\PC{0,40}", origin in "\\PC{0,40}", asked in "\\PC{0,80}") {
        use crate::mcp::{cors::preflight, origin::{OriginPolicy, check_origin}};
        let policy = OriginPolicy { allowed: &[], is_loopback_only: false };
        if let Err(refused) = check_origin(policy, &own, Some(&origin)) {
            assert_eq!(refused.status, 403);
            assert_legal(&refused);
        }
        let allowed = preflight(Some(&origin), Some(&asked));
        let headers = header(&allowed, "access-control-allow-headers").unwrap();
        assert!(headers.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    }
}

#[test]
fn depth_and_length_are_no_danger() {
    let deep = "[".repeat(100_000);
    let nested = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        "{\"a\":".repeat(50_000),
        "1".to_owned() + &"}".repeat(50_000)
    );
    for body in [deep, nested, format!("[{}1]", "1,".repeat(500_000)), "\"".repeat(100_000)] {
        exchange("POST", "", Some("good"), &[], body.into_bytes());
    }
}
