//! A close look at the members of convoys: holders and their silence, blockers, the state of reviews, and
//! escalations.
//!
//! Owns no table and no decision; `unstick` acts, the caller decides.

use crate::contract::columns::{flag_column, json_column};
use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::shapes::{Bead, ConvoyBead, HolderInspection, MemberInspection, RaisedAbout, ReviewInspection, RigInspection};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::beads::bead_columns;
use crate::objects::rig::beads::dependencies;
use crate::objects::rig::convoys::select_members;
use crate::objects::rig::{agents, counters, state, watchdog};
use crate::objects::store::sql::{json_list, query, query_one, scalar};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Most members in one answer.
const MEMBERS_MAX: i64 = 5_000;
/// Escalations that are looked through, from the newest.
const ESCALATIONS_MAX: i64 = 1_000;
/// Orders that ended without a report, of which crashes are counted.
const EXITS_MAX: i64 = 200;

/// Fields of a `HolderInspection`, of an agent and the order of its hook.
macro_rules! holder_fields {
    () => {
        "'agent_id', agents.id, 'name', agents.name, 'status', agents.status, 'order', orders.id,
         'is_taken_up', orders.handed_at IS NOT NULL OR orders.started_at IS NOT NULL OR agents.status <> 'idle',
         'progress_at', max(orders.progress_at, coalesce(orders.handed_at, 0), coalesce(orders.started_at, 0)),
         'nudged_at', (SELECT max(created_at) FROM messages INDEXED BY messages_recipient
            WHERE recipient = agents.id AND created_at >= orders.created_at AND channel = 'nudge' AND sender NOT IN (SELECT id FROM agents))"
    };
}

/// A column that holds JSON text.
#[derive(Deserialize)]
struct Nested<T: DeserializeOwned>(#[serde(deserialize_with = "json_column")] T);

/// `inspectMembers`: the members of these convoys, and the escalations about these beads, which may be gone.
pub(crate) fn inspect_members(cx: &Cx<'_>, _caller: &Caller, (convoys, beads): (Vec<ConvoyId>, Vec<BeadId>)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let (living, idle): (i64, i64) = query_one(
        cx.sql,
        "-- inspection_pool\nSELECT COUNT(*), COUNT(*) FILTER (WHERE status = 'idle' AND current_hook_bead_id IS NULL)
         FROM agents WHERE role = 'polecat' AND status <> 'dead'",
        (),
    )?
    .unwrap_or_default();
    let no_runner: Option<(Option<BeadId>,)> = query_one(
        cx.sql,
        "-- inspection_no_runner\nSELECT escalation_id FROM alerts WHERE kind = 'no_runner' AND subject = '' AND over_at IS NULL",
        (),
    )?;
    let convoys = json_list(&convoys)?;
    json(&RigInspection {
        rig_id: rig.rig_id.clone(),
        name: rig.name.clone(),
        parked: rig.parked,
        draining: rig.draining,
        breaker_open: rig.breaker_open,
        resumed_at: rig.resumed_at,
        capacity: rig.capacity,
        living,
        idle,
        queue_depth: counters::queue_depth(cx)?,
        has_refinery: agents::refinery(cx)?.is_some(),
        no_runner: no_runner.and_then(|(escalation,)| escalation),
        members: members(cx, rig.mayor_agent_id.as_ref().map(crate::contract::ids::AgentId::as_str), &convoys)?,
        unmet: dependencies::unmet_from(cx, &convoys)?,
        raised: raised(cx, &beads)?,
    })
}

/// `failedMembers`: the failed beads of a convoy, whole.
pub(crate) fn failed_members(cx: &Cx<'_>, _caller: &Caller, (id,): (ConvoyId,)) -> Result<Answer, Failure> {
    let failed: Vec<Bead> = query(
        cx.sql,
        concat!(
            "-- inspection_failed\nSELECT ",
            bead_columns!(),
            " FROM beads WHERE convoy_id = ? AND status = 'failed' ORDER BY sequence"
        ),
        (id,),
    )?;
    json(&failed)
}

