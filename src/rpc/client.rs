//! Calls from the edge, in the name of one authenticated caller.
//!
//! Owns the context that goes with every call, and the deadlines. Chooses no method.

use super::call::{Call, Context, Wire, read_reply};
use crate::auth::principal::{Principal, TokenKind};
use crate::auth::{Algorithm, Keys, mint_exchanged};
use crate::contract::ids::TownId;
use crate::rpc::call::own_context;
use crate::rpc::deadline::answer_within;
use crate::rpc::deadline::within;
use base::error::{Code, Failure, Fault};
use base::http::Relayed;
use base::time::Timestamp;
use futures::future::{LocalBoxFuture, join_all};

/// How long the edge waits for one object.
pub const CALL_MILLIS_MAX: u32 = 10_000;
/// How long the edge waits for the slowest of many.
pub const FANOUT_MILLIS_MAX: u32 = 900;

/// The runtime, as the edge needs it.
pub trait Runtime: Wire {
    /// The current time.
    fn now(&self) -> Timestamp;
    /// Sixteen random bytes.
    fn random(&self) -> [u8; 16];
    /// The signing keys.
    fn keys(&self) -> &Keys;
    /// Logs a fault in full; returns its incident id.
    fn log_fault(&self, fault: &Fault) -> String;
    /// The text at a URL. A fault when the answer is not 200 (a redirect is not followed) or longer than `bytes_max`.
    fn fetch_text(&self, url: &str, bytes_max: usize) -> LocalBoxFuture<'static, Result<String, Fault>>;
    /// Whether the holder of this public key (JSON, RFC 7517) signed the message. Returns false for a malformed key.
    fn verify_signature(&self, algorithm: Algorithm, jwk: &str, message: &[u8], signature: &[u8]) -> LocalBoxFuture<'static, bool>;
}

/// The token that objects get; they verify it themselves.
#[derive(Clone, Copy)]
pub enum Token<'a> {
    /// The caller's own token, as it came.
    Own(&'a str),
    /// One made here for each call: the caller's own was for the edge only.
    Exchanged,
}

/// One caller of one request.
pub struct Client<'a> {
    /// The runtime.
    pub runtime: &'a dyn Runtime,
    /// The authenticated caller.
    pub principal: &'a Principal,
    /// The token that objects get.
    pub token: Token<'a>,
    /// Ties log lines together.
    pub request_id: &'a str,
}

impl Client<'_> {
    /// Calls one object and returns its reply text with refusals taken out.
    ///
    /// # Errors
    /// The refusal or fault. After a deadline it is unknown whether a change was made, and the hint says how to find out.
    pub async fn call(&self, call: &Call, town: Option<&TownId>, idempotency_key: Option<&str>) -> Result<String, Failure> {
        let reply = within(self.runtime, call, &self.context(town, idempotency_key)?, CALL_MILLIS_MAX).await;
        let reply = reply.map_err(|failure| match failure {
            Failure::Refused(mut refusal) if refusal.code == Code::Unavailable && !call.method.is_read() => {
                refusal.hint = Some("It may or may not have happened. Repeat it with the same idempotency_key: that is safe.".to_owned());
                Failure::Refused(refusal)
            }
            other => other,
        })?;
        read_reply(&reply).map(str::to_owned)
    }

    /// Asks several objects at once; an object that does not answer in time counts as unavailable.
    pub async fn call_each(&self, calls: &[Call], town: Option<&TownId>) -> Vec<Result<String, Failure>> {
        let context = match self.context(town, None) {
            Ok(context) => context,
            Err(fault) => return calls.iter().map(|_| Err(fault.clone().into())).collect(),
        };
        let context = &context;
        let questions = calls.iter().map(|call| -> LocalBoxFuture<'_, Result<String, Failure>> {
            Box::pin(answer_within(self.runtime, call, context, FANOUT_MILLIS_MAX))
        });
        join_all(questions).await
    }

    /// Calls an internal method on the edge's own account.
    ///
    /// # Errors
    /// The refusal or fault.
    pub async fn call_internal(&self, call: &Call, town: Option<&TownId>) -> Result<String, Failure> {
        self.call_internal_within(call, town, CALL_MILLIS_MAX).await
    }

    /// The same for a call that waits by itself.
    ///
    /// # Errors
    /// The refusal or fault.
    pub async fn call_internal_within(&self, call: &Call, town: Option<&TownId>, millis: u32) -> Result<String, Failure> {
        let context = self.own_context(call, town)?;
        answer_within(self.runtime, call, &context, millis).await
    }

    /// Opens a stream on the edge's own account.
    ///
    /// # Errors
    /// The refusal or fault.
    pub async fn open_internal(&self, call: &Call, town: Option<&TownId>) -> Result<Relayed, Failure> {
        let context = self.own_context(call, town)?;
        opened(call, self.runtime.open(call, &context).await?)
    }

    /// Opens a WebSocket on the edge's own account.
    ///
    /// # Errors
    /// The refusal or fault.
    pub async fn upgrade_internal(&self, call: &Call, town: Option<&TownId>) -> Result<Relayed, Failure> {
        let context = self.own_context(call, town)?;
        opened(call, self.runtime.upgrade(call, &context).await?)
    }

    fn own_context(&self, call: &Call, town: Option<&TownId>) -> Result<Context, Fault> {
        own_context(self.runtime.keys(), "edge", town, call.method, self.request_id, self.runtime.now())
    }

    fn context(&self, town: Option<&TownId>, idempotency_key: Option<&str>) -> Result<Context, Fault> {
        Ok(Context {
            jwt: match self.token {
                Token::Own(token) => token.to_owned(),
                Token::Exchanged => mint_exchanged(self.runtime.keys(), self.principal, self.runtime.now())?,
            },
            request_id: self.request_id.to_owned(),
            idempotency_key: idempotency_key.map(str::to_owned),
            town_id: town.cloned(),
            agent_id: self.principal.agent_id.clone().filter(|_| self.principal.kind == TokenKind::Container),
            process_id: self.principal.process.clone(),
        })
    }
}

fn opened(call: &Call, outcome: Result<Relayed, String>) -> Result<Relayed, Failure> {
    outcome.map_err(|reply| match read_reply(&reply) {
        Err(failure) => failure,
        Ok(_) => Fault::new(call.method.name, "an answer instead of a stream").into(),
    })
}
