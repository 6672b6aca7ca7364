//! The deletion of this rig: the count of work that would be lost, and the letter that makes it empty itself.
//!
//! Owns no table. The town decides whether the rig goes and owns the consequences (`town::rigs::deletion`).

use crate::contract::shapes::RigFacts;
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::counters;
use crate::objects::store::sql::query_one;
use base::error::Failure;

/// `rigFacts`: the town asks before it removes the rig.
pub(crate) fn rig_facts(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let beads = counters::bead_counts(cx)?;
    let agents: Option<(i64, i64)> =
        query_one(cx.sql, "-- removal_agents\nSELECT COUNT(*), COUNT(current_hook_bead_id) FROM agents WHERE status <> 'dead'", ())?;
    let (agents, hooked) = agents.unwrap_or_default();
    json(&RigFacts { active_beads: beads.open + beads.in_progress + beads.in_review, agents, hooked })
}
