//! Routes by which agents and containers submit something to the rig: messages, finished work, results, decisions.

use crate::contract::ids::{AgentId, BeadId};
use crate::contract::shapes::{MailInput, NudgeOptions, ReviewReport, SubmitReviewInput, TriageInput};
use crate::edge::rest::call::PlannedCall;
use crate::edge::rest::extract::{given, shaped, take};
use crate::edge::rest::request::RouteRequest;
use base::error::Failure;
use serde_json::{Map, Value, json};

pub(super) fn nudge(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (to, message): (AgentId, String) = (take(&mut body, "target_agent_id")?, take(&mut body, "message")?);
    let options = NudgeOptions {
        mode: given(&mut body, "mode")?,
        priority: given(&mut body, "priority")?,
        source: None,
        ttl_seconds: given(&mut body, "ttl_seconds")?,
    };
    request.call((to, message, options))
}

pub(super) fn append_event(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (agent, kind): (AgentId, String) = (take(&mut body, "agent_id")?, take(&mut body, "event_type")?);
    request.call((agent, kind, body.remove("data")))
}

pub(super) fn send_mail(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let input: MailInput = request.body()?;
    request.call((input,))
}

pub(super) fn submit_review(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut fields: Map<String, Value> = request.body()?;
    fields.entry("rig_id").or_insert_with(|| json!(request.place.rig));
    let input: SubmitReviewInput = shaped(fields)?;
    request.call((input,))
}

pub(super) fn complete_review(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut fields: Map<String, Value> = request.body()?;
    fields.insert("entry_id".to_owned(), json!(request.id::<BeadId>("entry", "Merge request not found")?));
    let report: ReviewReport = shaped(fields)?;
    request.call((report,))
}

pub(super) fn resolve_triage(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let input: TriageInput = request.body()?;
    request.call((input,))
}
