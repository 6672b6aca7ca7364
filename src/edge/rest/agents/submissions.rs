//! Routes by which agents and containers bring something to the rig: messages, finished work, results, decisions.

use super::{Asked, Planned};
use crate::contract::ids::AgentId;
use crate::contract::shapes::{MailInput, NudgeOptions, ReviewReport, SubmitReviewInput, TriageInput};
use crate::edge::rest::extract::{given, shaped, take, unsupported};
use crate::edge::rest::response::Shape;
use crate::rpc::table::{APPEND_AGENT_EVENT, COMPLETE_REVIEW, QUEUE_NUDGE, RESOLVE_TRIAGE, SEND_MAIL, SUBMIT_REVIEW};
use base::error::Failure;
use serde_json::{Map, Value, json};

pub(super) fn nudge(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (to, message): (AgentId, String) = (take(&mut body, "target_agent_id")?, take(&mut body, "message")?);
    let options = NudgeOptions {
        mode: given(&mut body, "mode")?,
        priority: given(&mut body, "priority")?,
        source: None,
        ttl_seconds: given(&mut body, "ttl_seconds")?,
    };
    asked.call(&QUEUE_NUDGE, (to, message, options), Shape::Field("nudge_id"))
}

pub(super) fn refresh_git_token(_: &Asked<'_>) -> Result<Planned, Failure> {
    Err(unsupported("they hold no token of a git host", "Whoever runs the agents gives them access to the repository."))
}

pub(super) fn append_event(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (agent, kind): (AgentId, String) = (take(&mut body, "agent_id")?, take(&mut body, "event_type")?);
    asked.call(&APPEND_AGENT_EVENT, (agent, kind, body.remove("data")), Shape::Field("id"))
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
