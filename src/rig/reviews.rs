//! Merge requests: finished work on its way into a branch, and what becomes of its bead.
//!
//! Owns the `merge_requests` table and the law that holds it and the beads together: a bead in review has at most one open
//! merge request, and an open merge request's bead is in review. Whoever moves either of them, `after_move` moves the other.
//! Landings have no bead of their own (`landing`).

use super::beads::{self, Move, NewBead};
use super::escalations::{self, NewEscalation};
use super::events::{self, Happened};
use super::state::{self, RigState};
use super::{agents, dependencies, dispatch, hooks, landing, molecules, report, rework};
use crate::auth::principal::Role;
use crate::error::{Code, Failure, Fault, Refusal, refuse};
use crate::ids::{AgentId, BeadId, ConvoyId};
use crate::rpc::model::{
    Bead, BeadEventType, BeadStatus, BeadType, CompleteReviewInput, MergeMode, ReviewResult, Severity, SubmitReviewInput,
};
use crate::rpc::serve::{Answer, Caller, Cx};
use crate::store::sql::{execute, query_one, scalar};
use crate::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Longest branch name, in bytes.
pub const BRANCH_BYTES_MAX: usize = 255;
/// Longest address of a pull request, in bytes.
pub const URL_BYTES_MAX: usize = 2_000;
/// Longest feedback or result of a review, in bytes.
pub const FEEDBACK_BYTES_MAX: usize = 8_000;
/// The label of merge requests.
pub(super) const LABEL: &str = "gt:merge-request";

/// Columns of a merge request in the order of `Request`'s fields.
macro_rules! request_columns {
    () => {
        "review.bead_id, review.source_bead_id, review.source_agent_id, review.convoy_id, review.branch, review.target_branch,
         review.merge_commit, review.base_commit, review.pr_url, review.retry_count, review.not_before"
    };
}
pub(super) use request_columns;

/// What a merge request has besides its bead.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Request {
    pub(super) bead_id: BeadId,
    /// Whose work it merges; `None`: a convoy lands.
    pub(super) source_bead_id: Option<BeadId>,
    pub(super) source_agent_id: Option<AgentId>,
    pub(super) convoy_id: Option<ConvoyId>,
    pub(super) branch: String,
    pub(super) target_branch: String,
    /// As it was reported; the bead's own is evidence.
    pub(super) merge_commit: Option<String>,
    pub(super) base_commit: Option<String>,
    pub(super) pr_url: Option<String>,
    pub(super) retry_count: i64,
    pub(super) not_before: Option<Timestamp>,
}

/// A merge request, if this bead is one.
pub(super) fn find(cx: &Cx<'_>, id: &BeadId) -> Result<Option<Request>, Fault> {
    query_one(cx.sql, concat!("-- reviews_find\nSELECT ", request_columns!(), " FROM merge_requests AS review WHERE bead_id = ?"), (id,))
}

/// The open merge request of a bead.
fn open_of(cx: &Cx<'_>, source: &BeadId) -> Result<Option<BeadId>, Fault> {
    let open: Option<(BeadId,)> = query_one(
        cx.sql,
        "-- reviews_open_of\nSELECT review.bead_id FROM merge_requests AS review JOIN beads AS request ON request.bead_id = review.bead_id
         WHERE source_bead_id = ? AND request.status NOT IN ('closed', 'failed')",
        (source,),
    )?;
    Ok(open.map(|(id,)| id))
}

/// The newest merge request of a branch.
pub(super) fn of_branch(cx: &Cx<'_>, branch: &str) -> Result<Option<Request>, Fault> {
    query_one(
        cx.sql,
        concat!(
            "-- reviews_of_branch\nSELECT ",
            request_columns!(),
            " FROM merge_requests AS review WHERE branch = ? ORDER BY sequence DESC LIMIT 1"
        ),
        (branch,),
    )
}

