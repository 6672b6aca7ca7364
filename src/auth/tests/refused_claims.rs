//! The negative table, continued: genuine tokens whose claims do not make a caller.

use super::*;
use crate::auth::{Accept, TokenError, verify};

#[test]
fn another_version() {
    for version in [json!(2), json!(4), json!("3"), json!(null), json!([3]), json!(true), json!(33)] {
        refused(&sign(By::Kilo, &with(user(), json!({"version": version}))), TokenError::WrongVersion);
    }
    refused(&sign(By::Kilo, &without(user(), "version")), TokenError::WrongVersion);
}

#[test]
fn another_audience() {
    let foreign = [json!("kilo-api"), json!(["kilo-api", "kilo-gateway"]), json!([]), json!(""), json!("Gastown"), json!("gastown2")];
    for aud in foreign {
        refused(&sign(By::Kilo, &with(user(), json!({"aud": aud}))), TokenError::WrongAudience);
        refused(&sign(By::Kilo, &with(modern(), json!({"aud": aud}))), TokenError::WrongAudience);
    }
    for aud in [json!(null), json!(1), json!({"gastown": 1}), json!(["gastown", 1])] {
        refused(&sign(By::Kilo, &with(user(), json!({"aud": aud}))), TokenError::BadClaims);
    }
}

#[test]
fn a_user_token_without_a_user_or_a_pepper() {
    refused(&sign(By::Kilo, &without(user(), "apiTokenPepper")), TokenError::BadClaims);
    for pepper in [json!(""), json!(0), json!(false), json!({})] {
        refused(&sign(By::Kilo, &with(user(), json!({"apiTokenPepper": pepper}))), TokenError::BadClaims);
    }
    for id in [json!(""), json!(null), json!(1), json!(["user-1"])] {
        refused(&sign(By::Kilo, &with(user(), json!({"kiloUserId": id}))), TokenError::BadClaims);
    }
    // Nothing shows that it is Kilo's then, so it is held against the other secret.
    refused(&sign(By::Kilo, &without(user(), "kiloUserId")), TokenError::BadSignature);
}

#[test]
fn a_modern_token_that_says_only_half_of_what_it_is_for() {
    for name in ["aud", "tokenPurpose", "credentialExchange", "iat", "exp"] {
        refused(&sign(By::Kilo, &without(modern(), name)), TokenError::BadClaims);
    }
    for (name, value) in [
        ("tokenPurpose", json!("anything")),
        ("tokenPurpose", json!(null)),
        ("credentialExchange", json!("true")),
        ("credentialExchange", json!(null)),
        // Only a person's own token may be exchanged.
        ("tokenPurpose", json!("device-access")),
        ("tokenPurpose", json!("delegated-workload")),
        ("tokenPurpose", json!("internal-service")),
        ("exp", json!(NOW - HOUR)),
        ("runtimeAuthorization", json!({"id": "a", "resourceKind": "gastown", "resourceId": TOWN})),
    ] {
        let token = sign(By::Kilo, &with(with(modern(), json!({"iat": NOW - HOUR})), json!({name: value})));
        let reason = if name == "exp" { TokenError::Expired } else { TokenError::BadClaims };
        refused(&token, reason);
    }
    let backwards = with(modern(), json!({"iat": NOW + 5, "exp": NOW + 5}));
    refused(&sign(By::Kilo, &backwards), TokenError::BadClaims);
}

#[test]
fn a_scope_that_grants_nothing() {
    for scope in ["", " ", "read", "kilo:read", "gastown", "gastown:", "GASTOWN:READ", "gastown:readgastown:write"] {
        refused(&sign(By::Kilo, &with(user(), json!({"scope": scope}))), TokenError::NoScope);
    }
    for scope in [json!(null), json!(["gastown:read"]), json!(1)] {
        refused(&sign(By::Kilo, &with(user(), json!({"scope": scope}))), TokenError::BadClaims);
    }
}

#[test]
fn memberships_that_cannot_be_read() {
    for orgs in [json!(null), json!("org-1"), json!([{"orgId": "org-1"}]), json!([{"orgId": 1, "role": "owner"}]), json!({})] {
        refused(&sign(By::Kilo, &with(user(), json!({"orgMemberships": orgs}))), TokenError::BadClaims);
    }
}

