//! Texts that clients keep for us and cannot change: session ids, request states, confirmation tokens.
//!
//! Owns the form: a compact JWS, visible ASCII throughout, signed with jwt-compact's HS256. Its header is a constant of
//! the purpose and is compared, not parsed: nothing in a text can choose an algorithm or a key, and what was sealed
//! for one purpose opens for no other. What is inside, and for how long it is good, its user decides.

use base64ct::{Base64UrlUnpadded, Encoding};
use jwt_compact::alg::{Hs256, Hs256Key, Hs256Signature};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

const SIGNATURE_BYTES: usize = 32;

/// What a sealed text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `Mcp-Session-Id`.
    Session,
    /// `requestState` of a call that asked its client something.
    RequestState,
    /// The token by which a dry run is confirmed.
    Confirmation,
    /// A cursor of a list.
    Cursor,
}

impl Purpose {
    const fn media_type(self) -> &'static str {
        match self {
            Self::Session => "mcp-session+jwt",
            Self::RequestState => "mcp-request-state+jwt",
            Self::Confirmation => "gastown-confirmation+jwt",
            Self::Cursor => "mcp-cursor+jwt",
        }
    }

    fn header(self) -> String {
        Base64UrlUnpadded::encode_string(format!("{{\"alg\":\"HS256\",\"typ\":\"{}\"}}", self.media_type()).as_bytes())
    }
}

/// Seals `content`.
///
/// # Errors
/// When the content cannot be written as JSON.
pub fn seal(key: &[u8], purpose: Purpose, content: &impl Serialize) -> Result<String, serde_json::Error> {
    let content = Base64UrlUnpadded::encode_string(&serde_json::to_vec(content)?);
    let signed = format!("{}.{content}", purpose.header());
    let signature = Hs256.sign(&Hs256Key::new(key), signed.as_bytes());
    Ok(format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.as_bytes())))
}

/// Opens a text; `None` unless it was sealed with this key for this purpose and holds a `T`.
#[must_use]
pub fn open<T: DeserializeOwned>(key: &[u8], purpose: Purpose, text: &str) -> Option<T> {
    let (signed, signature) = text.rsplit_once('.')?;
    let content = signed.strip_prefix(&purpose.header())?.strip_prefix('.')?;
    let mut buffer = [0; SIGNATURE_BYTES];
    let signature = Base64UrlUnpadded::decode(signature, &mut buffer).ok()?;
    if signature.len() != SIGNATURE_BYTES {
        return None;
    }
    let signature = Hs256Signature::try_from_slice(signature).ok()?;
    if !Hs256.verify_signature(&signature, &Hs256Key::new(key), signed.as_bytes()) {
        return None;
    }
    serde_json::from_str(&String::from_utf8(Base64UrlUnpadded::decode_vec(content).ok()?).ok()?).ok()
}

/// A short digest, for comparing what must not be repeated in a sealed text: 22 base64url characters.
#[must_use]
pub fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    Base64UrlUnpadded::encode_string(digest.get(..16).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_opens_for_its_purpose_and_with_its_key_only() {
        let text = seal(b"a key for tests", Purpose::Session, &("ada", 7)).unwrap();
        assert_eq!(open(b"a key for tests", Purpose::Session, &text), Some(("ada".to_owned(), 7)));
        assert_eq!(open::<(String, i32)>(b"another key", Purpose::Session, &text), None);
        assert_eq!(open::<(String, i32)>(b"a key for tests", Purpose::RequestState, &text), None);
        for at in 0..text.len() {
            let mut bent = text.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).unwrap();
            assert_eq!(open::<(String, i32)>(b"a key for tests", Purpose::Session, &bent), None, "{bent}");
        }
    }
}
