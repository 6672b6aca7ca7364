//! Routes about the agents of a rig: put back to the beginning, reminded, written to.

use super::{Asked, Planned};
use crate::contract::ids::RigId;
use crate::contract::shapes::MailInput;
use crate::edge::rest::extract::{shaped, take};
use crate::edge::rest::mayor::wrong_rig::Thing;
use crate::edge::rest::response::Shape;
use crate::rpc::table::{GET_PENDING_NUDGES, RESET_AGENT, SEND_MAIL};
use base::error::Failure;
use serde_json::{Map, Value};

pub(super) fn reset(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let agent = asked.agent()?;
    Ok(Planned::of_rig(asked.rig()?, &RESET_AGENT, (&agent,), Shape::Flag("reset"))?.about([Thing::Agent(agent)]))
}

pub(super) fn pending_nudges(asked: &Asked<'_>) -> Result<Planned, Failure> {
    Planned::of_rig(asked.rig()?, &GET_PENDING_NUDGES, (asked.agent()?,), Shape::Whole)
}

pub(super) fn mail(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body: Map<String, Value> = asked.body()?;
    let (rig, input): (RigId, MailInput) = (take(&mut body, "rig_id")?, shaped(body)?);
    Planned::of_rig(rig, &SEND_MAIL, (input,), Shape::Flag("sent"))
}
