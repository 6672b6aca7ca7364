//! Creating, changing and deleting towns and rigs: several calls that belong together.
//!
//! Owns the order. A new town or rig gets its registry row first, and loses it again when the object could not be made; a
//! deleted one loses its row last, so that a repeated call can finish the deletion. Knows no route and no tool. The
//! futures are boxed: routes and tools share one of each.

use crate::contract::ids::{RigId, TownId};
use crate::contract::shapes::{
    AddRigInput, CreateRigInput, CreateTownInput, OwnerType, RegistryRig, RigChanges, RigRecord, RuntimeMode, TownIdentity, TownRecord,
};
use crate::rpc::access::check_access;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::Client;
use crate::rpc::table::{
    ADD_RIG, CREATE_RIG, CREATE_TOWN, DELETE_RIG, DELETE_TOWN, DESTROY_TOWN, GET_IDENTITY, INITIALIZE_IDENTITY, Method, REMOVE_RIG,
    SET_TOWN_ID, UPDATE_REGISTRY_RIG, UPDATE_RIG,
};
use base::error::{Code, Failure, Fault, Refusal};
use futures::future::LocalBoxFuture;

/// Branch of a rig unless its maker says otherwise.
pub const BRANCH_DEFAULT: &str = "main";

/// `createTown`, `setTownId`, owner.
///
/// # Errors
/// The refusal or fault of the step that failed; the steps before it are undone.
#[must_use = "nothing happens until it is awaited"]
pub fn town<'a>(
    client: &'a Client<'a>,
    owner: &'a Instance,
    name: String,
    key: Option<&'a str>,
) -> LocalBoxFuture<'a, Result<TownRecord, Failure>> {
    Box::pin(async move {
        let user = client.principal.user_id.clone();
        let org = if let Instance::Org(org) = owner { Some(org.clone()) } else { None };
        let input = CreateTownInput {
            name,
            owner_user_id: org.is_none().then(|| user.clone()),
            created_by_user_id: org.is_some().then(|| user.clone()),
            owner_org_id: org.clone(),
        };
        let created = client.call(&Call::new(owner.clone(), &CREATE_TOWN, (input,))?, None, key).await?;
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
            client.call_internal(&set_id, Some(&record.id)).await?;
            let initialize = Call::new(instance.clone(), &INITIALIZE_IDENTITY, (&identity,))?;
            match client.call_internal(&initialize, Some(&record.id)).await {
                // A repeated request with the same idempotency key finds its town already made.
                Err(Failure::Refused(refusal)) if key.is_some() && refusal.message == "Town identity already initialized" => {
                    Ok(String::new())
                }
                other => other,
            }
        }
        .await;
        match made {
            Ok(_) => Ok(record),
            Err(failure) => {
                unregister_town(client, owner, &record.id).await?;
                Err(failure)
            }
        }
    })
}

/// `createRig`, `addRig`.
///
/// # Errors
/// As `town`; `InvalidArgument` for an address that git cannot clone from.
#[must_use = "nothing happens until it is awaited"]
pub fn rig<'a>(
    client: &'a Client<'a>,
    owner: &'a Instance,
    input: CreateRigInput,
    key: Option<&'a str>,
) -> LocalBoxFuture<'a, Result<RegistryRig, Failure>> {
    Box::pin(async move {
        let town = input.town_id.clone();
        let created = client.call(&Call::new(owner.clone(), &CREATE_RIG, (input,))?, None, key).await?;
        let record: RegistryRig = decode(&CREATE_RIG, &created)?;
        let add = AddRigInput {
            rig_id: record.id.clone(),
            name: record.name.clone(),
            git_url: record.git_url.clone(),
            default_branch: record.default_branch.clone(),
        };
        let added = client.call(&Call::new(Instance::Town(town.clone()), &ADD_RIG, (add,))?, Some(&town), None).await;
        match added {
            Ok(_) => Ok(record),
            Err(failure) => {
                unregister_rig(client, owner, &record.id).await?;
                Err(failure)
            }
        }
    })
}

/// Another name, address or branch of a rig: the town decides, the registry copies.
///
/// # Errors
/// The refusal or fault of either; `NotFound` for a rig of another town.
#[must_use = "nothing happens until it is awaited"]
pub fn change_rig<'a>(
    client: &'a Client<'a>,
    owner: &'a Instance,
    town: &'a TownId,
    rig: &'a RigId,
    changes: &'a RigChanges,
    key: Option<&'a str>,
) -> LocalBoxFuture<'a, Result<RigRecord, Failure>> {
    Box::pin(async move {
        let update = Call::new(Instance::Town(town.clone()), &UPDATE_RIG, (rig, changes))?;
        let updated: Option<RigRecord> = decode(&UPDATE_RIG, &client.call(&update, Some(town), key).await?)?;
        let record = updated.ok_or_else(|| Refusal::new(Code::NotFound, "Rig not found"))?;
        client.call_internal(&Call::new(owner.clone(), &UPDATE_REGISTRY_RIG, (rig, changes))?, None).await?;
        Ok(record)
    })
}

