//! The container token, and its renewal before it ends.
//!
//! Owns: the token in force. Does not: verify it (only the Worker can).

use std::sync::{Arc, RwLock};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use crate::api::{Api, Failure};
use crate::clock;
use crate::log::Log;

/// It is renewed when less than this part of its life is left.
const LEFT: f64 = 0.25;
/// And not asked for more often than this.
pub const LOOK_EVERY: Duration = Duration::from_secs(30);

/// The token in force; clones share it.
#[derive(Debug, Clone)]
pub struct Token {
    current: Arc<RwLock<String>>,
    path: String,
    log: Log,
}

impl Token {
    /// A container token of this town.
    #[must_use]
    pub fn new(token: String, town: &str, log: Log) -> Self {
        log.hide(&token);
        Self { current: Arc::new(RwLock::new(token)), path: format!("/api/towns/{town}/refresh-container-token"), log }
    }

    /// The newest token.
    #[must_use]
    pub fn get(&self) -> String {
        self.current.read().map(|token| token.clone()).unwrap_or_default()
    }

    /// Renews it when it is a container token that ends soon. Also good for one that has ended.
    pub fn renew_if_due(&self, api: &Api) -> Result<(), Failure> {
        if is_due(&self.get(), clock::now_ms() / 1000) { self.renew(api) } else { Ok(()) }
    }

    /// Renews it now.
    pub fn renew(&self, api: &Api) -> Result<(), Failure> {
        let answer = api.post(&self.path, &self.get(), &[], &json!({}))?;
        let Some(token) = answer.get("token").and_then(Value::as_str) else {
            return Err(Failure::Later("the answer has no token".to_owned()));
        };
        self.log.hide(token);
        if let Ok(mut current) = self.current.write() {
            token.clone_into(&mut current);
        }
        self.log.say("token", "the container token was renewed", json!({}));
        Ok(())
    }
}

/// Whether a token is a container's and little of its life is left at `now` (seconds since 1970).
#[must_use]
pub fn is_due(token: &str, now: i64) -> bool {
    let Some(claims) = claims(token) else { return false };
    let time = |name: &str| claims.get(name).and_then(Value::as_i64);
    let (Some("container"), Some(begins), Some(ends)) = (claims.get("scope").and_then(Value::as_str), time("iat"), time("exp")) else {
        return false;
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds of a token's life")]
    let (left, life) = ((ends - now) as f64, (ends - begins) as f64);
    left < life * LEFT
}

/// The claims of a token, unverified.
fn claims(token: &str) -> Option<Value> {
    let payload = token.split('.').nth(1)?;
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        format!("e30.{}.x", Base64UrlUnpadded::encode_string(claims.to_string().as_bytes()))
    }

    #[test]
    fn a_container_token_is_renewed_in_the_last_quarter_of_its_life() {
        let container = token(&json!({"scope":"container","iat":1_000,"exp":2_000}));
        assert_eq!([1_000, 1_750, 1_751, 3_000].map(|now| is_due(&container, now)), [false, false, true, true]);
        assert!(!is_due(&token(&json!({"agentId":"mayor-t","iat":1_000,"exp":2_000})), 3_000), "only a container's can be renewed");
        assert!(!is_due("no token", 3_000));
    }
}
