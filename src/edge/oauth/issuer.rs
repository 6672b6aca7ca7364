//! The authorization server: fetching its keys, and checking whether one of them signed a token.
//!
//! Owns the fetching of keys and the choice of the key. `auth::jwks` says how long keys are believed,
//! `auth::access_token` which claims a token must have.

use crate::auth::jwks::{self, FETCH_MILLIS_MAX, Jwk};
use crate::auth::{AccessToken, Principal, TokenError};
use crate::edge::Edge;
use crate::edge::denied::Denied;
use crate::edge::oauth::protected_resource::Resource;
use crate::edge::settings::{OAuth, authority, is_safe};
use base::error::Fault;
use futures::future::{Either, LocalBoxFuture, select};
use serde::Deserialize;

/// Longest metadata document or key set that is read.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// How often a request looks whether the keys that another one asked for have come.
const POLL_MILLIS: u32 = 20;

/// The parts of RFC 8414 and `OpenID` Connect discovery that matter to a resource.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// The bearer of an access token for this resource.
pub(in crate::edge) async fn verify(edge: Edge<'_>, oauth: &OAuth, resource: Resource<'_>, token: &str) -> Result<Principal, Denied> {
    let token = AccessToken::open(token, &oauth.issuer)?;
    if !is_genuine(edge, oauth, &token).await.map_err(Denied::NoKeys)? {
        return Err(TokenError::BadSignature.into());
    }
    token.bearer(|audience| resource.takes(audience), edge.runtime.now()).map_err(|error| match error {
        TokenError::NoScope => Denied::NoScope,
        other => other.into(),
    })
}

/// Whether one of the server's keys signed the token. An unknown key is asked for, as often as `jwks` allows; a
/// fault when the server does not answer.
async fn is_genuine(edge: Edge<'_>, oauth: &OAuth, token: &AccessToken<'_>) -> Result<bool, Fault> {
    let cache = &edge.memory.issuer_keys;
    let now = edge.runtime.now();
    let known = cache.known(now);
    // Stale keys will do while another request asks, or when the server does not answer.
    if known.is_none() {
        refresh(edge, oauth).await?;
    } else if !cache.is_fresh(now)
        && cache.may_fetch(now)
        && !cache.is_being_fetched(now)
        && let Err(fault) = refresh(edge, oauth).await
    {
        edge.runtime.log_fault(&fault);
    }
    let keys = cache.known(edge.runtime.now()).ok_or_else(|| Fault::new("verify an access token", "no keys are known"))?;
    if is_signed_by_any(edge, token, &keys).await {
        return Ok(true);
    }
    let names_known_key = token.key_id.is_some() && keys.iter().any(|key| key.key_id == token.key_id);
    if names_known_key {
        return Ok(false);
    }
    refresh(edge, oauth).await?;
    match cache.known(edge.runtime.now()) {
        Some(newer) if newer != keys => Ok(is_signed_by_any(edge, token, &newer).await),
        _ => Ok(false),
    }
}

/// Tries the key that the token names, or each that could be meant when it names none. A key is only ever used with its own
/// algorithm.
async fn is_signed_by_any(edge: Edge<'_>, token: &AccessToken<'_>, keys: &[Jwk]) -> bool {
    let is_meant = |key: &&Jwk| key.algorithm == token.algorithm && (token.key_id.is_none() || key.key_id == token.key_id);
    for key in keys.iter().filter(is_meant) {
        if edge.runtime.verify_signature(key.algorithm, &key.json, token.signed.as_bytes(), &token.signature).await {
            return true;
        }
    }
    false
}

/// Asks the server for its keys, unless it was asked just now. While another request asks, this one waits for its answer in
/// the memory: a future must not be shared between requests.
async fn refresh(edge: Edge<'_>, oauth: &OAuth) -> Result<(), Fault> {
    let (runtime, cache) = (edge.runtime, &edge.memory.issuer_keys);
    while cache.is_being_fetched(runtime.now()) {
        runtime.sleep(POLL_MILLIS).await;
    }
    if !cache.may_fetch(runtime.now()) {
        let failed = || Fault::new("fetch the keys", format!("{} did not answer a moment ago", oauth.issuer));
        return if cache.has_failed() { Err(failed()) } else { Ok(()) };
    }
    cache.begin(runtime.now());
    let asking: LocalBoxFuture<'_, _> = Box::pin(fetch_keys(edge, oauth));
    let fetched = match select(asking, runtime.sleep(FETCH_MILLIS_MAX)).await {
        Either::Left((fetched, _)) => fetched,
        Either::Right(_) => Err(Fault::new("fetch the keys", format!("{} did not answer within {FETCH_MILLIS_MAX} ms", oauth.issuer))),
    };
    let (keys, outcome) = match fetched {
        Ok(keys) => (Some(keys), Ok(())),
        Err(fault) => (None, Err(fault)),
    };
    cache.end(keys, runtime.now());
    outcome
}

async fn fetch_keys(edge: Edge<'_>, oauth: &OAuth) -> Result<Vec<Jwk>, Fault> {
    let url = match &oauth.jwks_url {
        Some(url) => url.clone(),
        None => discover(edge, &oauth.issuer).await?,
    };
    jwks::read(&edge.runtime.fetch_text(&url, DOCUMENT_BYTES_MAX).await?)
}

/// Where the keys are, by the server's own metadata: `OpenID` Connect's or RFC 8414's, whichever it has.
async fn discover(edge: Edge<'_>, issuer: &str) -> Result<String, Fault> {
    let issuer_url = issuer.trim_end_matches('/');
    let (_, path) = authority(issuer_url).ok_or_else(|| Fault::new("discover the keys", "the issuer is no URL"))?;
    let origin = issuer_url.strip_suffix(path).unwrap_or(issuer_url);
    let places =
        [format!("{issuer_url}/.well-known/openid-configuration"), format!("{origin}/.well-known/oauth-authorization-server{path}")];
    let mut last = Fault::new("discover the keys", "nowhere to look");
    for place in places {
        match edge.runtime.fetch_text(&place, DOCUMENT_BYTES_MAX).await.and_then(|text| keys_url(&text, issuer)) {
            Ok(url) => return Ok(url),
            Err(fault) => last = fault,
        }
    }
    Err(last)
}

/// Refuses a document that speaks for another issuer (RFC 8414 3.3).
fn keys_url(text: &str, issuer: &str) -> Result<String, Fault> {
    let metadata: Metadata = serde_json::from_str(text).map_err(|error| Fault::new("read the server's metadata", error))?;
    if metadata.issuer != issuer {
        return Err(Fault::new("read the server's metadata", format!("it is of the issuer {}", metadata.issuer)));
    }
    if !is_safe(&metadata.jwks_uri) {
        return Err(Fault::new("read the server's metadata", format!("its jwks_uri {} is not https", metadata.jwks_uri)));
    }
    Ok(metadata.jwks_uri)
}
