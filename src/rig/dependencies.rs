//! Who waits for whom, and whether what is waited for has come.
//!
//! Owns the `bead_dependencies` and `remote_blockers` tables and the count of unmet blockers on a bead, which is always
//! counted anew from the edges: nothing is added up that a lost or repeated message could falsify. A blocker that failed,
//! or is not there, is not met.

use super::report;
use super::state::RigState;
use crate::error::{Code, Failure, Fault, Refusal};
use crate::ids::{BeadId, ConvoyId};
use crate::rpc::model::{BeadStatus, BlockedUntil};
use crate::rpc::serve::Cx;
use crate::store::sql::{execute, query, query_one, scalar};
use serde::Deserialize;

/// An edge as seen from one end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Edge {
    /// The bead at the other end.
    pub(super) bead_id: BeadId,
    /// What must have become of the blocker.
    pub(super) until: BlockedUntil,
    /// How the bead at the other end stands; `None` when this rig does not know it.
    pub(super) status: Option<BeadStatus>,
}

/// Makes `waiter` wait for `blocker`. The caller counts anew (`recount`). An edge that exists keeps its place and takes
/// over `until`.
pub(super) fn insert(cx: &Cx<'_>, waiter: &BeadId, blocker: &BeadId, until: BlockedUntil) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_insert\nINSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type, until) VALUES (?1, ?2, 'blocks', ?3)
         ON CONFLICT (bead_id, depends_on_bead_id) DO UPDATE SET dependency_type = 'blocks', until = ?3",
        (waiter, blocker, until),
    )
}

/// `waiter` waits for `blocker` no more. The caller counts anew.
pub(super) fn remove(cx: &Cx<'_>, waiter: &BeadId, blocker: &BeadId) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_remove\nDELETE FROM bead_dependencies WHERE bead_id = ? AND depends_on_bead_id = ? AND dependency_type = 'blocks'",
        (waiter, blocker),
    )
}

/// The same because a convoy says so.
pub(super) fn insert_for(cx: &Cx<'_>, convoy: &ConvoyId, waiter: &BeadId, blocker: &BeadId, until: BlockedUntil) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_insert_for\nINSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type, until, convoy_id) VALUES (?1, ?2, 'blocks', ?3, ?4)
         ON CONFLICT (bead_id, depends_on_bead_id) DO UPDATE SET dependency_type = 'blocks', until = ?3, convoy_id = ?4",
        (waiter, blocker, until, convoy),
    )
}

/// Of the edges of `waiter` that a convoy has made, and of those to its members, keeps those to `keep` only. The caller counts
/// anew. Both lists are JSON arrays of ids.
pub(super) fn keep_only(cx: &Cx<'_>, convoy: &ConvoyId, waiter: &BeadId, keep: &str, members: &str) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_keep_only\nDELETE FROM bead_dependencies WHERE bead_id = ?1 AND dependency_type = 'blocks'
           AND depends_on_bead_id NOT IN (SELECT value FROM json_each(?2))
           AND (convoy_id = ?3 OR depends_on_bead_id IN (SELECT value FROM json_each(?4)))",
        (waiter, keep, convoy, members),
    )
}

/// A bead of another rig is waited for from now on; how it stands, the town tells.
pub(super) fn expect_remote(cx: &Cx<'_>, blocker: &BeadId) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_expect_remote\nINSERT INTO remote_blockers (bead_id, status, merged) VALUES (?, 'open', 0) ON CONFLICT (bead_id) DO NOTHING",
        (blocker,),
    )
}

/// What a bead waits for, or waited for.
pub(super) fn blockers(cx: &Cx<'_>, waiter: &BeadId) -> Result<Vec<Edge>, Fault> {
    query(
        cx.sql,
        "-- dependencies_blockers\nSELECT edge.depends_on_bead_id, edge.until, coalesce(blocker.status, remote.status)
         FROM bead_dependencies AS edge LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         LEFT JOIN remote_blockers AS remote ON remote.bead_id = edge.depends_on_bead_id
         WHERE edge.bead_id = ? AND edge.dependency_type = 'blocks' ORDER BY edge.depends_on_bead_id",
        (waiter,),
    )
}

