//! Whether a rig agrees with itself, and mending it where it does not.
//!
//! Owns no table: it recounts the tables of its neighbours. The town asks it for the whole town (`town::check`).

use super::convoys::select_members;
use super::state;
use super::{agents, topics};
use crate::contract::ids::{AgentId, BeadId, ConvoyId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::RigCheck;
use crate::objects::handler::{Answer, Caller, Cx, Flush, json};
use crate::objects::outbox;
use crate::objects::rig::assignment::orders;
use crate::objects::rig::assignment::orders::OrderOutcome;
use crate::objects::rig::assignment::{dispatch, hooks};
use crate::objects::rig::beads::dependencies;
use crate::objects::rig::{counters, outbox_letters};
use crate::objects::store::meta;
use crate::objects::store::sql::{execute, json_list, query, scalar};
use base::error::Failure;

/// Most of each thing in one answer.
const LISTED_MAX: i64 = 500;
/// Most members in one answer.
const MEMBERS_LISTED_MAX: i64 = 5_000;

/// `checkRig`: looks only.
pub(crate) fn check_rig(cx: &Cx<'_>, _caller: &Caller, (convoys,): (Vec<ConvoyId>,)) -> Result<Answer, Failure> {
    json(&inspect(cx, &*state::require(cx)?, &convoys)?)
}

/// `repairRig`: mends the findings of a check and answers with them. Repeating it changes nothing more.
pub(crate) fn repair_rig(cx: &Cx<'_>, _caller: &Caller, (convoys,): (Vec<ConvoyId>,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let mut found = inspect(cx, &rig, &convoys)?;
    for agent in &found.orphan_hooks {
        execute(
            cx.sql,
            "-- check_unhook\nUPDATE agents SET current_hook_bead_id = NULL, branch = NULL, checkpoint = 'null', status = 'idle' WHERE id = ?",
            (agent,),
        )?;
        orders::end(cx, agent, OrderOutcome::Released)?;
        topics::agent_changed(cx, &rig, agent)?;
    }
    for agent in &found.misordered {
        orders::end(cx, agent, OrderOutcome::Released)?;
        if let Some(bead) = agents::find(cx, agent)?.and_then(|agent| agent.current_hook_bead_id) {
            orders::renew(cx, agent, &bead)?;
        }
    }
    for bead in &found.unheld {
        hooks::reopen(cx, &rig, bead)?;
        execute(cx.sql, "-- check_release\nUPDATE beads SET assignee_agent_id = NULL WHERE bead_id = ?", (bead,))?;
        outbox_letters::bead_changed(cx, &rig, bead)?;
    }
    for bead in &found.miscounted {
        dependencies::recount(cx, &rig, bead)?;
    }
    counters::rebuild(cx, &found.tallies)?;
    outbox_letters::summary_changed(cx, &rig)?;
    dispatch::dispatch(cx, &rig)?;
    outbox::hurry(cx.sql, cx.now)?;
    cx.flush(Flush::AfterReply);
    let after = inspect(cx, &rig, &convoys)?;
    // The findings, and the members after the repair.
    (found.as_of, found.members, found.memberships, found.untold) = (after.as_of, after.members, after.memberships, after.untold);
    json(&found)
}

fn inspect(cx: &Cx<'_>, rig: &RigState, convoys: &[ConvoyId]) -> Result<RigCheck, Failure> {
    let convoys = json_list(convoys)?;
    let orphan_hooks: Vec<(AgentId,)> = query(
        cx.sql,
        "-- check_orphan_hooks\nSELECT agents.id FROM agents LEFT JOIN beads ON beads.bead_id = agents.current_hook_bead_id
         WHERE agents.current_hook_bead_id IS NOT NULL AND coalesce(beads.status, 'failed') IN ('closed', 'failed') LIMIT ?",
        (LISTED_MAX,),
    )?;
    // Beads of the Mayor are on no hook, and neither is a merge request whose pull request is open.
    let unheld: Vec<(BeadId,)> = query(
        cx.sql,
        "-- check_unheld\nSELECT bead_id FROM beads WHERE assignee_agent_id IS NOT NULL AND assignee_agent_id IS NOT ? AND status IN ('open', 'in_progress')
           AND NOT EXISTS (SELECT 1 FROM agents WHERE agents.current_hook_bead_id = beads.bead_id)
           AND NOT EXISTS (SELECT 1 FROM merge_requests WHERE merge_requests.bead_id = beads.bead_id AND pr_url IS NOT NULL AND status = 'in_progress') LIMIT ?",
        (&rig.mayor_agent_id, LISTED_MAX),
    )?;
    let waiting: Vec<(BeadId, i64)> = query(
        cx.sql,
        "-- check_waiting\nSELECT bead_id, blockers_open FROM beads WHERE status NOT IN ('closed', 'failed') AND (blockers_open <> 0
           OR EXISTS (SELECT 1 FROM bead_dependencies AS edge WHERE edge.bead_id = beads.bead_id AND edge.dependency_type = 'blocks'))",
        (),
    )?;
    let mut miscounted = Vec::new();
    for (bead, counted) in waiting {
        if dependencies::unmet(cx, &bead)? != counted {
            miscounted.push(bead);
        }
    }
    let untold: Vec<(String,)> = query(cx.sql, "-- check_untold\nSELECT subject FROM outbox WHERE kind = 'bead'", ())?;
    Ok(RigCheck {
        as_of: meta::get(cx.sql, "change")?,
        beads: scalar(cx.sql, "-- check_beads\nSELECT COUNT(*) FROM beads", ())?,
        agents: scalar(cx.sql, "-- check_agents\nSELECT COUNT(*) FROM agents", ())?,
        misordered: query(
            cx.sql,
            "-- check_misordered\nSELECT agents.id FROM agents LEFT JOIN orders ON orders.agent_id = agents.id AND ended_at IS NULL
             WHERE agents.current_hook_bead_id IS NOT orders.bead_id LIMIT ?",
            (LISTED_MAX,),
        )?
        .into_iter()
        .map(|(agent,)| agent)
        .collect(),
        orphan_hooks: orphan_hooks.into_iter().map(|(agent,)| agent).collect(),
        unheld: unheld.into_iter().map(|(bead,)| bead).collect(),
        miscounted,
        tallies: counters::wrong(cx)?,
        letters_failing: scalar(cx.sql, "-- check_failing\nSELECT COUNT(*) FROM outbox WHERE attempts > 1", ())?,
        untold: untold.into_iter().map(|(bead,)| bead).collect(),
        members: query(
            cx.sql,
            concat!("-- check_members\n", select_members!(), "convoy_id IN (SELECT value FROM json_each(?)) LIMIT ?"),
            (convoys, MEMBERS_LISTED_MAX),
        )?,
        memberships: query(
            cx.sql,
            "-- check_memberships\nSELECT bead_id, convoy_id FROM beads WHERE convoy_id IS NOT NULL AND status NOT IN ('closed', 'failed') LIMIT ?",
            (MEMBERS_LISTED_MAX,),
        )?,
    })
}
