//! Results of reviews, and their effect on the work.
//!
//! Owns the law that holds merge requests and beads together: a bead in review has at most one open merge request, and an
//! open merge request's bead is in review. When either moves, `after_move` moves the other.

use super::{landing, rework};
use crate::auth::principal::Role;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Bead, BeadEventType, BeadStatus, BeadType, CompleteReviewInput, ReviewReport, ReviewResult, Severity};
use crate::objects::handler::{Answer, Caller, Cx};
use crate::objects::rig::agents;
use crate::objects::rig::assignment::{dispatch, hooks, orders};
use crate::objects::rig::beads;
use crate::objects::rig::beads::Move;
use crate::objects::rig::beads::dependencies;
use crate::objects::rig::messages::escalations;
use crate::objects::rig::messages::escalations::NewEscalation;
use crate::objects::rig::reviews::{Request, check_commit, find, open_of, write_event};
use crate::objects::rig::state;
use crate::objects::store::sql::execute;
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::{Value, json};

/// Longest feedback or result of a review, in bytes.
pub const FEEDBACK_BYTES_MAX: usize = 8_000;

/// Whether two names of commits mean the same one; either may be abbreviated.
pub(in crate::objects::rig) fn is_same_commit(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(str::to_ascii_lowercase);
    one.starts_with(&other) || other.starts_with(&one)
}

/// `completeReviewWithResult`. A merge request that has ended, or waits for its next try, stays as it is. Without an
/// `entry_id` the one on the caller's own hook is meant.
pub(crate) fn complete_review(cx: &Cx<'_>, caller: &Caller, (report,): (ReviewReport,)) -> Result<Answer, Failure> {
    check_judge(cx, caller)?;
    let rig = state::require(cx)?;
    let ReviewReport { entry_id, status, message, commit_sha, base_commit } = report;
    let entry_id = match entry_id {
        Some(id) => id,
        None => own_request(cx, caller)?,
    };
    if let Some(agent) = &caller.principal.agent_id {
        orders::reported(cx, agent, &entry_id)?;
    }
    complete(cx, &rig, &CompleteReviewInput { entry_id, status, message, commit_sha, base_commit })?;
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}

/// The merge request on the caller's hook.
fn own_request(cx: &Cx<'_>, caller: &Caller) -> Result<BeadId, Failure> {
    let agent = agents::find_named(cx, caller.principal.agent_id.as_deref())?;
    if let Some(hook) = agent.and_then(|agent| agent.current_hook_bead_id)
        && find(cx, &hook)?.is_some()
    {
        return Ok(hook);
    }
    let refusal = Refusal::new(Code::Conflict, "entry_id: no merge request is on your hook");
    Err(refusal.hint("Name the merge request; prime shows what is on your hook.").into())
}

fn check_judge(cx: &Cx<'_>, caller: &Caller) -> Result<(), Failure> {
    if hooks::role(cx, caller)? == Role::Polecat {
        return Err(refuse(Code::Forbidden, "Forbidden: a polecat does not judge work; the refinery does"));
    }
    Ok(())
}

/// Whether the caller may move this bead: one that is in review, or is a merge request, moves by a judgement.
///
/// # Errors
/// `Forbidden` for a polecat.
pub(in crate::objects::rig) fn check_judges(cx: &Cx<'_>, caller: &Caller, bead: &Bead) -> Result<(), Failure> {
    if bead.kind == BeadType::MergeRequest || bead.status == BeadStatus::InReview { check_judge(cx, caller) } else { Ok(()) }
}

/// Ends a review. Gives out no work.
pub(in crate::objects::rig) fn complete(cx: &Cx<'_>, rig: &RigState, input: &CompleteReviewInput) -> Result<(), Failure> {
    let id = &input.entry_id;
    let Some(request) = find(cx, id)? else {
        let refusal = Refusal::new(Code::NotFound, format!("Merge request {id} not found"));
        return Err(refusal.hint("Call getMergeQueueData (tool merge_queue) to see the merge requests.").into());
    };
    check_commit("commit_sha", input.commit_sha.as_deref())?;
    check_commit("base_commit", input.base_commit.as_deref())?;
    let message = input.message.as_deref().filter(|message| !message.trim().is_empty());
    check_feedback("message", message.unwrap_or_default())?;
    let bead = beads::require(cx, id)?;
    if bead.status.is_terminal() || request.not_before.is_some() {
        return Ok(());
    }
    let base = input.base_commit.as_deref().or(request.base_commit.as_deref());
    let commit = input.commit_sha.as_deref().filter(|_| input.status == ReviewResult::Merged);
    let is_empty = commit.zip(base).is_some_and(|(commit, base)| is_same_commit(commit, base));
    let mut about = json!({"mr_bead_id": id, "message": message, "commit_sha": commit});
    if let Some(about) = about.as_object_mut().filter(|_| input.status == ReviewResult::Merged) {
        // Present only where true: the merge was empty, or has no evidence.
        about.extend(is_empty.then(|| ("empty".to_owned(), Value::Bool(true))));
        about.extend(commit.is_none().then(|| ("unverified".to_owned(), Value::Bool(true))));
    }
    write_event(cx, BeadEventType::ReviewCompleted, &request, input.status.as_str(), about)?;
    execute(
        cx.sql,
        "-- reviews_complete\nUPDATE merge_requests SET merge_commit = ?, base_commit = coalesce(?, base_commit), retry_count = retry_count + ? WHERE bead_id = ?",
        (commit, base, i64::from(input.status != ReviewResult::Merged), id),
    )?;
    if input.status == ReviewResult::Merged {
        let evidence = commit.filter(|_| !is_empty);
        if let Some(source) = request.source_bead_id.as_ref().filter(|_| is_empty) {
            execute(
                cx.sql,
                "-- reviews_empty\nUPDATE beads SET metadata = json_set(metadata, '$.empty_merge', json('true')) WHERE bead_id = ?",
                (source,),
            )?;
        }
        return beads::move_to(cx, rig, &bead, BeadStatus::Closed, &Move { merge_commit: evidence, ..Move::default() });
    }
    let reason = message.unwrap_or(if input.status == ReviewResult::Conflict { "merge conflict" } else { "the review failed" });
    if request.source_bead_id.is_none() {
        return landing::failed(cx, rig, &bead, &request, reason);
    }
    beads::move_to(cx, rig, &bead, BeadStatus::Failed, &Move { reason: Some(reason), ..Move::default() })?;
    if input.status == ReviewResult::Conflict {
        conflicted(cx, rig, &request, reason)?;
    }
    Ok(())
}

