//! Routes about the towns of an owner. The order of the steps is `provision`'s.

use crate::contract::ids::TownId;
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::{is_set, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::{DELETED, ResponseShape};
use crate::provision;
use crate::rpc::table::GET_TOWN;
use base::error::{Failure, Refusal};

pub(super) const ABSENT: &str = "Town not found";

/// The town that the path names.
fn town(request: &RouteRequest<'_>) -> Result<TownId, Refusal> {
    request.id("town", ABSENT)
}

pub(super) fn create<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let name: String = take(&mut request.body()?, "name")?;
        let made = provision::town(&request.caller.client, request.owner()?, name, request.key().as_deref()).await?;
        Ok(provision::text(&made)?.into())
    })
}

pub(super) fn list(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call(())
}

/// Routes that say nothing beside which town is meant.
pub(super) fn of_town(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((town(request)?,))
}

pub(super) fn delete<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let town = town(request)?;
        // Only a town that is registered here is this owner's.
        request.carry_out(request.call_method(&GET_TOWN, (&town,), ResponseShape::Found(ABSENT))).await?;
        let is_forced = is_set(&request.http.query, "force");
        provision::delete_town(&request.caller.client, request.owner()?, &town, is_forced, request.key().as_deref()).await?;
        Ok(DELETED.to_owned().into())
    })
}
