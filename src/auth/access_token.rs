//! OAuth access tokens (RFC 9068): their form, and the principal that a genuine one stands for.
//!
//! Owns the rules for tokens of a trusted authorization server. Such a server signs with a private key only: nothing here
//! takes a shared secret, and `jws` takes nothing else, so no key is ever used by the rules of the other kind. Fetches no
//! key and checks no signature: that takes the runtime.

use super::TokenError;
use super::claims::{AccessClaims, OneOrMany};
use super::dates::Times;
use super::jws::{Parts, decode, split};
use super::principal::{Principal, Role, Scope, TokenKind};
use super::verify::{parse, text, usable_orgs};
use base::time::Timestamp;
use serde::{Deserialize, de::IgnoredAny};
use std::borrow::Cow;

/// How an authorization server signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA on P-256 with SHA-256; the signature is the two numbers side by side.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl Algorithm {
    /// By its name in JOSE headers and keys.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            // RFC 9864 gives it the second name.
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A token of the right form. Nothing that it says is believed yet.
pub struct AccessToken<'a> {
    /// How it claims to be signed. A key of another algorithm must not be tried on it.
    pub algorithm: Algorithm,
    /// Which key of the server, if it says so.
    pub key_id: Option<String>,
    /// The signed part of the token.
    pub signed: &'a str,
    /// The decoded signature.
    pub signature: Vec<u8>,
    claims: Vec<u8>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    #[serde(default, borrow)]
    typ: Option<Cow<'a, str>>,
    #[serde(default)]
    kid: Option<String>,
    /// See `jws`.
    #[serde(default, deserialize_with = "super::claims::present")]
    crit: Option<IgnoredAny>,
}

impl<'a> AccessToken<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// `Malformed`, `WrongAlgorithm`, `WrongType` or, when it is not this server's, `WrongIssuer`: no key is fetched for
    /// such a token.
    pub fn open(token: &'a str, issuer: &str) -> Result<Self, TokenError> {
        let Parts { signed, header, claims, signature } = split(token)?;
        let header: Header<'_> = serde_json::from_str(&header).map_err(|_| TokenError::Malformed)?;
        let algorithm = Algorithm::parse(&header.alg).ok_or(TokenError::WrongAlgorithm)?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        // Many servers say `JWT` or nothing. Tokens of other types (identity, logout, DPoP) are signed with the same keys.
        let is_access = |typ: &str| ["at+jwt", "application/at+jwt", "jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known));
        if !header.typ.as_deref().is_none_or(is_access) {
            return Err(TokenError::WrongType);
        }
        let (claims, signature) = (decode(claims)?, decode(signature)?);
        let read: AccessClaims<'_> = parse(&claims)?;
        if read.iss.is_none_or(|named| named.as_str() != issuer) {
            return Err(TokenError::WrongIssuer);
        }
        Ok(Self { algorithm, key_id: header.kid, signed, signature, claims })
    }

    /// The bearer of the token. Call it only after the signature was checked.
    ///
    /// # Errors
    /// The first reason found not to believe it; `NoScope` for a good token that grants nothing of Gastown's.
    pub fn bearer(&self, is_for_us: impl Fn(&str) -> bool, now: Timestamp) -> Result<Principal, TokenError> {
        let claims: AccessClaims<'_> = parse(&self.claims)?;
        let times = Times { iat: claims.iat, exp: claims.exp, nbf: claims.nbf };
        times.check(now)?;
        if claims.exp.is_none() || claims.iat.is_some() && times.life_ms().is_err() {
            return Err(TokenError::BadClaims);
        }
        if !claims.aud.as_ref().is_some_and(|audience| audience.any(is_for_us)) {
            return Err(TokenError::WrongAudience);
        }
        // Bound to a key of the client (RFC 7800): good only with a proof of possession, which is not checked here.
        if claims.cnf.is_some() {
            return Err(TokenError::BadClaims);
        }
        Ok(Principal {
            kind: TokenKind::User,
            role: Role::Coordinator,
            is_role_known: true,
            user_id: text(claims.sub.as_ref())?.to_owned(),
            agent_id: None,
            town: None,
            rig: None,
            scope: claims.scope.iter().flat_map(OneOrMany::words).filter_map(Scope::parse).max().ok_or(TokenError::NoScope)?,
            orgs: usable_orgs(claims.orgs.as_ref()),
            from: None,
            method: None,
            fence: None,
            process: None,
            expires_at: times.end(None),
        })
    }
}
