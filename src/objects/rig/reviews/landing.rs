//! Landings: a convoy's branch on its way into the default branch, as the town ordered it.
//!
//! Owns how the order becomes a merge request, when a failed one is tried again, and the report to the town. The town
//! decides when a convoy is to land.

use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::letters::rig::{LandingOrder, RigState};
use crate::contract::letters::town::LandingReport;
use crate::contract::letters::{Letter, RigToTown};
use crate::contract::shapes::{Bead, BeadStatus, BeadType, LandingStatus, Priority, Severity};
use crate::objects::handler::Cx;
use crate::objects::rig::beads;
use crate::objects::rig::beads::{Move, held_by_label};
use crate::objects::rig::messages::escalations;
use crate::objects::rig::messages::escalations::NewEscalation;
use crate::objects::rig::outbox_letters;
use crate::objects::rig::reviews;
use crate::objects::rig::reviews::results;
use crate::objects::rig::reviews::{Request, request_columns};
use crate::objects::rig::state;
use crate::objects::store::sql::{execute, query, query_one};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde_json::Map;

/// Reviews of a landing that may fail before it is given up (Gastown contract, section 10).
pub const ATTEMPTS_MAX: i64 = 5;
/// Pause after the first failure, doubled with each further one.
pub const RETRY_MILLIS_MIN: i64 = 30_000;
/// The longest pause between two tries.
pub const RETRY_MILLIS_MAX: i64 = 30 * 60 * 1_000;
/// The reason of a landing whose branch is the branch that it would land on.
pub const BRANCH_IS_BASE: &str = "the branch is its base";
/// The reason of a landing whose merge request was deleted.
pub const DELETED: &str = "its merge request was deleted";
/// Why a landing fails that the town wants otherwise.
const ORDERED_ANEW: &str = "it was ordered anew";
/// Why a landing fails that the town does not want any more.
pub const CALLED_OFF: &str = "its convoy was called off";

/// The newest landing of a convoy.
fn newest(cx: &Cx<'_>, convoy: &str) -> Result<Option<Request>, Fault> {
    query_one(
        cx.sql,
        concat!(
            "-- landing_newest\nSELECT ",
            request_columns!(),
            " FROM merge_requests AS review WHERE convoy_id = ? AND source_bead_id IS NULL ORDER BY sequence DESC LIMIT 1"
        ),
        (convoy,),
    )
}

/// Takes an order of the town. Saying it twice changes nothing; a landing that failed is made anew for another branch, or
/// when it had been cancelled.
pub(in crate::objects::rig) fn apply(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let order: LandingOrder = letter.read("read a landing letter")?;
    let rig = state::require(cx)?;
    let Some(known) = newest(cx, order.convoy_id.as_str())? else {
        return if order.cancelled { Ok(()) } else { begin(cx, &rig, &order) };
    };
    let bead = beads::find(cx, &known.bead_id)?;
    let is_other = known.branch != order.branch;
    let is_new = order.round > known.landing_round;
    match &bead {
        Some(bead) if !bead.status.is_terminal() => {
            let reason = match () {
                () if order.cancelled => CALLED_OFF,
                () if is_other || is_new => ORDERED_ANEW,
                () => return changed(cx, &rig, &known),
            };
            beads::move_to(cx, &rig, bead, BeadStatus::Failed, &Move { reason: Some(reason), ..Move::default() })?;
            if order.cancelled { Ok(()) } else { begin(cx, &rig, &order) }
        }
        over => {
            let failed = outcome(&known, over.as_ref()) == LandingStatus::Failed;
            let was_called_off = over.as_ref().is_some_and(|bead| bead.failure_reason.as_deref() == Some(CALLED_OFF));
            let again = is_new || failed && (is_other || was_called_off);
            if again && !order.cancelled { begin(cx, &rig, &order) } else { changed(cx, &rig, &known) }
        }
    }
}

