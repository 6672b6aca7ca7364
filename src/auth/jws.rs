//! Is this token genuine? The compact JWS envelope: three base64 parts, a header, an HS256 signature.
//!
//! Owns the decision which of the two secrets' keys a token must verify under. Reads no claim and knows no time.
//!
//! The signature itself, its comparison in constant time and the keys are jwt-compact's. Its parser is not used: it
//! ignores `crit`, decodes the claims again for each question, and copies them through a `flatten`; a token is
//! verified twice per call (edge and object), so that shows.

use super::{Keys, TokenError};
use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::{Algorithm, AlgorithmSignature, alg::Hs256, alg::Hs256Signature};
use serde::{Deserialize, de::IgnoredAny};
use std::borrow::Cow;

/// Longest token that is looked at. A user of a hundred organizations stays well below it.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;

const SIGNATURE_BYTES: usize = 32;

/// The secret that a token was signed with, which decides the claims it may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// `NEXTAUTH_SECRET`: Kilo user tokens.
    Kilo,
    /// `GASTOWN_JWT_SECRET`: agent and container tokens, and those made here.
    Gastown,
}

/// A genuine token: its signer, and its claims as unread JSON.
pub struct Genuine {
    pub issuer: Issuer,
    pub claims: Vec<u8>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: Cow<'a, str>,
    /// RFC 7515 4.1.11: a critical parameter that is not understood must be refused. We understand none.
    #[serde(default, deserialize_with = "super::claims::present")]
    crit: Option<IgnoredAny>,
}

/// A token taken apart, its header decoded.
pub(super) struct Parts<'a> {
    pub signed: &'a str,
    pub header: String,
    pub claims: &'a str,
    pub signature: &'a str,
}

pub(super) fn split(token: &str) -> Result<Parts<'_>, TokenError> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(TokenError::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
    let header = String::from_utf8(decode(header)?).map_err(|_| TokenError::Malformed)?;
    Ok(Parts { signed, header, claims, signature })
}

/// Refuses padding, the other alphabet and stray trailing bits, so that a token has exactly one spelling.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| TokenError::Malformed)
}

/// Checks form, algorithm and signature, in this order. `typ`, `kid` and other header parameters are not looked at:
/// nothing in a token's header may choose a key or a rule.
pub fn open(keys: &Keys, token: &str) -> Result<Genuine, TokenError> {
    let Parts { signed, header, claims, signature } = split(token)?;
    // Before the rest is even decoded: `alg: none` may well come with an empty signature, and gets its own refusal.
    let header: Header<'_> = serde_json::from_str(&header).map_err(|_| TokenError::Malformed)?;
    if header.alg != "HS256" {
        return Err(TokenError::WrongAlgorithm);
    }
    if header.crit.is_some() {
        return Err(TokenError::Malformed);
    }

    let claims = decode(claims)?;
    let mut buffer = [0; SIGNATURE_BYTES];
    let signature = Base64UrlUnpadded::decode(signature, &mut buffer).map_err(|_| TokenError::Malformed)?;
    if signature.len() != SIGNATURE_BYTES {
        return Err(TokenError::Malformed);
    }
    let signature = Hs256Signature::try_from_slice(signature).map_err(|_| TokenError::Malformed)?;

    let issuer = presumed_issuer(&claims);
    let key = match issuer {
        Issuer::Kilo => keys.kilo(),
        Issuer::Gastown => keys.gastown(),
    };
    if !Hs256.verify_signature(&signature, key, signed.as_bytes()) {
        return Err(TokenError::BadSignature);
    }
    Ok(Genuine { issuer, claims })
}

/// Which of the two signed this, if anybody did: only Kilo's tokens have a `kiloUserId`.
///
/// A look at unverified bytes, and safe as such: it picks the one key that the signature must match *and* the one set
/// of rules for the claims. A wrong guess (an escaped name, say) can only end in `BadSignature`.
fn presumed_issuer(claims: &[u8]) -> Issuer {
    const MARK: &[u8] = b"\"kiloUserId\"";
    if claims.windows(MARK.len()).any(|window| window == MARK) { Issuer::Kilo } else { Issuer::Gastown }
}
