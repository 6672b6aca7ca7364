//! Convoys as the town stores them: entry, members, edges, and a mirror of how each member stands.
//!
//! Owns the `convoys`, `convoy_beads` and `convoy_edges` tables and when a convoy lands: when every bead is closed, and
//! never while one failed, and never without evidence of the merges. The mirror is for speed; whoever needs the truth asks the rigs (`status`).

use super::state::{self, TownState};
use super::{feed, letters, topics};
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::{BeadId, ConvoyId, RigId};
use crate::rig::{ConvoyOrder, OrderedBead};
use crate::rpc::model::{
    Bead, BeadStatus, ConvoyBead, ConvoyDetail, ConvoyEntry, ConvoyStatus, DependencyEdge, FeedKind, MergeMode, SlingConvoyResult,
    SlingResult,
};
use crate::rpc::outcome::has_ended;
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::outbox::Letter;
use crate::store::sql::{execute, json_column, query, query_one};
use serde::Deserialize;
use serde_json::{Map, Value, json as value};

/// Most convoys in one list.
pub const LIST_MAX: i64 = 500;

/// Columns of a convoy in the order of `ConvoyEntry`'s fields; counts come from the mirror.
macro_rules! entry_columns {
    () => {
        "id, title, status, staged,
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id),
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id AND status = 'closed'),
         created_by, created_at, landed_at, feature_branch, merge_mode,
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id AND status = 'failed')"
    };
}

/// A convoy, if it exists.
pub(super) fn find(cx: &Cx<'_>, id: &ConvoyId) -> Result<Option<ConvoyEntry>, Fault> {
    query_one(cx.sql, concat!("-- convoys_find\nSELECT ", entry_columns!(), " FROM convoys WHERE id = ?"), (id,))
}

/// Writes a new convoy.
pub(super) fn insert(cx: &Cx<'_>, convoy: &ConvoyEntry) -> Result<(), Fault> {
    let sequence = cx.next_number()?;
    execute(
        cx.sql,
        "-- convoys_insert\nINSERT INTO convoys (id, title, status, staged, created_by, created_at, feature_branch, merge_mode, sequence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            &convoy.id,
            &convoy.title,
            convoy.status,
            i64::from(convoy.staged),
            &convoy.created_by,
            convoy.created_at.millis(),
            &convoy.feature_branch,
            convoy.merge_mode,
            sequence,
        ),
    )
}

/// Writes a member of a convoy with the members it waits for.
pub(super) fn insert_bead(cx: &Cx<'_>, convoy: &ConvoyId, bead: &Bead, mirror: &ConvoyBead, waits_for: &[BeadId]) -> Result<(), Fault> {
    let mirror_text = serde_json::to_string(mirror).unwrap_or_default();
    let metadata = serde_json::to_string(&bead.metadata).unwrap_or_default();
    let position = cx.next_number()?;
    execute(
        cx.sql,
        "-- convoys_insert_bead\nINSERT INTO convoy_beads (bead_id, convoy_id, rig_id, position, title, body, metadata, mirror, status) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (&bead.bead_id, convoy, &bead.rig_id, position, &bead.title, &bead.body, &metadata, &mirror_text, mirror.status),
    )?;
    for blocker in waits_for {
        execute(
            cx.sql,
            "-- convoys_insert_edge\nINSERT INTO convoy_edges (convoy_id, bead_id, depends_on_bead_id) VALUES (?, ?, ?)",
            (convoy, &bead.bead_id, blocker),
        )?;
    }
    Ok(())
}

/// Everything one rig must know of a convoy.
pub(super) fn order_for_rig(cx: &Cx<'_>, id: &ConvoyId, rig: &RigId) -> Result<Option<ConvoyOrder>, Fault> {
    #[derive(Deserialize)]
    struct Row {
        bead_id: BeadId,
        title: String,
        body: Option<String>,
        #[serde(deserialize_with = "json_column")]
        metadata: Map<String, Value>,
    }
    let Some(convoy) = find(cx, id)? else { return Ok(None) };
    let rows: Vec<Row> = query(
        cx.sql,
        "-- convoys_order\nSELECT bead_id, title, body, metadata FROM convoy_beads WHERE convoy_id = ? AND rig_id = ? ORDER BY position",
        (id, rig),
    )?;
    let edges = edges(cx, id)?;
    let beads = rows
        .into_iter()
        .map(|row| OrderedBead {
            depends_on: edges.iter().filter(|edge| edge.bead_id == row.bead_id).map(|edge| edge.depends_on_bead_id.clone()).collect(),
            bead_id: row.bead_id,
            title: row.title,
            body: row.body,
            metadata: row.metadata,
        })
        .collect();
    Ok(Some(ConvoyOrder {
        convoy_id: convoy.id,
        staged: convoy.staged,
        created_by: convoy.created_by,
        created_at: convoy.created_at,
        beads,
    }))
}

