//! Convoys as the town stores them: entry, members, edges, and a mirror of how each member stands.
//!
//! Owns the `convoys`, `convoy_beads` and `convoy_edges` tables, and how convoys are found and listed. `mirror` keeps the mirror
//! current, `changes` changes a convoy, `landing` lands it.

pub(super) mod candidates;
pub mod changes;
pub mod follow_up;
pub mod graph;
pub mod inspection;
pub(super) mod landing;
pub mod mirror;
pub mod sling_batch;

use crate::contract::columns::json_column;
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::rig::{ConvoyOrder, OrderedBead, OrderedEdge, TaskDetails};
use crate::contract::shapes::{Bead, BlockedUntil, ConvoyBead, ConvoyDetail, ConvoyEntry, ConvoyStatus, DependencyEdge};
use crate::contract::tool_keys::LIST_CONVOYS;
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use base::error::{Code, Failure, Fault, Refusal, Subject};
use base::hint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most convoys in one list.
pub const LIST_MAX: i64 = 500;
/// Most beads of a convoy.
pub const MEMBERS_MAX: i64 = 250;

/// Columns of a convoy in the order of `ConvoyEntry`'s fields; counts come from the mirror. Of the flags, those that
/// nothing else in the entry tells.
macro_rules! entry_columns {
    () => {
        "id, title, status, staged,
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id) AS total_beads,
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id AND status = 'closed') AS closed_beads,
         created_by, created_at, landed_at, feature_branch, merge_mode,
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id AND status = 'failed') AS failed_beads,
         (SELECT COUNT(*) FROM convoy_beads WHERE convoy_id = convoys.id AND status = 'closed' AND json_extract(mirror, '$.merge_commit') IS NOT NULL) AS merged_beads,
         forced_at, forced_by, ready_to_land,
         (SELECT json_group_array(json_object('rig_id', rig_id, 'status', status, 'attempts', attempts, 'merge_commit', merge_commit,
            'is_empty', is_empty, 'failure', failure)) FROM convoy_landings WHERE convoy_id = convoys.id) AS landings,
         (SELECT json_group_array(flag) FROM (
            SELECT 'member_deleted' AS flag WHERE EXISTS (SELECT 1 FROM convoy_beads WHERE convoy_id = convoys.id AND json_extract(mirror, '$.deleted'))
            UNION ALL SELECT 'branch_is_base' WHERE convoys.merge_mode <> 'review-and-merge' AND EXISTS (
              SELECT 1 FROM convoy_beads JOIN rigs ON rigs.id = convoy_beads.rig_id
              WHERE convoy_id = convoys.id AND rigs.default_branch = convoys.feature_branch))) AS flags"
    };
}

fn entries(cx: &Cx<'_>, statement: &str, params: impl Serialize) -> Result<Vec<ConvoyEntry>, Fault> {
    let mut entries: Vec<ConvoyEntry> = query(cx.sql, statement, params)?;
    for entry in &mut entries {
        entry.assess();
    }
    Ok(entries)
}

/// A convoy, if it exists.
pub(super) fn find(cx: &Cx<'_>, id: &ConvoyId) -> Result<Option<ConvoyEntry>, Fault> {
    Ok(entries(cx, concat!("-- convoys_find\nSELECT ", entry_columns!(), " FROM convoys WHERE id = ?"), (id,))?.pop())
}

/// The convoy with this id or title. A title means the active convoy that has it, else the newest that landed.
///
/// # Errors
/// `Conflict` when several active convoys have the title.
pub(super) fn find_named(cx: &Cx<'_>, named: &str) -> Result<Option<ConvoyEntry>, Failure> {
    if let Ok(id) = ConvoyId::parse(named.trim()) {
        return Ok(find(cx, &id)?);
    }
    let mut titled = entries(
        cx,
        concat!("-- convoys_titled\nSELECT ", entry_columns!(), " FROM convoys WHERE title = ? ORDER BY status, sequence DESC LIMIT 20"),
        (named,),
    )?;
    let active: Vec<&str> = titled.iter().filter(|entry| entry.status == ConvoyStatus::Active).map(|entry| entry.id.as_str()).collect();
    if active.len() > 1 {
        let refusal = Refusal::new(Code::Conflict, "Several convoys have that title");
        return Err(refusal.hint(format!("Use one of the ids {}.", active.join(", "))).into());
    }
    Ok((!titled.is_empty()).then(|| titled.swap_remove(0)))
}

