//! Bringing towns and rigs into being: several calls that succeed together or are undone together.
//!
//! Owns the order: the registry's row first, then the object, and the row goes again when the object could not be made.

use super::Authenticated;
use crate::error::{Failure, Fault};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::model::{AddRigInput, CreateRigInput, CreateTownInput, OwnerType, RegistryRig, RuntimeMode, TownIdentity, TownRecord};
use crate::rpc::table::{ADD_RIG, CREATE_RIG, CREATE_TOWN, DELETE_RIG, DELETE_TOWN, INITIALIZE_IDENTITY, SET_TOWN_ID};
use serde::Serialize;

/// `createTown`, `setTownId`, owner.
pub(super) async fn town(caller: &Authenticated<'_>, owner: &Instance, name: String, key: Option<&str>) -> Result<String, Failure> {
    let user = caller.principal().user_id.clone();
    let org = if let Instance::Org(org) = owner { Some(org.clone()) } else { None };
    let input = CreateTownInput {
        name,
        owner_user_id: org.is_none().then(|| user.clone()),
        created_by_user_id: org.is_some().then(|| user.clone()),
        owner_org_id: org.clone(),
    };
    let created = caller.client.call(&Call::new(owner.clone(), &CREATE_TOWN, (input,))?, None, key).await?;
    let record: TownRecord = decode(&CREATE_TOWN, &created)?;
    let identity = TownIdentity {
        owner_type: if org.is_some() { OwnerType::Org } else { OwnerType::User },
        owner_user_id: user.clone(),
        organization_id: org,
        created_by_user_id: user,
        runtime_mode: RuntimeMode::Legacy,
        town_name: Some(record.name.clone()),
    };
    let instance = Instance::Town(record.id.clone());
    let made = async {
        let set_id = Call::new(instance.clone(), &SET_TOWN_ID, (&record.id,))?;
        caller.client.call_internal(&set_id, Some(&record.id)).await?;
        let initialize = Call::new(instance.clone(), &INITIALIZE_IDENTITY, (&identity,))?;
        match caller.client.call_internal(&initialize, Some(&record.id)).await {
            // A repeated request with the same idempotency key finds its town already made.
            Err(Failure::Refused(refusal)) if key.is_some() && refusal.message == "Town identity already initialized" => Ok(String::new()),
            other => other,
        }
    }
    .await;
    match made {
        Ok(_) => text(&record),
        Err(failure) => {
            let undo = Call::new(owner.clone(), &DELETE_TOWN, (&record.id,))?;
            caller.client.call_internal(&undo, None).await?;
            Err(failure)
        }
    }
}

/// `createRig`, `addRig`.
pub(super) async fn rig(caller: &Authenticated<'_>, owner: &Instance, input: CreateRigInput, key: Option<&str>) -> Result<String, Failure> {
    let town = input.town_id.clone();
    let created = caller.client.call(&Call::new(owner.clone(), &CREATE_RIG, (input,))?, None, key).await?;
    let record: RegistryRig = decode(&CREATE_RIG, &created)?;
    let add = AddRigInput {
        rig_id: record.id.clone(),
        name: record.name.clone(),
        git_url: record.git_url.clone(),
        default_branch: record.default_branch.clone(),
    };
    let added = caller.client.call(&Call::new(Instance::Town(town.clone()), &ADD_RIG, (add,))?, Some(&town), None).await;
    match added {
        Ok(_) => text(&record),
        Err(failure) => {
            let undo = Call::new(owner.clone(), &DELETE_RIG, (&record.id,))?;
            caller.client.call_internal(&undo, None).await?;
            Err(failure)
        }
    }
}

fn text(record: &impl Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(record).map_err(|error| Fault::new("write a record", error))?)
}
