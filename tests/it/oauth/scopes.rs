//! What a scope covers: lists show no more, calls beyond it are 403 and say what would do, in both eras and on REST.

use super::{call, deployment, get, json_of, list_tools, post, town};
use crate::support::edge::{ORIGIN, Sent, header, text};
use crate::support::issuer::{claims, with};
use crate::support::tokens;
use base::http::Response;
use serde_json::json;

/// 403 with a challenge for this scope.
#[track_caller]
fn too_narrow(response: &Response, path: &str, scopes: &str) {
    let challenge = header(response, "www-authenticate").unwrap_or_default();
    assert_eq!(response.status, 403, "{}", text(response));
    assert_eq!(
        challenge,
        format!(
            "Bearer resource_metadata=\"{ORIGIN}/.well-known/oauth-protected-resource{path}\", scope=\"{scopes}\", \
             error=\"insufficient_scope\", error_description=\"the token may not do this: it needs a wider scope\""
        )
    );
}

fn names(response: &Response) -> Vec<String> {
    let tools = json_of(response)["result"]["tools"].as_array().unwrap().clone();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

const WRITE: &str = "gastown:read gastown:write";

#[test]
fn a_read_token_sees_tools_that_look_and_is_told_what_others_take() {
    let (at, key) = deployment();
    let kilo = tokens::user(&at.fleet, "owner").jwt;
    let id = town(&at, &kilo, "backend");
    let reader = key.sign(&with(claims(&at.fleet), json!({"scope": "gastown:read"})));
    let shown = names(&list_tools(&at, "/mcp", &reader));
    assert!(shown.contains(&"list_towns".to_owned()) && !shown.contains(&"sling".to_owned()), "{shown:?}");
    assert_eq!(json_of(&call(&at, "/mcp", &reader, "list_towns", json!({})))["result"]["isError"], json!(null));

    for token in [&reader, &tokens::observer(&at.fleet, "owner").jwt] {
        let answer = call(&at, "/mcp", token, "sling", json!({"town": id, "rig": "api", "title": "x"}));
        too_narrow(&answer, "/mcp", WRITE);
        let body = json_of(&answer);
        assert_eq!((body["id"].clone(), body["error"]["code"].clone()), (json!(7), json!(-32600)));
        let door = format!("/towns/{id}/mcp");
        too_narrow(&call(&at, &door, token, "send_mayor_message", json!({"message": "x"})), &door, WRITE);
        too_narrow(&post(&at, "/api/users/owner/towns", token, &json!({"name": "x"})), "/mcp", WRITE);
        too_narrow(&post(&at, "/api/users/owner/rigs", token, &json!({})), "/mcp", WRITE);
        assert_eq!(get(&at, "/api/users/owner/towns", token).status, 200);
        // What this door does not have is unknown, not forbidden: no token would help.
        let hidden = call(&at, "/mcp/readonly", token, "sling", json!({}));
        assert_eq!((hidden.status, json_of(&hidden)["error"]["code"].clone()), (200, json!(-32602)));
    }
    assert_eq!(at.fleet.take_faults(), Vec::<String>::new());
}

#[test]
fn wider_scopes_cover_narrower_ones() {
    let (at, key) = deployment();
    for scope in ["gastown:write", "gastown:admin", "gastown:read gastown:write", "offline_access gastown:admin"] {
        let token = key.sign(&with(claims(&at.fleet), json!({"scope": scope})));
        assert_eq!(
            names(&list_tools(&at, "/mcp", &token)),
            names(&list_tools(&at, "/mcp", &tokens::user(&at.fleet, "owner").jwt)),
            "{scope}"
        );
    }
}

#[test]
fn a_token_without_a_scope_of_gastowns_is_believed_and_let_nowhere() {
    let (at, key) = deployment();
    for scope in [json!(null), json!("openid profile"), json!(""), json!([]), json!("gastown:*")] {
        let token = key.sign(&with(claims(&at.fleet), json!({"scope": scope})));
        too_narrow(&list_tools(&at, "/mcp", &token), "/mcp", WRITE);
        too_narrow(&list_tools(&at, "/mcp/readonly", &token), "/mcp/readonly", "gastown:read");
        too_narrow(&get(&at, "/api/users/owner/towns", &token), "/mcp", WRITE);
    }
}

#[test]
fn a_legacy_client_is_told_the_same_way() {
    let (at, key) = deployment();
    let token = key.sign(&with(claims(&at.fleet), json!({"scope": "gastown:read"})));
    let send = |session: Option<String>, body: serde_json::Value| {
        let sent = Sent::new("POST", "/mcp").bearer(&token).json(&body);
        at.send(sent.with_all(session.as_deref().map(|session| ("mcp-session-id", session))))
    };
    let client = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let begun = send(None, json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": client}));
    let session = header(&begun, "mcp-session-id");
    let answer = send(session, json!({"jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": {"name": "sling", "arguments": {}}}));
    too_narrow(&answer, "/mcp", WRITE);
    assert_eq!(json_of(&answer)["id"], "a");
}
