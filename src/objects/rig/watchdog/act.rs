//! Carries out the watchdog's decisions, with the functions that reports and people use.
//!
//! Owns the end of an order that nothing reports on. Decides nothing.

use super::alerts;
use super::decide::{Action, Running};
use crate::contract::alerts::AUTHOR;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{AgentStatus, BeadEventType, BeadStatus, NudgeMode, NudgeOptions, NudgePriority};
use crate::contract::watch::{NUDGE, WatchSettings};
use crate::objects::handler::Cx;
use crate::objects::rig::agents::completion;
use crate::objects::rig::assignment::hooks;
use crate::objects::rig::assignment::orders;
use crate::objects::rig::assignment::orders::OrderOutcome;
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::messages::nudges;
use crate::objects::rig::{agents, beads, outbox_letters, topics};
use crate::objects::store::sql::{execute, query_one};
use base::error::Failure;
use serde_json::json;

/// Why an order is stopped.
const NO_PROGRESS: &str = "it made no progress";

/// Does one thing.
pub(super) fn carry_out(cx: &Cx<'_>, rig: &RigState, settings: &WatchSettings, action: &Action) -> Result<(), Failure> {
    match action {
        Action::Lose(order) => {
            give_up(cx, rig, (&order.agent, &order.bead, order.id), OrderOutcome::Lost, "nothing was heard of its process any more")
        }
        Action::Nudge(order) => {
            nudge(cx, order)?;
            outbox_letters::summary_changed(cx, rig)
        }
        Action::Stall(order) => {
            execute(cx.sql, "-- watch_escalated\nUPDATE orders SET escalated_at = ? WHERE id = ?", (cx.now.millis(), order.id))?;
            set_status(cx, rig, &order.agent, AgentStatus::Stalled)
        }
        Action::Revive(order) => revive(cx, rig, order),
        // A refinery is the only one of its rig; its order is over, which keeps its process out.
        Action::Stop(order) if order.is_review => {
            give_up(cx, rig, (&order.agent, &order.bead, order.id), OrderOutcome::Stopped, NO_PROGRESS)
        }
        Action::Stop(order) => stop(cx, rig, &order.agent, &order.bead, order.id),
        Action::Reopen(bead) => {
            let is_left = hooks::holder(cx, bead)?.is_none() && beads::require(cx, bead)?.status == BeadStatus::InProgress;
            if is_left { hooks::reopen(cx, rig, bead) } else { Ok(()) }
        }
        Action::Remove(agent) => agents::remove(cx, rig, agent),
        Action::Raise(kind, subject) => alerts::raise(cx, rig, settings, *kind, subject),
        Action::Resume(kind, subject) => alerts::set_over(cx, *kind, subject, None),
        Action::Ease(kind, subject) => alerts::set_over(cx, *kind, subject, Some(cx.now)),
        Action::Resolve(kind, subject) => alerts::resolve(cx, rig, *kind, subject),
    }
}

/// Ends the order of a polecat that gets nowhere; it is dead then, and its bead goes back as `give_up` has it.
pub(in crate::objects::rig) fn stop(cx: &Cx<'_>, rig: &RigState, agent: &AgentId, bead: &BeadId, order: i64) -> Result<(), Failure> {
    give_up(cx, rig, (agent, bead, order), OrderOutcome::Stopped, NO_PROGRESS)?;
    set_status(cx, rig, agent, AgentStatus::Dead)
}

/// Ends an order without a report: its bead goes back to the queue and rests, or fails when its attempts are spent.
fn give_up(
    cx: &Cx<'_>,
    rig: &RigState,
    (agent, bead, order): (&AgentId, &BeadId, i64),
    ending: OrderOutcome,
    reason: &str,
) -> Result<(), Failure> {
    let exited = Happened::to(BeadEventType::AgentExited, bead).agent(agent.as_str());
    events::write(
        cx,
        &exited
            .values(None, if ending == OrderOutcome::Lost { "lost" } else { "stopped" })
            .about(json!({"reason": reason, "order": order})),
    )?;
    orders::end(cx, agent, ending)?;
    execute(cx.sql, "-- watch_attempt\nUPDATE agents SET dispatch_attempts = dispatch_attempts + 1 WHERE id = ?", (agent,))?;
    completion::give_back(cx, rig, &beads::require(cx, bead)?, reason)
}

fn nudge(cx: &Cx<'_>, order: &Running) -> Result<(), Failure> {
    let options = NudgeOptions {
        mode: Some(NudgeMode::Immediate),
        priority: Some(NudgePriority::Urgent),
        source: Some(AUTHOR.to_owned()),
        ttl_seconds: None,
    };
    execute(cx.sql, "-- watch_nudged\nUPDATE orders SET nudged_at = ? WHERE id = ?", (cx.now.millis(), order.id))?;
    match cx.attempt(|| nudges::queue(cx, &order.agent, NUDGE, AUTHOR, &options)) {
        // An agent with a full queue of nudges would not answer this one either.
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn revive(cx: &Cx<'_>, rig: &RigState, order: &Running) -> Result<(), Failure> {
    execute(cx.sql, "-- watch_revived\nUPDATE orders SET nudged_at = NULL, escalated_at = NULL WHERE id = ?", (order.id,))?;
    if agents::require(cx, &order.agent)?.status == AgentStatus::Stalled {
        set_status(cx, rig, &order.agent, AgentStatus::Working)?;
    }
    Ok(())
}

/// The watch's word about an agent, which is no sign of life of it.
fn set_status(cx: &Cx<'_>, rig: &RigState, agent: &AgentId, status: AgentStatus) -> Result<(), Failure> {
    let before: Option<(AgentStatus,)> = query_one(cx.sql, "-- watch_status_before\nSELECT status FROM agents WHERE id = ?", (agent,))?;
    let Some((before,)) = before.filter(|(before,)| *before != status) else { return Ok(()) };
    execute(cx.sql, "-- watch_status\nUPDATE agents SET status = ? WHERE id = ?", (status, agent))?;
    let event = agents::happened(BeadEventType::AgentStatus, agent).values(Some(before.as_str()), status.as_str());
    events::write(cx, &event.about(json!({"by": AUTHOR})))?;
    topics::agent_changed(cx, rig, agent)?;
    outbox_letters::summary_changed(cx, rig)
}