#[test]
fn an_agent_token_with_a_claim_missing_or_no_id() {
    for name in ["agentId", "rigId", "townId", "userId", "iat"] {
        refused(&sign(By::Gastown, &without(agent(), name)), TokenError::BadClaims);
        refused(&sign(By::Gastown, &without(mayor(), name)), TokenError::BadClaims);
        for value in [json!(""), json!(null), json!({})] {
            refused(&sign(By::Gastown, &with(agent(), json!({name: value}))), TokenError::BadClaims);
        }
    }
    for (name, value) in
        [("rigId", "frontend"), ("townId", "frontend"), ("rigId", "mayor-"), ("rigId", "mayor-frontend"), ("scope", "agent")]
    {
        refused(&sign(By::Gastown, &with(agent(), json!({name: value}))), TokenError::BadClaims);
    }
}

#[test]
fn a_mayor_of_two_towns() {
    refused(&sign(By::Gastown, &with(mayor(), json!({"townId": OTHER_TOWN}))), TokenError::BadClaims);
}

#[test]
fn a_container_token_with_a_claim_missing_or_another_scope() {
    for name in ["townId", "userId", "iat"] {
        refused(&sign(By::Gastown, &without(container(), name)), TokenError::BadClaims);
    }
    for scope in [json!("Container"), json!(""), json!(null), json!("container internal"), json!("gastown:admin")] {
        refused(&sign(By::Gastown, &with(container(), json!({"scope": scope}))), TokenError::BadClaims);
    }
}

#[test]
fn an_internal_token_that_lives_too_long_or_says_too_little() {
    let at_object = |claims: &Value| verify(&keys(), &sign(By::Gastown, claims), now(), Accept::Internal);
    assert_eq!(at_object(&with(internal(), json!({"exp": NOW + 61}))), Err(TokenError::TooLongLived));
    assert_eq!(at_object(&with(internal(), json!({"iat": NOW - 30, "exp": NOW + 31}))), Err(TokenError::TooLongLived));
    for name in ["from", "method", "iat", "exp"] {
        assert_eq!(at_object(&without(internal(), name)), Err(TokenError::BadClaims), "{name}");
    }
    for (name, value) in [("from", json!("")), ("method", json!("")), ("townId", json!("")), ("townId", json!(null)), ("exp", json!(NOW))] {
        assert_eq!(at_object(&with(internal(), json!({name: value}))), Err(TokenError::BadClaims), "{name}");
    }
}

#[test]
fn an_exchanged_token_too_long_too_little_or_for_another_is_refused() {
    let at_object = |by: By, claims: &Value| verify(&keys(), &sign(by, claims), now(), Accept::Internal);
    assert!(at_object(By::Gastown, &exchanged()).is_ok());
    assert!(at_object(By::Kilo, &exchanged()).is_err());
    assert_eq!(at_object(By::Gastown, &with(exchanged(), json!({"exp": NOW + 61}))), Err(TokenError::TooLongLived));
    for name in ["aud", "userId", "granted", "iat", "exp"] {
        assert_eq!(at_object(By::Gastown, &without(exchanged(), name)), Err(TokenError::BadClaims), "{name}");
    }
    for (claim, value, error) in [
        ("aud", json!("gastown"), TokenError::WrongAudience),
        ("aud", json!(["gastown-objects"]), TokenError::BadClaims),
        ("granted", json!("gastown:everything"), TokenError::NoScope),
        ("granted", json!("gastown:read gastown:write"), TokenError::NoScope),
        ("userId", json!(""), TokenError::BadClaims),
        ("orgMemberships", json!(null), TokenError::BadClaims),
        ("scope", json!("exchanged internal"), TokenError::BadClaims),
    ] {
        assert_eq!(at_object(By::Gastown, &with(exchanged(), json!({claim: value}))), Err(error), "{claim}: {value}");
    }
    // The claims of other kinds make no other kind of it.
    let with_all = with(with(exchanged(), agent()), json!({"method": "deliver", "from": "rig", "iat": NOW, "exp": NOW + 60}));
    let principal = at_object(By::Gastown, &with_all).unwrap();
    assert_eq!((principal.town, principal.method, principal.agent_id), (None, None, None));
}

#[test]
fn claims_that_are_not_an_object_or_say_a_thing_twice() {
    for by in [By::Kilo, By::Gastown] {
        for claims in [json!(null), json!([]), json!("kiloUserId"), json!(["kiloUserId", 3]), json!({}), json!(3)] {
            assert!(verify(&keys(), &sign(by, &claims), now(), Accept::Internal).is_err(), "{claims}");
        }
    }
    let twice = user().to_string().replace("\"version\":3", "\"version\":3,\"kiloUserId\":\"user-2\"");
    let signed = format!("{}.{}", encode(&json!({"alg": "HS256"})), Base64UrlUnpadded::encode_string(twice.as_bytes()));
    let signature = Hs256.sign(&Hs256Key::new(KILO_SECRET), signed.as_bytes());
    refused(&format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes())), TokenError::BadClaims);
}