/// The state of the landing whose merge request is, or was, this bead.
fn outcome(request: &Request, bead: Option<&Bead>) -> LandingStatus {
    match bead.map(|bead| bead.status) {
        Some(BeadStatus::Closed) => LandingStatus::Merged,
        None if request.merge_commit.is_some() => LandingStatus::Merged,
        Some(BeadStatus::Failed) | None => LandingStatus::Failed,
        Some(BeadStatus::Open | BeadStatus::InProgress | BeadStatus::InReview) if request.not_before.is_some() => LandingStatus::Waiting,
        Some(BeadStatus::Open | BeadStatus::InProgress | BeadStatus::InReview) => LandingStatus::InReview,
    }
}

fn begin(cx: &Cx<'_>, rig: &RigState, order: &LandingOrder) -> Result<(), Failure> {
    let request = Request {
        bead_id: BeadId::from_random(cx.random()),
        source_bead_id: None,
        source_agent_id: None,
        convoy_id: Some(order.convoy_id.clone()),
        branch: order.branch.clone(),
        target_branch: rig.default_branch.clone(),
        merge_commit: None,
        base_commit: None,
        pr_url: None,
        retry_count: 0,
        not_before: None,
        landing_round: order.round,
    };
    let bead = reviews::insert(cx, rig, &request, &about(cx, rig, order))?;
    if request.branch == request.target_branch {
        return beads::move_to(cx, rig, &bead, BeadStatus::Failed, &Move { reason: Some(BRANCH_IS_BASE), ..Move::default() });
    }
    outbox_letters::bead_changed(cx, rig, &bead.bead_id)?;
    changed(cx, rig, &request)
}

/// The bead that stands for a landing's work in its merge request.
fn about(cx: &Cx<'_>, rig: &RigState, order: &LandingOrder) -> Bead {
    Bead {
        bead_id: BeadId::from_random(cx.random()),
        kind: BeadType::Convoy,
        status: BeadStatus::Open,
        title: order.title.clone(),
        body: Some(format!("Land convoy {}: {}", order.convoy_id, order.title)),
        rig_id: Some(rig.rig_id.clone()),
        parent_bead_id: None,
        assignee_agent_bead_id: None,
        priority: Priority::High,
        labels: Vec::new(),
        metadata: Map::new(),
        dispatch_attempts: 0,
        last_dispatch_attempt_at: None,
        created_by: None,
        created_at: cx.now,
        updated_at: cx.now,
        closed_at: None,
        blockers_open: 0,
        merge_commit: None,
        failure_reason: None,
        quality: None,
    }
}

/// A review of a landing has failed: it is tried again after a pause, or given up.
pub(in crate::objects::rig) fn failed(cx: &Cx<'_>, rig: &RigState, bead: &Bead, request: &Request, reason: &str) -> Result<(), Failure> {
    let failures = request.retry_count + 1;
    if failures >= ATTEMPTS_MAX {
        beads::move_to(cx, rig, bead, BeadStatus::Failed, &Move { reason: Some(reason), ..Move::default() })?;
        let message = format!("{} did not land on {} in {failures} attempts: {reason}", request.branch, request.target_branch);
        let new = NewEscalation {
            severity: Severity::High,
            category: "landing_failed",
            message: &message,
            agent: None,
            bead: Some(&bead.bead_id),
        };
        return escalations::raise(cx, rig, &new).map(drop);
    }
    let at = cx.now.plus_millis(pause(failures));
    execute(cx.sql, "-- landing_failed\nUPDATE merge_requests SET not_before = ? WHERE bead_id = ?", (at.millis(), &bead.bead_id))?;
    execute(
        cx.sql,
        "-- landing_hold\nUPDATE beads SET held = 1, metadata = json_set(metadata, '$.feedback', ?) WHERE bead_id = ?",
        (reason, &bead.bead_id),
    )?;
    if bead.status != BeadStatus::Open || bead.assignee_agent_bead_id.is_some() {
        beads::move_to(cx, rig, bead, BeadStatus::Open, &Move::default())?;
    } else {
        outbox_letters::bead_changed(cx, rig, &bead.bead_id)?;
    }
    cx.wake_at(at);
    changed(cx, rig, request)
}

