//! The rigs of an owner's towns.
//!
//! Owns the registry's `rigs` table; the town keeps a record of its own.

use super::towns;
use crate::contract::checks::{check_name, check_repository};
use crate::contract::ids::{RigId, TownId};
use crate::contract::limits::rig::RIGS_MAX;
use crate::contract::shapes::{CreateRigInput, RegistryRig, RigChanges};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::idempotency;
use crate::objects::store::sql::{query, query_one, scalar};
use base::error::{Code, Failure, Fault, refuse};

/// Longest platform integration id, in bytes.
const INTEGRATION_BYTES_MAX: usize = 200;

macro_rules! rig_columns {
    () => {
        "id, town_id, name, git_url, default_branch, platform_integration_id, created_at, updated_at"
    };
}

/// `createRig`: a row and nothing more.
pub(crate) fn create_rig(cx: &Cx<'_>, caller: &Caller, (input,): (CreateRigInput,)) -> Result<Answer, Failure> {
    caller.principal.check_town(&input.town_id)?;
    towns::require(cx, &input.town_id)?;
    check_name(&input.name)?;
    check_repository(&input.git_url, &input.default_branch)?;
    if input.platform_integration_id.as_ref().is_some_and(|id| id.len() > INTEGRATION_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("platform_integration_id must have at most {INTEGRATION_BYTES_MAX} bytes")));
    }
    let count: i64 = scalar(cx.sql, "-- rigs_count\nSELECT COUNT(*) FROM rigs WHERE town_id = ?", (&input.town_id,))?;
    if usize::try_from(count).is_ok_and(|count| count >= RIGS_MAX) {
        return Err(refuse(Code::Conflict, format!("A town has at most {RIGS_MAX} rigs")));
    }
    let rig: Option<RegistryRig> = query_one(
        cx.sql,
        concat!(
            "-- rigs_create\nINSERT INTO rigs (id, town_id, name, git_url, default_branch, platform_integration_id, created_at, updated_at, sequence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8) RETURNING ",
            rig_columns!()
        ),
        (
            RigId::from_random(cx.random()),
            &input.town_id,
            &input.name,
            &input.git_url,
            &input.default_branch,
            &input.platform_integration_id,
            cx.now.millis(),
            cx.next_number()?,
        ),
    )?;
    super::changed(cx)?;
    json(&rig.ok_or_else(|| Fault::new("rigs_create", "no row"))?)
}

/// `getRigAsync`.
pub(crate) fn get_rig(cx: &Cx<'_>, caller: &Caller, (id,): (RigId,)) -> Result<Answer, Failure> {
    let rig: Option<RegistryRig> = query_one(cx.sql, concat!("-- rigs_find\nSELECT ", rig_columns!(), " FROM rigs WHERE id = ?"), (&id,))?;
    if let Some(rig) = &rig {
        caller.principal.check_town(&rig.town_id)?;
    }
    json(&rig)
}

/// `listRigs`, newest first.
pub(crate) fn list_rigs(cx: &Cx<'_>, caller: &Caller, (town,): (TownId,)) -> Result<Answer, Failure> {
    caller.principal.check_town(&town)?;
    let rigs: Vec<RegistryRig> =
        query(cx.sql, concat!("-- rigs_list\nSELECT ", rig_columns!(), " FROM rigs WHERE town_id = ? ORDER BY sequence DESC"), (&town,))?;
    json(&rigs)
}

/// `updateRig`: the changed record; null for an unregistered rig.
pub(crate) fn update_rig(cx: &Cx<'_>, _caller: &Caller, (id, changes): (RigId, RigChanges)) -> Result<Answer, Failure> {
    let rig: Option<RegistryRig> = query_one(
        cx.sql,
        concat!(
            "-- rigs_update\nUPDATE rigs SET name = coalesce(?2, name), git_url = coalesce(?3, git_url),
             default_branch = coalesce(?4, default_branch), updated_at = ?5 WHERE id = ?1 RETURNING ",
            rig_columns!()
        ),
        (&id, &changes.name, &changes.git_url, &changes.default_branch, cx.now.millis()),
    )?;
    if rig.is_some() {
        super::changed(cx)?;
    }
    json(&rig)
}

/// `deleteRig`: the registry's row only. The creator of the rig may repeat its call with the same idempotency key.
pub(crate) fn delete_rig(cx: &Cx<'_>, _caller: &Caller, (id,): (RigId,)) -> Result<Answer, Failure> {
    idempotency::forget(cx.sql, id.as_str())?;
    let gone: Option<(RigId,)> = query_one(cx.sql, "-- rigs_delete\nDELETE FROM rigs WHERE id = ? RETURNING id", (&id,))?;
    if gone.is_some() {
        super::changed(cx)?;
    }
    json(&gone.is_some())
}
