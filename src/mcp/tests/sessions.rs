//! Session ids: what opens one, and what does not.

use crate::*;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{Algorithm, AlgorithmSignature};
use mcp::SESSION_LIFE_MS;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

fn status(server: &Product, session: &str) -> u16 {
    post_legacy(server, session, PING).status
}

/// Signs claims of one's own with the server's key.
fn forge(header: &str, claims: &str, key: &[u8]) -> String {
    let signed = format!("{}.{}", Base64UrlUnpadded::encode_string(header.as_bytes()), Base64UrlUnpadded::encode_string(claims.as_bytes()));
    let signature = Hs256.sign(&Hs256Key::new(key), signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

fn claims(session: &str) -> Value {
    let claims = Base64UrlUnpadded::decode_vec(session.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

const HEADER: &str = r#"{"alg":"HS256","typ":"mcp-session+jwt"}"#;

#[test]
fn l2_an_id_is_visible_ascii_and_its_own() {
    let server = Product::new();
    let one = initialize(&server, "2025-06-18");
    let other = initialize(&server, "2025-06-18");
    assert!(one.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
    assert!(one.len() < 512);
    assert_ne!(one, other);
    let claims = claims(&one);
    assert_eq!(claims["rev"], "2025-06-18");
    assert!(!claims.to_string().contains("ada"), "an id may end up in a log");
    assert_eq!(status(&server, &one), 200);
    assert_eq!(post(&server, &[("Mcp-Session-Id", &format!(" {one} "))], PING).status, 200);
}

#[test]
fn a_session_is_one_principals() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    let stranger = server.seen_by("user:eve");
    assert_eq!(status(&stranger, &session), 404);
    for method in ["DELETE", "GET"] {
        assert_eq!(send(&stranger, method, &[("Mcp-Session-Id", &session)], RequestBody::Bytes(Vec::new())).status, 404);
    }
    assert!(server.world.store.sessions.borrow().is_empty());
}

#[test]
fn a_session_ends_by_itself() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    server.world.advance(SESSION_LIFE_MS - 1_000);
    assert_eq!(status(&server, &session), 200);
    server.world.advance(1_000);
    assert_eq!(status(&server, &session), 404);
}

#[test]
fn another_isolate_with_the_same_key_knows_it() {
    let session = initialize(&Product::new(), "2025-11-25");
    assert_eq!(status(&Product::new(), &session), 200);
    let rekeyed = Product { key: b"another key".to_vec(), ..Product::new() };
    assert_eq!(status(&rekeyed, &session), 404);
}

#[test]
fn nothing_else_signed_with_the_key_passes() {
    let server = Product::new();
    let genuine = initialize(&server, "2025-11-25");
    let with = |key: &str, value: Value| {
        let mut claims = claims(&genuine);
        claims[key] = value;
        forge(HEADER, &claims.to_string(), &server.key)
    };
    assert_eq!(status(&server, &forge(HEADER, &claims(&genuine).to_string(), &server.key)), 200);
    for forged in [
        with("can", json!("everything")),
        with("rev", json!("2026-07-28")),
        with("rev", json!("2031-01-01")),
        with("iat", json!("yesterday")),
        with("iat", json!(i64::MIN)),
        with("sub", json!("")),
        with("jti", json!(7)),
        forge(HEADER, "{}", &server.key),
        forge(HEADER, "not json", &server.key),
        forge(r#"{"alg":"none"}"#, &claims(&genuine).to_string(), &server.key),
        forge(r#"{"alg":"HS256"}"#, &claims(&genuine).to_string(), &server.key),
        forge(r#"{"alg":"HS256","typ":"mcp-request-state+jwt"}"#, &claims(&genuine).to_string(), &server.key),
        forge(HEADER, &claims(&genuine).to_string(), b"guessed"),
    ] {
        assert_eq!(status(&server, &forged), 404);
    }
}

#[test]
fn a_changed_id_is_no_id() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    for at in 0..session.len() {
        let mut bytes = session.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(status(&server, &String::from_utf8(bytes).unwrap()), 404, "byte {at}");
    }
    for end in [0, 1, session.len() / 2, session.len() - 1] {
        assert_eq!(status(&server, &session[..end]), 404);
    }
    for tail in ["=", ".", "A", ", "] {
        assert_eq!(status(&server, &format!("{session}{tail}x")), 404);
    }
    assert_eq!(status(&server, &"x".repeat(100_000)), 404);
}

#[test]
fn when_nobody_knows_whether_it_ended_it_is_a_fault() {
    let server = Product::new();
    let session = initialize(&server, "2025-11-25");
    server.world.store.is_down.set(true);
    assert_eq!(verdict(&post_legacy(&server, &session, PING)), (200, -32603));
    assert_eq!(verdict(&post_legacy(&server, &session, r#"{"jsonrpc":"2.0","method":"notifications/x"}"#)), (500, -32603));
    assert_eq!(send(&server, "DELETE", &[("Mcp-Session-Id", &session)], RequestBody::Bytes(Vec::new())).status, 500);
}
