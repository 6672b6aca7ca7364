//! OAuth access tokens at the edge, from the header to the objects: what is believed, what is refused and why.
//!
//! This file owns the fixture: a deployment that trusts one authorization server, and requests with its tokens.

mod believed;
mod keys;
mod properties;
mod refused;
mod scopes;

use crate::support::Fleet;
use crate::support::edge::{Isolate, Sent, header, text};
use crate::support::issuer::{ISSUER, Key, publish};
use base::http::Response;
use serde_json::{Value, json};

/// A deployment that trusts an issuer with one key.
fn deployment() -> (Isolate, Key) {
    let at = Isolate::with(&Fleet::new(), &[("OAUTH_ISSUER", ISSUER)]);
    let key = Key::ec("one");
    publish(&at.fleet, &[&key]);
    (at, key)
}

fn request(path: &str, token: &str, method: &str, params: Value) -> Sent {
    let mut params = params;
    params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let sent = Sent::new("POST", path).bearer(token).with("mcp-protocol-version", "2026-07-28").with("mcp-method", method);
    let sent = sent.with_all(params["name"].as_str().map(|name| ("mcp-name", name)));
    sent.json(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}))
}

fn list_tools(at: &Isolate, path: &str, token: &str) -> Response {
    at.send(request(path, token, "tools/list", json!({})))
}

fn call(at: &Isolate, path: &str, token: &str, name: &str, arguments: Value) -> Response {
    at.send(request(path, token, "tools/call", json!({"name": name, "arguments": arguments})))
}

fn get(at: &Isolate, path: &str, token: &str) -> Response {
    at.send(Sent::new("GET", path).bearer(token))
}

fn post(at: &Isolate, path: &str, token: &str, body: &Value) -> Response {
    at.send(Sent::new("POST", path).bearer(token).json(body))
}

fn json_of(response: &Response) -> Value {
    serde_json::from_str(&text(response)).unwrap()
}

/// A town with one rig, made through the REST routes; its id.
fn town(at: &Isolate, token: &str, name: &str) -> String {
    let made = json_of(&post(at, "/api/users/owner/towns", token, &json!({"name": name})));
    let id = made["data"]["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
    let rig = post(at, "/api/users/owner/rigs", token, &json!({"town_id": id, "name": "api", "git_url": "https://git.example/api.git"}));
    assert_eq!(rig.status, 201, "{}", text(&rig));
    id
}

/// Refused with 401, `invalid_token` and this reason.
#[track_caller]
fn refused(response: &Response, reason: &str) {
    let challenge = header(response, "www-authenticate").unwrap_or_default();
    assert_eq!(response.status, 401, "{reason}: {}", text(response));
    assert!(challenge.contains("error=\"invalid_token\"") && challenge.contains(reason), "{reason}: {challenge}");
}
