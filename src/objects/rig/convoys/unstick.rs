//! One step that gets a stuck bead going: its holder is nudged or replaced, or people are told.
//!
//! Owns these steps and that each is taken once: a step names its premise (the holder, its order, the start of its
//! silence), and does nothing when the premise no longer holds. The caller decides which step is due; the watchdog acts by
//! itself.

use super::inspection::{holder_of, raised};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{
    BeadStatus, HolderInspection, NudgeMode, NudgeOptions, NudgePriority, Severity, UnstickInput, UnstickResult, UnstickStep,
};
use crate::contract::watch::NUDGE;
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::assignment::free_polecats::Roster;
use crate::objects::rig::assignment::{dispatch, hooks};
use crate::objects::rig::messages::escalations;
use crate::objects::rig::messages::escalations::NewEscalation;
use crate::objects::rig::messages::nudges;
use crate::objects::rig::state;
use crate::objects::rig::{beads, outbox_letters, watchdog};
use crate::objects::store::sql::execute;
use base::error::{Code, Failure, Refusal, refuse};

/// The source that a nudge of this step names.
pub const SOURCE: &str = "convoy_unstick";

/// Longest category, in bytes.
const CATEGORY_BYTES_MAX: usize = 100;

/// `unstickBead`.
pub(crate) fn unstick_bead(cx: &Cx<'_>, caller: &Caller, (input,): (UnstickInput,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if rig.is_paused() {
        // Refused, not answered: an answer would be remembered under the caller's key beyond the end of the pause.
        let refusal = Refusal::new(Code::Conflict, format!("Rig {} is parked or drains: nothing is done in a pause", rig.name));
        return Err(refusal.hint("Call again when the pause is over; nothing was changed.").into());
    }
    json(&match input.step {
        UnstickStep::Nudge => nudge(cx, caller, &input)?,
        UnstickStep::Reassign => reassign(cx, &rig, &input)?,
        UnstickStep::Escalate => escalate(cx, &rig, &input)?,
    })
}

fn not_done(why: &str) -> UnstickResult {
    UnstickResult { why: Some(why.to_owned()), ..UnstickResult::default() }
}

/// The holder, if it is still the one that the step is about and has done nothing since.
fn still_silent(cx: &Cx<'_>, input: &UnstickInput) -> Result<Result<HolderInspection, UnstickResult>, Failure> {
    let (Some(agent), Some(order), Some(since)) = (&input.agent_id, input.order, input.silent_since) else {
        return Err(refuse(Code::InvalidArgument, "agent_id, order and silent_since are needed to nudge and to reassign"));
    };
    let holder = holder_of(cx, &input.bead_id)?.filter(|holder| holder.agent_id == *agent && holder.order == order);
    Ok(match holder {
        None => Err(not_done("somebody else holds the bead now, or nobody")),
        Some(holder) if holder.progress_at > since => Err(not_done("its holder has done something meanwhile")),
        Some(holder) => Ok(holder),
    })
}

/// Asks the holder once; its answer is anything that it does.
fn nudge(cx: &Cx<'_>, caller: &Caller, input: &UnstickInput) -> Result<UnstickResult, Failure> {
    let holder = match still_silent(cx, input)? {
        Ok(holder) => holder,
        Err(changed) => return Ok(changed),
    };
    if is_asked(&holder) {
        return Ok(not_done("its holder was nudged meanwhile"));
    }
    let options = NudgeOptions {
        mode: Some(NudgeMode::Immediate),
        priority: Some(NudgePriority::Urgent),
        source: Some(SOURCE.to_owned()),
        ttl_seconds: None,
    };
    nudges::queue(cx, &holder.agent_id, NUDGE, &caller.actor(), &options)?;
    Ok(held_by(Some((holder.agent_id, holder.name)), None))
}

/// Whether the holder was nudged and has done nothing since.
fn is_asked(holder: &HolderInspection) -> bool {
    holder.nudged_at.is_some_and(|at| at >= holder.progress_at)
}

