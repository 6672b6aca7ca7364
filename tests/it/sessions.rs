//! Legacy sessions and the object behind them: when it is asked, and when it comes into being.

use crate::support::{Fleet, tokens};
use gastown_mcp::edge::{Edge, Settings, handle};
use gastown_mcp::http::{Headers, Request, RequestBody, Response};
use gastown_mcp::isolate::{BELIEVED_MILLIS, Memory};
use gastown_mcp::rpc::call::Instance;
use std::collections::BTreeMap;
use std::rc::Rc;

struct Sent(BTreeMap<&'static str, String>);

impl Headers for Sent {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }
}

/// One isolate in front of a fleet.
struct Isolate {
    fleet: Fleet,
    memory: Rc<Memory>,
}

impl Isolate {
    fn send(&self, method: &str, session: Option<&str>, body: &str) -> Response {
        let mut headers = BTreeMap::from([
            ("authorization", format!("Bearer {}", tokens::user(&self.fleet, "owner").jwt)),
            ("content-type", "application/json".to_owned()),
        ]);
        headers.extend(session.map(|session| ("mcp-session-id", session.to_owned())));
        let (fleet, memory) = (self.fleet.clone(), Rc::clone(&self.memory));
        let (method, body) = (method.to_owned(), RequestBody::Bytes(body.as_bytes().to_vec()));
        self.fleet.block_on(async move {
            let headers = Sent(headers);
            let settings = Settings::default();
            let edge = Edge { runtime: &fleet, memory: &memory, settings: &settings };
            let origin = "http://127.0.0.1".to_owned();
            handle(edge, &Request { method, origin, path: "/mcp".to_owned(), query: String::new(), headers: &headers, body }).await
        })
    }

    fn initialize(&self) -> String {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
        let response = self.send("POST", None, body);
        response.headers.iter().find(|(name, _)| *name == "mcp-session-id").map(|(_, value)| value.to_string()).unwrap()
    }

    fn ping(&self, session: &str) -> u16 {
        self.send("POST", Some(session), r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#).status
    }

    /// How often the session object was asked for anything since the last look.
    fn asked(&self) -> usize {
        self.fleet.sql(&Instance::Session("principal:user:owner".to_owned())).take_log().len()
    }
}

fn isolate(fleet: &Fleet) -> Isolate {
    Isolate { fleet: fleet.clone(), memory: Rc::default() }
}

#[test]
fn a_session_asks_its_object_nothing_until_thirty_seconds_have_passed_and_makes_none() {
    let here = isolate(&Fleet::new());
    let session = here.initialize();
    for _ in 0..3 {
        assert_eq!(here.ping(&session), 200);
    }
    assert_eq!(here.asked(), 0);
    here.fleet.advance(BELIEVED_MILLIS);
    assert_eq!(here.ping(&session), 200);
    assert!(here.asked() > 0);
    assert!(here.fleet.sql(&Instance::Session("principal:user:owner".to_owned())).schema().is_empty(), "a question makes no table");
}

#[test]
fn an_ended_session_is_gone_at_once_here_after_a_restart_and_elsewhere_within_thirty_seconds() {
    let fleet = Fleet::new();
    let (here, elsewhere) = (isolate(&fleet), isolate(&fleet));
    let session = here.initialize();
    assert_eq!(elsewhere.ping(&session), 200);
    assert_eq!(here.send("DELETE", Some(&session), "").status, 204);
    assert_eq!(here.ping(&session), 404);
    fleet.advance(BELIEVED_MILLIS);
    assert_eq!(elsewhere.ping(&session), 404);
    fleet.restart();
    assert_eq!(isolate(&fleet).ping(&session), 404);
}

#[test]
fn a_session_expires_by_itself() {
    let here = isolate(&Fleet::new());
    let session = here.initialize();
    here.fleet.advance(7 * 24 * 60 * 60 * 1_000);
    assert_eq!(here.ping(&session), 404);
}
