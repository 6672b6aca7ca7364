//! Routes about the town's Mayor.

use crate::edge::rest::call::PlannedCall;
use crate::edge::rest::extract::{given, take};
use crate::edge::rest::request::RouteRequest;
use base::error::Failure;

pub(super) fn message(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let message: String = take(&mut body, "message")?;
    let (model, context): (Option<String>, Option<String>) = (given(&mut body, "model")?, given(&mut body, "uiContext")?);
    request.call((message, model, context, &request.caller.principal().user_id))
}

pub(super) fn status(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call(())
}
