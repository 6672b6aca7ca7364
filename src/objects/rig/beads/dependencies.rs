//! Dependencies between beads: which bead waits for which, and whether the wait is over.
//!
//! Owns the `bead_dependencies` and `remote_blockers` tables and the count of unmet blockers on a bead, which is always
//! counted anew from the edges, so that no lost or repeated message can falsify it. A failed or missing blocker is not
//! met.

use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{BeadDependency, BeadStatus, BlockedUntil, UnmetBlocker};
use crate::contract::tool_keys::LIST_BEADS;
use crate::objects::handler::Cx;
use crate::objects::rig::outbox_letters;
use crate::objects::store::sql::{execute, json_list, query, query_one, scalar};
use base::error::{Code, Failure, Fault, Refusal};
use base::hint;
use serde::Deserialize;

/// Most beads that one bead waits for.
pub const BLOCKERS_MAX: usize = 100;
/// Most edges shown in one direction.
const SHOWN_MAX: i64 = 200;

/// An edge as seen from one end.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(in crate::objects::rig) struct Edge {
    /// The bead at the other end.
    pub(in crate::objects::rig) bead_id: BeadId,
    /// The state that the blocker must reach.
    pub(in crate::objects::rig) until: BlockedUntil,
    /// The status of the bead at the other end; `None` when this rig does not know it.
    pub(in crate::objects::rig) status: Option<BeadStatus>,
}

/// Makes `waiter` wait for `blocker`. The caller counts anew (`recount`). An edge that exists keeps its place and takes
/// over `until`.
pub(in crate::objects::rig) fn insert(cx: &Cx<'_>, waiter: &BeadId, blocker: &BeadId, until: BlockedUntil) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_insert\nINSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type, until) VALUES (?1, ?2, 'blocks', ?3)
         ON CONFLICT (bead_id, depends_on_bead_id) DO UPDATE SET dependency_type = 'blocks', until = ?3",
        (waiter, blocker, until),
    )
}

/// `waiter` waits for `blocker` no more. The caller counts anew.
pub(in crate::objects::rig) fn remove(cx: &Cx<'_>, waiter: &BeadId, blocker: &BeadId) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_remove\nDELETE FROM bead_dependencies WHERE bead_id = ? AND depends_on_bead_id = ? AND dependency_type = 'blocks'",
        (waiter, blocker),
    )
}

/// `bead` is about `subject`: a merge request about the work that it merges.
pub(in crate::objects::rig) fn track(cx: &Cx<'_>, bead: &BeadId, subject: &BeadId) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_track\nINSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type) VALUES (?, ?, 'tracks') ON CONFLICT DO NOTHING",
        (bead, subject),
    )
}

/// `insert`, because a convoy says so.
pub(in crate::objects::rig) fn insert_for(
    cx: &Cx<'_>,
    convoy: &ConvoyId,
    waiter: &BeadId,
    blocker: &BeadId,
    until: BlockedUntil,
) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_insert_for\nINSERT INTO bead_dependencies (bead_id, depends_on_bead_id, dependency_type, until, convoy_id) VALUES (?1, ?2, 'blocks', ?3, ?4)
         ON CONFLICT (bead_id, depends_on_bead_id) DO UPDATE SET dependency_type = 'blocks', until = ?3, convoy_id = ?4",
        (waiter, blocker, until, convoy),
    )
}

/// Of the edges of `waiter` that a convoy has made, and of those to its members, keeps those to `keep` only. The caller counts
/// anew. Both lists are JSON arrays of ids.
pub(in crate::objects::rig) fn keep_only(cx: &Cx<'_>, convoy: &ConvoyId, waiter: &BeadId, keep: &str, members: &str) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_keep_only\nDELETE FROM bead_dependencies WHERE bead_id = ?1 AND dependency_type = 'blocks'
           AND depends_on_bead_id NOT IN (SELECT value FROM json_each(?2))
           AND (convoy_id = ?3 OR depends_on_bead_id IN (SELECT value FROM json_each(?4)))",
        (waiter, keep, convoy, members),
    )
}

/// A bead of another rig is waited for from now on; how it stands, the town tells.
pub(in crate::objects::rig) fn expect_remote(cx: &Cx<'_>, blocker: &BeadId) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- dependencies_expect_remote\nINSERT INTO remote_blockers (bead_id, status, merged) VALUES (?, 'open', 0) ON CONFLICT (bead_id) DO NOTHING",
        (blocker,),
    )
}

/// The blockers of a bead, met ones too.
pub(in crate::objects::rig) fn blockers(cx: &Cx<'_>, waiter: &BeadId) -> Result<Vec<Edge>, Fault> {
    query(
        cx.sql,
        "-- dependencies_blockers\nSELECT edge.depends_on_bead_id AS bead_id, edge.until, coalesce(blocker.status, remote.status) AS status
         FROM bead_dependencies AS edge LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         LEFT JOIN remote_blockers AS remote ON remote.bead_id = edge.depends_on_bead_id
         WHERE edge.bead_id = ? AND edge.dependency_type = 'blocks' ORDER BY edge.depends_on_bead_id",
        (waiter,),
    )
}