/// Writes a merge request with its bead, which asks for a review from now on.
pub(super) fn insert(cx: &Cx<'_>, rig: &RigState, request: &Request, about: &Bead) -> Result<Bead, Failure> {
    let mut metadata = Map::new();
    for (key, value) in [
        ("source_bead_id", request.source_bead_id.as_ref().map(BeadId::as_str)),
        ("source_agent_id", request.source_agent_id.as_ref().map(AgentId::as_str)),
        ("convoy_id", request.convoy_id.as_ref().map(ConvoyId::as_str)),
        ("branch", Some(request.branch.as_str())),
        ("target_branch", Some(request.target_branch.as_str())),
        ("pr_url", request.pr_url.as_deref()),
    ] {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), Value::from(value));
        }
    }
    if request.source_bead_id.is_none() {
        metadata.insert("landing".to_owned(), Value::Bool(true));
    }
    let bead = beads::insert(
        cx,
        rig,
        NewBead {
            bead_id: request.bead_id.clone(),
            kind: BeadType::MergeRequest,
            title: format!("Review: {}", request.branch),
            body: about.body.clone(),
            parent_bead_id: None,
            priority: about.priority,
            labels: vec![LABEL.to_owned()],
            metadata,
            created_by: about.created_by.clone(),
            created_at: cx.now,
            blockers_open: 0,
            held: false,
            convoy_id: None,
            quality: None,
        },
    )?;
    execute(
        cx.sql,
        "-- reviews_insert\nINSERT INTO merge_requests (bead_id, source_bead_id, source_agent_id, convoy_id, branch, target_branch, base_commit, pr_url, retry_count,
           sequence)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            &request.bead_id,
            &request.source_bead_id,
            &request.source_agent_id,
            &request.convoy_id,
            &request.branch,
            &request.target_branch,
            &request.base_commit,
            &request.pr_url,
            request.retry_count,
            cx.next_number()?,
        ),
    )?;
    if let Some(source) = &request.source_bead_id {
        dependencies::track(cx, &request.bead_id, source)?;
    }
    let mut about = json!({"mr_bead_id": request.bead_id, "branch": request.branch, "target_branch": request.target_branch});
    if let (Some(url), Some(about)) = (&request.pr_url, about.as_object_mut()) {
        about.insert("pr_url".to_owned(), Value::from(url.as_str()));
    }
    write_event(cx, BeadEventType::ReviewSubmitted, request, &request.branch, about)?;
    Ok(bead)
}

/// Writes what happened in a review: to the bead whose work it is, else to the merge request.
pub(super) fn write_event(cx: &Cx<'_>, kind: BeadEventType, request: &Request, value: &str, about: Value) -> Result<(), Fault> {
    let bead = request.source_bead_id.as_ref().unwrap_or(&request.bead_id);
    let mut event = Happened::to(kind, bead).values(None, value).about(about);
    event.agent = request.source_agent_id.as_ref().map(AgentId::as_str);
    events::write(cx, &event)
}

/// Checks what names a branch.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_branch(branch: &str) -> Result<(), Refusal> {
    let legal = |byte: u8| byte.is_ascii_graphic() && !b"~^:?*[\\".contains(&byte) || byte >= 0x80;
    if branch.is_empty() || branch.len() > BRANCH_BYTES_MAX || branch.starts_with('-') || !branch.bytes().all(legal) {
        let message = format!("branch must be the name of a git branch, of 1 to {BRANCH_BYTES_MAX} bytes");
        return Err(Refusal::new(Code::InvalidArgument, message));
    }
    Ok(())
}

/// Checks the address of a pull request.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_url(url: Option<&str>) -> Result<(), Refusal> {
    let fits = |url: &str| url.len() <= URL_BYTES_MAX && (url.starts_with("https://") || url.starts_with("http://"));
    if url.is_none_or(fits) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, format!("pr_url must be an http address of at most {URL_BYTES_MAX} bytes")))
}