/// The same for callers that must have one.
///
/// # Errors
/// `NotFound` in the contract's words.
pub(super) fn require_named(cx: &Cx<'_>, named: &str) -> Result<ConvoyEntry, Failure> {
    find_named(cx, named)?.ok_or_else(|| {
        let refusal = Refusal::not_found(Subject::Convoy(named.to_owned()), format!("Convoy not found: {named}"));
        refusal.hint(hint!["Call ", LIST_CONVOYS, " to see the convoys of the town."]).into()
    })
}

/// `findConvoy`: by id or title.
pub(crate) fn find_convoy(cx: &Cx<'_>, _caller: &Caller, (named,): (String,)) -> Result<Answer, Failure> {
    json(&find_named(cx, &named)?)
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

/// A member about to be written.
pub(super) struct NewMember<'a> {
    /// As its rig shows it, or will.
    pub(super) mirror: &'a ConvoyBead,
    pub(super) rig: &'a RigId,
    pub(super) body: Option<&'a str>,
    pub(super) metadata: &'a Map<String, Value>,
    pub(super) details: &'a TaskDetails,
    /// The rig had it before the convoy.
    pub(super) adopted: bool,
}

/// Writes a member of a convoy. Its position is the number of the membership too.
pub(super) fn insert_member(cx: &Cx<'_>, convoy: &ConvoyId, new: &NewMember<'_>) -> Result<(), Fault> {
    let [mirror, metadata, details] =
        [serde_json::to_string(new.mirror), serde_json::to_string(new.metadata), serde_json::to_string(new.details)]
            .map(Result::unwrap_or_default);
    let position = cx.next_number()?;
    execute(
        cx.sql,
        "-- convoys_insert_member\nINSERT INTO convoy_beads (bead_id, convoy_id, rig_id, position, title, body, metadata, mirror, status, adopted, details)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            &new.mirror.bead_id,
            convoy,
            new.rig,
            position,
            &new.mirror.title,
            new.body,
            metadata,
            mirror,
            new.mirror.status,
            i64::from(new.adopted),
            details,
        ),
    )
}

/// Removes a member, and the edges to it.
pub(super) fn delete_member(cx: &Cx<'_>, convoy: &ConvoyId, bead: &BeadId) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- convoys_delete_edges\nDELETE FROM convoy_edges WHERE convoy_id = ?1 AND (bead_id = ?2 OR depends_on_bead_id = ?2)",
        (convoy, bead),
    )?;
    execute(cx.sql, "-- convoys_delete_member\nDELETE FROM convoy_beads WHERE bead_id = ? AND convoy_id = ?", (bead, convoy))
}

/// Makes a member wait for another.
pub(super) fn insert_edge(cx: &Cx<'_>, convoy: &ConvoyId, waiter: &BeadId, blocker: &BeadId, until: BlockedUntil) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- convoys_insert_edge\nINSERT INTO convoy_edges (convoy_id, bead_id, depends_on_bead_id, until) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (convoy_id, bead_id, depends_on_bead_id) DO UPDATE SET until = ?4",
        (convoy, waiter, blocker, until),
    )
}

/// Removes the edges from a member.
pub(super) fn clear_edges_of(cx: &Cx<'_>, convoy: &ConvoyId, waiter: &BeadId) -> Result<(), Fault> {
    execute(cx.sql, "-- convoys_clear_edges\nDELETE FROM convoy_edges WHERE convoy_id = ? AND bead_id = ?", (convoy, waiter))
}

