//! Routes about the town's rigs: listed, made, deleted. The order of the steps is `provision`'s.

use super::{Asked, NO_RIG, Planned, Running};
use crate::contract::shapes::{CreateRigInput, RegistryRig};
use crate::edge::rest::extract::{given, is_set, of_body, take};
use crate::edge::rest::response::Shape;
use crate::provision;
use crate::rpc::call::{Call, decode};
use crate::rpc::table::{GET_RIG, LIST_RIGS, REMOVE_RIG};
use base::error::{Code, Failure, Refusal};
use serde_json::{Map, Value, json};

pub(super) fn list(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.of_town(&LIST_RIGS, (), Shape::Whole)
}

pub(super) fn create<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let mut body: Map<String, Value> = asked.body()?;
        let input = CreateRigInput {
            town_id: asked.town.clone(),
            name: take(&mut body, "name")?,
            git_url: take(&mut body, "git_url")?,
            default_branch: given(&mut body, "default_branch")?.unwrap_or_else(|| provision::BRANCH_DEFAULT.to_owned()),
            platform_integration_id: given(&mut body, "platform_integration_id")?,
        };
        provision::check_address(&input.git_url).map_err(of_body)?;
        let client = &asked.caller.client;
        let owner = provision::registry_of_town(client, &asked.town).await?;
        let rig = provision::rig(client, &owner, input, asked.key().as_deref()).await?;
        Ok(provision::text(&rig)?.into())
    })
}

pub(super) fn delete<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let id = asked.rig()?;
        let client = &asked.caller.client;
        let owner = provision::registry_of_town(client, &asked.town).await?;
        provision::check_may_delete(client, &owner, &REMOVE_RIG, "rigs")?;
        // The registry loses it last: what was begun can be finished by asking again.
        let registered = Planned { call: Call::new(owner.clone(), &GET_RIG, (&id,))?, shape: Shape::Whole, about: Vec::new() };
        let rig: Option<RegistryRig> = match asked.carry_out(Ok(registered)).await {
            Err(Failure::Refused(refusal)) if refusal.code == Code::Forbidden => None,
            other => decode(&GET_RIG, &other?.data)?,
        };
        rig.filter(|rig| rig.town_id == asked.town).ok_or_else(|| Refusal::new(Code::Forbidden, NO_RIG))?;
        let is_forced = is_set(&asked.request.query, "force");
        provision::delete_rig(client, &owner, &asked.town, &id, is_forced, asked.key().as_deref()).await?;
        Ok(json!({"deleted": true}).to_string().into())
    })
}
