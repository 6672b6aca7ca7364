//! Hooks: which agent holds which bead. One hook per agent, one agent per bead.
//!
//! Owns the rule, which the schema repeats as a unique index. Every hook carries a fence, a number that only grows: a
//! report of an earlier holder is recognized by it.

use super::dispatch;
use super::orders::{self, OrderOutcome};
use crate::auth::principal::Role;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::labels::TRIAGE_LABEL;
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Agent, AgentRole, AgentStatus, Bead, BeadEventType, BeadStatus, BeadType};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::agents;
use crate::objects::rig::agents::polecat_names;
use crate::objects::rig::beads::Move;
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::{beads, outbox_letters, state, topics};
use crate::objects::store::sql::{execute, query_one};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use serde_json::Value;

/// The alarm's pace while there is work (Gastown contract, section 10).
pub(in crate::objects::rig) const ACTIVE_TICK_MILLIS: i64 = 5_000;

/// The role of the caller: the token's or, where an agent's token names none, the agent's role in this rig.
pub(in crate::objects::rig) fn role(cx: &Cx<'_>, caller: &Caller) -> Result<Role, Failure> {
    let principal = &caller.principal;
    if principal.is_role_known || principal.role != Role::Polecat {
        return Ok(principal.role);
    }
    let agent = agents::find_named(cx, principal.agent_id.as_deref())?;
    let is_refinery = agent.is_some_and(|agent| agent.role == AgentRole::Refinery);
    Ok(if is_refinery { Role::Refinery } else { Role::Polecat })
}

/// A polecat does not report on a bead that another agent holds: one writer per bead.
pub(in crate::objects::rig) fn check_writes(cx: &Cx<'_>, caller: &Caller, bead: &Bead) -> Result<(), Failure> {
    let Some(agent_id) = caller.principal.agent_id.as_deref() else { return Ok(()) };
    if role(cx, caller)? != Role::Polecat {
        return Ok(());
    }
    match holder(cx, &bead.bead_id)? {
        Some((holder, name)) if holder.as_str() != agent_id => {
            let refusal = Refusal::new(Code::Conflict, format!("Bead {} is held by {name} (agent {holder})", bead.bead_id));
            Err(refusal.hint("Report on the bead on your own hook.").into())
        }
        _ => Ok(()),
    }
}

/// The holder of a bead: id and name.
pub(in crate::objects::rig) fn holder(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<(AgentId, String)>, Fault> {
    query_one(cx.sql, "-- hooks_holder\nSELECT id, name FROM agents WHERE current_hook_bead_id = ?", (bead,))
}

/// Puts a bead on an agent's hook, and writes the agent. Both are free; the caller has checked.
pub(in crate::objects::rig) fn attach(cx: &Cx<'_>, rig: &RigState, agent: &mut Agent, bead: &BeadId) -> Result<(), Failure> {
    let own = polecat_names::branch(&agent.name, bead);
    // A merge request has its branch, and work that a review sent back goes on where it was.
    let branch: Option<(String,)> = query_one(
        cx.sql,
        "-- hooks_attach_bead\nUPDATE beads SET assignee_agent_id = ?1, updated_at = ?2, metadata = json_set(metadata, '$.branch',
           CASE WHEN json_type(metadata, '$.branch') = 'text' AND (type = 'merge_request' OR json_type(metadata, '$.mr_bead_id') = 'text')
             THEN json_extract(metadata, '$.branch') ELSE ?3 END)
         WHERE bead_id = ?4 RETURNING json_extract(metadata, '$.branch')",
        (&agent.id, cx.now.millis(), &own, bead),
    )?;
    let branch = branch.map_or(own, |(branch,)| branch);
    agent.current_hook_bead_id = Some(bead.clone());
    agent.branch = Some(branch.clone());
    agent.fence = orders::give(cx, &agent.id, bead)?;
    agent.status = AgentStatus::Idle;
    agent.last_activity_at = Some(cx.now);
    agents::save(cx, rig, agent)?;
    events::write(cx, &Happened::to(BeadEventType::Hooked, bead).agent(agent.id.as_str()).values(None, &branch))?;
    Ok(())
}

