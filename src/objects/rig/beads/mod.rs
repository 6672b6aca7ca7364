//! The beads of a rig: created, read, listed, and moved through their life.
//!
//! Owns the `beads` table. `hooks` owns the holder of a bead, `dependencies` its blockers.

pub mod deletion;
pub mod dependencies;
pub mod events;
pub mod fields;
pub mod lifecycle;
pub mod lists;
pub mod molecules;

use super::{state, topics};
use crate::contract::checks::{check_labels, check_metadata, check_note, check_text};
use crate::contract::ids::{AgentId, BeadId, ConvoyId};
use crate::contract::labels::{HELD_LABEL, has_held_label};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Bead, BeadEventType, BeadStatus, BeadType, BlockedUntil, CreateBeadInput, Priority, Quality};
use crate::contract::tool_keys::LIST_BEADS;
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::assignment::{dispatch, hooks, orders};
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::beads::lifecycle::Stage;
use crate::objects::rig::messages::escalations;
use crate::objects::rig::outbox_letters;
use crate::objects::rig::reviews::results;
use crate::objects::store::sql::{execute, query_one};
use base::error::{Code, Failure, Refusal, Subject, refuse};
use base::hint;
use base::time::Timestamp;
use serde_json::{Map, Value, json};

/// The alarm's pace while nothing is urgent (Gastown contract, section 10).
const IDLE_TICK_MILLIS: i64 = 5 * 60 * 1_000;

/// Columns of a bead in the order of `Bead`'s fields.
macro_rules! bead_columns {
    () => {
        "bead_id, type, status, title, body, rig_id, parent_bead_id, assignee_agent_id AS assignee_agent_bead_id, priority, labels, metadata, dispatch_attempts,
         last_dispatch_attempt_at, created_by, created_at, updated_at, closed_at, blockers_open, merge_commit, failure_reason, quality"
    };
}
pub(super) use bead_columns;

/// Whether a bead's labels keep it from being given out, in SQL: the same test as `has_held_label`.
macro_rules! held_by_label {
    () => {
        "EXISTS (SELECT 1 FROM json_each(labels) WHERE value IN ('gt:held', 'gt:triage-request'))"
    };
}
pub(super) use held_by_label;

/// A bead about to be written, its text within the limits.
pub(super) struct NewBead {
    pub(super) bead_id: BeadId,
    pub(super) kind: BeadType,
    pub(super) title: String,
    pub(super) body: Option<String>,
    pub(super) parent_bead_id: Option<BeadId>,
    pub(super) priority: Priority,
    pub(super) labels: Vec<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) created_by: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) blockers_open: i64,
    pub(super) held: bool,
    pub(super) convoy_id: Option<ConvoyId>,
    pub(super) quality: Option<Quality>,
}

/// Writes a bead.
pub(super) fn insert(cx: &Cx<'_>, rig: &RigState, new: NewBead) -> Result<Bead, Failure> {
    check_text(&new.title, new.body.as_deref())?;
    let labels = check_labels(&new.labels)?;
    let metadata = check_metadata(&new.metadata)?;
    let held = i64::from(new.held || has_held_label(&new.labels));
    let sequence = cx.next_number()?;
    execute(
        cx.sql,
        "-- beads_insert\nINSERT INTO beads (bead_id, type, status, title, body, rig_id, parent_bead_id, priority, labels, metadata, created_by,
           created_at, updated_at, blockers_open, priority_rank, sequence, held, convoy_id, quality)
         VALUES (?1, ?2, 'open', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        json!([
            new.bead_id,
            new.kind,
            new.title,
            new.body,
            rig.rig_id,
            new.parent_bead_id,
            new.priority,
            labels,
            metadata,
            new.created_by,
            new.created_at.millis(),
            new.blockers_open,
            new.priority as i64,
            sequence,
            held,
            new.convoy_id,
            new.quality,
        ]),
    )?;
    events::write(cx, &Happened::to(BeadEventType::Created, &new.bead_id).values(None, new.kind.as_str()))?;
    topics::bead_changed(cx, rig, &new.bead_id)?;
    Ok(Bead {
        bead_id: new.bead_id,
        kind: new.kind,
        status: BeadStatus::Open,
        title: new.title,
        body: new.body,
        rig_id: Some(rig.rig_id.clone()),
        parent_bead_id: new.parent_bead_id,
        assignee_agent_bead_id: None,
        priority: new.priority,
        labels: new.labels,
        metadata: new.metadata,
        dispatch_attempts: 0,
        last_dispatch_attempt_at: None,
        created_by: new.created_by,
        created_at: new.created_at,
        updated_at: new.created_at,
        closed_at: None,
        blockers_open: new.blockers_open,
        merge_commit: None,
        failure_reason: None,
        quality: new.quality,
    })
}