/// The columns of a member that its convoy does not show.
#[derive(Deserialize)]
struct Row {
    bead_id: BeadId,
    updated_at: Timestamp,
    attempts: i64,
    rests_until: Option<Timestamp>,
    #[serde(deserialize_with = "flag_column")]
    is_held: bool,
    #[serde(deserialize_with = "flag_column")]
    is_mayors: bool,
    #[serde(deserialize_with = "flag_column")]
    has_conflicts: bool,
    stopped: i64,
}

/// `convoys` is a JSON array of ids.
fn members(cx: &Cx<'_>, mayor: Option<&str>, convoys: &str) -> Result<Vec<MemberInspection>, Fault> {
    let beads: Vec<ConvoyBead> = query(
        cx.sql,
        concat!("-- inspection_members\n", select_members!(), "convoy_id IN (SELECT value FROM json_each(?)) LIMIT ?"),
        (convoys, MEMBERS_MAX),
    )?;
    let rows: Vec<Row> = query(
        cx.sql,
        "-- inspection_rows\nSELECT bead_id, updated_at, dispatch_attempts AS attempts, not_before AS rests_until, held = 1 AND staged = 0 AS is_held,
           assignee_agent_id IS NOT NULL AND assignee_agent_id IS ? AS is_mayors, json_extract(metadata, '$.has_conflicts') IS 1 AS has_conflicts,
           (SELECT COUNT(*) FROM bead_events WHERE bead_events.bead_id = beads.bead_id AND event_type = 'agent_exited' AND new_value = 'stopped') AS stopped
         FROM beads WHERE convoy_id IN (SELECT value FROM json_each(?)) LIMIT ?",
        (mayor, convoys, MEMBERS_MAX),
    )?;
    let mut holders: Vec<(BeadId, HolderInspection)> = holders(cx, convoys)?;
    let mut reviews: Vec<(BeadId, ReviewInspection)> = reviews(cx, convoys)?;
    let since = cx.now.plus_millis(-watchdog::thresholds(cx)?.restart_loop_seconds.saturating_mul(1_000));
    let exits: Vec<(BeadId,)> = query(
        cx.sql,
        "-- inspection_exits\nSELECT bead_id FROM orders INDEXED BY orders_ended WHERE ended_at > ? AND outcome IN ('failed', 'lost') ORDER BY ended_at DESC LIMIT ?",
        (since.millis(), EXITS_MAX),
    )?;
    let look = |bead: ConvoyBead| {
        let row = rows.iter().find(|row| row.bead_id == bead.bead_id)?;
        Some(MemberInspection {
            updated_at: row.updated_at,
            attempts: row.attempts,
            rests_until: row.rests_until.filter(|at| *at > cx.now),
            is_held: row.is_held,
            is_mayors: row.is_mayors,
            has_conflicts: row.has_conflicts,
            holder: take(&mut holders, &bead.bead_id),
            review: take(&mut reviews, &bead.bead_id),
            crashes: i64::try_from(exits.iter().filter(|(exit,)| *exit == bead.bead_id).count()).unwrap_or(i64::MAX),
            stopped: row.stopped,
            bead,
        })
    };
    Ok(beads.into_iter().filter_map(look).collect())
}

fn take<T>(found: &mut Vec<(BeadId, T)>, bead: &BeadId) -> Option<T> {
    let place = found.iter().position(|(of, _)| of == bead)?;
    Some(found.swap_remove(place).1)
}

