//! The negative table: form, algorithm, signature, dates, and internal tokens from outside.

use super::*;
use crate::auth::keys::{GASTOWN_JWT_SECRET, NEXTAUTH_SECRET};
use crate::auth::{Accept, TokenError, bearer, verify};

#[test]
fn no_token_at_all() {
    assert_eq!(bearer(None), Err(TokenError::Missing));
    refused("", TokenError::Malformed);
}

#[test]
fn a_malformed_token() {
    let good = sign(By::Kilo, &user());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    for bad in [
        "x",
        "..",
        "...",
        "a.b",
        &good[1..],
        &good[..good.len() - 4],
        signed,
        &format!("{signed}."),
        &format!("{good}="),
        &format!("{good}.{signature}"),
        &format!("{good} "),
        &format!("{signed}.{signature}AAAA"),
        &"A".repeat(100_000),
        // Five parts, as an encrypted token has.
        "eyJhbGciOiJIUzI1NiJ9..a.b.c",
    ] {
        refused(bad, TokenError::Malformed);
    }
    for header in [json!(null), json!([]), json!("HS256"), json!({}), json!({"alg": null}), json!({"alg": ["HS256"]}), json!({"alg": 1})] {
        refused(&sign_as(By::Kilo, &header, &user()), TokenError::Malformed);
    }
}

#[test]
fn another_spelling_of_a_good_token() {
    // The last character of a 32-byte signature carries two bits that nobody reads.
    let good = sign(By::Kilo, &user());
    let last = good.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    let spelling = format!("{}{}", &good[..good.len() - 1], alphabet.chars().nth(at ^ 1).unwrap());
    refused(&spelling, TokenError::Malformed);
}

#[test]
fn a_wrong_secret() {
    let foreign = Keys::new(Some("another-secret-of-users"), Some("another-secret-of-towns")).unwrap();
    for token in [sign(By::Kilo, &user()), sign(By::Gastown, &agent()), sign(By::Gastown, &container())] {
        assert_eq!(verify(&foreign, &token, now(), Accept::Internal), Err(TokenError::BadSignature));
    }
}

#[test]
fn a_kind_signed_with_the_secret_of_the_other_kind() {
    refused(&sign(By::Gastown, &user()), TokenError::BadSignature);
    refused(&sign(By::Gastown, &modern()), TokenError::BadSignature);
    for claims in [agent(), mayor(), container(), internal()] {
        refused(&sign(By::Kilo, &claims), TokenError::BadSignature);
    }
    // Claims of both kinds at once: read as the kind of the secret, or not at all.
    let both = with(user(), agent());
    refused(&sign(By::Gastown, &both), TokenError::BadSignature);
}

#[test]
fn an_escaped_mark_reaches_no_other_rules() {
    let signed_by = |by: By| {
        let claims = user().to_string().replace("kiloUserId", "kilo\\u0055serId");
        let signed = format!("{}.{}", encode(&json!({"alg": "HS256"})), Base64UrlUnpadded::encode_string(claims.as_bytes()));
        let signature = Hs256.sign(&Hs256Key::new(by.secret()), signed.as_bytes());
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
    };
    refused(&signed_by(By::Kilo), TokenError::BadSignature);
    refused(&signed_by(By::Gastown), TokenError::BadClaims);
}

#[test]
fn an_altered_claim() {
    let good = sign(By::Kilo, &user());
    let signature = good.rsplit('.').next().unwrap();
    let header = good.split('.').next().unwrap();
    let forged = format!("{header}.{}.{signature}", encode(&with(user(), json!({"kiloUserId": "user-2"}))));
    refused(&forged, TokenError::BadSignature);
}

#[test]
fn alg_none() {
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({"alg": alg, "typ": "JWT"});
        refused(&format!("{}.{}.", encode(&header), encode(&user())), TokenError::WrongAlgorithm);
        refused(&sign_as(By::Kilo, &header, &user()), TokenError::WrongAlgorithm);
    }
}