/// `createBead`: an open bead; work is picked up at the next tick, which this call does not hurry.
pub(crate) fn create_bead(cx: &Cx<'_>, caller: &Caller, (input,): (CreateBeadInput,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if input.rig_id.as_ref().is_some_and(|id| *id != rig.rig_id) {
        return Err(refuse(Code::InvalidArgument, format!("rig_id must be {}, the rig that was called", rig.rig_id)));
    }
    if !matches!(input.kind, BeadType::Issue | BeadType::Escalation | BeadType::MergeRequest | BeadType::Molecule) {
        return Err(refuse(
            Code::InvalidArgument,
            "type must be issue, escalation, merge_request or molecule; mail, agents and convoys have methods of their own",
        ));
    }
    if input.assignee_agent_bead_id.is_some() {
        return Err(refuse(Code::Unsupported, "assignee_agent_bead_id cannot be set here: use hookBead"));
    }
    if let Some(parent) = &input.parent_bead_id {
        require(cx, parent)?;
    }
    if let Some(author) = &input.created_by {
        caller.check_speaks_for(author)?;
        check_note("created_by", author)?;
    }
    if input.kind == BeadType::Escalation
        && let Some(source) = input.metadata.as_ref().and_then(|metadata| metadata.get("source_agent_id")).and_then(Value::as_str)
    {
        // The town's inbox names it as the one that raised it.
        caller.check_speaks_for(source)?;
        check_note("metadata.source_agent_id", source)?;
    }
    let bead_id = BeadId::from_random(cx.random());
    let blockers = input.depends_on.unwrap_or_default();
    dependencies::check(cx, &bead_id, &blockers, blockers.len())?;
    for blocker in &blockers {
        dependencies::insert(cx, &bead_id, blocker, input.until.unwrap_or(BlockedUntil::Closed))?;
    }
    let labels = labels_of(input.labels, input.held);
    let mut new = NewBead {
        blockers_open: dependencies::unmet(cx, &bead_id)?,
        bead_id,
        kind: input.kind,
        title: input.title,
        body: input.body,
        parent_bead_id: input.parent_bead_id,
        priority: input.priority.unwrap_or(Priority::Medium),
        labels,
        metadata: input.metadata.unwrap_or_default(),
        created_by: Some(input.created_by.unwrap_or_else(|| caller.actor())),
        created_at: cx.now,
        held: false,
        convoy_id: None,
        quality: None,
    };
    let bead = if new.kind == BeadType::Escalation {
        escalations::label(&mut new);
        escalations::raise_bead(cx, &rig, new)?
    } else {
        insert(cx, &rig, new)?
    };
    outbox_letters::summary_changed(cx, &rig)?;
    cx.wake_at(cx.now.plus_millis(IDLE_TICK_MILLIS));
    answer(&bead)
}

/// A bead, if it exists.
pub(super) fn find(cx: &Cx<'_>, id: &BeadId) -> Result<Option<Bead>, Failure> {
    Ok(query_one(cx.sql, concat!("-- beads_find\nSELECT ", bead_columns!(), " FROM beads WHERE bead_id = ?"), (id,))?)
}

/// A bead that must exist.
pub(super) fn require(cx: &Cx<'_>, id: &BeadId) -> Result<Bead, Failure> {
    find(cx, id)?.ok_or_else(|| {
        Refusal::not_found(Subject::Bead(id.to_string()), format!("Bead {id} not found"))
            .hint(hint!["Call ", LIST_BEADS, " to see the beads of the rig."])
            .into()
    })
}

/// The convoy a bead belongs to.
pub(super) fn convoy_of(cx: &Cx<'_>, id: &BeadId) -> Result<Option<ConvoyId>, Failure> {
    let found: Option<(Option<ConvoyId>,)> = query_one(cx.sql, "-- beads_convoy_of\nSELECT convoy_id FROM beads WHERE bead_id = ?", (id,))?;
    Ok(found.and_then(|(convoy,)| convoy))
}

/// How a bead stands, and whether a merge commit is known.
pub(super) fn standing(cx: &Cx<'_>, id: &str) -> Result<Option<(BeadStatus, bool)>, Failure> {
    let found: Option<(BeadStatus, i64)> =
        query_one(cx.sql, "-- beads_standing\nSELECT status, merge_commit IS NOT NULL FROM beads WHERE bead_id = ?", (id,))?;
    Ok(found.map(|(status, is_merged)| (status, is_merged == 1)))
}

/// The labels of a new bead: those given, and the held label where it is to be held and none of them holds it.
pub(super) fn labels_of(given: Option<Vec<String>>, held: Option<bool>) -> Vec<String> {
    let mut labels = given.unwrap_or_default();
    if held == Some(true) && !has_held_label(&labels) {
        labels.push(HELD_LABEL.to_owned());
    }
    labels
}

