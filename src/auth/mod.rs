//! Authentication: a token in, a `Principal` out.
//!
//! Owns the secrets, the rules by which a token is believed, and their HTTP headers. Knows no route, no town and no clock:
//! the caller brings the time and the keys of an authorization server.
//!
//! Reading order: `principal` (the result), `keys`, `jws` (is the token genuine? The algorithm pin is here), `claims` and
//! `dates` (its content), `verify` (may it be believed?), `mint` (the other direction), `challenge` (headers and
//! discovery); `access_token` and `jwks` are the same questions about OAuth's tokens.

pub mod access_token;
pub mod challenge;
mod claims;
mod dates;
pub mod jwks;
mod jws;
pub mod keys;
pub mod mint;
pub mod principal;
mod token_error;
pub mod verify;

pub use access_token::{AccessToken, Algorithm};
pub use challenge::bearer;
pub use keys::{KeyError, Keys};
pub use mint::{InternalClaims, mint_exchanged, mint_internal};
pub use principal::Principal;
pub use token_error::TokenError;
pub use verify::{Accept, verify};

#[cfg(test)]
mod tests;
