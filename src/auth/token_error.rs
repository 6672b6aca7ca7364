//! The reasons why a token is not believed.
//!
//! Owns the closed set of reasons and their texts. Every text is constant, so none can carry a piece of the token.

use base::error::{Code, Refusal};
use std::fmt;

/// A reason to answer 401; 400 for `MalformedHeader`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// No bearer token was sent.
    Missing,
    /// Not a signed JWT, or one with critical header parameters that we do not know.
    Malformed,
    /// The `Authorization` header holds no single token: the request is malformed, not the token.
    MalformedHeader,
    /// Signed with an algorithm that is not accepted for its issuer, or with nothing.
    WrongAlgorithm,
    /// Not signed by the issuer that it claims, or altered.
    BadSignature,
    /// By its own `iss` the token of an authorization server that is not trusted here.
    WrongIssuer,
    /// By its own `typ` no access token.
    WrongType,
    /// Past its `exp`, or older than its kind may be.
    Expired,
    /// Before its `nbf`, or issued in the future.
    NotYetValid,
    /// A user token of another version than 3.
    WrongVersion,
    /// Made for another service.
    WrongAudience,
    /// It names scopes, but none that Gastown knows.
    NoScope,
    /// A claim is missing, empty or of the wrong form.
    BadClaims,
    /// An internal token that lives longer than internal tokens may.
    TooLongLived,
    /// A token made here for our own objects, from outside.
    InternalNotAccepted,
}

impl TokenError {
    /// Every reason, for tests and documents.
    pub const ALL: [Self; 15] = [
        Self::Missing,
        Self::Malformed,
        Self::MalformedHeader,
        Self::WrongAlgorithm,
        Self::BadSignature,
        Self::WrongIssuer,
        Self::WrongType,
        Self::Expired,
        Self::NotYetValid,
        Self::WrongVersion,
        Self::WrongAudience,
        Self::NoScope,
        Self::BadClaims,
        Self::TooLongLived,
        Self::InternalNotAccepted,
    ];

    /// One line that is safe to show to anybody.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Missing => "no bearer token was sent",
            Self::Malformed => "the token is not a signed JWT",
            Self::MalformedHeader => "the Authorization header does not hold exactly one token",
            Self::WrongAlgorithm => "the token is not signed with an algorithm accepted here",
            Self::BadSignature => "the token was not signed by an issuer known here",
            Self::WrongIssuer => "the token is of an authorization server that is not trusted here",
            Self::WrongType => "the token is no access token",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::WrongVersion => "the token has an unsupported version",
            Self::WrongAudience => "the token was issued for another service",
            Self::NoScope => "the token grants no Gastown scope",
            Self::BadClaims => "the token lacks a required claim or has a malformed one",
            Self::TooLongLived => "the token lives longer than its kind may",
            Self::InternalNotAccepted => "internal tokens are not accepted here",
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for TokenError {}

/// The message is the wording of Gastown contract 5.2 point 1; the reason and the remedy are in the hint.
impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Missing => Self::new(Code::Unauthenticated, "Authentication required")
                .hint("Send the header `Authorization: Bearer <token>` with a Kilo user token or a Gastown agent token."),
            TokenError::MalformedHeader => Self::new(Code::InvalidArgument, "Malformed Authorization header")
                .hint("Send one header `Authorization: Bearer <token>` with one token."),
            TokenError::Expired => {
                Self::new(Code::Unauthenticated, "Invalid token").hint("The token has expired. Connect again with a fresh one.")
            }
            other => Self::new(Code::Unauthenticated, "Invalid token").hint(format!("Refused because {other}. Connect with a valid one.")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_plain_line_of_its_own_that_fits_a_header() {
        let mut seen = std::collections::BTreeSet::new();
        for error in TokenError::ALL {
            let message = error.message();
            assert!(seen.insert(message), "{message}");
            assert!(message.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'), "{message}");
            let code = if error == TokenError::MalformedHeader { Code::InvalidArgument } else { Code::Unauthenticated };
            assert_eq!(Refusal::from(error).code, code);
        }
    }

    #[test]
    fn a_refusal_speaks_the_words_of_the_contract() {
        assert_eq!(Refusal::from(TokenError::Missing).message, "Authentication required");
        assert_eq!(Refusal::from(TokenError::BadSignature).message, "Invalid token");
    }
}