/// A conflict is a person's business, too.
fn conflicted(cx: &Cx<'_>, rig: &RigState, request: &Request, reason: &str) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- reviews_conflicted\nUPDATE beads SET metadata = json_set(metadata, '$.has_conflicts', json('true'), '$.conflict_target_branch', ?) WHERE bead_id = ?",
        (&request.target_branch, &request.source_bead_id),
    )?;
    let message = format!("{} does not merge into {}: {reason}", request.branch, request.target_branch);
    let new = NewEscalation {
        severity: Severity::High,
        category: "merge_conflict",
        message: &message,
        agent: request.source_agent_id.as_ref().map(AgentId::as_str),
        bead: request.source_bead_id.as_ref(),
    };
    escalations::raise(cx, rig, &new).map(drop)
}

/// Checks a reviewer's feedback.
///
/// # Errors
/// `InvalidArgument`.
pub(in crate::objects::rig) fn check_feedback(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > FEEDBACK_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("{field} must have at most {FEEDBACK_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// A bead has moved: its merge request, or the bead of this merge request, moves along. `before` is the bead as it was.
pub(in crate::objects::rig) fn after_move(
    cx: &Cx<'_>,
    rig: &RigState,
    before: &Bead,
    status: BeadStatus,
    with: &Move<'_>,
) -> Result<(), Failure> {
    match before.kind {
        BeadType::MergeRequest if status.is_terminal() => ended(cx, rig, &before.bead_id, status, with),
        BeadType::Issue if before.status == BeadStatus::InReview && status != BeadStatus::InReview => {
            let Some(open) = open_of(cx, &before.bead_id)? else { return Ok(()) };
            let reason = format!("withdrawn: its bead is {}", status.as_str());
            fail(cx, rig, &open, &reason)
        }
        BeadType::Issue if status == BeadStatus::Failed => {
            let Some(request) = rework::request_of(before) else { return Ok(()) };
            // Anyone may write a label; only a refinery's edges make a review wait.
            let awaited = dependencies::blockers(cx, &request)?.iter().any(|edge| edge.bead_id == before.bead_id);
            let reason = format!("its rework failed: {}", with.reason.unwrap_or("no reason was given"));
            if awaited { fail(cx, rig, &request, &reason) } else { Ok(()) }
        }
        BeadType::Issue
        | BeadType::Message
        | BeadType::Escalation
        | BeadType::MergeRequest
        | BeadType::Convoy
        | BeadType::Molecule
        | BeadType::Agent => Ok(()),
    }
}

/// Fails a merge request, or a bead tied to one, that has not ended.
fn fail(cx: &Cx<'_>, rig: &RigState, id: &BeadId, reason: &str) -> Result<(), Failure> {
    match beads::find(cx, id)?.filter(|bead| !bead.status.is_terminal()) {
        Some(bead) => beads::move_to(cx, rig, &bead, BeadStatus::Failed, &Move { reason: Some(reason), ..Move::default() }),
        None => Ok(()),
    }
}

/// A merge request has ended: its bead closes with the same evidence, or goes back to the queue with the feedback.
fn ended(cx: &Cx<'_>, rig: &RigState, id: &BeadId, status: BeadStatus, with: &Move<'_>) -> Result<(), Failure> {
    // A merge request made with createBead has no row, and no bead is tied to it.
    let Some(request) = find(cx, id)? else { return Ok(()) };
    for edge in dependencies::blockers(cx, id)? {
        let is_rework = beads::find(cx, &edge.bead_id)?.is_some_and(|bead| rework::request_of(&bead).as_ref() == Some(id));
        if is_rework {
            fail(cx, rig, &edge.bead_id, "its merge request has ended")?;
        }
    }
    let Some(source) = &request.source_bead_id else { return landing::changed(cx, rig, &request) };
    let Some(source) = beads::find(cx, source)?.filter(|source| source.status == BeadStatus::InReview) else { return Ok(()) };
    if status == BeadStatus::Closed {
        return beads::move_to(cx, rig, &source, BeadStatus::Closed, &Move { merge_commit: with.merge_commit, ..Move::default() });
    }
    let reason = with.reason.unwrap_or("the review failed");
    rework::send_back(cx, &source, &request, reason)?;
    beads::move_to(cx, rig, &source, BeadStatus::Open, &Move::default())
}
