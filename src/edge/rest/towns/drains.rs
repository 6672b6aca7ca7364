//! Drains: a container that is to go begins one, the next container ends it.

use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::take;
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::ResponseShape;
use crate::rpc::call::decode;
use crate::rpc::table::{GET_DRAIN_NONCE, GET_DRAIN_STARTED_AT, Method};
use base::error::Failure;
use serde_json::{Value, json};

pub(super) fn begin(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call(())
}

pub(super) fn end(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let nonce: String = take(&mut request.body()?, "nonce")?;
    request.call((nonce,))
}

pub(super) fn status<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let nonce = read(request, &GET_DRAIN_NONCE).await?;
        let started = read(request, &GET_DRAIN_STARTED_AT).await?;
        Ok(json!({"draining": !nonce.is_null(), "drainNonce": nonce, "drainStartedAt": started}).to_string().into())
    })
}

async fn read(request: &RouteRequest<'_>, method: &'static Method) -> Result<Value, Failure> {
    decode(method, &request.carry_out(request.call_method(method, (), ResponseShape::Whole)).await?.data)
}
