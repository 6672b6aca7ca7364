//! The dates of a token: `iat`, `exp` and `nbf`, and whether they hold.
//!
//! Owns the leeway between clocks. Does not know which kind of token needs which date. (jwt-compact has such checks
//! too; its subtraction overflows on an absurd `nbf`, and it has none for age.)

use super::TokenError;
use base::time::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as DeError, Visitor};
use std::fmt;

/// How far the clocks of two machines may be apart.
pub const LEEWAY_MS: i64 = 10_000;

/// Seconds since the epoch (RFC 7519 2), possibly with a fraction. Kept as a `Timestamp`; absurd values saturate.
#[derive(Clone, Copy)]
pub struct NumericDate(pub Timestamp);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seconds;
        impl Visitor<'_> for Seconds {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("seconds since the epoch")
            }

            fn visit_i64<E: DeError>(self, seconds: i64) -> Result<NumericDate, E> {
                Ok(NumericDate(Timestamp::from_millis(seconds.saturating_mul(1000))))
            }

            fn visit_u64<E: DeError>(self, seconds: u64) -> Result<NumericDate, E> {
                self.visit_i64(i64::try_from(seconds).unwrap_or(i64::MAX))
            }

            #[expect(clippy::cast_possible_truncation, reason = "milliseconds are precise enough, and the cast saturates")]
            fn visit_f64<E: DeError>(self, seconds: f64) -> Result<NumericDate, E> {
                Ok(NumericDate(Timestamp::from_millis((seconds * 1000.0) as i64)))
            }
        }
        deserializer.deserialize_any(Seconds)
    }
}

/// The three dates of a token.
pub struct Times {
    pub iat: Option<NumericDate>,
    pub exp: Option<NumericDate>,
    pub nbf: Option<NumericDate>,
}

impl Times {
    /// Each date that is there holds at `now`. The contract enforces `exp` when present and does not require it.
    pub fn check(&self, now: Timestamp) -> Result<(), TokenError> {
        if self.exp.is_some_and(|exp| now >= exp.0.plus_millis(LEEWAY_MS)) {
            return Err(TokenError::Expired);
        }
        let latest_start = now.plus_millis(LEEWAY_MS);
        if self.nbf.is_some_and(|nbf| nbf.0 > latest_start) || self.iat.is_some_and(|iat| iat.0 > latest_start) {
            return Err(TokenError::NotYetValid);
        }
        Ok(())
    }

    /// Refuses a token that was issued too long ago, or does not say when.
    pub fn check_age(&self, now: Timestamp, age_max_ms: i64) -> Result<(), TokenError> {
        let iat = self.iat.ok_or(TokenError::BadClaims)?;
        if now.since(iat.0) >= age_max_ms.saturating_add(LEEWAY_MS) { Err(TokenError::Expired) } else { Ok(()) }
    }

    /// When the token ends, and with `age_max_ms` at the latest so long after it was issued.
    pub fn end(&self, age_max_ms: Option<i64>) -> Option<Timestamp> {
        let oldest = self.iat.zip(age_max_ms).map(|(iat, age)| iat.0.plus_millis(age));
        [self.exp.map(|exp| exp.0), oldest].into_iter().flatten().min()
    }

    /// From `iat` to `exp`; both are required, in this order.
    pub fn life_ms(&self) -> Result<i64, TokenError> {
        match (self.iat, self.exp) {
            (Some(iat), Some(exp)) if exp.0 > iat.0 => Ok(exp.0.since(iat.0)),
            _ => Err(TokenError::BadClaims),
        }
    }
}