/// Every edge of a bead of any type, its blockers first.
pub(in crate::objects::rig) fn around(cx: &Cx<'_>, bead: &BeadId) -> Result<Vec<BeadDependency>, Fault> {
    query(
        cx.sql,
        "-- dependencies_around\nSELECT * FROM (
           SELECT edge.bead_id, edge.depends_on_bead_id, edge.dependency_type, edge.until, coalesce(blocker.status, remote.status) AS status
           FROM bead_dependencies AS edge LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
           LEFT JOIN remote_blockers AS remote ON remote.bead_id = edge.depends_on_bead_id
           WHERE edge.bead_id = ?1 LIMIT ?2)
         UNION ALL SELECT * FROM (
           SELECT edge.bead_id, edge.depends_on_bead_id, edge.dependency_type, edge.until, waiter.status
           FROM bead_dependencies AS edge LEFT JOIN beads AS waiter ON waiter.bead_id = edge.bead_id
           WHERE edge.depends_on_bead_id = ?1 LIMIT ?2)",
        (bead, SHOWN_MAX),
    )
}

/// The beads of this rig that wait, or waited, for a bead.
pub(in crate::objects::rig) fn dependents(cx: &Cx<'_>, blocker: &BeadId) -> Result<Vec<Edge>, Fault> {
    query(
        cx.sql,
        "-- dependencies_dependents\nSELECT edge.bead_id, edge.until, waiter.status
         FROM bead_dependencies AS edge JOIN beads AS waiter ON waiter.bead_id = edge.bead_id
         WHERE edge.depends_on_bead_id = ? AND edge.dependency_type = 'blocks' ORDER BY edge.bead_id",
        (blocker,),
    )
}

/// Blocking edges joined with their blockers; the condition follows.
macro_rules! from_blocking {
    () => {
        "FROM bead_dependencies AS edge
         LEFT JOIN beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         LEFT JOIN remote_blockers AS remote ON remote.bead_id = edge.depends_on_bead_id
         WHERE edge.dependency_type = 'blocks' AND "
    };
}

/// Whether a blocker is met: closed, merged where the edge wants it, and no merge request open.
macro_rules! is_met {
    () => {
        "(coalesce(blocker.status, remote.status) IS 'closed'
           AND (edge.until = 'closed' OR CASE WHEN blocker.bead_id IS NULL THEN coalesce(remote.merged, 0) ELSE blocker.merge_commit IS NOT NULL END)
           AND NOT EXISTS (SELECT 1 FROM merge_requests AS review JOIN beads AS request ON request.bead_id = review.bead_id
             WHERE review.source_bead_id = edge.depends_on_bead_id AND request.status IN ('open', 'in_progress', 'in_review')))"
    };
}

/// How many blockers of a bead are not met.
pub(in crate::objects::rig) fn unmet(cx: &Cx<'_>, waiter: &BeadId) -> Result<i64, Fault> {
    const UNMET: &str = concat!("-- dependencies_unmet\nSELECT COUNT(*) ", from_blocking!(), "edge.bead_id = ? AND NOT ", is_met!());
    scalar(cx.sql, UNMET, (waiter,))
}

/// Most unmet edges in one answer.
const UNMET_MAX: i64 = 1_000;

/// The unmet blockers of the unfinished members of convoys, and the unmet blockers of those in turn. `convoys` is a JSON array
/// of ids.
pub(in crate::objects::rig) fn unmet_from(cx: &Cx<'_>, convoys: &str) -> Result<Vec<UnmetBlocker>, Fault> {
    const UNMET_FROM: &str = concat!(
        "-- dependencies_unmet_from\nWITH RECURSIVE reached (id) AS (
           SELECT bead_id FROM beads WHERE convoy_id IN (SELECT value FROM json_each(?1)) AND status NOT IN ('closed', 'failed')
           UNION SELECT edge.depends_on_bead_id FROM reached JOIN bead_dependencies AS edge ON edge.bead_id = reached.id
             JOIN beads ON beads.bead_id = edge.depends_on_bead_id
           WHERE edge.dependency_type = 'blocks' AND beads.status NOT IN ('closed', 'failed') LIMIT ?2)
         SELECT edge.bead_id, edge.depends_on_bead_id AS depends_on, coalesce(blocker.status, remote.status) AS status ",
        from_blocking!(),
        "edge.bead_id IN (SELECT id FROM reached) AND NOT ",
        is_met!(),
        " LIMIT ?2"
    );
    query(cx.sql, UNMET_FROM, (convoys, UNMET_MAX))
}

