//! Routes about the beads of a rig: read, update, reassign, delete, events.

use super::{bead, rig};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::limits::deletion::IDS_MAX;
use crate::contract::shapes::{BeadDetail, BeadEventFilter, BeadStatus, BeadType, BeadUpdate};
use crate::edge::rest::call::{PlannedCall, Running, planned};
use crate::edge::rest::extract::{filtered, given, invalid, of_events, shaped, take};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::ResponseShape;
use crate::edge::rest::wrong_rig::{NO_BEAD, Named};
use crate::rpc::call::{Instance, decode};
use crate::rpc::table::{DEBUG_GET_BEAD, GET_BEAD};
use base::error::Failure;
use serde_json::{Map, Value};

/// Fields of a bead that null clears.
const CLEARED: [&str; 3] = ["body", "rig_id", "parent_bead_id"];

pub(super) fn update(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let fields: Map<String, Value> = request.body()?;
    if fields.is_empty() {
        return Err(invalid("expected at least one field to change").into());
    }
    if let Some((name, _)) = fields.iter().find(|(name, value)| value.is_null() && !CLEARED.contains(&name.as_str())) {
        return Err(invalid(format!("{name}: cannot be null")).into());
    }
    let (update, bead): (BeadUpdate, BeadId) = (shaped(fields)?, bead(request)?);
    let planned = request.call_rig(rig(request)?, (&bead, update, request.speaker()))?;
    Ok(planned.naming([Named::Bead(bead)]))
}

pub(super) fn reassign(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let (agent, bead): (AgentId, BeadId) = (take(&mut request.body()?, "agent_id")?, bead(request)?);
    let planned = request.call_rig(rig(request)?, (&bead, &agent))?;
    Ok(planned.naming([Named::Bead(bead), Named::Target(agent)]))
}

pub(super) fn delete(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let (rig, bead) = (rig(request)?, bead(request)?);
    let planned = request.call_rig(rig.clone(), (&bead, &rig))?;
    Ok(planned.naming([Named::Bead(bead)]))
}

/// All in one call: the rig deletes that many in one transaction, batch by batch, and a key stands for all of them.
pub(super) fn delete_many(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let ids: Vec<BeadId> = take(&mut request.body()?, "bead_ids")?;
    if !(1..=IDS_MAX).contains(&ids.len()) {
        return Err(invalid(format!("bead_ids: expected 1 to {IDS_MAX} of them")).into());
    }
    let rig = rig(request)?;
    request.call_rig(rig.clone(), (ids, &rig))
}

pub(super) fn delete_by_status(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (status, kind): (BeadStatus, Option<BeadType>) = (take(&mut body, "status")?, given(&mut body, "type")?);
    let rig = rig(request)?;
    request.call_rig(rig.clone(), (status, kind, &rig))
}

/// One bead whole: with what it waits for, its review and its last events.
pub(super) fn get<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let whole = request.carry_out(request.call_rig(rig(request)?, (bead(request)?,))).await?;
        if decode::<BeadDetail>(&DEBUG_GET_BEAD, &whole.data)?.bead.is_none() {
            request.carry_out(plain(request)).await?;
        }
        Ok(whole)
    })
}

/// What happened to one bead. The events of a deleted one are still listed.
pub(super) fn events<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let mut filter: BeadEventFilter = filtered(of_events(&request.http.query))?;
        filter.bead_id = Some(bead(request)?);
        let events = request.carry_out(request.call_rig(rig(request)?, (filter,))).await?;
        if events.data == "[]" {
            // A bead that is there has events, unless they are too old or filtered out.
            request.carry_out(plain(request)).await?;
        }
        Ok(events)
    })
}

/// The bead alone; a failure says where it is if it is not in this rig.
fn plain(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let bead = bead(request)?;
    let planned = planned(Instance::Rig(rig(request)?), &GET_BEAD, (&bead,), ResponseShape::Found(NO_BEAD))?;
    Ok(planned.naming([Named::Bead(bead)]))
}

pub(super) fn events_of_rig(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let filter: BeadEventFilter = filtered(of_events(&request.http.query))?;
    request.call_rig(rig(request)?, (filter,))
}
