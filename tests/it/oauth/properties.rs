//! That nothing else gets in, and nothing makes verification panic.

use super::{deployment, list_tools};
use crate::support::issuer::{claims, with};
use base64ct::{Base64UrlUnpadded, Encoding};
use gastown_mcp::auth::AccessToken;
use gastown_mcp::auth::jwks;
use proptest::prelude::*;
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("http://127.0.0.1/mcp")),
        Just(json!("gastown:admin")),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.prop_map(|value| json!({"orgId": value, "role": "owner"}))
        ]
    })
}

#[test]
fn a_token_with_one_character_replaced_inserted_or_removed_is_none() {
    let (at, key) = deployment();
    let token = key.sign(&claims(&at.fleet));
    assert_eq!(list_tools(&at, "/mcp", &token).status, 200);
    proptest!(ProptestConfig::with_cases(64), |(at_index in any::<prop::sample::Index>(), character in "[A-Za-z0-9_.-]", how in 0..3_u8)| {
        let (before, after) = token.split_at(at_index.index(token.len()));
        let rest = if how == 1 { after } else { &after[1..] };
        let character = if how == 2 { "" } else { character.as_str() };
        let mutated = format!("{before}{character}{rest}");
        prop_assume!(mutated != token);
        prop_assert_eq!(list_tools(&at, "/mcp", &mutated).status, 401);
    });
}

#[test]
fn a_genuine_token_with_any_claim_changed_opens_no_more() {
    let (at, key) = deployment();
    let names = ["iss", "sub", "aud", "scope", "exp", "nbf", "iat", "cnf", "orgs", "org_memberships", "orgMemberships", "kiloUserId"];
    proptest!(ProptestConfig::with_cases(96), |(name in prop::sample::select(names.to_vec()), value in any_json())| {
        let token = key.sign(&with(claims(&at.fleet), json!({name: value.clone()})));
        let status = list_tools(&at, "/mcp", &token).status;
        prop_assert!([200, 401, 403].contains(&status), "{name}: {value}: {status}");
        if status == 200 && matches!(name, "iss" | "aud") {
            prop_assert!(value.to_string().contains("127.0.0.1"), "{name}: {value}");
        }
        if status == 200 && name == "scope" {
            prop_assert!(value.to_string().contains("gastown:"), "{value}");
        }
    });
    assert_eq!(at.fleet.take_faults(), Vec::<String>::new());
}

proptest! {
    #[test]
    fn no_bytes_between_dots_and_no_key_set_make_a_panic(
        parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..5),
        text in "\\PC{0,100}",
        key in any_json(),
        name in prop::sample::select(vec!["kty", "crv", "x", "y", "n", "e", "alg", "use", "key_ops", "kid"]),
    ) {
        let parts: Vec<String> = parts.iter().map(|part| Base64UrlUnpadded::encode_string(part)).collect();
        prop_assert!(AccessToken::open(&parts.join("."), "https://login.example").is_err());
        prop_assert!(AccessToken::open(&text, "").is_err());
        let _ = jwks::read(&text);
        let mut jwk = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
        jwk[name] = key;
        let _ = jwks::read(&json!({"keys": [jwk]}).to_string());
    }
}
