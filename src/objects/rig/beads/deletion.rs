//! Beads deleted for good: one, many, or all of a status, each with its children and its merge requests.
//!
//! Owns which rows go with a bead. Its events stay, and so do the edges by which other beads wait for it in vain.
//! Works on many beads at once, so that a large rig is cleared in few statements.

use super::{dependencies, events};
use crate::contract::ids::{BeadId, RigId};
use crate::contract::letters::rig::RigState;
use crate::contract::limits::deletion::IDS_MAX;
use crate::contract::shapes::{BeadStatus, BeadType};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::assignment::{dispatch, hooks};
use crate::objects::rig::beads;
use crate::objects::rig::beads::Move;
use crate::objects::rig::reviews::landing;
use crate::objects::rig::{outbox_letters, reviews, state, topics};
use crate::objects::store::sql::{execute, json_list, query};
use base::error::{Code, Failure, refuse};
use std::collections::BTreeSet;

/// Beads deleted by one round of statements, which take them as one parameter.
const BATCH: usize = 1_000;
/// Why a bead in review is open again.
const REQUEST_DELETED: &str = "its merge request was deleted";

/// `deleteBead`: whether there was such a bead in this rig.
pub(crate) fn delete_bead(cx: &Cx<'_>, _caller: &Caller, (id, rig_id): (BeadId, Option<RigId>)) -> Result<Answer, Failure> {
    json(&(delete(cx, rig_id.as_ref(), &[id])? > 0))
}

/// `deleteBeads`: how many beads are gone, those below the ones that were named included.
pub(crate) fn delete_beads(cx: &Cx<'_>, _caller: &Caller, (ids, rig_id): (Vec<BeadId>, Option<RigId>)) -> Result<Answer, Failure> {
    if ids.len() > IDS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("beadIds: at most {IDS_MAX} in one call")));
    }
    json(&delete(cx, rig_id.as_ref(), &ids)?)
}

/// `deleteBeadsByStatus`: how many beads are gone, those below the ones that matched included.
pub(crate) fn delete_beads_by_status(
    cx: &Cx<'_>,
    _caller: &Caller,
    (status, kind, rig_id): (BeadStatus, Option<BeadType>, Option<RigId>),
) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if rig_id.is_some_and(|id| id != rig.rig_id) {
        return json(&0);
    }
    // The condition lets the planner use the index of beads that are no issues.
    let of_type = match kind {
        None => "",
        Some(BeadType::Issue) => " AND type = ?2",
        Some(_) => " AND type = ?2 AND type <> 'issue'",
    };
    let statement =
        format!("-- deletion_by_status\nSELECT bead_id FROM beads WHERE status = ?1{of_type} ORDER BY created_at, bead_id LIMIT {BATCH}");
    let mut params = vec![status.as_str()];
    params.extend(kind.map(BeadType::as_str));
    let mut deleted = 0;
    loop {
        let ids: Vec<(BeadId,)> = query(cx.sql, &statement, &params)?;
        if ids.is_empty() {
            break;
        }
        deleted += delete_some(cx, &rig, &ids.into_iter().map(|(id,)| id).collect::<Vec<_>>())?;
    }
    finish(cx, &rig, deleted)?;
    json(&deleted)
}

/// Deletes those of these beads that are in this rig, unless another rig is meant.
fn delete(cx: &Cx<'_>, meant: Option<&RigId>, ids: &[BeadId]) -> Result<usize, Failure> {
    let rig = state::require(cx)?;
    if meant.is_some_and(|id| *id != rig.rig_id) {
        return Ok(0);
    }
    let mut deleted = 0;
    for some in ids.chunks(BATCH) {
        deleted += delete_some(cx, &rig, some)?;
    }
    finish(cx, &rig, deleted)?;
    Ok(deleted)
}

fn finish(cx: &Cx<'_>, rig: &RigState, deleted: usize) -> Result<(), Failure> {
    if deleted == 0 {
        return Ok(());
    }
    outbox_letters::summary_changed(cx, rig)?;
    dispatch::dispatch(cx, rig)
}

/// Deletes beads and all rows that go with them, batch by batch.
fn delete_some(cx: &Cx<'_>, rig: &RigState, ids: &[BeadId]) -> Result<usize, Failure> {
    let doomed = doomed(cx, ids)?;
    let reviewed = reviewed(cx, &doomed)?;
    for batch in doomed.chunks(BATCH) {
        delete_batch(cx, rig, batch)?;
    }
    let gone: BTreeSet<&BeadId> = doomed.iter().collect();
    for source in reviewed.iter().filter(|source| !gone.contains(source)) {
        unreviewed(cx, rig, source)?;
    }
    Ok(doomed.len())
}

