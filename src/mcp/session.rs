//! Legacy sessions as values: an id that carries and proves its own content.
//!
//! Owns the sealed form of `Mcp-Session-Id` (2025-11-25, transports, session management). `initialize` stores
//! nothing, and an id is checked without asking anybody. Whether a client has ended its session is `Server`'s
//! knowledge. A session authenticates nobody.
//!
//! The form is a compact JWS, visible ASCII throughout, signed with jwt-compact's HS256. Its header is the same for
//! every session, so it is compared and not parsed: nothing in an id can choose an algorithm or a key.

use super::revision::Revision;
use super::server::Server;
use crate::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Hs256, Hs256Key, Hs256Signature};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// How long a session lives.
pub const SESSION_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Longest id that is looked at; ours have about 270 characters.
const SESSION_ID_BYTES_MAX: usize = 512;

/// `{"alg":"HS256","typ":"mcp-session+jwt"}`
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6Im1jcC1zZXNzaW9uK2p3dCJ9";

/// No other token of ours is for this audience, so none can pass as a session, nor a session as one of them.
const AUDIENCE: &str = "mcp-session";

const SIGNATURE_BYTES: usize = 32;

/// An open session of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What `initialize` settled on.
    pub revision: Revision,
    /// The random part of the id, by which the session is remembered when it has ended.
    pub key: String,
    /// When the id becomes worthless by itself.
    pub expires: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Claims<'a> {
    #[serde(borrow)]
    aud: Cow<'a, str>,
    /// The negotiated revision.
    #[serde(borrow)]
    rev: Cow<'a, str>,
    /// The principal, hashed: ids end up in logs.
    #[serde(borrow)]
    sub: Cow<'a, str>,
    /// Issue time, in seconds.
    iat: i64,
    /// 128 random bits.
    #[serde(borrow)]
    jti: Cow<'a, str>,
}

/// Begins a session of the caller and gives its id.
///
/// # Errors
/// None in practice: writing five plain fields as JSON.
pub fn begin(server: &dyn Server, revision: Revision) -> Result<String, serde_json::Error> {
    let key = Base64UrlUnpadded::encode_string(&server.random());
    server.session_begun(&key);
    let claims = Claims {
        aud: AUDIENCE.into(),
        rev: revision.as_str().into(),
        sub: principal_hash(server).into(),
        iat: server.now().millis() / 1000,
        jti: key.into(),
    };
    let claims = Base64UrlUnpadded::encode_string(&serde_json::to_vec(&claims)?);
    let signed = format!("{HEADER}.{claims}");
    let signature = Hs256.sign(&Hs256Key::new(server.seal_key()), signed.as_bytes());
    Ok(format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes())))
}

/// Opens an id: `None` unless it is genuine, the caller's own and of age. Says nothing about sessions ended early.
#[must_use]
pub fn open(server: &dyn Server, id: &str) -> Option<Session> {
    if id.len() > SESSION_ID_BYTES_MAX {
        return None;
    }
    let (signed, signature) = id.rsplit_once('.')?;
    let claims = signed.strip_prefix(HEADER)?.strip_prefix('.')?;
    let mut buffer = [0; SIGNATURE_BYTES];
    let signature = Base64UrlUnpadded::decode(signature, &mut buffer).ok()?;
    if signature.len() != SIGNATURE_BYTES {
        return None;
    }
    let signature = Hs256Signature::try_from_slice(signature).ok()?;
    if !Hs256.verify_signature(&signature, &Hs256Key::new(server.seal_key()), signed.as_bytes()) {
        return None;
    }

    let claims = Base64UrlUnpadded::decode_vec(claims).ok()?;
    let claims: Claims<'_> = serde_json::from_slice(&claims).ok()?;
    let revision = Revision::parse(&claims.rev).filter(|revision| !revision.is_modern())?;
    let expires = Timestamp::from_millis(claims.iat.saturating_mul(1000)).plus_millis(SESSION_LIFE_MS);
    let is_ours = claims.aud == AUDIENCE && claims.sub == principal_hash(server) && server.now() < expires;
    is_ours.then(|| Session { revision, key: claims.jti.into_owned(), expires })
}

fn principal_hash(server: &dyn Server) -> String {
    let digest = Sha256::digest(server.principal().as_bytes());
    Base64UrlUnpadded::encode_string(digest.get(..16).unwrap_or(&digest))
}
