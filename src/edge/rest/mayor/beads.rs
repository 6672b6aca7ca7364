//! Routes about the beads of a rig: looked at, changed, given to another, deleted.

use super::{Asked, Planned, Running};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::limits::deletion::IDS_MAX;
use crate::contract::shapes::{BeadDetail, BeadEventFilter, BeadStatus, BeadType, BeadUpdate};
use crate::edge::rest::extract::{filtered, given, invalid, of_events, shaped, take};
use crate::edge::rest::mayor::wrong_rig::{NO_BEAD, Thing};
use crate::edge::rest::response::Shape;
use crate::rpc::call::decode;
use crate::rpc::table::{
    DEBUG_GET_BEAD, DELETE_BEAD, DELETE_BEADS, DELETE_BEADS_BY_STATUS, GET_BEAD, LIST_BEAD_EVENTS, REASSIGN_BEAD, UPDATE_BEAD,
};
use base::error::Failure;
use serde_json::{Map, Value};

/// Fields of a bead that null clears.
const CLEARED: [&str; 3] = ["body", "rig_id", "parent_bead_id"];

pub(super) fn update(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let fields: Map<String, Value> = asked.body()?;
    if fields.is_empty() {
        return Err(invalid("expected at least one field to change").into());
    }
    if let Some((name, _)) = fields.iter().find(|(name, value)| value.is_null() && !CLEARED.contains(&name.as_str())) {
        return Err(invalid(format!("{name}: cannot be null")).into());
    }
    let (update, bead): (BeadUpdate, BeadId) = (shaped(fields)?, asked.bead()?);
    let planned = Planned::of_rig(asked.rig()?, &UPDATE_BEAD, (&bead, update, asked.speaker()), Shape::Whole)?;
    Ok(planned.about([Thing::Bead(bead)]))
}

pub(super) fn reassign(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let (agent, bead): (AgentId, BeadId) = (take(&mut asked.body()?, "agent_id")?, asked.bead()?);
    let planned = Planned::of_rig(asked.rig()?, &REASSIGN_BEAD, (&bead, &agent), Shape::Whole)?;
    Ok(planned.about([Thing::Bead(bead), Thing::Target(agent)]))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let (rig, bead) = (asked.rig()?, asked.bead()?);
    let planned = Planned::of_rig(rig.clone(), &DELETE_BEAD, (&bead, &rig), Shape::Gone(NO_BEAD))?;
    Ok(planned.about([Thing::Bead(bead)]))
}

/// All in one call: the rig deletes that many in one transaction, batch by batch, and a key stands for all of them.
pub(super) fn delete_many(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let ids: Vec<BeadId> = take(&mut asked.body()?, "bead_ids")?;
    if !(1..=IDS_MAX).contains(&ids.len()) {
        return Err(invalid(format!("bead_ids: expected 1 to {IDS_MAX} of them")).into());
    }
    let rig = asked.rig()?;
    Planned::of_rig(rig.clone(), &DELETE_BEADS, (ids, &rig), Shape::Field("deleted"))
}

pub(super) fn delete_by_status(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (status, kind): (BeadStatus, Option<BeadType>) = (take(&mut body, "status")?, given(&mut body, "type")?);
    let rig = asked.rig()?;
    Planned::of_rig(rig.clone(), &DELETE_BEADS_BY_STATUS, (status, kind, &rig), Shape::Field("deleted"))
}

/// One bead whole: with what it waits for, its review and its last events.
pub(super) fn get<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let whole = asked.carry_out(Planned::of_rig(asked.rig()?, &DEBUG_GET_BEAD, (asked.bead()?,), Shape::Whole)).await?;
        if decode::<BeadDetail>(&DEBUG_GET_BEAD, &whole.data)?.bead.is_none() {
            asked.carry_out(plain(asked)).await?;
        }
        Ok(whole)
    })
}

/// What happened to one bead. That of a deleted one is still told.
pub(super) fn events<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let mut filter: BeadEventFilter = filtered(of_events(&asked.request.query))?;
        filter.bead_id = Some(asked.bead()?);
        let events = asked.carry_out(Planned::of_rig(asked.rig()?, &LIST_BEAD_EVENTS, (filter,), Shape::Whole)).await?;
        if events.data == "[]" {
            // A bead that is there has events, unless they are too old or not asked for.
            asked.carry_out(plain(asked)).await?;
        }
        Ok(events)
    })
}

/// The bead alone, which says where it is if it is not there.
fn plain(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let bead = asked.bead()?;
    Ok(Planned::of_rig(asked.rig()?, &GET_BEAD, (&bead,), Shape::Found(NO_BEAD))?.about([Thing::Bead(bead)]))
}

pub(super) fn events_of_rig(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let filter: BeadEventFilter = filtered(of_events(&asked.request.query))?;
    Planned::of_rig(asked.rig()?, &LIST_BEAD_EVENTS, (filter,), Shape::Whole)
}