#[test]
fn another_algorithm() {
    for alg in ["RS256", "ES256", "EdDSA", "HS384", "HS512", "hs256", "HS256 "] {
        // Signed with HS256 by the right secret: only the header lies.
        refused(&sign_as(By::Kilo, &json!({"alg": alg, "typ": "JWT"}), &user()), TokenError::WrongAlgorithm);
        refused(&sign_as(By::Gastown, &json!({"alg": alg, "typ": "JWT"}), &agent()), TokenError::WrongAlgorithm);
    }
    refused(&sign_hs384(By::Kilo, &user()), TokenError::WrongAlgorithm);
    let twice = r#"{"alg":"none","alg":"HS256"}"#;
    let token = format!("{}.{}.{}", Base64UrlUnpadded::encode_string(twice.as_bytes()), encode(&user()), "A".repeat(43));
    refused(&token, TokenError::Malformed);
}

#[test]
fn a_critical_header_parameter() {
    for crit in [json!(["exp"]), json!([]), json!(null), json!(["b64"])] {
        refused(&sign_as(By::Kilo, &json!({"alg": "HS256", "crit": crit}), &user()), TokenError::Malformed);
    }
}

#[test]
fn an_expired_token() {
    for (by, claims) in [(By::Kilo, user()), (By::Kilo, modern()), (By::Gastown, agent()), (By::Gastown, container())] {
        refused(&sign(by, &with(claims.clone(), json!({"exp": NOW - 10}))), TokenError::Expired);
        refused(&sign(by, &with(claims.clone(), json!({"exp": -1}))), TokenError::Expired);
        refused(&sign(by, &with(claims, json!({"exp": i64::MIN}))), TokenError::Expired);
    }
    let old = with(internal(), json!({"iat": NOW - 70, "exp": NOW - 10}));
    assert_eq!(verify(&keys(), &sign(By::Gastown, &old), now(), Accept::Internal), Err(TokenError::Expired));
}

#[test]
fn a_token_of_the_future() {
    for (by, claims) in [(By::Kilo, user()), (By::Kilo, modern()), (By::Gastown, agent()), (By::Gastown, container())] {
        refused(&sign(by, &with(claims.clone(), json!({"nbf": NOW + 11}))), TokenError::NotYetValid);
        refused(&sign(by, &with(claims.clone(), json!({"iat": NOW + 11}))), TokenError::NotYetValid);
        refused(&sign(by, &with(claims, json!({"nbf": u64::MAX}))), TokenError::NotYetValid);
    }
}

#[test]
fn a_date_that_is_none() {
    for name in ["iat", "exp", "nbf"] {
        for value in [json!(null), json!("1795000000"), json!([]), json!(true)] {
            refused(&sign(By::Kilo, &with(user(), json!({name: value}))), TokenError::BadClaims);
            refused(&sign(By::Gastown, &with(agent(), json!({name: value}))), TokenError::BadClaims);
        }
    }
}

#[test]
fn an_agent_or_container_token_ends_after_eight_hours_whatever_its_exp() {
    for claims in [agent(), mayor(), container()] {
        let old = with(claims, json!({"iat": NOW - 8 * HOUR - 10, "exp": NOW + HOUR}));
        refused(&sign(By::Gastown, &old), TokenError::Expired);
        refused(&sign(By::Gastown, &without(old, "exp")), TokenError::Expired);
    }
}

#[test]
fn an_internal_token_from_outside() {
    let token = sign(By::Gastown, &internal());
    assert_eq!(verify(&keys(), &token, now(), Accept::External), Err(TokenError::InternalNotAccepted));
    assert!(verify(&keys(), &token, now(), Accept::Internal).is_ok());
}

#[test]
fn no_reason_shows_a_secret_or_a_piece_of_the_token() {
    let token = sign(By::Gastown, &with(user(), json!({"apiTokenPepper": "a-very-secret-pepper"})));
    let error = verify(&keys(), &token, now(), Accept::External).unwrap_err();
    let shown = format!("{error} {error:?} {:?} {:?}", base::error::Refusal::from(error), keys());
    for secret in [KILO_SECRET, GASTOWN_SECRET, "a-very-secret-pepper", "user-1", &token[..8], NEXTAUTH_SECRET, GASTOWN_JWT_SECRET] {
        assert!(!shown.contains(secret), "{secret}");
    }
}