/// Shows a bead that was read before `attach` as it is after it.
pub(in crate::objects::rig) fn show_attached(cx: &Cx<'_>, bead: &mut Bead, agent: &Agent) {
    bead.assignee_agent_bead_id = Some(agent.id.clone());
    bead.updated_at = cx.now;
    if let Some(branch) = &agent.branch {
        bead.metadata.insert("branch".to_owned(), Value::from(branch.as_str()));
    }
}

/// Takes a bead off its hook; the agent is idle then.
pub(in crate::objects::rig) fn release_bead(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    let released: Option<(AgentId,)> = query_one(
        cx.sql,
        "-- hooks_release_agent\nUPDATE agents SET current_hook_bead_id = NULL, branch = NULL, checkpoint = 'null', status = 'idle', last_activity_at = ?
         WHERE current_hook_bead_id = ? RETURNING id",
        (cx.now.millis(), bead),
    )?;
    if let Some((agent,)) = released {
        orders::end(cx, &agent, OrderOutcome::Released)?;
        events::write(cx, &Happened::to(BeadEventType::Unhooked, bead).agent(agent.as_str()))?;
        topics::agent_changed(cx, rig, &agent)?;
    }
    execute(
        cx.sql,
        "-- hooks_release_bead\nUPDATE beads SET assignee_agent_id = NULL, updated_at = ? WHERE bead_id = ? AND status = 'open'",
        (cx.now.millis(), bead),
    )?;
    Ok(())
}

/// A bead is in progress: its holder works.
pub(in crate::objects::rig) fn begun(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    let working: Option<(AgentId,)> = query_one(
        cx.sql,
        "-- hooks_begun\nUPDATE agents SET status = 'working', last_activity_at = ?
         WHERE current_hook_bead_id = ? AND status <> 'working' RETURNING id",
        (cx.now.millis(), bead),
    )?;
    working.map_or(Ok(()), |(agent,)| topics::agent_changed(cx, rig, &agent))
}

/// An agent works: the bead on its hook is in progress. True when there is such a bead.
pub(in crate::objects::rig) fn begin(cx: &Cx<'_>, rig: &RigState, agent: &Agent) -> Result<bool, Failure> {
    let Some(hooked) = &agent.current_hook_bead_id else { return Ok(false) };
    let bead = beads::require(cx, hooked)?;
    if bead.status == BeadStatus::Open {
        beads::move_to(cx, rig, &bead, BeadStatus::InProgress, &Move::default())?;
    } else if agent.status != AgentStatus::Working {
        begun(cx, rig, hooked)?;
        outbox_letters::summary_changed(cx, rig)?;
    }
    Ok(true)
}

/// `getHookedBead`.
pub(crate) fn get_hooked_bead(cx: &Cx<'_>, _caller: &Caller, (agent_id,): (AgentId,)) -> Result<Answer, Failure> {
    match agents::require(cx, &agent_id)?.current_hook_bead_id {
        Some(bead) => json(&beads::find(cx, &bead)?),
        None => Ok(Answer::Json("null".to_owned())),
    }
}

/// `hookBead`. A held bead is refused, and the refusal names the holder.
pub(crate) fn hook_bead(cx: &Cx<'_>, caller: &Caller, (agent_id, bead_id): (AgentId, BeadId)) -> Result<Answer, Failure> {
    caller.check_speaks_for(agent_id.as_str())?;
    let rig = state::require(cx)?;
    let mut agent = agents::require(cx, &agent_id)?;
    let bead = beads::require(cx, &bead_id)?;
    if agent.current_hook_bead_id.as_ref() == Some(&bead_id) {
        return Ok(Answer::Void);
    }
    check_hookable(cx, &rig, &agent, &bead)?;
    attach(cx, &rig, &mut agent, &bead_id)?;
    outbox_letters::bead_changed(cx, &rig, &bead_id)?;
    cx.wake_at(cx.now.plus_millis(ACTIVE_TICK_MILLIS));
    Ok(Answer::Void)
}