fn holders(cx: &Cx<'_>, convoys: &str) -> Result<Vec<(BeadId, HolderInspection)>, Fault> {
    query(
        cx.sql,
        concat!(
            "-- inspection_holders\nSELECT beads.bead_id, json_object(",
            holder_fields!(),
            ") FROM beads JOIN agents INDEXED BY agents_hook ON agents.current_hook_bead_id = beads.bead_id
             JOIN orders INDEXED BY orders_open ON orders.agent_id = agents.id AND ended_at IS NULL
             WHERE convoy_id IN (SELECT value FROM json_each(?)) LIMIT ?"
        ),
        (convoys, MEMBERS_MAX),
    )
    .map(|rows: Vec<(BeadId, Nested<HolderInspection>)>| rows.into_iter().map(|(bead, holder)| (bead, holder.0)).collect())
}

/// The holder of one bead.
pub(in crate::objects::rig) fn holder_of(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<HolderInspection>, Fault> {
    let found: Option<(Nested<HolderInspection>,)> = query_one(
        cx.sql,
        concat!(
            "-- inspection_holder\nSELECT json_object(",
            holder_fields!(),
            ") FROM agents INDEXED BY agents_hook JOIN orders INDEXED BY orders_open ON orders.agent_id = agents.id AND ended_at IS NULL
             WHERE agents.current_hook_bead_id = ?"
        ),
        (bead,),
    )?;
    Ok(found.map(|(holder,)| holder.0))
}

fn reviews(cx: &Cx<'_>, convoys: &str) -> Result<Vec<(BeadId, ReviewInspection)>, Fault> {
    query(
        cx.sql,
        "-- inspection_reviews\nSELECT beads.bead_id, json_object('bead_id', request.bead_id, 'status', request.status, 'has_pull_request', review.pr_url IS NOT NULL,
           'is_held', agents.id IS NOT NULL, 'blockers_open', request.blockers_open, 'updated_at', max(request.updated_at, coalesce(orders.progress_at, 0)))
         FROM beads JOIN merge_requests AS review INDEXED BY merge_requests_source ON review.source_bead_id = beads.bead_id
         JOIN beads AS request ON request.bead_id = review.bead_id
         LEFT JOIN agents INDEXED BY agents_hook ON agents.current_hook_bead_id = request.bead_id
         LEFT JOIN orders INDEXED BY orders_open ON orders.agent_id = agents.id AND ended_at IS NULL
         WHERE beads.convoy_id IN (SELECT value FROM json_each(?)) AND request.status NOT IN ('closed', 'failed') LIMIT ?",
        (convoys, MEMBERS_MAX),
    )
    .map(|rows: Vec<(BeadId, Nested<ReviewInspection>)>| rows.into_iter().map(|(bead, review)| (bead, review.0)).collect())
}

/// Escalations about these beads or their merge requests, newest first.
pub(in crate::objects::rig) fn raised(cx: &Cx<'_>, beads: &[BeadId]) -> Result<Vec<RaisedAbout>, Fault> {
    let any: i64 = scalar(
        cx.sql,
        "-- inspection_any_raised\nSELECT EXISTS (SELECT 1 FROM beads INDEXED BY beads_type WHERE type <> 'issue' AND type = 'escalation')",
        (),
    )?;
    if any == 0 || beads.is_empty() {
        return Ok(Vec::new());
    }
    query(
        cx.sql,
        "-- inspection_raised\nSELECT json_extract(metadata, '$.source_bead_id') AS about, bead_id AS escalation_id, coalesce(json_extract(metadata, '$.category'), '') AS category,
           json_extract(metadata, '$.order') AS \"order\", status NOT IN ('closed', 'failed') AS is_open
         FROM (SELECT bead_id, status, metadata FROM beads INDEXED BY beads_type
           WHERE type <> 'issue' AND type = 'escalation' ORDER BY created_at DESC, bead_id DESC LIMIT ?2) AS mine
         WHERE json_extract(metadata, '$.source_bead_id') IN (SELECT value FROM json_each(?1)
           UNION ALL SELECT review.bead_id FROM json_each(?1) CROSS JOIN merge_requests AS review INDEXED BY merge_requests_source ON review.source_bead_id = value)",
        (json_list(beads)?, ESCALATIONS_MAX),
    )
}
