//! Routes about a rig's agents: register, look up, delete, and what each has said.

use crate::contract::ids::AgentId;
use crate::contract::shapes::{AgentFilter, AgentRole, RegisterAgentInput};
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::{filter, part, query, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::ResponseShape;
use crate::rpc::table::GET_AGENT;
use base::error::{Failure, Refusal};
use serde_json::Value;

pub(super) const ABSENT: &str = "Agent not found";

/// The agent that the path names.
pub(super) fn agent(request: &RouteRequest<'_>) -> Result<AgentId, Refusal> {
    request.id("agent", ABSENT)
}

pub(super) fn register(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let input: RegisterAgentInput = request.body()?;
    request.call((input,))
}

pub(super) fn list(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let filter: AgentFilter = filter(&request.http.query)?;
    request.call((filter,))
}

pub(super) fn get_or_create(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let role: AgentRole = take(&mut request.body()?, "role")?;
    request.call((role, Value::Null))
}

pub(super) fn get(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((agent(request)?,))
}

/// The deletion itself does not say whether the agent was there, so the agent is looked up first. A deletion that is repeated
/// with its key has the answer of its first time, whatever is there by then.
pub(super) fn delete<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let agent = agent(request)?;
        if request.key().is_none() {
            request.carry_out(request.call_method(&GET_AGENT, (&agent,), ResponseShape::Found(ABSENT))).await?;
        }
        request.carry_out(request.call((agent,))).await
    })
}

pub(super) fn events(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut query = query(&request.http.query);
    let (after, limit): (Option<i64>, Option<i64>) = (part(&mut query, "after_id")?, part(&mut query, "limit")?);
    request.call((agent(request)?, after, limit))
}

pub(super) fn conversation(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((agent(request)?,))
}