/// Which convoy a bead is in, and which rig has it.
pub(super) fn membership(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<(ConvoyId, RigId)>, Fault> {
    query_one(cx.sql, "-- convoys_membership\nSELECT convoy_id, rig_id FROM convoy_beads WHERE bead_id = ?", (bead,))
}

/// The metadata keys that belong to the convoy; a caller's values there are replaced.
pub(super) fn reserved(convoy: &ConvoyEntry) -> Map<String, Value> {
    let mut keys = Map::new();
    keys.insert("convoy_id".to_owned(), Value::from(convoy.id.as_str()));
    if let Some(branch) = &convoy.feature_branch {
        keys.insert("feature_branch".to_owned(), Value::from(branch.as_str()));
    }
    if let Some(mode) = convoy.merge_mode {
        keys.insert("merge_mode".to_owned(), Value::from(mode.as_str()));
    }
    keys
}

/// Everything one rig must know of a convoy.
pub(super) fn order_for_rig(cx: &Cx<'_>, id: &ConvoyId, rig: &RigId) -> Result<Option<ConvoyOrder>, Fault> {
    #[derive(Deserialize)]
    struct Row {
        bead_id: BeadId,
        joined: i64,
        adopted: i64,
        title: String,
        body: Option<String>,
        #[serde(deserialize_with = "json_column")]
        metadata: Map<String, Value>,
        #[serde(deserialize_with = "json_column")]
        details: TaskDetails,
        blockers_open: i64,
    }
    let Some(convoy) = find(cx, id)? else { return Ok(None) };
    let rows: Vec<Row> = query(
        cx.sql,
        "-- convoys_order\nSELECT bead_id, position AS joined, adopted, title, body, metadata, details, json_extract(mirror, '$.blockers_open') AS blockers_open
         FROM convoy_beads WHERE convoy_id = ? AND rig_id = ? ORDER BY position",
        (id, rig),
    )?;
    let edges: Vec<(BeadId, BeadId, BlockedUntil, i64)> = query(
        cx.sql,
        "-- convoys_order_edges\nSELECT edge.bead_id, edge.depends_on_bead_id, edge.until, blocker.rig_id <> waiter.rig_id
         FROM convoy_beads AS waiter JOIN convoy_edges AS edge ON edge.convoy_id = waiter.convoy_id AND edge.bead_id = waiter.bead_id
         JOIN convoy_beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         WHERE waiter.convoy_id = ? AND waiter.rig_id = ? ORDER BY waiter.position, blocker.position",
        (id, rig),
    )?;
    let beads = rows.into_iter().map(|row| OrderedBead {
        depends_on: edges
            .iter()
            .filter(|(waiter, ..)| *waiter == row.bead_id)
            .map(|(_, blocker, until, remote)| OrderedEdge { bead_id: blocker.clone(), until: *until, remote: *remote == 1 })
            .collect(),
        bead_id: row.bead_id,
        joined: row.joined,
        adopted: row.adopted == 1,
        title: row.title,
        body: row.body,
        metadata: row.metadata,
        details: row.details,
        blockers_open: row.blockers_open,
    });
    Ok(Some(ConvoyOrder {
        beads: beads.collect(),
        reserved: reserved(&convoy),
        convoy_id: convoy.id,
        staged: convoy.staged,
        closed: convoy.forced_at.is_some(),
        created_by: convoy.created_by,
        created_at: convoy.created_at,
    }))
}

/// The dependencies between the members.
pub(super) fn edges(cx: &Cx<'_>, id: &ConvoyId) -> Result<Vec<DependencyEdge>, Fault> {
    query(
        cx.sql,
        "-- convoys_edges\nSELECT edge.bead_id, edge.depends_on_bead_id, edge.until FROM convoy_edges AS edge
         JOIN convoy_beads AS waiter ON waiter.bead_id = edge.bead_id JOIN convoy_beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         WHERE edge.convoy_id = ? ORDER BY waiter.position, blocker.position",
        (id,),
    )
}

/// The rigs whose beads wait for a bead of another rig.
pub(super) fn rigs_waiting_for(cx: &Cx<'_>, blocker: &BeadId) -> Result<Vec<RigId>, Fault> {
    let rigs: Vec<(RigId,)> = query(
        cx.sql,
        "-- convoys_waiting_rigs\nSELECT DISTINCT waiter.rig_id FROM convoy_edges AS edge JOIN convoy_beads AS waiter ON waiter.bead_id = edge.bead_id
         JOIN convoy_beads AS blocker ON blocker.bead_id = edge.depends_on_bead_id
         WHERE edge.depends_on_bead_id = ? AND waiter.rig_id <> blocker.rig_id",
        (blocker,),
    )?;
    Ok(rigs.into_iter().map(|(rig,)| rig).collect())
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

/// How many members there are.
pub(super) fn size(cx: &Cx<'_>, id: &ConvoyId) -> Result<i64, Fault> {
    scalar(cx.sql, "-- convoys_size\nSELECT COUNT(*) FROM convoy_beads WHERE convoy_id = ?", (id,))
}

/// `listConvoys`: those that have not landed, newest first.
pub(crate) fn list_convoys(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&active(cx)?)
}

/// The convoys that have not landed, newest first.
pub(super) fn active(cx: &Cx<'_>) -> Result<Vec<ConvoyEntry>, Fault> {
    entries(
        cx,
        concat!("-- convoys_list\nSELECT ", entry_columns!(), " FROM convoys WHERE status = 'active' ORDER BY sequence DESC LIMIT ?"),
        (LIST_MAX,),
    )
}

/// `listConvoysDetailed`: the same with members and edges, from the mirror.
pub(crate) fn list_convoys_detailed(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let mut details = Vec::new();
    for entry in active(cx)? {
        let beads = mirrored_beads(cx, &entry.id)?;
        details.push(detail(cx, entry, beads)?);
    }
    json(&details)
}

/// A convoy with these members, its edges and their waves.
pub(super) fn detail(cx: &Cx<'_>, entry: ConvoyEntry, beads: Vec<ConvoyBead>) -> Result<ConvoyDetail, Fault> {
    let dependency_edges = edges(cx, &entry.id)?;
    let ids: Vec<BeadId> = beads.iter().map(|bead| bead.bead_id.clone()).collect();
    let waves = graph::bead_waves(&ids, &dependency_edges);
    Ok(ConvoyDetail { entry, beads, dependency_edges, waves, coverage: None })
}

/// The rigs that have beads of the convoy.
pub(super) fn rigs_of(cx: &Cx<'_>, id: &ConvoyId) -> Result<Vec<RigId>, Fault> {
    let rigs: Vec<(RigId,)> = query(cx.sql, "-- convoys_rigs\nSELECT DISTINCT rig_id FROM convoy_beads WHERE convoy_id = ?", (id,))?;
    Ok(rigs.into_iter().map(|(rig,)| rig).collect())
}

/// The members in the contract's bead shape, from the mirror.
pub(super) fn member_beads(cx: &Cx<'_>, convoy: &ConvoyEntry) -> Result<Vec<Bead>, Failure> {
    #[derive(Deserialize)]
    struct Row {
        body: Option<String>,
        #[serde(deserialize_with = "json_column")]
        metadata: Map<String, Value>,
        #[serde(deserialize_with = "json_column")]
        details: TaskDetails,
        #[serde(deserialize_with = "json_column")]
        mirror: ConvoyBead,
    }
    let rows: Vec<Row> = query(
        cx.sql,
        "-- convoys_members\nSELECT body, metadata, details, mirror FROM convoy_beads WHERE convoy_id = ? ORDER BY position",
        (&convoy.id,),
    )?;
    Ok(rows
        .into_iter()
        .map(|row| crate::objects::town::convoys::sling_batch::new_bead(&row.mirror, row.body, &row.metadata, &row.details, convoy))
        .collect())
}
