//! That nothing else gets in, and nothing makes verification panic.

use super::*;
use crate::auth::{Accept, TokenError, bearer, verify};
use proptest::prelude::*;

/// One genuine token of each kind.
fn genuine() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(sign(By::Kilo, &user())),
        Just(sign(By::Kilo, &modern())),
        Just(sign(By::Gastown, &agent())),
        Just(sign(By::Gastown, &mayor())),
        Just(sign(By::Gastown, &container())),
        Just(sign(By::Gastown, &internal())),
        Just(sign(By::Gastown, &exchanged())),
    ]
}

fn judge(token: &str) -> Result<crate::auth::Principal, TokenError> {
    verify(&keys(), token, now(), Accept::Internal)
}

/// Any JSON, of the shapes that a claim might be given by mistake.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("gastown")),
        Just(json!(3)),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            inner.prop_map(|value| json!({"orgId": value, "role": "owner"}))
        ]
    })
}

proptest! {
    #[test]
    fn no_other_text_is_a_token(text in "\\PC{0,200}") {
        prop_assert!(judge(&text).is_err());
        prop_assert!(bearer(Some(&text)).is_err() || text.trim().to_ascii_lowercase().starts_with("bearer "));
    }

    #[test]
    fn no_other_bytes_between_dots_are_a_token(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..5)) {
        let parts: Vec<String> = parts.iter().map(|part| Base64UrlUnpadded::encode_string(part)).collect();
        prop_assert!(judge(&parts.join(".")).is_err());
    }

    #[test]
    fn no_signature_but_the_right_one_counts(signature in prop::array::uniform32(any::<u8>()), token in genuine()) {
        let (signed, own) = token.rsplit_once('.').unwrap();
        let signature = Base64UrlUnpadded::encode_string(&signature);
        prop_assume!(signature != own);
        prop_assert_eq!(judge(&format!("{signed}.{signature}")), Err(TokenError::BadSignature));
    }

    #[test]
    fn a_token_with_one_character_replaced_inserted_or_removed_is_none(
        token in genuine(),
        at in any::<prop::sample::Index>(),
        character in "[A-Za-z0-9_.=+/ -]",
        how in 0..3_u8,
    ) {
        let at = at.index(token.len());
        let (before, after) = token.split_at(at);
        let rest = if how == 1 { after } else { &after[1..] };
        let character = if how == 2 { "" } else { character.as_str() };
        let mutated = format!("{before}{character}{rest}");
        prop_assume!(mutated != token);
        prop_assert!(judge(&mutated).is_err());
    }

    #[test]
    fn parts_of_two_tokens_make_none(one in genuine(), two in genuine()) {
        prop_assume!(one != two);
        let (a, b): (Vec<&str>, Vec<&str>) = (one.split('.').collect(), two.split('.').collect());
        prop_assert_eq!(judge(&format!("{}.{}.{}", a[0], a[1], b[2])), Err(TokenError::BadSignature));
    }

    #[test]
    fn a_genuine_token_with_any_claim_set_to_anything_never_panics(
        name in prop::sample::select(vec![
            "version", "kiloUserId", "apiTokenPepper", "aud", "tokenPurpose", "credentialExchange", "scope", "orgMemberships",
            "iat", "exp", "nbf", "agentId", "rigId", "townId", "userId", "role", "from", "method", "granted",
        ]),
        value in any_json(),
        at in any::<i64>(),
    ) {
        for (by, claims) in [(By::Kilo, modern()), (By::Gastown, agent()), (By::Gastown, container()), (By::Gastown, internal()), (By::Gastown, exchanged())] {
            let token = sign(by, &with(claims, json!({name: value.clone()})));
            let _ = judge(&token);
            let _ = verify(&keys(), &token, Timestamp::from_millis(at), Accept::External);
        }
    }
}
