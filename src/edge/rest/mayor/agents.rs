//! Routes about the agents of a rig: reset, nudges, mail.

use super::{agent, rig};
use crate::contract::ids::RigId;
use crate::contract::shapes::MailInput;
use crate::edge::rest::call::PlannedCall;
use crate::edge::rest::extract::{shaped, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::wrong_rig::Named;
use base::error::Failure;
use serde_json::{Map, Value};

pub(super) fn reset(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let agent = agent(request)?;
    Ok(request.call_rig(rig(request)?, (&agent,))?.naming([Named::Agent(agent)]))
}

pub(super) fn pending_nudges(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call_rig(rig(request)?, (agent(request)?,))
}

pub(super) fn mail(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body: Map<String, Value> = request.body()?;
    let (rig, input): (RigId, MailInput) = (take(&mut body, "rig_id")?, shaped(body)?);
    request.call_rig(rig, (input,))
}
