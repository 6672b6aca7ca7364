//! The server's keys: found, believed for a while, replaced, and what happens when the server does not answer.

use super::{deployment, list_tools, refused, request};
use crate::support::Fleet;
use crate::support::edge::{Isolate, header, text};
use crate::support::issuer::{ISSUER, KEYS_URL, Key, METADATA_URL, claims, publish};
use crate::support::web::Page;
use gastown_mcp::auth::jwks::{EMPTY_PAUSE_MILLIS, FETCH_MILLIS_MAX, FRESH_MILLIS, PAUSE_MILLIS, STALE_MILLIS_MAX};
use serde_json::json;

/// The status of a good token of this key.
fn status(at: &Isolate, key: &Key) -> u16 {
    list_tools(at, "/mcp", &key.sign(&claims(&at.fleet))).status
}

fn asked(at: &Isolate) -> usize {
    at.fleet.web().take_asked().iter().filter(|url| *url == KEYS_URL).count()
}

fn keys_page(at: &Isolate, page: Option<Page>) {
    at.fleet.web().put(KEYS_URL, page);
}

#[test]
fn keys_are_asked_for_once_in_ten_minutes() {
    let (at, key) = deployment();
    for _ in 0..5 {
        assert_eq!(status(&at, &key), 200);
    }
    assert_eq!(asked(&at), 1);
    at.fleet.advance(FRESH_MILLIS);
    assert_eq!((status(&at, &key), status(&at, &key)), (200, 200));
    assert_eq!(asked(&at), 1);
}

#[test]
fn a_new_key_is_found_by_name_and_a_withdrawn_one_goes_at_the_next_look() {
    let (at, old) = deployment();
    assert_eq!(status(&at, &old), 200);
    let new = Key::ed("two");
    publish(&at.fleet, &[&new]);
    at.fleet.advance(PAUSE_MILLIS);
    assert_eq!(status(&at, &new), 200);
    refused(&list_tools(&at, "/mcp", &old.sign(&claims(&at.fleet))), "not signed by an issuer known here");
    // The same name for another key.
    let renewed = Key::ec("two");
    publish(&at.fleet, &[&renewed]);
    at.fleet.advance(FRESH_MILLIS);
    assert_eq!((status(&at, &renewed), status(&at, &new)), (200, 401));
}

#[test]
fn unknown_keys_are_asked_for_at_most_every_thirty_seconds() {
    let (at, key) = deployment();
    assert_eq!(status(&at, &key), 200);
    assert_eq!(asked(&at), 1);
    let strangers = [Key::ec("x"), Key::ed("y"), Key::ec("z")];
    for stranger in strangers.iter().cycle().take(12) {
        assert_eq!(status(&at, stranger), 401);
    }
    assert_eq!(asked(&at), 0, "the keys are seconds old");
    at.fleet.advance(PAUSE_MILLIS);
    for stranger in strangers.iter().cycle().take(12) {
        assert_eq!(status(&at, stranger), 401);
    }
    assert_eq!(asked(&at), 1);
    assert_eq!(status(&at, &key), 200);
}

#[test]
fn a_token_without_a_key_id_is_tried_with_every_key_of_its_algorithm() {
    let (at, _) = deployment();
    let (one, two) = (Key::ec("one"), Key::ec("two"));
    publish(&at.fleet, &[&Key::ed("ed"), &one, &two]);
    let unnamed = |key: &Key| key.sign_as(&json!({"alg": "ES256"}), &claims(&at.fleet).to_string());
    assert_eq!(list_tools(&at, "/mcp", &unnamed(&two)).status, 200);
    let new = Key::ec("three");
    publish(&at.fleet, &[&new]);
    at.fleet.advance(PAUSE_MILLIS);
    assert_eq!(list_tools(&at, "/mcp", &unnamed(&new)).status, 200, "a rotation is noticed without names too");
}

#[test]
fn known_keys_hold_for_a_day_while_the_server_is_down() {
    let (at, key) = deployment();
    assert_eq!(status(&at, &key), 200);
    for page in [None, Some(Page::Text("<html>".to_owned())), Some(Page::Text(json!({"keys": []}).to_string())), Some(Page::Hangs)] {
        keys_page(&at, page);
        at.fleet.advance(FRESH_MILLIS);
        asked(&at);
        for _ in 0..5 {
            assert_eq!(status(&at, &key), 200);
        }
        assert_eq!(asked(&at), 1, "it is not asked by every request");
        assert_eq!(at.fleet.take_faults().len(), 1, "and its failure is logged");
        assert_eq!(status(&at, &Key::ed("new")), 503, "it may have this key by now: nobody can say");
        at.fleet.take_faults();
    }
    at.fleet.advance(STALE_MILLIS_MAX);
    let answer = list_tools(&at, "/mcp", &key.sign(&claims(&at.fleet)));
    assert_eq!((answer.status, header(&answer, "www-authenticate")), (503, None), "{}", text(&answer));
    publish(&at.fleet, &[&key]);
    at.fleet.advance(EMPTY_PAUSE_MILLIS);
    assert_eq!(status(&at, &key), 200);
}