/// Counts a bead's unmet blockers anew; reports the bead when the number has changed.
pub(in crate::objects::rig) fn recount(cx: &Cx<'_>, rig: &RigState, waiter: &BeadId) -> Result<(), Failure> {
    let unmet = unmet(cx, waiter)?;
    let changed: Option<(BeadId,)> = query_one(
        cx.sql,
        "-- dependencies_recount\nUPDATE beads SET blockers_open = ?1, updated_at = ?2 WHERE bead_id = ?3 AND blockers_open <> ?1 RETURNING bead_id",
        (unmet, cx.now.millis(), waiter),
    )?;
    if changed.is_some() { outbox_letters::bead_changed(cx, rig, waiter) } else { Ok(()) }
}

/// A bead has ended, was merged, reopened or deleted, or its merge request was: beads that wait for it are counted anew.
pub(in crate::objects::rig) fn blocker_changed(cx: &Cx<'_>, rig: &RigState, blocker: &BeadId) -> Result<(), Failure> {
    for edge in dependents(cx, blocker)? {
        recount(cx, rig, &edge.bead_id)?;
    }
    Ok(())
}

/// A merge request has ended: beads that wait for its source bead are counted anew.
pub(in crate::objects::rig) fn review_ended(cx: &Cx<'_>, rig: &RigState, request: &BeadId) -> Result<(), Failure> {
    let source: Option<(Option<BeadId>,)> =
        query_one(cx.sql, "-- dependencies_reviewed\nSELECT source_bead_id FROM merge_requests WHERE bead_id = ?", (request,))?;
    match source {
        Some((Some(source),)) => blocker_changed(cx, rig, &source),
        _ => Ok(()),
    }
}

/// Keeps how a bead of another rig stands, as the town tells it.
pub(in crate::objects::rig) fn remote_changed(
    cx: &Cx<'_>,
    rig: &RigState,
    blocker: &BeadId,
    status: BeadStatus,
    is_merged: bool,
) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- dependencies_remote\nINSERT INTO remote_blockers (bead_id, status, merged) VALUES (?1, ?2, ?3)
         ON CONFLICT (bead_id) DO UPDATE SET status = ?2, merged = ?3",
        (blocker, status, i64::from(is_merged)),
    )?;
    blocker_changed(cx, rig, blocker)
}

/// Refuses blockers that a bead cannot wait for: it would have `total` of them.
///
/// # Errors
/// `InvalidArgument` for too many, for a bead unknown to this rig, and for a circle.
pub(in crate::objects::rig) fn check(cx: &Cx<'_>, waiter: &BeadId, added: &[BeadId], total: usize) -> Result<(), Failure> {
    if total > BLOCKERS_MAX {
        return Err(Refusal::argument("depends_on", format_args!("a bead waits for at most {BLOCKERS_MAX} others")).into());
    }
    if added.is_empty() {
        return Ok(());
    }
    let ids = json_list(added)?;
    let unknown: Option<(BeadId,)> = query_one(
        cx.sql,
        "-- dependencies_unknown\nSELECT value FROM json_each(?) WHERE NOT EXISTS (SELECT 1 FROM beads WHERE bead_id = value)
           AND NOT EXISTS (SELECT 1 FROM remote_blockers WHERE bead_id = value) AND value <> ? LIMIT 1",
        (ids, waiter),
    )?;
    if let Some((unknown,)) = unknown {
        let refusal = Refusal::argument("depends_on", format_args!("bead {unknown} is not in this rig"));
        return Err(refusal
            .hint(hint!["Call ", LIST_BEADS, " for the beads of the rig; beads of other rigs are joined by a convoy."])
            .into());
    }
    check_acyclic(cx, waiter, added)
}

/// Refuses edges that would close a circle among the beads of this rig.
///
/// # Errors
/// `InvalidArgument`.
pub(in crate::objects::rig) fn check_acyclic(cx: &Cx<'_>, waiter: &BeadId, blockers: &[BeadId]) -> Result<(), Failure> {
    let ids = json_list(blockers)?;
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

/// Forgets the edges of beads that are about to be deleted, but for those by which others still wait: a deleted
/// blocker is never met. `ids` is a JSON array. No count changes by it.
pub(in crate::objects::rig) fn forget(cx: &Cx<'_>, ids: &str) -> Result<(), Fault> {
    const FORGET_MET: &str = concat!(
        "-- dependencies_forget_met\nDELETE FROM bead_dependencies WHERE (bead_id, depends_on_bead_id) IN (
           SELECT edge.bead_id, edge.depends_on_bead_id ",
        from_blocking!(),
        "edge.depends_on_bead_id IN (SELECT value FROM json_each(?)) AND ",
        is_met!(),
        ")"
    );
    execute(cx.sql, FORGET_MET, (ids,))?;
    execute(cx.sql, "-- dependencies_forget\nDELETE FROM bead_dependencies WHERE bead_id IN (SELECT value FROM json_each(?))", (ids,))?;
    execute(
        cx.sql,
        "-- dependencies_forget_others\nDELETE FROM bead_dependencies WHERE depends_on_bead_id IN (SELECT value FROM json_each(?))
           AND dependency_type IN ('tracks', 'parent-child')",
        (ids,),
    )
}
