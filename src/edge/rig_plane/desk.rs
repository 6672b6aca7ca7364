//! Routes by which agents and containers bring something to the rig: messages, finished work, results, decisions.

use super::{Asked, Planned, Shape, shaped, unsupported};
use crate::error::Failure;
use crate::ids::AgentId;
use crate::rpc::model::{MailInput, NudgeMode, NudgeOptions, NudgePriority, ReviewReport, SubmitReviewInput, TriageInput};
use crate::rpc::table::{APPEND_AGENT_EVENT, COMPLETE_REVIEW, QUEUE_NUDGE, RESOLVE_TRIAGE, SEND_MAIL, SUBMIT_REVIEW};
use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Deserialize)]
struct NudgeBody {
    target_agent_id: AgentId,
    message: String,
    mode: Option<NudgeMode>,
    priority: Option<NudgePriority>,
    ttl_seconds: Option<i64>,
}

#[derive(Deserialize)]
struct EventBody {
    agent_id: AgentId,
    event_type: String,
    #[serde(default)]
    data: Value,
}

pub(super) fn nudge(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: NudgeBody = asked.body()?;
    let options = NudgeOptions { mode: body.mode, priority: body.priority, source: None, ttl_seconds: body.ttl_seconds };
    asked.call(&QUEUE_NUDGE, (body.target_agent_id, body.message, options), Shape::Field("nudge_id"))
}

pub(super) fn refresh_git_token(_: &Asked<'_>) -> Result<Planned, Failure> {
    Err(unsupported("they hold no token of a git host", "Whoever runs the agents gives them access to the repository."))
}

pub(super) fn append_event(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: EventBody = asked.body()?;
    asked.call(&APPEND_AGENT_EVENT, (body.agent_id, body.event_type, body.data), Shape::Field("id"))
}

pub(super) fn send_mail(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let input: MailInput = asked.body()?;
    asked.call(&SEND_MAIL, (input,), Shape::Flag("sent"))
}

pub(super) fn submit_review(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut fields: Map<String, Value> = asked.body()?;
    fields.entry("rig_id").or_insert_with(|| json!(asked.rig));
    let input: SubmitReviewInput = shaped(fields)?;
    asked.call(&SUBMIT_REVIEW, (input,), Shape::Flag("submitted"))
}

pub(super) fn complete_review(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut fields: Map<String, Value> = asked.body()?;
    fields.insert("entry_id".to_owned(), json!(asked.bead("Merge request not found")?));
    let report: ReviewReport = shaped(fields)?;
    asked.call(&COMPLETE_REVIEW, (report,), Shape::Flag("completed"))
}

pub(super) fn resolve_triage(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let input: TriageInput = asked.body()?;
    asked.call(&RESOLVE_TRIAGE, (input,), Shape::Whole)
}
