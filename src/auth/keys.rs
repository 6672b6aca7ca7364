//! The two secrets, and the keys derived from them.
//!
//! Owns the refusal to start without them. Does not know where they are stored, and never shows them.

use base::error::Fault;
use jwt_compact::alg::Hs256Key;
use sha2::{Digest, Sha256};
use std::fmt;

/// The variable with the secret that Kilo user tokens are signed with (Gastown contract 5.1).
pub const NEXTAUTH_SECRET: &str = "NEXTAUTH_SECRET";
/// The variable with the secret of agent, container and internal tokens (Gastown contract 5.1).
pub const GASTOWN_JWT_SECRET: &str = "GASTOWN_JWT_SECRET";

/// A shorter secret is a placeholder or a typing error: at 16 random bytes guessing is already hopeless.
pub const SECRET_BYTES_MIN: usize = 16;

/// Keeps the seal key apart from signatures: a JWT's signing input starts with base64 and never has a space or a NUL.
const SEAL_LABEL: &[u8] = b"gastown-mcp session seal v1\0";

/// Everything that signs or verifies. Built once, at start-up.
pub struct Keys {
    kilo: Hs256Key,
    gastown: Hs256Key,
    seal: [u8; 32],
}

impl Keys {
    /// Takes both secrets as they stand in the environment. There is no default for either.
    ///
    /// # Errors
    /// `KeyError`, which names the variable to set.
    pub fn new(nextauth_secret: Option<&str>, gastown_jwt_secret: Option<&str>) -> Result<Self, KeyError> {
        let kilo = usable(NEXTAUTH_SECRET, nextauth_secret)?;
        let gastown = usable(GASTOWN_JWT_SECRET, gastown_jwt_secret)?;
        if kilo == gastown {
            // One secret for two kinds of issuer: a signer for one town could sign as any user.
            return Err(KeyError::Same);
        }
        Ok(Self {
            kilo: Hs256Key::new(kilo),
            gastown: Hs256Key::new(gastown),
            seal: Sha256::new().chain_update(SEAL_LABEL).chain_update(gastown).finalize().into(),
        })
    }

    /// The key that seals MCP session ids: a one-way derivation of `GASTOWN_JWT_SECRET`, of no use for tokens.
    #[must_use]
    pub const fn seal_key(&self) -> &[u8; 32] {
        &self.seal
    }

    pub(super) const fn kilo(&self) -> &Hs256Key {
        &self.kilo
    }

    pub(super) const fn gastown(&self) -> &Hs256Key {
        &self.gastown
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys { .. }")
    }
}

/// Text that is not blank and long enough, as bytes. Not trimmed: the signer uses the very same bytes.
fn usable<'a>(variable: &'static str, secret: Option<&'a str>) -> Result<&'a [u8], KeyError> {
    match secret {
        None => Err(KeyError::Absent(variable)),
        Some(text) if text.trim().is_empty() => Err(KeyError::Absent(variable)),
        Some(text) if text.len() < SECRET_BYTES_MIN => Err(KeyError::TooShort(variable)),
        Some(text) => Ok(text.as_bytes()),
    }
}

/// Why the Worker may not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// This variable is not set, or blank.
    Absent(&'static str),
    /// This variable holds fewer than `SECRET_BYTES_MIN` bytes.
    TooShort(&'static str),
    /// Both variables hold the same secret.
    Same,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(variable) => {
                write!(
                    f,
                    "the secret {variable} is not set: put it into .dev.vars or run `wrangler secret put {variable}`; it has no default"
                )
            }
            Self::TooShort(variable) => write!(f, "the secret {variable} is too short: it needs at least {SECRET_BYTES_MIN} bytes"),
            Self::Same => write!(f, "the secrets {NEXTAUTH_SECRET} and {GASTOWN_JWT_SECRET} are equal: they must differ"),
        }
    }
}

impl std::error::Error for KeyError {}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        Self::new("read the secrets", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "one-secret-that-is-long-enough";
    const TWO: &str = "two-secret-that-is-long-enough";

    #[test]
    fn a_secret_that_is_absent_blank_or_short_stops_the_start_and_is_named() {
        for blank in [None, Some(""), Some("                        ")] {
            assert_eq!(Keys::new(blank, Some(TWO)).unwrap_err(), KeyError::Absent(NEXTAUTH_SECRET));
            assert_eq!(Keys::new(Some(ONE), blank).unwrap_err(), KeyError::Absent(GASTOWN_JWT_SECRET));
        }
        let short = Keys::new(Some(ONE), Some("fifteen-bytes--")).unwrap_err();
        assert_eq!(short, KeyError::TooShort(GASTOWN_JWT_SECRET));
        assert!(short.to_string().contains(GASTOWN_JWT_SECRET));
        assert!(!short.to_string().contains("fifteen-bytes"));
        assert!(Keys::new(Some("sixteen-bytes---"), Some(TWO)).is_ok());
    }

    #[test]
    fn one_secret_for_both_issuers_stops_the_start() {
        assert_eq!(Keys::new(Some(ONE), Some(ONE)).unwrap_err(), KeyError::Same);
    }

    #[test]
    fn the_seal_key_depends_on_the_gastown_secret_alone_and_is_not_it() {
        let keys = Keys::new(Some(ONE), Some(TWO)).unwrap();
        assert_eq!(keys.seal_key(), Keys::new(Some("another-secret-of-users"), Some(TWO)).unwrap().seal_key());
        assert_ne!(keys.seal_key(), Keys::new(Some(TWO), Some(ONE)).unwrap().seal_key());
        assert_ne!(keys.seal_key().as_slice(), Sha256::digest(TWO).as_slice());
    }

    #[test]
    fn no_secret_is_shown_by_debug_or_by_an_error() {
        let keys = Keys::new(Some(ONE), Some(TWO)).unwrap();
        assert_eq!(format!("{keys:?}"), "Keys { .. }");
        assert_eq!(format!("{keys:#?}"), "Keys { .. }");
        let fault = Fault::from(Keys::new(Some(ONE), Some(ONE)).unwrap_err());
        assert!(!format!("{fault:?}").contains("one-secret"));
    }
}
