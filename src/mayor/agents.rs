//! Routes about the agents of a rig: put back to the beginning, reminded, written to.

use super::whereabouts::Thing;
use super::{Asked, Planned};
use crate::edge::fields::{shaped, take};
use crate::edge::shape::Shape;
use crate::error::Failure;
use crate::ids::RigId;
use crate::rpc::model::MailInput;
use crate::rpc::table::{GET_PENDING_NUDGES, RESET_AGENT, SEND_MAIL};
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
