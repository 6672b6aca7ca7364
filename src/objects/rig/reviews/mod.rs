//! Merge requests: finished work on its way into a branch.
//!
//! Owns the `merge_requests` table and how work gets into it. Results are `verdicts`'; landings have no bead of their own
//! (`landing`).

pub mod landing;
pub mod merge_queue;
pub mod results;
pub mod rework;

use super::agents;
use super::beads::{self, Move, NewBead};
use super::state;
use crate::contract::ids::{AgentId, BeadId, ConvoyId};
use crate::contract::letters::rig::RigState;
use crate::contract::limits::rig::BRANCH_BYTES_MAX;
use crate::contract::shapes::{Bead, BeadEventType, BeadStatus, BeadType, MergeMode, SubmitReviewInput};
use crate::objects::handler::{Answer, Caller, Cx};
use crate::objects::rig::assignment::{dispatch, hooks, orders};
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::beads::{dependencies, molecules};
use crate::objects::rig::outbox_letters;
use crate::objects::store::sql::{execute, query_one, scalar};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Longest address of a pull request, in bytes.
pub const URL_BYTES_MAX: usize = 2_000;
/// The label of merge requests.
pub(super) const LABEL: &str = "gt:merge-request";

/// Columns of a merge request in the order of `Request`'s fields.
macro_rules! request_columns {
    () => {
        "review.bead_id, review.source_bead_id, review.source_agent_id, review.convoy_id, review.branch, review.target_branch,
         review.merge_commit, review.base_commit, review.pr_url, review.retry_count, review.not_before, review.landing_round"
    };
}
pub(super) use request_columns;

/// The columns of a merge request beside its bead's.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Request {
    pub(super) bead_id: BeadId,
    /// The bead whose work it merges; `None`: it lands a convoy.
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
    /// Which order of its town a landing carries out.
    pub(super) landing_round: i64,
}

/// A merge request, if this bead is one.
pub(super) fn find(cx: &Cx<'_>, id: &BeadId) -> Result<Option<Request>, Fault> {
    query_one(cx.sql, concat!("-- reviews_find\nSELECT ", request_columns!(), " FROM merge_requests AS review WHERE bead_id = ?"), (id,))
}

/// The open merge request of a bead.
pub(super) fn open_of(cx: &Cx<'_>, source: &BeadId) -> Result<Option<BeadId>, Fault> {
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
           sequence, landing_round)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            request.landing_round,
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

/// Writes an event of a review: on the bead whose work it is, else on the merge request.
pub(super) fn write_event(cx: &Cx<'_>, kind: BeadEventType, request: &Request, value: &str, about: Value) -> Result<(), Fault> {
    let bead = request.source_bead_id.as_ref().unwrap_or(&request.bead_id);
    let mut event = Happened::to(kind, bead).values(None, value).about(about);
    event.agent = request.source_agent_id.as_ref().map(AgentId::as_str);
    events::write(cx, &event)
}

/// Checks the name of a branch.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_branch(branch: &str) -> Result<(), Refusal> {
    let legal = |byte: u8| byte.is_ascii_graphic() && !b"~^:?*[\\".contains(&byte) || byte >= 0x80;
    let is_legal = branch.bytes().all(legal) && !branch.contains(char::is_whitespace);
    if branch.is_empty() || branch.len() > BRANCH_BYTES_MAX || branch.starts_with('-') || !is_legal {
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
    let is_http = |url: &str| url.starts_with("https://") || url.starts_with("http://");
    let fits = |url: &str| url.len() <= URL_BYTES_MAX && is_http(url) && url.bytes().all(|byte| byte.is_ascii_graphic());
    if url.is_none_or(fits) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, format!("pr_url must be an http address of at most {URL_BYTES_MAX} bytes")))
}

/// Checks the name of a commit.
///
/// # Errors
/// `InvalidArgument`.
pub(super) fn check_commit(field: &str, commit: Option<&str>) -> Result<(), Refusal> {
    let fits = |commit: &str| (4..=64).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    if commit.is_none_or(fits) {
        return Ok(());
    }
    Err(Refusal::new(Code::InvalidArgument, format!("{field} must be a commit: 4 to 64 hexadecimal digits"))
        .hint("Leave it out if it is not known."))
}

/// Where the work of a bead goes: its convoy's branch if that lands at the end, else the default branch.
fn target_of(bead: &Bead, convoy: Option<&ConvoyId>, default_branch: &str) -> String {
    let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str);
    let lands_by_itself = note("merge_mode") == Some(MergeMode::ReviewAndMerge.as_str());
    let branch = note("feature_branch").filter(|_| convoy.is_some() && !lands_by_itself);
    branch.unwrap_or(default_branch).to_owned()
}

/// The branch that the work on a bead begins at, and goes into: of a merge request the one that it merges into.
///
/// # Errors
/// A fault of the database.
pub(super) fn base_of(cx: &Cx<'_>, rig: &RigState, bead: &Bead) -> Result<String, Failure> {
    if let Some(request) = find(cx, &bead.bead_id)? {
        return Ok(request.target_branch);
    }
    // Rework is merged into the branch that the review would have merged into.
    let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str);
    if let Some(target) = note("mr_bead_id").and(note("target_branch")) {
        return Ok(target.to_owned());
    }
    Ok(target_of(bead, beads::convoy_of(cx, &bead.bead_id)?.as_ref(), &rig.default_branch))
}

/// `submitToReviewQueue`.
pub(crate) fn submit_to_review_queue(cx: &Cx<'_>, caller: &Caller, (input,): (SubmitReviewInput,)) -> Result<Answer, Failure> {
    caller.check_speaks_for(input.agent_id.as_str())?;
    let rig = state::require(cx)?;
    if input.rig_id != rig.rig_id {
        return Err(refuse(Code::InvalidArgument, format!("rig_id must be {}, the rig that was called", rig.rig_id)));
    }
    agents::require(cx, &input.agent_id)?;
    let bead = beads::require(cx, &input.bead_id)?;
    hooks::check_writes(cx, caller, &bead)?;
    orders::reported(cx, input.agent_id.as_str(), &input.bead_id)?;
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
        landing_round: 0,
    };
    let about = Bead { body: input.summary.clone(), created_by: Some(input.agent_id.to_string()), ..bead.clone() };
    insert(cx, rig, &request, &about)?;
    hooks::release_bead(cx, rig, id)?;
    outbox_letters::bead_changed(cx, rig, &request.bead_id)?;
    Ok(request.bead_id)
}
