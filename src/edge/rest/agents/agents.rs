//! Routes about a rig's agents: who lives there, and what each has said.

use super::{Asked, Planned};
use crate::contract::shapes::{AgentFilter, AgentRole, RegisterAgentInput};
use crate::edge::rest::extract::{filter, part, query, take};
use crate::edge::rest::response::Shape;
use crate::rpc::table::{
    DELETE_AGENT, GET_AGENT, GET_AGENT_EVENTS, GET_OR_CREATE_AGENT, LIST_AGENTS, RECONSTRUCT_CONVERSATION, REGISTER_AGENT,
};
use base::error::Failure;
use serde_json::Value;

pub(super) const ABSENT: &str = "Agent not found";

pub(super) fn register(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let input: RegisterAgentInput = asked.body()?;
    asked.call(&REGISTER_AGENT, (input,), Shape::Whole)
}

pub(super) fn list(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let filter: AgentFilter = filter(&asked.request.query)?;
    asked.call(&LIST_AGENTS, (filter,), Shape::Whole)
}

pub(super) fn get_or_create(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let role: AgentRole = take(&mut asked.body()?, "role")?;
    asked.call(&GET_OR_CREATE_AGENT, (role, Value::Null), Shape::Whole)
}

pub(super) fn get(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&GET_AGENT, (asked.agent()?,), Shape::Found(ABSENT))
}

/// The call itself says nothing of an agent that was not there.
pub(super) fn delete(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let first = asked.call(&GET_AGENT, (asked.agent()?,), Shape::Whole)?.call;
    Ok(Planned { first: Some(first), ..asked.call(&DELETE_AGENT, (asked.agent()?,), Shape::Gone(ABSENT))? })
}

pub(super) fn events(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut query = query(&asked.request.query);
    let (after, limit): (Option<i64>, Option<i64>) = (part(&mut query, "after_id")?, part(&mut query, "limit")?);
    asked.call(&GET_AGENT_EVENTS, (asked.agent()?, after, limit), Shape::Whole)
}

pub(super) fn conversation(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&RECONSTRUCT_CONVERSATION, (asked.agent()?,), Shape::Field("conversation"))
}