/// Who waits for whom.
pub(super) fn edges(cx: &Cx<'_>, id: &ConvoyId) -> Result<Vec<DependencyEdge>, Fault> {
    query(
        cx.sql,
        "-- convoys_edges\nSELECT edge.bead_id, edge.depends_on_bead_id FROM convoy_edges AS edge
         JOIN convoy_beads AS waiter ON waiter.bead_id = edge.bead_id JOIN convoy_beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         WHERE edge.convoy_id = ? ORDER BY waiter.position, blocker.position",
        (id,),
    )
}

/// The members as the rigs last told.
pub(super) fn mirrored_beads(cx: &Cx<'_>, id: &ConvoyId) -> Result<Vec<ConvoyBead>, Fault> {
    #[derive(Deserialize)]
    struct Row(#[serde(deserialize_with = "json_column")] ConvoyBead);
    // One column in a row of one: serde reads a newtype from the value itself, hence the tuple.
    let rows: Vec<(Row,)> =
        query(cx.sql, "-- convoys_mirror\nSELECT mirror FROM convoy_beads WHERE convoy_id = ? ORDER BY position", (id,))?;
    Ok(rows.into_iter().map(|(row,)| row.0).collect())
}

/// `listConvoys`: those that have not landed, newest first.
pub(crate) fn list_convoys(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&active(cx)?)
}

fn active(cx: &Cx<'_>) -> Result<Vec<ConvoyEntry>, Fault> {
    query(
        cx.sql,
        concat!("-- convoys_list\nSELECT ", entry_columns!(), " FROM convoys WHERE status = 'active' ORDER BY sequence DESC LIMIT ?"),
        (LIST_MAX,),
    )
}

/// `listConvoysDetailed`: the same with members and edges, from the mirror.
pub(crate) fn list_convoys_detailed(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let mut details = Vec::new();
    for entry in active(cx)? {
        let beads = mirrored_beads(cx, &entry.id)?;
        let dependency_edges = edges(cx, &entry.id)?;
        details.push(ConvoyDetail { entry, beads, dependency_edges, coverage: None });
    }
    json(&details)
}

/// `startConvoy`: beads that wait for nothing are given out from now on.
pub(crate) fn start_convoy(cx: &Cx<'_>, caller: &Caller, (id,): (ConvoyId,)) -> Result<Answer, Failure> {
    let Some(mut convoy) = find(cx, &id)? else {
        return Err(Refusal::new(Code::NotFound, format!("Convoy not found: {id}"))
            .hint("Call list_convoys to see the convoys of the town.")
            .into());
    };
    if !convoy.staged {
        return Err(refuse(Code::Conflict, format!("Convoy is not staged: {id}")));
    }
    execute(cx.sql, "-- convoys_start\nUPDATE convoys SET staged = 0 WHERE id = ?", (&id,))?;
    convoy.staged = false;
    let town = state::require(cx)?;
    topics::changed(cx, &town, topics::CONVOYS)?;
    topics::convoy_changed(cx, &town, &id)?;
    feed::write(cx, &town, FeedKind::ConvoyStarted, id.as_str(), Some(&caller.actor()), &value!({"title": convoy.title}))?;
    for rig in &rigs_of(cx, &id)? {
        letters::convoy_changed(cx, &id, rig)?;
    }
    let beads = member_beads(cx, &convoy)?
        .into_iter()
        .map(|bead| SlingResult { bead, agent: None, queue_position: None, molecule: None })
        .collect();
    json(&SlingConvoyResult { convoy, beads })
}

/// The rigs that have beads of the convoy.
pub(super) fn rigs_of(cx: &Cx<'_>, id: &ConvoyId) -> Result<Vec<RigId>, Fault> {
    let rigs: Vec<(RigId,)> = query(cx.sql, "-- convoys_rigs\nSELECT DISTINCT rig_id FROM convoy_beads WHERE convoy_id = ?", (id,))?;
    Ok(rigs.into_iter().map(|(rig,)| rig).collect())
}

