//! Whatever arrives, the answer is legal (`assert_legal` looks at each) and nothing panics. The fuzzer in `fuzz/` makes
//! the same exchange with bytes of its own.

use crate::*;
use mcp::methods;
use mcp_fixture::exchange::{METHODS, SESSIONS, Sent, VERSIONS, exchange, run};
use proptest::prelude::*;
use proptest::sample::{Index, select};

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

const TOOLS: [&str; 23] = [
    "echo",
    "refuse",
    "break",
    "scoped",
    "content",
    "sample",
    "ask",
    "ask_two",
    "rounds",
    "progress",
    "log",
    "wait",
    "work",
    "talk",
    "hang_up",
    "task_if_wanted",
    "task_at_once",
    "task_later",
    "task_fails",
    "task_asks",
    "ask_then_task",
    "later",
    "twice",
];

const URIS: [&str; 6] = ["test://a", "test://ask", "test://broken", "test://scoped", "test://none", "skill://s/SKILL.md"];

/// A method of the table, or none of it.
fn any_method() -> impl Strategy<Value = String> {
    prop_oneof![9 => select(methods().collect::<Vec<_>>()).prop_map(str::to_owned), 1 => "\\PC{0,12}"]
}

/// A small value, mostly of the wrong sort.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        select(&URIS[..]).prop_map(Value::from),
        select(&TOOLS[..]).prop_map(Value::from),
        Just(json!({"action": "accept", "content": {"name": "Ada"}})),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,4}", inner, 0..3).prop_map(|map| json!(map)),
        ]
    })
}

/// Parameters that some method has, each right or wrong.
fn any_params() -> impl Strategy<Value = Value> {
    let named = select(&TOOLS[..]).prop_map(Value::from);
    let parameters: Vec<(&'static str, BoxedStrategy<Value>)> = vec![
        ("name", prop_oneof![4 => named, 1 => any_value()].boxed()),
        ("uri", prop_oneof![4 => select(&URIS[..]).prop_map(Value::from), 1 => any_value()].boxed()),
        ("arguments", prop_oneof![Just(json!({})), Just(json!({"millis": 700, "who": "Ada"})), any_value()].boxed()),
        ("cursor", any_value().boxed()),
        ("level", prop_oneof![Just(json!("debug")), any_value()].boxed()),
        ("protocolVersion", prop_oneof![select(&VERSIONS[..]).prop_map(Value::from), any_value()].boxed()),
        ("taskId", any_value().boxed()),
        ("requestId", any_value().boxed()),
        ("requestState", any_value().boxed()),
        ("inputResponses", any_value().boxed()),
        ("notifications", prop_oneof![Just(json!({"toolsListChanged": true, "resourceSubscriptions": URIS})), any_value()].boxed()),
        ("ref", prop_oneof![Just(json!({"type": "ref/prompt", "name": "greet"})), any_value()].boxed()),
        ("argument", prop_oneof![Just(json!({"name": "who", "value": "A"})), any_value()].boxed()),
    ];
    let chosen: Vec<_> =
        parameters.into_iter().map(|(name, value)| proptest::option::weighted(0.5, value).prop_map(move |value| (name, value))).collect();
    chosen.prop_map(|chosen| {
        json!(chosen.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<std::collections::BTreeMap<_, _>>())
    })
}

/// `_meta` of a modern request, mostly right.
fn any_meta() -> impl Strategy<Value = Value> {
    let capabilities = prop_oneof![
        Just(json!({"elicitation": {}, "sampling": {}, "roots": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}})),
        Just(json!({})),
        any_value()
    ];
    (capabilities, proptest::option::of(any_value()), proptest::option::of(any_value())).prop_map(|(capabilities, token, level)| {
        let mut meta =
            json!({"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": capabilities});
        if let Some(token) = token {
            meta["progressToken"] = token;
        }
        if let Some(level) = level {
            meta["io.modelcontextprotocol/logLevel"] = level;
        }
        meta
    })
}

/// A message that is well-formed, and the headers that belong to it.
fn any_message() -> impl Strategy<Value = (String, Value, String)> {
    let id = prop_oneof![4 => Just(Some(json!(1))), 1 => Just(Some(json!("a"))), 1 => Just(None)];
    (any_method(), any_params(), proptest::option::weighted(0.6, any_meta()), id).prop_map(|(method, mut params, meta, id)| {
        if let Some(meta) = meta {
            params["_meta"] = meta;
        }
        let name = ["name", "uri", "taskId"].iter().find_map(|key| params[*key].as_str()).unwrap_or_default().to_owned();
        let mut message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        if let Some(id) = id {
            message["id"] = id;
        }
        (method, message, name)
    })
}

fn any_header() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("tools/call".to_owned()),
        Just("echo".to_owned()),
        "=\\?base64\\?[A-Za-z0-9+/=]{0,12}\\?=",
        "get_[0-9]{1,3}",
        "\\PC{0,24}"
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_get_a_legal_answer(
        method in select(&METHODS[..]),
        version in select(&VERSIONS[..]),
        session in prop_oneof![select(&SESSIONS[..]).prop_map(str::to_owned), any_header()],
        streams in any::<bool>(),
        body in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        exchange(&Sent { method, version, session: &session, streams, headers: &[], body: &body });
    }

    #[test]
    fn any_choice_of_the_fuzzer_is_a_request(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        run(&data);
    }

    #[test]
    fn well_formed_messages_of_every_method_get_a_legal_answer(
        (method, message, name) in any_message(),
        version in select(&VERSIONS[..]),
        session in select(&SESSIONS[..]),
        streams in any::<bool>(),
    ) {
        let body = message.to_string();
        let is_modern = message["params"].get("_meta").is_some() && session.is_empty();
        let version = if is_modern { MODERN } else { version };
        let headers = [("Mcp-Method", method.as_str()), ("Mcp-Name", name.as_str())];
        exchange(&Sent { method: "POST", version, session, streams, headers: &headers, body: body.as_bytes() });
    }

    #[test]
    fn damaged_messages_get_a_legal_answer(
        (method, message, name) in any_message(),
        version in select(&VERSIONS[..]),
        session in select(&SESSIONS[..]),
        streams in any::<bool>(),
        others in proptest::option::of((any_header(), any_header(), any_header())),
        cuts in proptest::collection::vec((any::<Index>(), 0_usize..8, select(&SPLICES[..])), 0..4),
    ) {
        let mut bytes = message.to_string().into_bytes();
        for (at, removed, splice) in cuts {
            let at = at.index(bytes.len() + 1);
            let end = (at + removed).min(bytes.len());
            bytes.splice(at..end, splice.bytes());
        }
        let (method, name, param) = others.unwrap_or((method, name, String::new()));
        let headers = [("Mcp-Method", method.as_str()), ("Mcp-Name", &name), ("Mcp-Param-Region", &param), ("Last-Event-ID", &param)];
        exchange(&Sent { method: "POST", version, session, streams, headers: &headers, body: &bytes });
    }

    #[test]
    fn origins_never_panic(own in "\\PC{0,40}", origin in "\\PC{0,40}", asked in "\\PC{0,80}") {
        use mcp::cors::preflight;
        use mcp::origin::{check_origin, OriginPolicy};
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
        exchange(&Sent { method: "POST", version: "", session: "2025-03-26", streams: true, headers: &[], body: body.as_bytes() });
    }
}
