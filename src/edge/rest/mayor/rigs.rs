//! Routes about the town's rigs: list, create, delete. The order of the steps is `provision`'s.

use super::{NO_RIG, rig};
use crate::contract::shapes::{CreateRigInput, RegistryRig};
use crate::edge::rest::call::{PlannedCall, Running, planned};
use crate::edge::rest::extract::{given, invalid, is_set, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::{DELETED, ResponseShape};
use crate::provision;
use crate::rpc::call::decode;
use crate::rpc::table::{GET_RIG, REMOVE_RIG};
use base::error::{Code, Failure, Refusal};
use serde_json::{Map, Value};

pub(super) fn list(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call(())
}

pub(super) fn create<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let mut body: Map<String, Value> = request.body()?;
        let input = CreateRigInput {
            town_id: request.town()?.clone(),
            name: take(&mut body, "name")?,
            git_url: take(&mut body, "git_url")?,
            default_branch: given(&mut body, "default_branch")?.unwrap_or_else(|| provision::BRANCH_DEFAULT.to_owned()),
            platform_integration_id: given(&mut body, "platform_integration_id")?,
        };
        provision::check_address(&input.git_url).map_err(|refusal| invalid(refusal.message))?;
        let client = &request.caller.client;
        let owner = provision::registry_of_town(client, request.town()?).await?;
        let rig = provision::rig(client, &owner, input, request.key().as_deref()).await?;
        Ok(provision::text(&rig)?.into())
    })
}

pub(super) fn delete<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let id = rig(request)?;
        let (client, town) = (&request.caller.client, request.town()?);
        let owner = provision::registry_of_town(client, town).await?;
        provision::check_may_delete(client, &owner, &REMOVE_RIG, "rigs")?;
        // The registry loses it last: what was begun can be finished by asking again.
        let registered = planned(owner.clone(), &GET_RIG, (&id,), ResponseShape::Whole);
        let rig: Option<RegistryRig> = match request.carry_out(registered).await {
            Err(Failure::Refused(refusal)) if refusal.code == Code::Forbidden => None,
            other => decode(&GET_RIG, &other?.data)?,
        };
        rig.filter(|rig| rig.town_id == *town).ok_or_else(|| Refusal::new(Code::Forbidden, NO_RIG))?;
        let is_forced = is_set(&request.http.query, "force");
        provision::delete_rig(client, &owner, town, &id, is_forced, request.key().as_deref()).await?;
        Ok(DELETED.to_owned().into())
    })
}
