//! Reports of completion: an agent's work is done, or its process has ended.
//!
//! Owns the consequences, which take effect at once and wait for no tick. Reviews are `reviews`', hooks are `hooks`'.

use crate::contract::alerts::ATTEMPTS_SPENT;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{
    Agent, AgentCompletedInput, AgentDoneInput, AgentStatus, Bead, BeadEventType, BeadStatus, BeadType, CompleteReviewInput, ReviewResult,
    SubmitReviewInput,
};
use crate::objects::handler::{Answer, Caller, Cx};
use crate::objects::rig::assignment::dispatch;
use crate::objects::rig::assignment::hooks;
use crate::objects::rig::assignment::hooks::ACTIVE_TICK_MILLIS;
use crate::objects::rig::assignment::orders;
use crate::objects::rig::assignment::orders::OrderOutcome;
use crate::objects::rig::beads;
use crate::objects::rig::beads::Move;
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::reviews::{results, rework};
use crate::objects::rig::state;
use crate::objects::rig::{agents, outbox_letters, reviews, topics, watchdog};
use crate::objects::store::sql::{execute, query_one};
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::{Value, json};

/// Times that a bead is given out before it fails (Gastown contract, section 8).
pub const DISPATCH_ATTEMPTS_MAX: i64 = 5;

/// `agentDone`. A polecat's bead goes into the review queue; rework goes back to its review; a refinery has opened a pull
/// request, or is through with the merge request on its hook.
pub(crate) fn agent_done(cx: &Cx<'_>, caller: &Caller, (agent_id, input): (AgentId, AgentDoneInput)) -> Result<Answer, Failure> {
    caller.check_speaks_for(agent_id.as_str())?;
    let rig = state::require(cx)?;
    let agent = agents::require(cx, &agent_id)?;
    if orders::is_of_done_work(cx, caller, &agent_id)? {
        return Ok(Answer::Void);
    }
    reviews::check_branch(&input.branch)?;
    reviews::check_url(input.pr_url.as_deref())?;
    let bead = agent.current_hook_bead_id.as_ref().map(|hook| beads::require(cx, hook)).transpose()?;
    if was_reported(cx, &agent, bead.as_ref(), &input.branch)? {
        return Ok(Answer::Void);
    }
    let Some(bead) = bead else {
        let refusal = Refusal::new(Code::Conflict, format!("Agent {agent_id} is not hooked to a bead"));
        return Err(refusal.hint("Only work on the agent's own hook is reported done.").into());
    };
    orders::end(cx, &agent_id, OrderOutcome::Done)?;
    if bead.kind == BeadType::MergeRequest {
        reviewed(cx, &rig, &bead, &input)?;
    } else if rework::is_unreviewed(&bead) {
        beads::move_to(cx, &rig, &bead, BeadStatus::Closed, &Move::default())?;
    } else {
        let submission = SubmitReviewInput {
            agent_id,
            bead_id: bead.bead_id.clone(),
            rig_id: rig.rig_id.clone(),
            branch: input.branch,
            pr_url: input.pr_url,
            summary: input.summary,
            default_branch: None,
            base_commit: input.base_commit,
        };
        reviews::submit(cx, &rig, &bead, &submission)?;
    }
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}

/// Whether this report was taken before, and its reply was lost.
///
/// # Errors
/// `Conflict` when the agent holds other work by now, which was not meant.
fn was_reported(cx: &Cx<'_>, agent: &Agent, bead: Option<&Bead>, branch: &str) -> Result<bool, Failure> {
    let Some(known) = reviews::of_branch(cx, branch)? else { return Ok(false) };
    let Some(bead) = bead else { return Ok(known.source_agent_id.as_ref() == Some(&agent.id)) };
    let is_here = bead.bead_id == known.bead_id
        || known.source_bead_id.as_ref() == Some(&bead.bead_id)
        || rework::request_of(bead).as_ref() == Some(&known.bead_id);
    if is_here || beads::find(cx, &known.bead_id)?.is_none_or(|request| request.status.is_terminal()) {
        return Ok(false);
    }
    let refusal = Refusal::new(Code::Conflict, format!("Branch {branch} is in review already: merge request {}", known.bead_id));
    Err(refusal
        .hint(format!("If that is what was reported, it was taken. Bead {} is on the hook now: work on a branch of its own.", bead.bead_id))
        .into())
}

