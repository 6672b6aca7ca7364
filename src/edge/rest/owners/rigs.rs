//! Routes about the rigs of an owner. The order of the steps is `provision`'s.

use crate::contract::ids::RigId;
use crate::contract::shapes::{CreateRigInput, RegistryRig};
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::{given, invalid, is_set, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::{DELETED, ResponseShape};
use crate::provision;
use crate::rpc::call::decode;
use crate::rpc::table::GET_RIG;
use base::error::{Failure, Refusal};

pub(super) const ABSENT: &str = "Rig not found";

/// The rig that the path names.
fn rig(request: &RouteRequest<'_>) -> Result<RigId, Refusal> {
    request.id("rig", ABSENT)
}

pub(super) fn create<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let mut body = request.body()?;
        let input = CreateRigInput {
            town_id: take(&mut body, "town_id")?,
            name: take(&mut body, "name")?,
            git_url: take(&mut body, "git_url")?,
            default_branch: given(&mut body, "default_branch")?.unwrap_or_else(|| provision::BRANCH_DEFAULT.to_owned()),
            platform_integration_id: given(&mut body, "platform_integration_id")?,
        };
        provision::check_address(&input.git_url).map_err(|refusal| invalid(refusal.message))?;
        let rig = provision::rig(&request.caller.client, request.owner()?, input, request.key().as_deref()).await?;
        Ok(provision::text(&rig)?.into())
    })
}

pub(super) fn get(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((rig(request)?,))
}

pub(super) fn delete<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let found = request.carry_out(request.call_method(&GET_RIG, (rig(request)?,), ResponseShape::Found(ABSENT))).await?;
        let rig: RegistryRig = decode(&GET_RIG, &found.data)?;
        let (client, is_forced) = (&request.caller.client, is_set(&request.http.query, "force"));
        provision::delete_rig(client, request.owner()?, &rig.town_id, &rig.id, is_forced, request.key().as_deref()).await?;
        Ok(DELETED.to_owned().into())
    })
}