/// Checks what names a commit.
///
/// # Errors
/// `InvalidArgument`.
fn check_commit(field: &str, commit: Option<&str>) -> Result<(), Refusal> {
    let fits = |commit: &str| (4..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit.is_none_or(fits) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, format!("{field} must be a commit: 4 to 64 hexadecimal digits"))
        .hint("Leave it out if it is not known."))
}

/// Whether two names of commits mean the same one; either may be abbreviated.
pub(super) fn is_same_commit(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(str::to_ascii_lowercase);
    one.starts_with(&other) || other.starts_with(&one)
}

/// Where the work of a bead goes: its convoy's branch if that lands at the end, else the default branch.
fn target_of(bead: &Bead, convoy: Option<&ConvoyId>, default_branch: &str) -> String {
    let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str);
    let lands_by_itself = note("merge_mode") == Some(MergeMode::ReviewAndMerge.as_str());
    let branch = note("feature_branch").filter(|_| convoy.is_some() && !lands_by_itself);
    branch.unwrap_or(default_branch).to_owned()
}

/// `submitToReviewQueue`.
pub(crate) fn submit_to_review_queue(cx: &Cx<'_>, caller: &Caller, (input,): (SubmitReviewInput,)) -> Result<Answer, Failure> {
    hooks::check_speaks_for(caller, input.agent_id.as_str())?;
    let rig = state::require(cx)?;
    if input.rig_id != rig.rig_id {
        return Err(refuse(Code::InvalidArgument, format!("rig_id must be {}, the rig that was called", rig.rig_id)));
    }
    agents::require(cx, &input.agent_id)?;
    let bead = beads::require(cx, &input.bead_id)?;
    hooks::check_writes(cx, caller, &bead)?;
    submit(cx, &rig, &bead, &input)?;
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}

/// Puts finished work into the queue: a merge request, the bead in review, its agent free. Gives out no work.
///
/// # Errors
/// `Conflict` when it is in review already, is not work, or its formula has gates that are not through.
pub(super) fn submit(cx: &Cx<'_>, rig: &RigState, bead: &Bead, input: &SubmitReviewInput) -> Result<BeadId, Failure> {
    let id = &bead.bead_id;
    check_branch(&input.branch)?;
    check_url(input.pr_url.as_deref())?;
    check_commit("base_commit", input.base_commit.as_deref())?;
    if let Some(open) = open_of(cx, id)? {
        let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is in review already: merge request {open}"));
        return Err(refusal.hint("Wait for its result; a result of failed brings the bead back.").into());
    }
    if bead.kind != BeadType::Issue {
        return Err(refuse(Code::Conflict, format!("Bead {id} is of type {}: only issues are submitted", bead.kind.as_str())));
    }
    if let Some(request) = rework::request_of(bead) {
        let refusal =
            Refusal::new(Code::Conflict, format!("Bead {id} is rework for merge request {request}, which is reviewed again by itself"));
        return Err(refusal.hint("Close it when it is done, or report agentDone.").into());
    }
    if let Some((holder, name)) = hooks::holder(cx, id)?.filter(|(holder, _)| *holder != input.agent_id) {
        let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is held by {name} (agent {holder})"));
        return Err(refusal.hint("Its holder submits it.").into());
    }
    let convoy = beads::convoy_of(cx, id)?;
    let target = target_of(bead, convoy.as_ref(), input.default_branch.as_deref().unwrap_or(&rig.default_branch));
    check_branch(&target)?;
    if input.branch == target {
        let refusal = Refusal::new(Code::InvalidArgument, format!("branch must not be {target}: that is what it would be merged into"));
        return Err(refusal.hint("Push the work to a branch of its own and submit that.").into());
    }
    molecules::submitted(cx, id, input.summary.as_deref().unwrap_or("submitted"))?;
    // Checked here too, so that nothing is written before the move is known to be legal.
    beads::move_to(cx, rig, bead, BeadStatus::InReview, &Move::default())?;
    let retries: i64 =
        scalar(cx.sql, "-- reviews_retries\nSELECT coalesce(max(retry_count), 0) FROM merge_requests WHERE source_bead_id = ?", (id,))?;
    let request = Request {
        bead_id: BeadId::from_random(cx.random()),
        source_bead_id: Some(id.clone()),
        source_agent_id: Some(input.agent_id.clone()),
        convoy_id: convoy,
        branch: input.branch.clone(),
        target_branch: target,
        merge_commit: None,
        base_commit: input.base_commit.clone(),
        pr_url: input.pr_url.clone(),
        retry_count: retries,
        not_before: None,
    };
    let about = Bead { body: input.summary.clone(), created_by: Some(input.agent_id.to_string()), ..bead.clone() };
    insert(cx, rig, &request, &about)?;
    hooks::release_bead(cx, rig, id)?;
    report::bead_changed(cx, rig, &request.bead_id)?;
    Ok(request.bead_id)
}

