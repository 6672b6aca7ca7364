//! Calls that are not waited for longer than a while.
//!
//! Owns the race of an answer against the clock. How long, the caller says.

use super::call::{Call, Context, Wire, read_reply, unavailable};
use base::error::Failure;
use futures::future::{Either, select};

/// Sends a call, but does not wait longer than `millis`.
///
/// # Errors
/// `Unavailable` after the deadline; a fault when the message layer failed.
pub async fn within(wire: &dyn Wire, call: &Call, context: &Context, millis: u32) -> Result<String, Failure> {
    match select(wire.send(call, context), wire.sleep(millis)).await {
        Either::Left((reply, _)) => Ok(reply?),
        Either::Right(_) => Err(unavailable(&call.instance, millis).into()),
    }
}

/// The same, with the refusal or fault taken out of the reply.
///
/// # Errors
/// The refusal or fault in the reply, besides those of `within`.
pub async fn answer_within(wire: &dyn Wire, call: &Call, context: &Context, millis: u32) -> Result<String, Failure> {
    read_reply(&within(wire, call, context, millis).await?).map(str::to_owned)
}
