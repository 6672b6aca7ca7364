//! The towns of an owner.
//!
//! Owns the `towns` table.

use crate::auth::principal::TokenKind;
use crate::contract::checks::check_name;
use crate::contract::ids::TownId;
use crate::contract::shapes::{CreateTownInput, TownRecord};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::idempotency;
use crate::objects::store::sql::{execute, query, query_one, scalar};
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;
use serde::Deserialize;

/// Most towns of one owner.
pub const TOWNS_MAX: i64 = 500;

#[derive(Deserialize)]
struct Row {
    id: TownId,
    name: String,
    created_by_user_id: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row {
    fn record(self, cx: &Cx<'_>) -> TownRecord {
        let (owner_user_id, owner_org_id) =
            if let Instance::Org(org) = cx.instance { (None, Some(org.clone())) } else { (Some(cx.instance.name().to_owned()), None) };
        TownRecord {
            id: self.id,
            name: self.name,
            owner_user_id,
            owner_org_id,
            created_by_user_id: self.created_by_user_id,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// `createTown`: a row and nothing more.
pub(crate) fn create_town(cx: &Cx<'_>, caller: &Caller, (input,): (CreateTownInput,)) -> Result<Answer, Failure> {
    if caller.principal.town.is_some() {
        return Err(refuse(Code::Forbidden, "Forbidden: this token is for one town, it cannot make another"));
    }
    check_name(&input.name)?;
    let stated = if matches!(cx.instance, Instance::Org(_)) { &input.owner_org_id } else { &input.owner_user_id };
    if stated.as_deref().is_some_and(|owner| owner != cx.instance.name()) {
        return Err(refuse(Code::InvalidArgument, "the owner must be the one whose registry was called"));
    }
    let count: i64 = scalar(cx.sql, "-- towns_count\nSELECT COUNT(*) FROM towns", ())?;
    if count >= TOWNS_MAX {
        return Err(refuse(Code::Conflict, format!("An owner has at most {TOWNS_MAX} towns")));
    }
    let created_by = matches!(cx.instance, Instance::Org(_)).then(|| caller.principal.user_id.clone());
    let row: Option<Row> = query_one(
        cx.sql,
        "-- towns_create\nINSERT INTO towns (id, name, created_by_user_id, created_at, updated_at, sequence) VALUES (?1, ?2, ?3, ?4, ?4, ?5)
         RETURNING id, name, created_by_user_id, created_at, updated_at",
        (TownId::from_random(cx.random()), &input.name, created_by, cx.now.millis(), cx.next_number()?),
    )?;
    super::changed(cx)?;
    json(&row.ok_or_else(|| Fault::new("towns_create", "Failed to create town"))?.record(cx))
}

/// `getTownAsync`.
pub(crate) fn get_town(cx: &Cx<'_>, caller: &Caller, (id,): (TownId,)) -> Result<Answer, Failure> {
    caller.principal.check_town(&id)?;
    json(&find(cx, &id)?.map(|row| row.record(cx)))
}

fn find(cx: &Cx<'_>, id: &TownId) -> Result<Option<Row>, Fault> {
    query_one(cx.sql, "-- towns_find\nSELECT id, name, created_by_user_id, created_at, updated_at FROM towns WHERE id = ?", (id,))
}

/// A town that must be registered.
pub(super) fn require(cx: &Cx<'_>, id: &TownId) -> Result<(), Failure> {
    find(cx, id)?.map(drop).ok_or_else(|| refuse(Code::NotFound, format!("Town {id} not found")))
}

/// `listTowns`, newest first. A town's own token sees that town.
pub(crate) fn list_towns(cx: &Cx<'_>, caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let rows: Vec<Row> =
        query(cx.sql, "-- towns_list\nSELECT id, name, created_by_user_id, created_at, updated_at FROM towns ORDER BY sequence DESC", ())?;
    let own = |id: &TownId| caller.principal.kind == TokenKind::User || caller.principal.town.as_ref() == Some(id);
    let towns: Vec<TownRecord> = rows.into_iter().filter(|row| own(&row.id)).map(|row| row.record(cx)).collect();
    json(&towns)
}

/// `deleteTown`: the registry's rows only. The creator of the town may repeat its call with the same idempotency key.
pub(crate) fn delete_town(cx: &Cx<'_>, _caller: &Caller, (id,): (TownId,)) -> Result<Answer, Failure> {
    let known = find(cx, &id)?.is_some();
    idempotency::forget(cx.sql, id.as_str())?;
    execute(cx.sql, "-- towns_delete_rigs\nDELETE FROM rigs WHERE town_id = ?", (&id,))?;
    execute(cx.sql, "-- towns_delete\nDELETE FROM towns WHERE id = ?", (&id,))?;
    if known {
        super::changed(cx)?;
    }
    json(&known)
}
