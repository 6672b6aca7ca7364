//! Routes of one agent, by which it reports for itself; and the two of the Mayor.

use super::{Asked, Planned};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{AgentCompletedInput, AgentDoneInput, AgentStatus, RequestChangesInput};
use crate::edge::rest::extract::{given, invalid, take, unsupported};
use crate::edge::rest::response::Shape;
use crate::rpc::table::{
    ADVANCE_MOLECULE, AGENT_COMPLETED, AGENT_DONE, CHECK_MAIL, GET_MOLECULE_STEP, GET_PENDING_NUDGES, HOOK_BEAD, MARK_NUDGE_DELIVERED,
    MAYOR_WAITING, PRIME, REQUEST_CHANGES, TOUCH_AGENT_HEARTBEAT, TOUCH_MAYOR_HEARTBEAT, UNHOOK_BEAD, UPDATE_AGENT_STATUS,
    UPDATE_AGENT_STATUS_MESSAGE, WRITE_CHECKPOINT,
};
use base::error::Failure;
use base::time::Timestamp;
use serde_json::{Map, Value};

const NO_MOLECULE: &str = "No active molecule";

pub(super) fn hook(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let bead: BeadId = take(&mut asked.body()?, "bead_id")?;
    asked.call(&HOOK_BEAD, (asked.agent()?, bead), Shape::Flag("hooked"))
}

pub(super) fn unhook(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&UNHOOK_BEAD, (asked.agent()?,), Shape::Flag("unhooked"))
}

pub(super) fn prime(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&PRIME, (asked.agent()?,), Shape::Whole)
}

pub(super) fn done(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: AgentDoneInput = asked.body()?;
    asked.call(&AGENT_DONE, (asked.agent()?, body), Shape::Flag("done"))
}

pub(super) fn request_changes(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: RequestChangesInput = asked.body()?;
    asked.call(&REQUEST_CHANGES, (asked.agent()?, body), Shape::Whole)
}

pub(super) fn completed(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: AgentCompletedInput = asked.body()?;
    asked.call(&AGENT_COMPLETED, (asked.agent()?, body), Shape::Flag("completed"))
}

/// Its process lives and waits for somebody to speak.
pub(super) fn waiting(asked: &Asked<'_>) -> Result<Planned, Failure> {
    // When that was is the rig's own clock's business.
    fired_at(asked)?;
    asked.call(&UPDATE_AGENT_STATUS, (asked.agent()?, AgentStatus::Waiting), Shape::Flag("acknowledged"))
}

pub(super) fn checkpoint(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body: Map<String, Value> = asked.body()?;
    // Null is a checkpoint too: none.
    let data = body.remove("data").ok_or_else(|| invalid("data", "missing field `data`"))?;
    asked.call(&WRITE_CHECKPOINT, (asked.agent()?, data), Shape::Flag("written"))
}

pub(super) fn eviction_context(_: &Asked<'_>) -> Result<Planned, Failure> {
    Err(unsupported("there is no container to be evicted", "POST …/checkpoint keeps what an agent needs to go on."))
}

pub(super) fn mail(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&CHECK_MAIL, (asked.agent()?,), Shape::Whole)
}

/// What the body says is the rig's to understand.
pub(super) fn heartbeat(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&TOUCH_AGENT_HEARTBEAT, (asked.agent()?, asked.fields()?), Shape::Whole)
}

pub(super) fn status(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let message: String = take(&mut asked.body()?, "message")?;
    asked.call(&UPDATE_AGENT_STATUS_MESSAGE, (asked.agent()?, message), Shape::Flag("updated"))
}

pub(super) fn pending_nudges(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&GET_PENDING_NUDGES, (asked.agent()?,), Shape::Whole)
}

pub(super) fn nudge_delivered(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let nudge: String = take(&mut asked.body()?, "nudge_id")?;
    asked.call(&MARK_NUDGE_DELIVERED, (nudge,), Shape::Flag("delivered"))
}

pub(super) fn molecule_current(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&GET_MOLECULE_STEP, (asked.agent()?,), Shape::Found(NO_MOLECULE))
}

pub(super) fn molecule_advance(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let summary: String = take(&mut asked.body()?, "summary")?;
    asked.call(&ADVANCE_MOLECULE, (asked.agent()?, summary), Shape::Found(NO_MOLECULE))
}

pub(super) fn db_snapshot(_: &Asked<'_>) -> Result<Planned, Failure> {
    Err(unsupported("no database of an agent is kept", "POST …/checkpoint keeps what an agent needs to go on."))
}

pub(super) fn mayor_heartbeat(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call_town(&TOUCH_MAYOR_HEARTBEAT, (asked.named(), asked.fields()?), Shape::Whole)
}

pub(super) fn mayor_waiting(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call_town(&MAYOR_WAITING, (asked.named(), fired_at(asked)?), Shape::Flag("acknowledged"))
}

fn fired_at(asked: &Asked<'_>) -> Result<Option<Timestamp>, Failure> {
    Ok(given(&mut asked.fields()?, "firedAt")?)
}
