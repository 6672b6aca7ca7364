//! Work that a review sends back: as a bead of its own while the review waits, or the reviewed bead itself.
//!
//! Owns the keys that both get: `feedback`, `mr_bead_id`, `branch` and `target_branch` in the bead's metadata. Rework
//! stays on its branch (`hooks`).

use crate::contract::ids::{AgentId, BeadId};
use crate::contract::limits::bead::TITLE_CHARS_MAX;
use crate::contract::shapes::{
    AgentRole, Bead, BeadEventType, BeadStatus, BeadType, BlockedUntil, Priority, RequestChangesInput, RequestedChanges,
};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::assignment::{dispatch, orders};
use crate::objects::rig::beads;
use crate::objects::rig::beads::dependencies;
use crate::objects::rig::beads::{Move, NewBead};
use crate::objects::rig::reviews;
use crate::objects::rig::reviews::Request;
use crate::objects::rig::reviews::results;
use crate::objects::rig::{agents, outbox_letters, state};
use crate::objects::store::sql::execute;
use base::error::{Code, Failure, Fault, Refusal, refuse};
use serde_json::{Map, Value, json as value};

/// The label of rework.
pub const LABEL: &str = "gt:rework";
/// Labels of work on a merge request that is not reviewed by itself.
const UNREVIEWED: [&str; 4] = [LABEL, "gt:pr-fixup", "gt:pr-conflict", "gt:pr-feedback"];
/// Most files of a request for changes.
pub const FILES_MAX: usize = 100;
/// Longest name of a file, in characters.
pub const FILE_CHARS_MAX: usize = 500;

/// The merge request that waits for this bead, if it is rework.
pub(in crate::objects::rig) fn request_of(bead: &Bead) -> Option<BeadId> {
    let is_rework = bead.labels.iter().any(|label| label == LABEL);
    let request = bead.metadata.get("mr_bead_id").and_then(Value::as_str).filter(|_| is_rework)?;
    BeadId::parse(request).ok()
}

/// Whether this work is part of a review and not reviewed by itself (Gastown contract, section 7).
pub(in crate::objects::rig) fn is_unreviewed(bead: &Bead) -> bool {
    bead.labels.iter().any(|label| UNREVIEWED.contains(&label.as_str()))
}

/// `requestChanges`: the refinery wants something changed before it goes on with the merge request on its hook.
pub(crate) fn request_changes(cx: &Cx<'_>, caller: &Caller, (agent_id, input): (AgentId, RequestChangesInput)) -> Result<Answer, Failure> {
    caller.check_speaks_for(agent_id.as_str())?;
    let rig = state::require(cx)?;
    let refinery = agents::require(cx, &agent_id)?;
    if refinery.role != AgentRole::Refinery {
        return Err(refuse(Code::Forbidden, "Only refineries can request changes"));
    }
    let Some(hook) = refinery.current_hook_bead_id else {
        return Err(Refusal::new(Code::Conflict, format!("Agent {agent_id} is not hooked to a bead"))
            .hint("Hook a merge request first.")
            .into());
    };
    let bead = beads::require(cx, &hook)?;
    let Some(request) = reviews::find(cx, &hook)? else {
        return Err(refuse(Code::Conflict, format!("Agent {agent_id} is not hooked to a merge_request bead")));
    };
    if input.feedback.trim().is_empty() {
        return Err(refuse(Code::InvalidArgument, "feedback must say what is to be changed"));
    }
    results::check_feedback("feedback", &input.feedback)?;
    let files = input.files.unwrap_or_default();
    if files.len() > FILES_MAX || files.iter().any(|file| file.is_empty() || file.chars().count() > FILE_CHARS_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("files: at most {FILES_MAX}, each of 1 to {FILE_CHARS_MAX} characters")));
    }
    orders::reported(cx, agent_id.as_str(), &hook)?;
    let source = request.source_bead_id.as_ref().map(|source| beads::find(cx, source)).transpose()?.flatten();
    let original = source.as_ref().unwrap_or(&bead);
    let mut metadata = Map::new();
    metadata.insert("rework_for".to_owned(), Value::from(original.bead_id.as_str()));
    metadata.insert("original_bead_title".to_owned(), Value::from(original.title.as_str()));
    metadata.insert("mr_bead_id".to_owned(), Value::from(hook.as_str()));
    metadata.insert("branch".to_owned(), Value::from(request.branch.as_str()));
    metadata.insert("target_branch".to_owned(), Value::from(request.target_branch.as_str()));
    metadata.insert("feedback".to_owned(), Value::from(input.feedback.as_str()));
    metadata.insert("files".to_owned(), value!(files));
    let rework = beads::insert(
        cx,
        &rig,
        NewBead {
            bead_id: BeadId::from_random(cx.random()),
            kind: BeadType::Issue,
            title: format!("Rework: {}", original.title).chars().take(TITLE_CHARS_MAX).collect(),
            body: Some(input.feedback.clone()),
            parent_bead_id: None,
            // A review waits for it.
            priority: original.priority.max(Priority::High),
            labels: vec![LABEL.to_owned()],
            metadata,
            created_by: Some(agent_id.to_string()),
            created_at: cx.now,
            blockers_open: 0,
            held: false,
            convoy_id: None,
            quality: None,
        },
    )?
    .bead_id;
    dependencies::insert(cx, &hook, &rework, BlockedUntil::Closed)?;
    beads::move_to(cx, &rig, &bead, BeadStatus::Open, &Move::default())?;
    dependencies::recount(cx, &rig, &hook)?;
    let about = value!({"mr_bead_id": hook, "rework_bead_id": rework, "feedback": input.feedback});
    reviews::write_event(cx, BeadEventType::ReworkRequested, &request, "rework", about)?;
    outbox_letters::bead_changed(cx, &rig, &rework)?;
    dispatch::dispatch(cx, &rig)?;
    json(&RequestedChanges { rework_bead_id: rework })
}

/// Tells a bead why its review failed. The caller moves it.
pub(in crate::objects::rig) fn send_back(cx: &Cx<'_>, source: &Bead, request: &Request, feedback: &str) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- rework_send_back\nUPDATE beads SET metadata = json_set(metadata, '$.feedback', ?, '$.mr_bead_id', ?, '$.branch', ?, '$.target_branch', ?)
         WHERE bead_id = ?",
        (feedback, &request.bead_id, &request.branch, &request.target_branch, &source.bead_id),
    )?;
    let about = value!({"mr_bead_id": request.bead_id, "feedback": feedback});
    reviews::write_event(cx, BeadEventType::ReworkRequested, request, "reopened", about)
}
