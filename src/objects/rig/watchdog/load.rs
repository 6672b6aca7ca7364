//! Loads the state that the watchdog decides on, with a few bounded queries over indexes.
//!
//! Owns no table and no decision.

use super::alerts;
use super::decide::Watched;
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::PatrolCounts;
use crate::contract::watch::WatchSettings;
use crate::objects::handler::Cx;
use crate::objects::rig::counters;
use crate::objects::store::sql::{query, query_one, scalar};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde_json::Value;

/// Rows of one kind per look; the next look finds the rest.
const ROWS_MAX: i64 = 100;
/// Agents that one look takes: as many as live, and those that died within a day.
const AGENTS_MAX: i64 = 1_000;
/// Orders that ended without a report, as many as one look takes.
const EXITS_MAX: i64 = 200;

/// The town's thresholds, as this rig was last told.
pub(in crate::objects::rig) fn settings(cx: &Cx<'_>) -> Result<WatchSettings, Fault> {
    let text: String = scalar(cx.sql, "-- watch_settings\nSELECT watch FROM rig", ())?;
    Ok(WatchSettings::of(serde_json::from_str::<Value>(&text).ok().as_ref()))
}

/// The rig as it stands.
pub(super) fn load(cx: &Cx<'_>, rig: &RigState, settings: &WatchSettings) -> Result<Watched, Failure> {
    let orders = query(
        cx.sql,
        "-- watch_orders\nSELECT orders.id, orders.agent_id AS agent, orders.bead_id AS bead, beads.type = 'merge_request' AS is_review,
           agents.status <> 'idle' AS is_begun, orders.created_at, handed_at, started_at, heartbeat_at, progress_at, nudged_at, escalated_at
         FROM orders INDEXED BY orders_waiting JOIN agents ON agents.id = orders.agent_id JOIN beads ON beads.bead_id = orders.bead_id
         WHERE ended_at IS NULL AND orders.id > 0",
        (),
    )?;
    // Beads of the Mayor are on no hook.
    let orphans = query(
        cx.sql,
        "-- watch_orphans\nSELECT bead_id AS bead, updated_at AS since FROM beads INDEXED BY beads_status
         WHERE status = 'in_progress' AND type IN ('issue', 'molecule') AND coalesce(assignee_agent_id, '') IS NOT coalesce(?, '-')
           AND NOT EXISTS (SELECT 1 FROM agents INDEXED BY agents_hook WHERE current_hook_bead_id = beads.bead_id) LIMIT ?",
        (&rig.mayor_agent_id, ROWS_MAX),
    )?;
    let abandoned = query(
        cx.sql,
        "-- watch_abandoned\nSELECT beads.bead_id AS bead, updated_at AS since FROM beads INDEXED BY beads_requests
         LEFT JOIN merge_requests AS review USING (bead_id)
         WHERE type = 'merge_request' AND status = 'in_progress' AND review.pr_url IS NULL
           AND NOT EXISTS (SELECT 1 FROM agents INDEXED BY agents_hook WHERE current_hook_bead_id = beads.bead_id) ORDER BY updated_at LIMIT ?",
        (ROWS_MAX,),
    )?;
    let since = cx.now.plus_millis(-settings.restart_loop_seconds.saturating_mul(1_000));
    let exits = query(
        cx.sql,
        "-- watch_exits\nSELECT agent_id AS agent, bead_id AS bead, ended_at AS at FROM orders INDEXED BY orders_ended
         WHERE ended_at > ? AND outcome IN ('failed', 'lost') ORDER BY ended_at DESC LIMIT ?",
        (since.millis(), EXITS_MAX),
    )?;
    // Without a refinery nothing would be reviewed, so the living one stays.
    let unused = query(
        cx.sql,
        "-- watch_unused\nSELECT id AS agent, coalesce(last_activity_at, created_at) AS since,
           EXISTS (SELECT 1 FROM messages WHERE recipient = agents.id AND delivered_at IS NULL) AS has_mail
         FROM agents INDEXED BY agents_role
         WHERE role IN ('polecat', 'refinery') AND status IN ('idle', 'dead') AND current_hook_bead_id IS NULL AND (status = 'dead' OR role = 'polecat')
         LIMIT ?",
        (AGENTS_MAX,),
    )?;
    Ok(Watched {
        paused: rig.is_paused(),
        is_broken: rig.breaker_open,
        resumed_at: rig.resumed_at,
        orders,
        orphans,
        abandoned,
        exits,
        waiting: counters::queue_depth(cx)?,
        alerts: alerts::load(cx)?,
        unused,
    })
}

/// The figures that the town adds up: agents that were nudged, agents that count as stalled, and when the newest orders ended without a
/// report, the newest first.
pub(in crate::objects::rig) fn told(cx: &Cx<'_>) -> Result<(PatrolCounts, Vec<Timestamp>), Fault> {
    let counts: Option<(i64, i64)> = query_one(
        cx.sql,
        "-- watch_patrol\nSELECT COUNT(*) FILTER (WHERE nudged_at >= progress_at), COUNT(*) FILTER (WHERE escalated_at >= progress_at)
         FROM orders INDEXED BY orders_waiting WHERE ended_at IS NULL AND id > 0",
        (),
    )?;
    let (gupp_warnings, gupp_escalations) = counts.unwrap_or_default();
    let defaults = WatchSettings::default();
    let failed: Vec<(Timestamp,)> = query(
        cx.sql,
        "-- watch_failed\nSELECT ended_at FROM orders INDEXED BY orders_ended
         WHERE ended_at > ?1 - 1000 * coalesce((SELECT json_extract(watch, '$.breaker_seconds') FROM rig WHERE one = 1), ?2) AND outcome IN ('failed', 'lost')
         ORDER BY ended_at DESC LIMIT coalesce((SELECT json_extract(watch, '$.breaker_failures') FROM rig WHERE one = 1), ?3)",
        (cx.now.millis(), defaults.breaker_seconds, defaults.breaker_failures),
    )?;
    Ok((PatrolCounts { gupp_warnings, gupp_escalations, ..PatrolCounts::default() }, failed.into_iter().map(|(at,)| at).collect()))
}