/// Whether a bead is held back, by its label or by its convoy.
pub(super) fn is_held(cx: &Cx<'_>, id: &BeadId) -> Result<bool, Failure> {
    let found: Option<(i64,)> = query_one(cx.sql, "-- beads_is_held\nSELECT held FROM beads WHERE bead_id = ?", (id,))?;
    Ok(found.is_some_and(|(held,)| held == 1))
}

/// `updateBeadStatus`. A terminal bead never changes: the answer shows it as it is. A bead that ends frees its agent,
/// and only one that closes frees the beads that wait for it: a failed blocker goes on blocking.
pub(crate) fn update_bead_status(
    cx: &Cx<'_>,
    caller: &Caller,
    (id, status, agent_id, failure): (BeadId, BeadStatus, String, Option<Value>),
) -> Result<Answer, Failure> {
    caller.check_speaks_for(&agent_id)?;
    let rig = state::require(cx)?;
    let bead = require(cx, &id)?;
    let stays = bead.status.is_terminal() || bead.status == status;
    if !stays {
        results::check_judges(cx, caller, &bead)?;
    }
    hooks::check_writes(cx, caller, &bead)?;
    if stays {
        return answer(&bead);
    }
    if status.is_terminal() {
        orders::reported(cx, caller.principal.agent_id.as_deref().unwrap_or(&agent_id), &id)?;
    }
    let reason = failure.map(|reason| reason.get("message").and_then(Value::as_str).map_or_else(|| reason.to_string(), str::to_owned));
    if let Some(reason) = &reason {
        check_note("failureReason", reason)?;
    }
    move_to(cx, &rig, &bead, status, &Move { reason: reason.as_deref(), ..Move::default() })?;
    dispatch::dispatch(cx, &rig)?;
    answer(&require(cx, &id)?)
}

/// Details of a bead's move.
#[derive(Default)]
pub(super) struct Move<'a> {
    /// Why it failed or goes back, in words.
    pub(super) reason: Option<&'a str>,
    /// The commit that merged it: evidence.
    pub(super) merge_commit: Option<&'a str>,
}

/// Moves a bead that has not ended to another status, with all consequences: event, hook, waiting beads, the town.
/// Gives out no work; the caller does (`dispatch`).
///
/// # Errors
/// `Conflict` for a move that is not legal (`lifecycle`).
pub(super) fn move_to(cx: &Cx<'_>, rig: &RigState, bead: &Bead, status: BeadStatus, with: &Move<'_>) -> Result<(), Failure> {
    let holder = bead.assignee_agent_bead_id.as_ref().map(AgentId::as_str);
    let id = &bead.bead_id;
    lifecycle::check(id.as_str(), Stage::of(bead.status, holder.is_some()), Stage::of(status, false))?;
    let closed_at = (status == BeadStatus::Closed).then_some(cx.now.millis());
    let failure = with.reason.filter(|_| status == BeadStatus::Failed);
    execute(
        cx.sql,
        "-- beads_move\nUPDATE beads SET status = ?, updated_at = ?, closed_at = ?, failure_reason = ?, merge_commit = coalesce(?, merge_commit) WHERE bead_id = ?",
        (status, cx.now.millis(), closed_at, failure, with.merge_commit, id),
    )?;
    let kind = if status == BeadStatus::Closed { BeadEventType::Closed } else { BeadEventType::StatusChanged };
    let mut event = Happened::to(kind, id).values(Some(bead.status.as_str()), status.as_str());
    event.agent = holder;
    if let Some(reason) = with.reason {
        event = event.about(json!({"failure_reason": {"message": reason}}));
    } else if let Some(commit) = with.merge_commit {
        event = event.about(json!({"merge_commit": commit}));
    }
    events::write(cx, &event)?;
    if status.is_terminal() || status == BeadStatus::Open {
        hooks::release_bead(cx, rig, id)?;
    }
    results::after_move(cx, rig, bead, status, with)?;
    if status.is_terminal() {
        dependencies::blocker_changed(cx, rig, id)?;
        if bead.kind == BeadType::MergeRequest {
            // The merge request held back the beads that wait for its source.
            dependencies::review_ended(cx, rig, id)?;
        }
        escalations::ended(cx, rig, bead)?;
    }
    if status == BeadStatus::InProgress {
        hooks::begun(cx, rig, id)?;
    }
    outbox_letters::bead_changed(cx, rig, id)
}

/// `closeBead`.
pub(crate) fn close_bead(cx: &Cx<'_>, caller: &Caller, (id, agent_id): (BeadId, String)) -> Result<Answer, Failure> {
    update_bead_status(cx, caller, (id, BeadStatus::Closed, agent_id, None))
}
