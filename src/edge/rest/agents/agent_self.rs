//! Routes of one agent, by which it reports for itself; and the two of the Mayor.

use super::registration::agent;
use crate::contract::ids::BeadId;
use crate::contract::shapes::{AgentCompletedInput, AgentDoneInput, AgentStatus, RequestChangesInput};
use crate::edge::rest::call::PlannedCall;
use crate::edge::rest::extract::{given, invalid, take};
use crate::edge::rest::request::RouteRequest;
use base::error::Failure;
use base::time::Timestamp;
use serde_json::{Map, Value};

pub(super) const NO_MOLECULE: &str = "No active molecule";

/// Routes that say nothing beside which agent is meant.
pub(super) fn of_agent(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((agent(request)?,))
}

pub(super) fn hook(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let bead: BeadId = take(&mut request.body()?, "bead_id")?;
    request.call((agent(request)?, bead))
}

pub(super) fn done(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let body: AgentDoneInput = request.body()?;
    request.call((agent(request)?, body))
}

pub(super) fn request_changes(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let body: RequestChangesInput = request.body()?;
    request.call((agent(request)?, body))
}

pub(super) fn completed(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let body: AgentCompletedInput = request.body()?;
    request.call((agent(request)?, body))
}

/// The agent's process lives and waits for input. The time in the body is checked and dropped: the rig has a clock of its own.
pub(super) fn waiting(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    fired_at(request)?;
    request.call((agent(request)?, AgentStatus::Waiting))
}

pub(super) fn checkpoint(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body: Map<String, Value> = request.body()?;
    // Null clears the checkpoint, so it counts as given.
    let data = body.remove("data").ok_or_else(|| invalid("data: missing field `data`"))?;
    request.call((agent(request)?, data))
}

/// The rig reads the fields.
pub(super) fn heartbeat(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((agent(request)?, request.fields()?))
}

pub(super) fn status(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let message: String = take(&mut request.body()?, "message")?;
    request.call((agent(request)?, message))
}

pub(super) fn nudge_delivered(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let nudge: String = take(&mut request.body()?, "nudge_id")?;
    request.call((nudge,))
}

pub(super) fn molecule_advance(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let summary: String = take(&mut request.body()?, "summary")?;
    request.call((agent(request)?, summary))
}

pub(super) fn mayor_heartbeat(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((request.parameter("agent"), request.fields()?))
}

pub(super) fn mayor_waiting(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((request.parameter("agent"), fired_at(request)?))
}

fn fired_at(request: &RouteRequest<'_>) -> Result<Option<Timestamp>, Failure> {
    Ok(given(&mut request.fields()?, "firedAt")?)
}
