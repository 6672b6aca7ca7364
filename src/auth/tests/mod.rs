//! The rules of authentication as tables: what is believed, what is refused and why, and that nothing else gets in.
//!
//! Every refused token differs in one point from one that is believed.

mod access;
mod properties;
mod refused;
mod refused_claims;
mod trusted;

use super::{Accept, Keys, TokenError, verify};
use crate::contract::ids::{RigId, TownId};
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

const KILO_SECRET: &str = "kilo-secret-for-tests-0123456789";
const GASTOWN_SECRET: &str = "gastown-secret-for-tests-0123456789";
const TOWN: &str = "11111111-1111-4111-8111-111111111111";
const OTHER_TOWN: &str = "22222222-2222-4222-8222-222222222222";
const RIG: &str = "33333333-3333-4333-8333-333333333333";
const AGENT: &str = "44444444-4444-4444-8444-444444444444";

/// Seconds; the moment at which every test takes place.
const NOW: i64 = 1_795_000_000;
const HOUR: i64 = 3600;

fn keys() -> Keys {
    Keys::new(Some(KILO_SECRET), Some(GASTOWN_SECRET)).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_millis(NOW * 1000)
}

fn town() -> TownId {
    TownId::parse(TOWN).unwrap()
}

fn rig() -> RigId {
    RigId::parse(RIG).unwrap()
}

/// A legacy user token's claims.
fn user() -> Value {
    json!({"version": 3, "kiloUserId": "user-1", "apiTokenPepper": null, "iat": NOW - HOUR, "exp": NOW + HOUR})
}

/// A modern user token's claims.
fn modern() -> Value {
    with(user(), json!({"aud": ["gastown", "kilo-api"], "tokenPurpose": "human-api", "credentialExchange": true}))
}

fn agent() -> Value {
    json!({"agentId": AGENT, "rigId": RIG, "townId": TOWN, "userId": "user-1", "iat": NOW - HOUR, "exp": NOW + HOUR})
}

fn mayor() -> Value {
    with(agent(), json!({"rigId": format!("mayor-{TOWN}")}))
}

fn container() -> Value {
    json!({"townId": TOWN, "userId": "user-1", "scope": "container", "iat": NOW - HOUR, "exp": NOW + HOUR})
}

fn internal() -> Value {
    json!({"scope": "internal", "townId": TOWN, "from": "rig", "method": "applyRigReport", "iat": NOW, "exp": NOW + 60})
}

fn exchanged() -> Value {
    json!({"scope": "exchanged", "aud": "gastown-objects", "userId": "user-1", "orgMemberships": [], "granted": "gastown:read",
        "iat": NOW, "exp": NOW + 60})
}

/// These claims, some of them replaced or added.
fn with(mut claims: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

/// These claims without one.
fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name).unwrap();
    claims
}

/// Which secret signs.
#[derive(Clone, Copy)]
enum By {
    Kilo,
    Gastown,
}

impl By {
    fn secret(self) -> &'static str {
        match self {
            Self::Kilo => KILO_SECRET,
            Self::Gastown => GASTOWN_SECRET,
        }
    }
}

fn encode(json: &Value) -> String {
    Base64UrlUnpadded::encode_string(json.to_string().as_bytes())
}

/// A token with any header, signed with HS256 whatever the header says.
fn sign_as(by: By, header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = Hs256.sign(&Hs256Key::new(by.secret()), signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

fn sign(by: By, claims: &Value) -> String {
    sign_as(by, &json!({"alg": "HS256", "typ": "JWT"}), claims)
}

/// A token that is really signed with HS384, by the right secret.
fn sign_hs384(by: By, claims: &Value) -> String {
    let signed = format!("{}.{}", encode(&json!({"alg": "HS384", "typ": "JWT"})), encode(claims));
    let signature = Hs384.sign(&Hs384Key::new(by.secret()), signed.as_bytes());
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes()))
}

/// Refused for this reason, at an object and at the edge alike.
#[track_caller]
fn refused(token: &str, reason: TokenError) {
    for accept in [Accept::External, Accept::Internal] {
        assert_eq!(verify(&keys(), token, now(), accept), Err(reason), "{accept:?}");
    }
}