/// A refinery is done with a merge request: its pull request is open, or it is merged.
fn reviewed(cx: &Cx<'_>, rig: &RigState, bead: &Bead, input: &AgentDoneInput) -> Result<(), Failure> {
    let Some(request) = reviews::find(cx, &bead.bead_id)? else {
        return Err(refuse(Code::Conflict, format!("Bead {} was not made by a submission: close it", bead.bead_id)));
    };
    let Some(url) = &input.pr_url else {
        let merged = CompleteReviewInput {
            entry_id: bead.bead_id.clone(),
            status: ReviewResult::Merged,
            message: None,
            commit_sha: None,
            base_commit: input.base_commit.clone(),
        };
        return results::complete(cx, rig, &merged);
    };
    execute(cx.sql, "-- finish_pr_url\nUPDATE merge_requests SET pr_url = ? WHERE bead_id = ?", (url, &bead.bead_id))?;
    execute(
        cx.sql,
        "-- finish_pr_note\nUPDATE beads SET metadata = json_set(metadata, '$.pr_url', ?) WHERE bead_id = ?",
        (url, &bead.bead_id),
    )?;
    reviews::write_event(cx, BeadEventType::PrCreated, &request, url, json!({"mr_bead_id": bead.bead_id, "pr_url": url}))?;
    // Under way until its result is reported; meanwhile the refinery may take the next one.
    if bead.status != BeadStatus::InProgress {
        beads::move_to(cx, rig, bead, BeadStatus::InProgress, &Move::default())?;
    }
    hooks::release_bead(cx, rig, &bead.bead_id)
}

/// `agentCompleted`: the agent's process has ended. A bead that it still holds goes back to the queue, or fails when its attempts
/// are spent.
pub(crate) fn agent_completed(cx: &Cx<'_>, caller: &Caller, (agent_id, input): (String, AgentCompletedInput)) -> Result<Answer, Failure> {
    let Ok(agent_id) = AgentId::parse(&agent_id) else {
        let refusal = Refusal::new(Code::InvalidArgument, "agentId must be an agent of this rig: the Mayor belongs to the town");
        return Err(refusal.hint("Call list_agents to see who lives in the rig.").into());
    };
    caller.check_speaks_for(agent_id.as_str())?;
    let rig = state::require(cx)?;
    let agent = agents::require(cx, &agent_id)?;
    let reason = input.reason.as_deref().unwrap_or_default();
    results::check_feedback("reason", reason)?;
    let exited = Happened {
        kind: BeadEventType::AgentExited,
        bead: agent.current_hook_bead_id.as_ref().map_or(agent_id.as_str(), BeadId::as_str),
        agent: Some(agent_id.as_str()),
        old: None,
        new: Some(input.status.as_str()),
        metadata: if reason.is_empty() { Value::Null } else { json!({"reason": reason}) },
    };
    events::write(cx, &exited)?;
    if orders::is_of_done_work(cx, caller, &agent_id)? {
        // It had reported its work, and its agent may hold other work by now.
        return Ok(Answer::Void);
    }
    orders::end(cx, &agent_id, OrderOutcome::Failed)?;
    execute(
        cx.sql,
        "-- finish_agent\nUPDATE agents SET status = CASE status WHEN 'dead' THEN status ELSE 'idle' END, last_activity_at = ?, dispatch_attempts = CASE ? WHEN 'failed' THEN dispatch_attempts + 1 ELSE 0 END
         WHERE id = ?",
        (cx.now.millis(), input.status, &agent_id),
    )?;
    if agent.status != AgentStatus::Idle {
        topics::agent_changed(cx, &rig, &agent_id)?;
        outbox_letters::summary_changed(cx, &rig)?;
        // The agent may be free for waiting work.
        cx.wake_at(cx.now.plus_millis(ACTIVE_TICK_MILLIS));
    }
    if let Some(hook) = &agent.current_hook_bead_id {
        give_back(cx, &rig, &beads::require(cx, hook)?, reason)?;
    }
    Ok(Answer::Void)
}

/// Takes a bead off the hook of an agent that will not go on with it.
pub(in crate::objects::rig) fn give_back(cx: &Cx<'_>, rig: &RigState, bead: &Bead, reason: &str) -> Result<(), Failure> {
    if bead.status == BeadStatus::InReview {
        return hooks::release_bead(cx, rig, &bead.bead_id);
    }
    let attempts: Option<(i64,)> = query_one(
        cx.sql,
        "-- finish_attempt\nUPDATE beads SET dispatch_attempts = dispatch_attempts + 1, last_dispatch_attempt_at = ? WHERE bead_id = ? RETURNING dispatch_attempts",
        (cx.now.millis(), &bead.bead_id),
    )?;
    let most = rig.attempts_max.unwrap_or(DISPATCH_ATTEMPTS_MAX);
    if let Some((spent,)) = attempts.filter(|(attempts,)| *attempts >= most) {
        beads::move_to(cx, rig, bead, BeadStatus::Failed, &Move { reason: Some(ATTEMPTS_SPENT), ..Move::default() })?;
        watchdog::attempts_spent(cx, rig, bead, spent)?;
        return dispatch::dispatch(cx, rig);
    }
    let reason = Some(reason).filter(|reason| !reason.is_empty());
    beads::move_to(cx, rig, bead, BeadStatus::Open, &Move { reason, ..Move::default() })?;
    // Not given out here: the cause that ended this process may end the next one.
    Ok(dispatch::back_off(cx, &bead.bead_id, attempts.map_or(1, |(attempts,)| attempts))?)
}