/// The beads of this rig that wait, or waited, for a bead.
pub(super) fn dependents(cx: &Cx<'_>, blocker: &BeadId) -> Result<Vec<Edge>, Fault> {
    query(
        cx.sql,
        "-- dependencies_dependents\nSELECT edge.bead_id, edge.until, waiter.status
         FROM bead_dependencies AS edge JOIN beads AS waiter ON waiter.bead_id = edge.bead_id
         WHERE edge.depends_on_bead_id = ? AND edge.dependency_type = 'blocks' ORDER BY edge.bead_id",
        (blocker,),
    )
}

/// How many blockers of a bead are not met: closed, merged where the edge wants it, and no merge request open.
pub(super) fn unmet(cx: &Cx<'_>, waiter: &BeadId) -> Result<i64, Fault> {
    scalar(
        cx.sql,
        "-- dependencies_unmet\nSELECT COUNT(*) FROM bead_dependencies AS edge
         LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         LEFT JOIN remote_blockers AS remote ON remote.bead_id = edge.depends_on_bead_id
         WHERE edge.bead_id = ? AND edge.dependency_type = 'blocks' AND NOT (
           coalesce(blocker.status, remote.status) IS 'closed'
           AND (edge.until = 'closed' OR CASE WHEN blocker.bead_id IS NULL THEN coalesce(remote.merged, 0) ELSE blocker.merge_commit IS NOT NULL END)
           AND NOT EXISTS (SELECT 1 FROM merge_requests AS review JOIN beads AS request ON request.bead_id = review.bead_id
             WHERE review.source_bead_id = edge.depends_on_bead_id AND request.status IN ('open', 'in_progress', 'in_review')))",
        (waiter,),
    )
}

/// Counts a bead's unmet blockers anew; reports the bead when the number has changed.
pub(super) fn recount(cx: &Cx<'_>, rig: &RigState, waiter: &BeadId) -> Result<(), Failure> {
    let unmet = unmet(cx, waiter)?;
    let changed: Option<(BeadId,)> = query_one(
        cx.sql,
        "-- dependencies_recount\nUPDATE beads SET blockers_open = ?1, updated_at = ?2 WHERE bead_id = ?3 AND blockers_open <> ?1 RETURNING bead_id",
        (unmet, cx.now.millis(), waiter),
    )?;
    if changed.is_some() { report::bead_changed(cx, rig, waiter) } else { Ok(()) }
}

/// A bead has ended, was merged, reopened or deleted, or its merge request was: whoever waits for it is counted anew.
pub(super) fn blocker_changed(cx: &Cx<'_>, rig: &RigState, blocker: &BeadId) -> Result<(), Failure> {
    for edge in dependents(cx, blocker)? {
        recount(cx, rig, &edge.bead_id)?;
    }
    Ok(())
}

/// Keeps how a bead of another rig stands, as the town tells it.
pub(super) fn remote_changed(cx: &Cx<'_>, rig: &RigState, blocker: &BeadId, status: BeadStatus, is_merged: bool) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- dependencies_remote\nINSERT INTO remote_blockers (bead_id, status, merged) VALUES (?1, ?2, ?3)
         ON CONFLICT (bead_id) DO UPDATE SET status = ?2, merged = ?3",
        (blocker, status, i64::from(is_merged)),
    )?;
    blocker_changed(cx, rig, blocker)
}

/// Refuses edges that would close a circle among the beads of this rig.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_acyclic(cx: &Cx<'_>, waiter: &BeadId, blockers: &[BeadId]) -> Result<(), Failure> {
    let ids = serde_json::to_string(blockers).map_err(|error| Fault::new("write ids", error))?;
    let circle: i64 = scalar(
        cx.sql,
        "-- dependencies_circle\nWITH RECURSIVE chain (id) AS (
           SELECT value FROM json_each(?1)
           UNION SELECT edge.depends_on_bead_id FROM bead_dependencies AS edge JOIN chain ON edge.bead_id = chain.id WHERE edge.dependency_type = 'blocks'
         ) SELECT EXISTS (SELECT 1 FROM chain WHERE id = ?2)",
        (ids, waiter),
    )?;
    if circle == 0 {
        return Ok(());
    }
    let refusal = Refusal::new(Code::InvalidArgument, format!("Bead {waiter} cannot wait for a bead that waits for it"));
    Err(refusal.hint("Remove one dependency of the circle first; nothing was changed.").into())
}