/// The reasons why this agent cannot take this bead, in the contract's words where it has them.
pub(in crate::objects::rig) fn check_hookable(cx: &Cx<'_>, rig: &RigState, agent: &Agent, bead: &Bead) -> Result<(), Failure> {
    let id = &bead.bead_id;
    if bead.kind == BeadType::Issue {
        // Reviews of finished work go on.
        dispatch::check_gives_out(rig)?;
    }
    if bead.kind == BeadType::MergeRequest && agent.role == AgentRole::Polecat {
        let refusal = Refusal::new(Code::Conflict, format!("Cannot hook agent to bead {id}: a merge request is the refinery's"));
        return Err(refusal.hint("Call getOrCreateAgent with role refinery, and hook it to that agent.").into());
    }
    if bead.kind == BeadType::Escalation {
        return Err(refuse(Code::Conflict, format!("Cannot hook agent to bead {id}: type '{}' is not workable", bead.kind.as_str())));
    }
    if bead.labels.iter().any(|label| label == TRIAGE_LABEL) {
        return Err(refuse(Code::Conflict, format!("Cannot hook agent to bead {id}: triage requests are resolved via gt_triage_resolve")));
    }
    if let Some(held) = &agent.current_hook_bead_id {
        let refusal = Refusal::new(Code::Conflict, format!("Agent {} is already hooked to bead {held}. Unhook first.", agent.id));
        return Err(refusal.hint("One hook per agent: unhook it, or let an idle agent take the bead.").into());
    }
    if agent.status == AgentStatus::Dead {
        return Err(refuse(Code::Conflict, format!("Agent {} is dead", agent.id)));
    }
    if let Some((holder, name)) = holder(cx, id)? {
        let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is already hooked by {name} (agent {holder})"));
        return Err(refusal.hint("One agent per bead: unhook the holder first if it should change hands.").into());
    }
    if bead.status != BeadStatus::Open {
        return Err(refuse(
            Code::Conflict,
            format!("Cannot hook agent to bead {id}: it is {}, only open beads are taken", bead.status.as_str()),
        ));
    }
    if bead.blockers_open > 0 {
        let refusal =
            Refusal::new(Code::Conflict, format!("Cannot hook agent to bead {id}: it waits for {} blocker(s)", bead.blockers_open));
        return Err(refusal.hint("Finish what it depends on first.").into());
    }
    if beads::is_held(cx, id)? {
        let refusal = Refusal::new(Code::Conflict, format!("Cannot hook agent to bead {id}: it is held back"));
        return Err(refusal.hint("Start the convoy it belongs to; a bead labelled gt:held waits for a person.").into());
    }
    Ok(())
}

/// `unhookBead`. The bead goes back to the queue with its old place in it; no hook is no error.
pub(crate) fn unhook_bead(cx: &Cx<'_>, caller: &Caller, (agent_id,): (AgentId,)) -> Result<Answer, Failure> {
    caller.check_speaks_for(agent_id.as_str())?;
    let rig = state::require(cx)?;
    let agent = agents::require(cx, &agent_id)?;
    if let Some(bead) = agent.current_hook_bead_id {
        reopen(cx, &rig, &bead)?;
        // Not dispatched here: the caller unhooked it for a reason. The next tick gives it out again.
        cx.wake_at(cx.now.plus_millis(ACTIVE_TICK_MILLIS));
    }
    Ok(Answer::Void)
}

/// Reopens a bead without a holder, unless it has ended; the town is told.
pub(in crate::objects::rig) fn reopen(cx: &Cx<'_>, rig: &RigState, id: &BeadId) -> Result<(), Failure> {
    match beads::find(cx, id)? {
        Some(bead) if !bead.status.is_terminal() && bead.status != BeadStatus::Open => {
            beads::move_to(cx, rig, &bead, BeadStatus::Open, &Move::default())
        }
        _ => {
            release_bead(cx, rig, id)?;
            outbox_letters::bead_changed(cx, rig, id)
        }
    }
}