fn held_by(holder: Option<(AgentId, String)>, status: Option<BeadStatus>) -> UnstickResult {
    let (agent_id, agent_name) = holder.unzip();
    UnstickResult { done: true, agent_id, agent_name, status, ..UnstickResult::default() }
}

/// Ends the order of a holder that was nudged and stayed silent, as the watch would after its own patience: the polecat is dead,
/// and the same bead goes to another one at once, or to the queue when nobody is free.
fn reassign(cx: &Cx<'_>, rig: &RigState, input: &UnstickInput) -> Result<UnstickResult, Failure> {
    let holder = match still_silent(cx, input)? {
        Ok(holder) => holder,
        Err(changed) => return Ok(changed),
    };
    if !is_asked(&holder) {
        let refusal = Refusal::new(Code::Conflict, format!("{} was not nudged: nobody is replaced who was not asked", holder.name));
        return Err(refusal.hint("Nudge it first; nothing was changed.").into());
    }
    let id = &input.bead_id;
    watchdog::stop(cx, rig, &holder.agent_id, id, holder.order)?;
    let bead = beads::require(cx, id)?;
    if bead.status == BeadStatus::Open {
        // It was silence that ended the order, which says nothing about the next one.
        execute(cx.sql, "-- unstick_rested\nUPDATE beads SET not_before = NULL WHERE bead_id = ?", (id,))?;
        let is_ready = bead.blockers_open == 0 && !beads::is_held(cx, id)? && dispatch::check_gives_out(rig).is_ok();
        if is_ready && Roster::load(cx)?.assign(cx, rig, id)?.is_some() {
            outbox_letters::bead_changed(cx, rig, id)?;
        }
    }
    dispatch::dispatch(cx, rig)?;
    cx.wake_at(cx.now.plus_millis(hooks::ACTIVE_TICK_MILLIS));
    Ok(held_by(hooks::holder(cx, id)?, Some(beads::require(cx, id)?.status)))
}

/// Tells people, once for each bead, sort of trouble and order; again only when an earlier one was dealt with and the order is
/// another one.
fn escalate(cx: &Cx<'_>, rig: &RigState, input: &UnstickInput) -> Result<UnstickResult, Failure> {
    let (Some(category), Some(message)) = (input.category.as_deref(), input.message.as_deref()) else {
        return Err(refuse(Code::InvalidArgument, "category and message are needed to escalate"));
    };
    if category.is_empty() || category.len() > CATEGORY_BYTES_MAX || message.trim().is_empty() {
        return Err(refuse(Code::InvalidArgument, format!("category must have 1 to {CATEGORY_BYTES_MAX} bytes, and message a word")));
    }
    let known = raised(cx, std::slice::from_ref(&input.bead_id))?
        .into_iter()
        .find(|raised| raised.category == category && (raised.is_open || raised.order == input.order));
    if let Some(known) = known {
        let escalation_id = Some(known.escalation_id);
        return Ok(UnstickResult { escalation_id, ..not_done("it was escalated before") });
    }
    let new = NewEscalation {
        severity: input.severity.unwrap_or(Severity::Medium),
        category,
        message,
        agent: input.agent_id.as_ref().map(AgentId::as_str),
        bead: Some(&input.bead_id),
    };
    let id = if input.agent_id.is_some() { escalations::raise_request(cx, rig, &new) } else { escalations::raise(cx, rig, &new) }?;
    note_order(cx, &id, input.order)?;
    Ok(UnstickResult { done: true, escalation_id: Some(id), ..UnstickResult::default() })
}

fn note_order(cx: &Cx<'_>, escalation: &BeadId, order: Option<i64>) -> Result<(), Failure> {
    let Some(order) = order else { return Ok(()) };
    Ok(execute(
        cx.sql,
        "-- unstick_order\nUPDATE beads SET metadata = json_set(metadata, '$.order', ?) WHERE bead_id = ?",
        (order, escalation),
    )?)
}
