//! Authentication: a token in, a `Principal` out.
//!
//! Owns the secrets, the rules by which a token is believed, and what HTTP says about both. Knows no route, no town
//! and no clock: whoever calls says what time it is. Fetches nothing: the keys of an authorization server are brought.
//!
//! Reading order: `principal` (what comes out), `keys`, `jws` (is the token genuine?), `claims` and
//! `dates` (what is written in it), `verify` (may it be believed?), `mint` (the other direction), `challenge` (headers and
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
