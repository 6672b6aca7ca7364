//! Legacy sessions as values: an id that carries and proves its own content.
//!
//! Owns what is in `Mcp-Session-Id` (2025-11-25, transports, session management); `base::signed_text` owns its form. `initialize`
//! stores nothing, and an id is checked without asking anybody. Whether a client has ended its session is kept by
//! `SessionStore`. A session authenticates nobody.

use crate::client::ClientCapability;
use crate::revision::Revision;
use crate::server::Server;
use base::signed_text::{Purpose, digest, open as unseal, seal};
use base::time::Timestamp;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

/// How long a session lives.
pub const SESSION_LIFE_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// Longest id that is looked at; ours have about 270 characters.
const SESSION_ID_BYTES_MAX: usize = 512;

/// An open session of the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// What `initialize` settled on.
    pub revision: Revision,
    /// What the client declared at `initialize`.
    pub capabilities: Vec<ClientCapability>,
    /// The random part of the id, by which the session is remembered.
    pub key: String,
    /// When the id becomes worthless by itself.
    pub expires: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The negotiated revision.
    rev: String,
    /// Which of `ClientCapability::ALL` the client has, as bits.
    #[serde(default)]
    can: u32,
    /// The principal, hashed: ids end up in logs.
    sub: String,
    /// Issue time, in seconds.
    iat: i64,
    /// 128 random bits.
    jti: String,
}

/// Begins a session of the caller and gives its id.
///
/// # Errors
/// None in practice: writing five plain fields as JSON.
pub fn begin(server: &dyn Server, revision: Revision, capabilities: &[ClientCapability]) -> Result<String, serde_json::Error> {
    let key = Base64UrlUnpadded::encode_string(&server.random());
    server.session_store().begun(&key);
    let can = ClientCapability::ALL
        .iter()
        .enumerate()
        .filter(|(_, capability)| capabilities.contains(capability))
        .fold(0, |bits, (bit, _)| bits | 1 << bit);
    let claims =
        Claims { rev: revision.as_str().to_owned(), can, sub: digest(server.principal()), iat: server.now().millis() / 1000, jti: key };
    seal(server.seal_key(), Purpose::Session, &claims)
}

/// Opens an id: `None` unless it is genuine, the caller's own and of age. Says nothing about sessions ended early.
#[must_use]
pub fn open(server: &dyn Server, id: &str) -> Option<Session> {
    if id.len() > SESSION_ID_BYTES_MAX {
        return None;
    }
    let claims: Claims = unseal(server.seal_key(), Purpose::Session, id)?;
    let revision = Revision::parse(&claims.rev).filter(|revision| !revision.is_modern())?;
    let expires = Timestamp::from_millis(claims.iat.saturating_mul(1000)).plus_millis(SESSION_LIFE_MS);
    let is_ours = claims.sub == digest(server.principal()) && server.now() < expires;
    let capabilities =
        ClientCapability::ALL.into_iter().enumerate().filter(|(bit, _)| claims.can & (1 << bit) != 0).map(|(_, capability)| capability);
    is_ours.then(|| Session { revision, capabilities: capabilities.collect(), key: claims.jti, expires })
}
