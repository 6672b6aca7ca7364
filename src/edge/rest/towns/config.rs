//! The configuration of a town. A secret never leaves in clear.

use crate::contract::masking::masked;
use crate::contract::shapes::TownConfig;
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::request::RouteRequest;
use crate::provision;
use crate::rpc::call::decode;
use crate::rpc::table::GET_TOWN_CONFIG;
use base::error::Failure;

pub(super) fn get<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    masking(request, request.call(()))
}

pub(super) fn update<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    let planned = request.body::<TownConfig>().map_err(Failure::from).and_then(|update| request.call((update,)));
    masking(request, planned)
}

/// The configuration that a call answers, with its secrets masked.
fn masking<'a>(request: &'a RouteRequest<'a>, planned: Result<PlannedCall, Failure>) -> Running<'a> {
    Box::pin(async move {
        let config: TownConfig = decode(&GET_TOWN_CONFIG, &request.carry_out(planned).await?.data)?;
        Ok(provision::text(&masked(&config))?.into())
    })
}