/// The members in the contract's bead shape, from the mirror.
fn member_beads(cx: &Cx<'_>, convoy: &ConvoyEntry) -> Result<Vec<Bead>, Failure> {
    let mut rows = query::<(BeadId, Option<String>, Value)>(
        cx.sql,
        "-- convoys_members\nSELECT bead_id, body, metadata FROM convoy_beads WHERE convoy_id = ? ORDER BY position",
        (&convoy.id,),
    )?
    .into_iter();
    let mut beads = Vec::new();
    for mirror in mirrored_beads(cx, &convoy.id)? {
        let (_, body, metadata) = rows.next().ok_or_else(|| Fault::new("convoys_members", "fewer rows than mirrors"))?;
        let metadata: Map<String, Value> = metadata.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        beads.push(super::sling::new_bead(&mirror, body, &metadata, convoy));
    }
    Ok(beads)
}

/// A rig told how a bead stands: the mirror is brought up to date and the convoy looked at.
pub(super) fn apply_bead(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let told: ConvoyBead = letter.read("read a bead letter")?;
    let text = serde_json::to_string(&told).unwrap_or_default();
    // That a bead has ended is told more than once, and news once.
    let has_just_ended = told.status.is_terminal() && mirrored_status(cx, &told.bead_id)?.is_some_and(|before| !before.is_terminal());
    let convoy: Option<(ConvoyId,)> = query_one(
        cx.sql,
        "-- convoys_apply_bead\nUPDATE convoy_beads SET mirror = ?, status = ? WHERE bead_id = ? AND rig_id = ? RETURNING convoy_id",
        (text, told.status, &told.bead_id, rig),
    )?;
    let Some((id,)) = convoy else { return Ok(()) };
    let town = state::require(cx)?;
    topics::convoy_changed(cx, &town, &id)?;
    if has_just_ended && told.status == BeadStatus::Failed {
        let detail = value!({"convoy_id": id, "rig_id": rig, "title": told.title});
        feed::write(cx, &town, FeedKind::ConvoyBeadFailed, told.bead_id.as_str(), None, &detail)?;
    }
    let Some(convoy) = find(cx, &id)? else { return Ok(()) };
    if land_when_done(cx, &convoy)? {
        tell_end(cx, &town, FeedKind::ConvoyLanded, &convoy)
    } else if has_just_ended && has_ended(&convoy) {
        tell_end(cx, &town, FeedKind::ConvoyEnded, &convoy)
    } else {
        Ok(())
    }
}

/// How a member stood when its rig last told.
fn mirrored_status(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<BeadStatus>, Fault> {
    let found: Option<(BeadStatus,)> =
        query_one(cx.sql, "-- convoys_mirrored_status\nSELECT status FROM convoy_beads WHERE bead_id = ?", (bead,))?;
    Ok(found.map(|(status,)| status))
}

/// A convoy has landed, or none of its beads will change any more.
fn tell_end(cx: &Cx<'_>, town: &TownState, kind: FeedKind, convoy: &ConvoyEntry) -> Result<(), Failure> {
    topics::changed(cx, town, topics::CONVOYS)?;
    let detail = value!({
        "title": convoy.title, "total_beads": convoy.total_beads, "closed_beads": convoy.closed_beads, "failed_beads": convoy.failed_beads
    });
    feed::write(cx, town, kind, convoy.id.as_str(), None, &detail)
}

/// Every bead closed: with `review-and-merge` the convoy has landed if each bead names the commit that merged it; with
/// `review-then-land` the landing merge is next. Without evidence it stays active: closed, merge unverified. Answers
/// whether it has just landed.
fn land_when_done(cx: &Cx<'_>, convoy: &ConvoyEntry) -> Result<bool, Failure> {
    let id = &convoy.id;
    if convoy.status == ConvoyStatus::Landed || convoy.total_beads == 0 || convoy.closed_beads < convoy.total_beads {
        return Ok(false);
    }
    if convoy.merge_mode != Some(MergeMode::ReviewAndMerge) {
        execute(cx.sql, "-- convoys_ready_to_land\nUPDATE convoys SET ready_to_land = 1 WHERE id = ?", (id,))?;
        return Ok(false);
    }
    if mirrored_beads(cx, id)?.iter().any(|bead| bead.merge_commit.is_none()) {
        return Ok(false);
    }
    execute(cx.sql, "-- convoys_land\nUPDATE convoys SET status = 'landed', landed_at = ? WHERE id = ?", (cx.now.millis(), id))?;
    Ok(true)
}

/// Counts beads that are closed and beads that failed, from the beads themselves.
#[must_use]
pub fn recount(beads: &[ConvoyBead]) -> (i64, i64) {
    let count = |status| i64::try_from(beads.iter().filter(|bead| bead.status == status).count()).unwrap_or(i64::MAX);
    (count(BeadStatus::Closed), count(BeadStatus::Failed))
}