/// A bead in review whose merge request was deleted is work again, and beads that wait for it are counted anew.
fn unreviewed(cx: &Cx<'_>, rig: &RigState, source: &BeadId) -> Result<(), Failure> {
    if let Some(bead) = beads::find(cx, source)?.filter(|bead| bead.status == BeadStatus::InReview)
        && reviews::open_of(cx, source)?.is_none()
    {
        beads::move_to(cx, rig, &bead, BeadStatus::Open, &Move { reason: Some(REQUEST_DELETED), ..Move::default() })?;
    }
    dependencies::blocker_changed(cx, rig, source)
}

/// The beads of `ids` that exist, their children, and the merge requests of all of these.
fn doomed(cx: &Cx<'_>, ids: &[BeadId]) -> Result<Vec<BeadId>, Failure> {
    let doomed: Vec<(BeadId,)> = query(
        cx.sql,
        "-- deletion_doomed\nWITH RECURSIVE doomed (id) AS (
           SELECT beads.bead_id FROM json_each(?) AS named CROSS JOIN beads ON beads.bead_id = named.value
           UNION SELECT below.bead_id FROM doomed CROSS JOIN beads AS below ON below.parent_bead_id = doomed.id
           UNION SELECT review.bead_id FROM doomed CROSS JOIN merge_requests AS review ON review.source_bead_id = doomed.id
             CROSS JOIN beads AS request ON request.bead_id = review.bead_id
         ) SELECT id FROM doomed",
        (json_list(ids)?,),
    )?;
    Ok(doomed.into_iter().map(|(id,)| id).collect())
}

/// The beads whose merge requests are among these.
fn reviewed(cx: &Cx<'_>, doomed: &[BeadId]) -> Result<Vec<BeadId>, Failure> {
    let mut reviewed = Vec::new();
    for batch in doomed.chunks(BATCH) {
        let sources: Vec<(BeadId,)> = query(
            cx.sql,
            "-- deletion_reviewed\nSELECT review.source_bead_id FROM json_each(?) AS doomed
             CROSS JOIN merge_requests AS review ON review.bead_id = doomed.value WHERE review.source_bead_id IS NOT NULL",
            (json_list(batch)?,),
        )?;
        reviewed.extend(sources.into_iter().map(|(source,)| source));
    }
    Ok(reviewed)
}

fn delete_batch(cx: &Cx<'_>, rig: &RigState, batch: &[BeadId]) -> Result<(), Failure> {
    let ids = json_list(batch)?;
    let held: Vec<(BeadId,)> = query(
        cx.sql,
        "-- deletion_held\nSELECT agents.current_hook_bead_id FROM json_each(?) AS doomed CROSS JOIN agents ON agents.current_hook_bead_id = doomed.value",
        (&ids,),
    )?;
    for (bead,) in held {
        hooks::release_bead(cx, rig, &bead)?;
    }
    events::write_deleted(cx, batch)?;
    dependencies::forget(cx, &ids)?;
    landing::deleted(cx, rig, &ids)?;
    for statement in [
        "-- deletion_molecules\nDELETE FROM molecules WHERE bead_id IN (SELECT value FROM json_each(?))",
        // The result of a landing is told again when the town asks.
        "-- deletion_reviews\nDELETE FROM merge_requests WHERE bead_id IN (SELECT value FROM json_each(?)) AND source_bead_id IS NOT NULL",
    ] {
        execute(cx.sql, statement, (&ids,))?;
    }
    let members: Vec<(BeadId,)> = query(
        cx.sql,
        "-- deletion_members\nSELECT beads.bead_id FROM json_each(?) AS doomed CROSS JOIN beads ON beads.bead_id = doomed.value WHERE beads.convoy_id IS NOT NULL",
        (&ids,),
    )?;
    execute(cx.sql, "-- deletion_beads\nDELETE FROM beads WHERE bead_id IN (SELECT value FROM json_each(?))", (&ids,))?;
    for (member,) in members {
        outbox_letters::member_deleted(cx, rig, &member)?;
    }
    for bead in batch {
        topics::bead_changed(cx, rig, bead)?;
    }
    Ok(())
}
