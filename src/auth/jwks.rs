//! The public keys of the authorization server (RFC 7517): reading them, and how long they are believed.
//!
//! Owns plain values and times. Fetches nothing.

use super::Algorithm;
use base::error::Fault;
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Keys younger than this are used without asking.
pub const FRESH_MILLIS: i64 = 10 * 60 * 1000;
/// Keys older than this are not used, even if the server does not answer.
pub const STALE_MILLIS_MAX: i64 = 24 * 60 * 60 * 1000;
/// Pause between two questions, however many unknown keys are named meanwhile.
pub const PAUSE_MILLIS: i64 = 30_000;
/// The same while no key is known at all.
pub const EMPTY_PAUSE_MILLIS: i64 = 5_000;
/// How long the server may take to answer.
pub const FETCH_MILLIS_MAX: u32 = 3_000;

/// More keys than any server has at a time.
const KEYS_MAX: usize = 64;
/// RSA keys of 2048 to 8192 bits (RFC 7518 3.3 names the least).
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// One public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwk {
    /// `kid`.
    pub key_id: Option<String>,
    /// The one algorithm it is good for.
    pub algorithm: Algorithm,
    /// The key as JSON, with the members that make it and no others.
    pub json: String,
}

/// The usable keys of a set. Others (encryption, other algorithms, shared secrets) are passed over.
///
/// # Errors
/// `Fault` when the text is no key set, or one without a usable key: better the keys known before than none.
pub fn read(text: &str) -> Result<Vec<Jwk>, Fault> {
    let set: Value = serde_json::from_str(text).map_err(|error| Fault::new("read the key set", error))?;
    let keys = set.get("keys").and_then(Value::as_array).ok_or_else(|| Fault::new("read the key set", "it has no keys"))?;
    let keys: Vec<Jwk> = keys.iter().filter_map(read_key).take(KEYS_MAX).collect();
    if keys.is_empty() { Err(Fault::new("read the key set", "none of its keys is usable")) } else { Ok(keys) }
}

fn read_key(jwk: &Value) -> Option<Jwk> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| text(name).and_then(|text| Base64UrlUnpadded::decode_vec(text).ok()).map_or(0, |bytes| bytes.len());
    let (algorithm, members): (Algorithm, &[&str]) = match (text("kty")?, text("crv")) {
        ("RSA", None) if MODULUS_BYTES.contains(&bytes("n")) => (Algorithm::Rs256, &["kty", "n", "e"]),
        ("EC", Some("P-256")) => (Algorithm::Es256, &["kty", "crv", "x", "y"]),
        ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, &["kty", "crv", "x"]),
        _ => return None,
    };
    let is_for_this = jwk.get("alg").is_none_or(|alg| alg.as_str().and_then(Algorithm::parse) == Some(algorithm))
        && jwk.get("use").is_none_or(|purpose| purpose == "sig")
        && jwk.get("key_ops").is_none_or(|uses| uses.as_array().is_some_and(|uses| uses.iter().any(|one| one == "verify")));
    if !is_for_this {
        return None;
    }
    let mut own = Map::new();
    for name in members {
        own.insert((*name).to_owned(), Value::from(text(name)?));
    }
    Some(Jwk { key_id: text("kid").map(str::to_owned), algorithm, json: Value::Object(own).to_string() })
}

/// The keys that an isolate has learned. Each request fetches for itself; only the result is shared.
#[derive(Default)]
pub struct KeyCache {
    known: RefCell<Option<(Rc<[Jwk]>, Timestamp)>>,
    began: Cell<Option<Timestamp>>,
    ended: Cell<Option<Timestamp>>,
    has_failed: Cell<bool>,
}

impl KeyCache {
    /// The keys, unless they are too old to be used.
    pub fn known(&self, now: Timestamp) -> Option<Rc<[Jwk]>> {
        self.younger_than(STALE_MILLIS_MAX, now)
    }

    /// Whether the keys need not be asked for.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.younger_than(FRESH_MILLIS, now).is_some()
    }

    fn younger_than(&self, age_millis: i64, now: Timestamp) -> Option<Rc<[Jwk]>> {
        let known = self.known.borrow();
        let (keys, learned) = known.as_ref()?;
        (now.since(*learned) < age_millis).then(|| Rc::clone(keys))
    }

    /// Whether another request is asking at the moment. One that went away is not waited for.
    pub fn is_being_fetched(&self, now: Timestamp) -> bool {
        let limit = i64::from(FETCH_MILLIS_MAX);
        self.began.get().is_some_and(|began| self.ended.get().is_none_or(|ended| ended < began) && now.since(began) <= limit)
    }

    /// Whether the last question was long enough ago.
    pub fn may_fetch(&self, now: Timestamp) -> bool {
        let pause = if self.known(now).is_some() { PAUSE_MILLIS } else { EMPTY_PAUSE_MILLIS };
        self.ended.get().is_none_or(|ended| now.since(ended) >= pause)
    }

    /// Whether the last question had no answer, so that the server may have unknown keys.
    pub const fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// A question begins.
    pub fn begin(&self, now: Timestamp) {
        self.began.set(Some(now));
    }

    /// A question ended: with the server's keys, or with none because it failed.
    pub fn end(&self, keys: Option<Vec<Jwk>>, now: Timestamp) {
        self.ended.set(Some(now));
        self.has_failed.set(keys.is_none());
        if let Some(keys) = keys {
            self.known.replace(Some((keys.into(), now)));
        }
    }
}
