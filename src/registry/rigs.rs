//! The rigs of an owner's towns.
//!
//! Owns the registry's `rigs` table; the town keeps a record of its own.

use super::towns;
use crate::error::{Code, Failure, Fault, refuse};
use crate::ids::{RigId, TownId};
use crate::rpc::model::{CreateRigInput, RegistryRig};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::meta;
use crate::store::sql::{query, query_one};
use crate::town::rigs::check_name;

/// Longest repository address, in bytes.
pub const GIT_URL_BYTES_MAX: usize = 2_000;
/// Longest branch name, in bytes.
pub const BRANCH_BYTES_MAX: usize = 255;

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
    if input.git_url.is_empty() || input.git_url.len() > GIT_URL_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("git_url must have 1 to {GIT_URL_BYTES_MAX} bytes")));
    }
    if input.default_branch.is_empty() || input.default_branch.len() > BRANCH_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("default_branch must have 1 to {BRANCH_BYTES_MAX} bytes")));
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
            meta::next(cx.sql, "rig_sequence")?,
        ),
    )?;
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

/// `deleteRig`: the registry's row only.
pub(crate) fn delete_rig(cx: &Cx<'_>, _caller: &Caller, (id,): (RigId,)) -> Result<Answer, Failure> {
    let gone: Option<(RigId,)> = query_one(cx.sql, "-- rigs_delete\nDELETE FROM rigs WHERE id = ? RETURNING id", (&id,))?;
    json(&gone.is_some())
}