/// `completeReviewWithResult`. A merge request that has ended, or waits for its next try, stays as it is.
pub(crate) fn complete_review(cx: &Cx<'_>, caller: &Caller, (input,): (CompleteReviewInput,)) -> Result<Answer, Failure> {
    if caller.principal.role == Role::Polecat {
        return Err(refuse(Code::Forbidden, "Forbidden: a polecat does not judge work; the refinery does"));
    }
    let rig = state::require(cx)?;
    complete(cx, &rig, &input)?;
    dispatch::dispatch(cx, &rig)?;
    Ok(Answer::Void)
}

/// Ends a review. Gives out no work.
pub(super) fn complete(cx: &Cx<'_>, rig: &RigState, input: &CompleteReviewInput) -> Result<(), Failure> {
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
        // Said only where it is so: nothing came of the merge, or nobody showed what.
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

/// Checks what a reviewer says.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_feedback(field: &str, text: &str) -> Result<(), Refusal> {
    if text.len() > FEEDBACK_BYTES_MAX {
        return Err(Refusal::new(Code::InvalidArgument, format!("{field} must have at most {FEEDBACK_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// A bead has moved: whatever is tied to it by a review moves along. `before` is the bead as it was.
pub(super) fn after_move(cx: &Cx<'_>, rig: &RigState, before: &Bead, status: BeadStatus, with: &Move<'_>) -> Result<(), Failure> {
    match before.kind {
        BeadType::MergeRequest if status.is_terminal() => ended(cx, rig, &before.bead_id, status, with),
        BeadType::Issue if before.status == BeadStatus::InReview && status != BeadStatus::InReview => {
            let Some(open) = open_of(cx, &before.bead_id)? else { return Ok(()) };
            let reason = format!("withdrawn: its bead is {}", status.as_str());
            fail(cx, rig, &open, &reason)
        }
        BeadType::Issue if status == BeadStatus::Failed => match rework::request_of(before) {
            Some(request) => fail(cx, rig, &request, &format!("its rework failed: {}", with.reason.unwrap_or("no reason was given"))),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Fails a merge request, or a bead tied to one, that has not ended.
fn fail(cx: &Cx<'_>, rig: &RigState, id: &BeadId, reason: &str) -> Result<(), Failure> {
    match beads::find(cx, id)?.filter(|bead| !bead.status.is_terminal()) {
        Some(bead) => beads::move_to(cx, rig, &bead, BeadStatus::Failed, &Move { reason: Some(reason), ..Move::default() }),
        None => Ok(()),
    }
}

/// A merge request has ended: its bead closes with the same evidence, or goes back to the queue with what was said.
fn ended(cx: &Cx<'_>, rig: &RigState, id: &BeadId, status: BeadStatus, with: &Move<'_>) -> Result<(), Failure> {
    // One that somebody made with createBead has no row, and nothing is tied to it.
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