/// `removeRig`, then the registry's row.
///
/// # Errors
/// The refusal or fault of either, and `Forbidden` without the right to delete; a repeated call goes on where this one ended.
#[must_use = "nothing happens until it is awaited"]
pub fn delete_rig<'a>(
    client: &'a Client<'a>,
    owner: &'a Instance,
    town: &'a TownId,
    rig: &'a RigId,
    force: bool,
    key: Option<&'a str>,
) -> LocalBoxFuture<'a, Result<(), Failure>> {
    Box::pin(async move {
        check_may_delete(client, owner, &REMOVE_RIG, "rigs")?;
        let remove = Call::new(Instance::Town(town.clone()), &REMOVE_RIG, (rig, force))?;
        unless_gone(client.call(&remove, Some(town), key).await)?;
        unregister_rig(client, owner, rig).await
    })
}

/// `destroy`, then the registry's rows of the town and its rigs.
///
/// # Errors
/// As `delete_rig`.
#[must_use = "nothing happens until it is awaited"]
pub fn delete_town<'a>(
    client: &'a Client<'a>,
    owner: &'a Instance,
    town: &'a TownId,
    force: bool,
    key: Option<&'a str>,
) -> LocalBoxFuture<'a, Result<(), Failure>> {
    Box::pin(async move {
        check_may_delete(client, owner, &DESTROY_TOWN, "towns")?;
        let destroy = Call::new(Instance::Town(town.clone()), &DESTROY_TOWN, (force,))?;
        unless_gone(client.call(&destroy, Some(town), key).await)?;
        unregister_town(client, owner, town).await
    })
}

/// A town that is being deleted, or is gone, counts as deleted.
fn unless_gone(outcome: Result<String, Failure>) -> Result<(), Failure> {
    match outcome {
        Err(Failure::Refused(refusal)) if is_gone(&refusal) => Ok(()),
        other => other.map(drop),
    }
}

/// Whether a town refused because it is being deleted, or does not exist.
#[must_use]
pub fn is_gone(refusal: &Refusal) -> bool {
    refusal.code == Code::NotFound || (refusal.code == Code::Conflict && refusal.message.ends_with("is being deleted"))
}

/// Whether the caller may delete towns or rigs (`what`) of this owner by this method; the town asks again.
///
/// # Errors
/// `Forbidden`.
pub fn check_may_delete(client: &Client<'_>, owner: &Instance, method: &Method, what: &str) -> Result<(), Refusal> {
    let org = if let Instance::Org(org) = owner { Some(org.as_str()) } else { None };
    check_access(method, client.principal)?;
    client.principal.check_may_delete(org, what)
}

async fn unregister_town(client: &Client<'_>, owner: &Instance, town: &TownId) -> Result<(), Failure> {
    client.call_internal(&Call::new(owner.clone(), &DELETE_TOWN, (town,))?, None).await.map(drop)
}

async fn unregister_rig(client: &Client<'_>, owner: &Instance, rig: &RigId) -> Result<(), Failure> {
    client.call_internal(&Call::new(owner.clone(), &DELETE_RIG, (rig,))?, None).await.map(drop)
}

/// The registry that a town is in.
#[must_use]
pub fn registry_of(record: &TownRecord, user: &str) -> Instance {
    match (&record.owner_org_id, &record.owner_user_id) {
        (Some(org), _) => Instance::Org(org.clone()),
        (None, Some(owner)) => Instance::User(owner.clone()),
        (None, None) => Instance::User(user.to_owned()),
    }
}

/// The registry that a town is in, as the town says itself: the holder of a town's token may have no access to its owner's registries.
///
/// # Errors
/// The refusal or fault of the town; `NotFound` for a town without an owner.
#[must_use = "nothing happens until it is awaited"]
pub fn registry_of_town<'a>(client: &'a Client<'a>, town: &'a TownId) -> LocalBoxFuture<'a, Result<Instance, Failure>> {
    Box::pin(async move {
        let call = Call::new(Instance::Town(town.clone()), &GET_IDENTITY, ())?;
        let identity: Option<TownIdentity> = decode(&GET_IDENTITY, &client.call(&call, Some(town), None).await?)?;
        let identity = identity.ok_or_else(|| Refusal::new(Code::NotFound, "Town not found"))?;
        Ok(match identity.organization_id.filter(|_| identity.owner_type == OwnerType::Org) {
            Some(org) => Instance::Org(org),
            None => Instance::User(identity.owner_user_id),
        })
    })
}

/// Checks that git can clone from an address.
///
/// # Errors
/// `InvalidArgument`.
pub fn check_address(address: &str) -> Result<(), Refusal> {
    let has_scheme = ["https://", "http://", "ssh://", "git://", "file://"]
        .iter()
        .any(|scheme| address.len() > scheme.len() && address.starts_with(scheme));
    let is_scp = address.split_once('@').is_some_and(|(user, rest)| {
        !user.is_empty() && rest.split_once(':').is_some_and(|(host, path)| !host.is_empty() && !path.is_empty())
    });
    if (has_scheme || is_scp) && !address.chars().any(|character| character.is_whitespace() || character.is_control()) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, "git_url: expected https://…, ssh://…, git://…, file://… or git@host:path"))
}

/// A record as JSON text.
///
/// # Errors
/// `Fault` when it cannot be written.
pub fn text(record: &impl serde::Serialize) -> Result<String, Failure> {
    Ok(serde_json::to_string(record).map_err(|error| Fault::new("write a record", error))?)
}
