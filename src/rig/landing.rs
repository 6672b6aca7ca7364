//! Landings: a convoy's branch on its way into the default branch, as the town ordered it.
//!
//! Owns how the order becomes a merge request, when a failed one is tried again, and what the town is told. When a convoy is
//! to land is the town's business.

use super::beads::{self, Move};
use super::escalations::{self, NewEscalation};
use super::reviews::{self, Request, request_columns};
use super::state::{self, RigState};
use super::{report, verdicts};
use crate::error::{Failure, Fault};
use crate::ids::{BeadId, ConvoyId};
use crate::rpc::model::{Bead, BeadStatus, BeadType, LandingStatus, Priority, Severity};
use crate::rpc::serve::Cx;
use crate::store::outbox::Letter;
use crate::store::sql::{execute, query, query_one};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// Reviews of a landing that may fail before it is given up (Gastown contract, section 10).
pub const ATTEMPTS_MAX: i64 = 5;
/// Pause after the first failure, doubled with each further one.
pub const RETRY_MILLIS_MIN: i64 = 30_000;
/// Longest pause.
pub const RETRY_MILLIS_MAX: i64 = 30 * 60 * 1_000;
/// Why a landing fails whose branch is the one it would land on.
pub const BRANCH_IS_BASE: &str = "the branch is its base";
/// Why a landing fails that the town does not want any more.
pub const CALLED_OFF: &str = "its convoy was called off";

/// The body of the town's `landing` letter: a convoy whose beads are all merged into its branch is to land.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingOrder {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Its title.
    pub title: String,
    /// Its feature branch.
    pub branch: String,
    /// It is not to land any more.
    pub cancelled: bool,
    /// Greater than that of every earlier order: what was merged for an earlier one lacks the work that came since.
    #[serde(default)]
    pub round: i64,
}

/// The body of the rig's `landing` letter: how the landing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingReport {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Which order it answers.
    #[serde(default)]
    pub round: i64,
    /// Where it is.
    pub status: LandingStatus,
    /// Reviews that have ended.
    pub attempts: i64,
    /// Evidence; left out when nobody named it, and when the branch was at its base.
    #[serde(default)]
    pub merge_commit: Option<String>,
    /// The branch was at its base: nothing was merged.
    pub is_empty: bool,
    /// Why the last review failed.
    #[serde(default)]
    pub failure: Option<String>,
}

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
pub(super) fn apply(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let order: LandingOrder = letter.read("read a landing letter")?;
    let rig = state::require(cx)?;
    let known = newest(cx, order.convoy_id.as_str())?;
    let bead = known.as_ref().map(|known| beads::require(cx, &known.bead_id)).transpose()?;
    match (known, bead) {
        (Some(known), Some(bead)) if bead.status.is_terminal() => {
            let failed = bead.status == BeadStatus::Failed;
            let is_new = order.round > known.landing_round;
            let again = is_new || failed && (known.branch != order.branch || bead.failure_reason.as_deref() == Some(CALLED_OFF));
            if again && !order.cancelled { begin(cx, &rig, &order) } else { changed(cx, &rig, &known) }
        }
        (Some(_), Some(bead)) if order.cancelled => {
            beads::move_to(cx, &rig, &bead, BeadStatus::Failed, &Move { reason: Some(CALLED_OFF), ..Move::default() })
        }
        (Some(known), Some(bead)) if known.branch != order.branch || order.round > known.landing_round => {
            beads::move_to(cx, &rig, &bead, BeadStatus::Failed, &Move { reason: Some("it was ordered anew"), ..Move::default() })?;
            begin(cx, &rig, &order)
        }
        (Some(known), _) => changed(cx, &rig, &known),
        (None, _) if order.cancelled => Ok(()),
        (None, _) => begin(cx, &rig, &order),
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
    report::bead_changed(cx, rig, &bead.bead_id)?;
    changed(cx, rig, &request)
}

/// What the merge request of a landing says of the work that it merges.
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
pub(super) fn failed(cx: &Cx<'_>, rig: &RigState, bead: &Bead, request: &Request, reason: &str) -> Result<(), Failure> {
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
        report::bead_changed(cx, rig, &bead.bead_id)?;
    }
    cx.wake_at(at);
    changed(cx, rig, request)
}

/// Milliseconds to wait after so many failures.
fn pause(failures: i64) -> i64 {
    let doublings = u32::try_from(failures.clamp(1, 16) - 1).unwrap_or_default();
    RETRY_MILLIS_MIN.saturating_mul(1 << doublings).min(RETRY_MILLIS_MAX)
}

/// Landings whose pause is over ask for a review again.
pub(super) fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(rig) = state::load(cx)? else { return Ok(()) };
    let due: Vec<(BeadId,)> = query(
        cx.sql,
        "-- landing_due\nUPDATE merge_requests SET not_before = NULL WHERE not_before <= ? RETURNING bead_id",
        (cx.now.millis(),),
    )?;
    for (bead,) in &due {
        execute(cx.sql, "-- landing_again\nUPDATE beads SET held = 0, updated_at = ? WHERE bead_id = ?", (cx.now.millis(), bead))?;
        report::bead_changed(cx, &rig, bead)?;
        if let Some(request) = reviews::find(cx, bead)? {
            changed(cx, &rig, &request)?;
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
pub(super) fn changed(cx: &Cx<'_>, rig: &RigState, request: &Request) -> Result<(), Failure> {
    match request.convoy_id.as_ref().filter(|_| request.source_bead_id.is_none()) {
        Some(convoy) => report::tell(cx, rig, "landing", convoy.as_str()),
        None => Ok(()),
    }
}

/// How the newest landing of a convoy stands, the body of a letter; `None` when it has none.
///
/// # Errors
/// A fault of the database.
pub fn letter(cx: &Cx<'_>, convoy: &str) -> Result<Option<LandingReport>, Failure> {
    let Some(request) = newest(cx, convoy)? else { return Ok(None) };
    let (Some(convoy_id), Some(bead)) = (request.convoy_id, beads::find(cx, &request.bead_id)?) else { return Ok(None) };
    let at_base = request.merge_commit.as_deref().zip(request.base_commit.as_deref());
    let said = bead.metadata.get("feedback").and_then(|feedback| feedback.as_str()).filter(|_| bead.status != BeadStatus::Closed);
    Ok(Some(LandingReport {
        convoy_id,
        round: request.landing_round,
        status: match bead.status {
            BeadStatus::Closed => LandingStatus::Merged,
            BeadStatus::Failed => LandingStatus::Failed,
            _ if request.not_before.is_some() => LandingStatus::Waiting,
            _ => LandingStatus::InReview,
        },
        attempts: request.retry_count + i64::from(bead.status == BeadStatus::Closed),
        merge_commit: bead.merge_commit,
        is_empty: request.branch == request.target_branch || at_base.is_some_and(|(commit, base)| verdicts::is_same_commit(commit, base)),
        failure: bead.failure_reason.or_else(|| said.map(str::to_owned)),
    }))
}