#[test]
fn a_server_that_was_never_reached_is_nobodys_fault_and_asked_again_soon() {
    let (at, key) = deployment();
    keys_page(&at, Some(Page::Hangs));
    let start = at.fleet.now();
    assert_eq!(status(&at, &key), 503);
    assert!(at.fleet.now().since(start) <= i64::from(FETCH_MILLIS_MAX) + 100);
    assert_eq!((status(&at, &key), asked(&at)), (503, 1));
    publish(&at.fleet, &[&key]);
    assert_eq!(status(&at, &key), 503);
    at.fleet.advance(EMPTY_PAUSE_MILLIS);
    assert_eq!(status(&at, &key), 200);
}

#[test]
fn while_one_request_waits_for_a_slow_server_the_others_use_what_is_known() {
    let (at, key) = deployment();
    assert_eq!(status(&at, &key), 200);
    keys_page(&at, Some(Page::Hangs));
    at.fleet.advance(FRESH_MILLIS);
    let token = key.sign(&claims(&at.fleet));
    let send = || at.start(request("/mcp", &token, "tools/list", json!({})));
    let (slow, quick, fleet) = (send(), send(), at.fleet.clone());
    at.fleet.block_on(async move {
        let start = fleet.now();
        let slow = futures::FutureExt::shared(Box::pin(async move { slow.await.whole().status }));
        futures::future::select(slow.clone(), Box::pin(async { assert_eq!(quick.await.whole().status, 200) })).await;
        assert!(fleet.now().since(start) < 1_000, "the second does not wait");
        assert_eq!(slow.await, 200);
    });
}

#[test]
fn a_set_larger_than_is_read_and_keys_that_are_unusable_are_passed_over() {
    let (at, key) = deployment();
    let padding = "x".repeat(256 * 1024);
    keys_page(&at, Some(Page::Text(json!({"keys": [key.jwk()], "padding": padding}).to_string())));
    assert_eq!(status(&at, &key), 503);
    at.fleet.advance(EMPTY_PAUSE_MILLIS);
    let with = |name: &str, value: serde_json::Value| {
        let mut jwk = key.jwk();
        jwk[name] = value;
        jwk
    };
    let weak = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "one"});
    let useless = [
        with("use", json!("enc")),
        with("alg", json!("ES384")),
        with("key_ops", json!(["sign"])),
        with("crv", json!("P-384")),
        weak,
        with("alg", json!("HS256")),
        with("x", json!(7)),
        json!(7),
        json!({}),
    ];
    keys_page(&at, Some(Page::Text(json!({"keys": useless}).to_string())));
    assert_eq!(status(&at, &key), 503, "none is usable");
    at.fleet.advance(EMPTY_PAUSE_MILLIS);
    let mut set = useless.to_vec();
    // Not a point of the curve: it verifies nothing, and stands in nobody's way.
    set.push(with("x", json!("AAAA")));
    set.push(with("key_ops", json!(["verify"])));
    keys_page(&at, Some(Page::Text(json!({"keys": set}).to_string())));
    assert_eq!(status(&at, &key), 200);
}

#[test]
fn the_keys_are_found_by_either_metadata_or_where_the_deployment_says() {
    let (at, key) = deployment();
    at.fleet.web().put(METADATA_URL, None);
    let metadata = json!({"issuer": ISSUER, "jwks_uri": KEYS_URL}).to_string();
    at.fleet.web().put("https://login.example/.well-known/oauth-authorization-server/tenant", Some(Page::Text(metadata)));
    assert_eq!(status(&at, &key), 200);

    let fleet = Fleet::new();
    let told = Isolate::with(&fleet, &[("OAUTH_ISSUER", ISSUER), ("OAUTH_JWKS_URL", "https://elsewhere.example/jwks")]);
    fleet.web().put("https://elsewhere.example/jwks", Some(Page::Text(json!({"keys": [key.jwk()]}).to_string())));
    assert_eq!(status(&told, &key), 200);
    assert_eq!(fleet.web().take_asked(), ["https://elsewhere.example/jwks"]);
}
