//! Why a caller is not let in.
//!
//! Owns the reasons. What is answered for each, `authenticate` says.

use crate::auth::TokenError;
use base::error::Fault;

/// Why nobody is let in.
pub(super) enum Denied {
    /// The token is missing or not believed.
    Token(TokenError),
    /// The token is believed and grants nothing here.
    NoScope,
    /// The authorization server's keys cannot be fetched, so the token cannot be judged.
    NoKeys(Fault),
}

impl From<TokenError> for Denied {
    fn from(error: TokenError) -> Self {
        Self::Token(error)
    }
}
