//! Routes of one agent, by which it reports for itself; and the two of the Mayor.

use super::{Asked, Planned, Shape, shaped, unsupported};
use crate::error::Failure;
use crate::ids::BeadId;
use crate::rpc::model::{AgentCompletedInput, AgentDoneInput, AgentStatus, RequestChangesInput};
use crate::rpc::table::{
    ADVANCE_MOLECULE, AGENT_COMPLETED, AGENT_DONE, CHECK_MAIL, GET_MOLECULE_STEP, GET_PENDING_NUDGES, HOOK_BEAD, MARK_NUDGE_DELIVERED,
    MAYOR_WAITING, PRIME, REQUEST_CHANGES, TOUCH_AGENT_HEARTBEAT, TOUCH_MAYOR_HEARTBEAT, UNHOOK_BEAD, UPDATE_AGENT_STATUS,
    UPDATE_AGENT_STATUS_MESSAGE, WRITE_CHECKPOINT,
};
use crate::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

const NO_MOLECULE: &str = "No active molecule";

#[derive(Deserialize)]
struct HookBody {
    bead_id: BeadId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WaitingBody {
    fired_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct CheckpointBody {
    data: Value,
}

#[derive(Deserialize)]
struct MessageBody {
    message: String,
}

#[derive(Deserialize)]
struct NudgeBody {
    nudge_id: String,
}

#[derive(Deserialize)]
struct SummaryBody {
    summary: String,
}

pub(super) fn hook(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: HookBody = asked.body()?;
    asked.call(&HOOK_BEAD, (asked.agent()?, body.bead_id), Shape::Flag("hooked"))
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
    let _: WaitingBody = shaped(asked.fields()?)?;
    asked.call(&UPDATE_AGENT_STATUS, (asked.agent()?, AgentStatus::Waiting), Shape::Flag("acknowledged"))
}

pub(super) fn checkpoint(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: CheckpointBody = asked.body()?;
    asked.call(&WRITE_CHECKPOINT, (asked.agent()?, body.data), Shape::Flag("written"))
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
    let body: MessageBody = asked.body()?;
    asked.call(&UPDATE_AGENT_STATUS_MESSAGE, (asked.agent()?, body.message), Shape::Flag("updated"))
}

pub(super) fn pending_nudges(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&GET_PENDING_NUDGES, (asked.agent()?,), Shape::Whole)
}

pub(super) fn nudge_delivered(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: NudgeBody = asked.body()?;
    asked.call(&MARK_NUDGE_DELIVERED, (body.nudge_id,), Shape::Flag("delivered"))
}

pub(super) fn molecule_current(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&GET_MOLECULE_STEP, (asked.agent()?,), Shape::Found(NO_MOLECULE))
}

pub(super) fn molecule_advance(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: SummaryBody = asked.body()?;
    asked.call(&ADVANCE_MOLECULE, (asked.agent()?, body.summary), Shape::Found(NO_MOLECULE))
}

pub(super) fn db_snapshot(_: &Asked<'_>) -> Result<Planned, Failure> {
    Err(unsupported("no database of an agent is kept", "POST …/checkpoint keeps what an agent needs to go on."))
}

pub(super) fn mayor_heartbeat(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call_town(&TOUCH_MAYOR_HEARTBEAT, (asked.named(), asked.fields()?), Shape::Whole)
}

pub(super) fn mayor_waiting(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let body: WaitingBody = shaped(asked.fields()?)?;
    asked.call_town(&MAYOR_WAITING, (asked.named(), body.fired_at), Shape::Flag("acknowledged"))
}
