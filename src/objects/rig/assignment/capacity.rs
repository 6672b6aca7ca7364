//! The rig's polecats and its queue, for decisions about its limit of polecats.
//!
//! Owns `poolState`, and changes nothing. `dispatch` assigns work by the same counts.

use crate::contract::shapes::{PoolAgents, PoolQueue, RigPool};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::state;
use crate::objects::store::sql::query_one;
use base::error::Failure;
use serde_json::Map;

/// `poolState`.
pub(crate) fn pool_state(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let agents: Option<PoolAgents> = query_one(
        cx.sql,
        "-- pool_agents\nSELECT COUNT(*) FILTER (WHERE status IN ('working', 'waiting')) AS working,
           COUNT(*) FILTER (WHERE status = 'idle' AND current_hook_bead_id IS NOT NULL) AS assigned,
           COUNT(*) FILTER (WHERE status = 'idle' AND current_hook_bead_id IS NULL) AS idle,
           COUNT(*) FILTER (WHERE status = 'stalled') AS stalled, COUNT(*) FILTER (WHERE status = 'dead') AS dead,
           COUNT(*) FILTER (WHERE status <> 'dead' AND current_hook_bead_id IS NOT NULL) AS hooked
         FROM agents INDEXED BY agents_role WHERE role = 'polecat'",
        (),
    )?;
    // Ready means what dispatch means by it. Triage requests are no work and stay held.
    let queue: Option<PoolQueue> = query_one(
        cx.sql,
        "-- pool_queue\nSELECT COUNT(*) FILTER (WHERE is_free AND blockers_open = 0 AND not_before <= ?1) AS ready,
           min(updated_at) FILTER (WHERE is_free AND blockers_open = 0 AND not_before <= ?1) AS ready_since,
           COUNT(*) FILTER (WHERE is_free AND blockers_open = 0 AND not_before > ?1) AS resting,
           min(not_before) FILTER (WHERE is_free AND blockers_open = 0 AND not_before > ?1) AS rested_at,
           COUNT(*) FILTER (WHERE is_free AND blockers_open > 0) AS blocked,
           COUNT(*) FILTER (WHERE held = 1 AND staged = 0 AND NOT is_triage) AS held, COUNT(*) FILTER (WHERE held = 1 AND staged = 1) AS staged
         FROM (SELECT blockers_open, held, staged, updated_at, coalesce(not_before, 0) AS not_before,
                 assignee_agent_id IS NULL AND held = 0 AS is_free, instr(labels, '\"gt:triage-request\"') > 0 AS is_triage
               FROM beads INDEXED BY beads_status WHERE status = 'open' AND type = 'issue')",
        (cx.now.millis(),),
    )?;
    json(&RigPool {
        rig_id: rig.rig_id.clone(),
        name: rig.name.clone(),
        capacity: rig.capacity,
        agents: agents.unwrap_or_default(),
        queue: queue.unwrap_or_default(),
        as_of: cx.now,
        parked: rig.parked,
        overrides: Map::new(),
    })
}
