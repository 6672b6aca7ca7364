//! Legacy sessions and the object behind them: when it is asked, and when it comes into being.

use crate::support::edge::{Isolate, Sent, header};
use crate::support::{Fleet, tokens};
use base::http::Response;
use gastown_mcp::cache::BELIEVED_MILLIS;
use gastown_mcp::rpc::call::Instance;

fn send(at: &Isolate, method: &str, session: Option<&str>, body: &str) -> Response {
    let sent = Sent { body: body.to_owned(), ..Sent::new(method, "/mcp") };
    at.send(sent.bearer(&tokens::user(&at.fleet, "owner").jwt).with_all(session.map(|session| ("mcp-session-id", session))))
}

fn initialize(at: &Isolate) -> String {
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
    header(&send(at, "POST", None, body), "mcp-session-id").unwrap()
}

fn ping(at: &Isolate, session: &str) -> u16 {
    send(at, "POST", Some(session), r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#).status
}

/// How many statements the session object ran since the last look.
fn asked(at: &Isolate) -> usize {
    at.fleet.sql(&Instance::Session("principal:user:owner".to_owned())).take_log().len()
}

#[test]
fn a_session_asks_its_object_nothing_for_thirty_seconds() {
    let here = Isolate::new(&Fleet::new());
    let session = initialize(&here);
    for _ in 0..3 {
        assert_eq!(ping(&here, &session), 200);
    }
    assert_eq!(asked(&here), 0);
    here.fleet.advance(BELIEVED_MILLIS);
    assert_eq!(ping(&here, &session), 200);
    assert!(asked(&here) > 0);
    assert!(here.fleet.sql(&Instance::Session("principal:user:owner".to_owned())).schema().is_empty(), "a question makes no table");
}

#[test]
fn an_ended_session_is_gone_here_at_once_and_elsewhere_in_thirty_seconds() {
    let fleet = Fleet::new();
    let (here, elsewhere) = (Isolate::new(&fleet), Isolate::new(&fleet));
    let session = initialize(&here);
    assert_eq!(ping(&elsewhere, &session), 200);
    assert_eq!(send(&here, "DELETE", Some(&session), "").status, 204);
    assert_eq!(ping(&here, &session), 404);
    fleet.advance(BELIEVED_MILLIS);
    assert_eq!(ping(&elsewhere, &session), 404);
    fleet.restart();
    assert_eq!(ping(&Isolate::new(&fleet), &session), 404);
}

#[test]
fn a_session_expires_by_itself() {
    let here = Isolate::new(&Fleet::new());
    let session = initialize(&here);
    here.fleet.advance(7 * 24 * 60 * 60 * 1_000);
    assert_eq!(ping(&here, &session), 404);
}