/// Merge requests are about to be deleted: of those that land a convoy the town hears that they have failed, unless they had
/// ended. `ids` is a JSON array.
pub(in crate::objects::rig) fn deleted(cx: &Cx<'_>, rig: &RigState, ids: &str) -> Result<(), Failure> {
    let under_way: Vec<(ConvoyId,)> = query(
        cx.sql,
        "-- landing_deleted\nSELECT review.convoy_id FROM json_each(?) AS doomed CROSS JOIN merge_requests AS review ON review.bead_id = doomed.value
         CROSS JOIN beads AS request ON request.bead_id = review.bead_id
         WHERE review.source_bead_id IS NULL AND review.convoy_id IS NOT NULL AND request.status NOT IN ('closed', 'failed')",
        (ids,),
    )?;
    under_way.iter().try_for_each(|(convoy,)| outbox_letters::tell(cx, rig, RigToTown::Landing, convoy.as_str()))
}

/// Milliseconds to wait after so many failures.
fn pause(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.clamp(1, 16) - 1).unwrap_or_default();
    RETRY_MILLIS_MIN.saturating_mul(1 << doublings).min(RETRY_MILLIS_MAX)
}

/// Landings whose pause is over ask for a review again.
pub(in crate::objects::rig) fn alarm(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    let due: Vec<(BeadId,)> = query(
        cx.sql,
        "-- landing_due\nUPDATE merge_requests SET not_before = NULL WHERE not_before <= ? RETURNING bead_id",
        (cx.now.millis(),),
    )?;
    for (bead,) in &due {
        execute(
            cx.sql,
            concat!("-- landing_again\nUPDATE beads SET held = ", held_by_label!(), ", updated_at = ? WHERE bead_id = ?"),
            (cx.now.millis(), bead),
        )?;
        outbox_letters::bead_changed(cx, rig, bead)?;
        if let Some(request) = reviews::find(cx, bead)? {
            changed(cx, rig, &request)?;
        }
    }
    let next: Option<(Option<Timestamp>,)> =
        query_one(cx.sql, "-- landing_next\nSELECT min(not_before) FROM merge_requests WHERE not_before IS NOT NULL", ())?;
    if let Some(at) = next.and_then(|(at,)| at) {
        cx.wake_at(at);
    }
    Ok(())
}

/// How a landing stands has changed: the town is told.
pub(in crate::objects::rig) fn changed(cx: &Cx<'_>, rig: &RigState, request: &Request) -> Result<(), Failure> {
    match request.convoy_id.as_ref().filter(|_| request.source_bead_id.is_none()) {
        Some(convoy) => outbox_letters::tell(cx, rig, RigToTown::Landing, convoy.as_str()),
        None => Ok(()),
    }
}

/// The state of a convoy's newest landing, as the body of a letter; `None` when it has none.
///
/// # Errors
/// A fault of the database.
pub fn letter(cx: &Cx<'_>, convoy: &str) -> Result<Option<LandingReport>, Failure> {
    let Some(request) = newest(cx, convoy)? else { return Ok(None) };
    let Some(convoy_id) = request.convoy_id.clone() else { return Ok(None) };
    let bead = beads::find(cx, &request.bead_id)?;
    let status = outcome(&request, bead.as_ref());
    let at_base = request.merge_commit.as_deref().zip(request.base_commit.as_deref());
    let is_empty = request.branch == request.target_branch || at_base.is_some_and(|(commit, base)| results::is_same_commit(commit, base));
    let (merge_commit, failure) = match bead {
        Some(bead) => {
            let said = bead.metadata.get("feedback").and_then(|feedback| feedback.as_str()).filter(|_| bead.status != BeadStatus::Closed);
            let failure = bead.failure_reason.or_else(|| said.map(str::to_owned));
            (bead.merge_commit, failure)
        }
        None if status == LandingStatus::Failed => (None, Some(DELETED.to_owned())),
        None => (request.merge_commit.filter(|_| !is_empty), None),
    };
    let attempts = request.retry_count + i64::from(status == LandingStatus::Merged);
    Ok(Some(LandingReport { convoy_id, round: request.landing_round, status, attempts, merge_commit, is_empty, failure }))
}
