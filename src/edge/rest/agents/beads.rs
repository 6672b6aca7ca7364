//! Routes about beads: create, read, change status, delete, and their events.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{BeadEventFilter, BeadFilter, BeadStatus, BeadType, CreateBeadInput, FormulaInput, SlingInput};
use crate::edge::rest::call::PlannedCall;
use crate::edge::rest::extract::{filtered, of_events, query, shaped, take};
use crate::edge::rest::request::RouteRequest;
use base::error::{Failure, Refusal};
use serde_json::{Map, Value, json};

pub(super) const ABSENT: &str = "Bead not found";
/// The agent of a bead under the contract's newer and its older name.
const ASSIGNEE: [&str; 2] = ["assignee_agent_bead_id", "assignee_agent_id"];

/// Takes the older name for the newer one.
fn renamed(mut fields: Map<String, Value>) -> Map<String, Value> {
    let [newer, older] = ASSIGNEE;
    if let Some(agent) = fields.remove(older) {
        fields.entry(newer).or_insert(agent);
    }
    fields
}

/// The bead that the path names.
fn bead(request: &RouteRequest<'_>) -> Result<BeadId, Refusal> {
    request.id("bead", ABSENT)
}

pub(super) fn create(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let input: CreateBeadInput = shaped(renamed(request.body()?))?;
    request.call((input,))
}

pub(super) fn list(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let filter: BeadFilter = filtered(renamed(query(&request.http.query)))?;
    request.call((filter,))
}

pub(super) fn get(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((bead(request)?,))
}

pub(super) fn delete(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((bead(request)?, request.rig()?))
}

pub(super) fn set_status(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (status, agent): (BeadStatus, String) = (take(&mut body, "status")?, take(&mut body, "agent_id")?);
    request.call((bead(request)?, status, agent, body.remove("failure_reason")))
}

pub(super) fn close(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let agent: String = take(&mut request.body()?, "agent_id")?;
    request.call((bead(request)?, agent))
}

pub(super) fn sling(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut fields: Map<String, Value> = request.body()?;
    fields.insert("rigId".to_owned(), json!(request.rig()?));
    let input: SlingInput = shaped(fields)?;
    request.call((input,))
}

/// An escalation is a bead of the rig that its town hears of.
pub(super) fn escalate(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut fields: Map<String, Value> = request.body()?;
    fields.insert("type".to_owned(), json!(BeadType::Escalation));
    let input: CreateBeadInput = shaped(fields)?;
    request.call((input,))
}

pub(super) fn create_molecule(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (bead, formula): (BeadId, FormulaInput) = (take(&mut body, "bead_id")?, take(&mut body, "formula")?);
    request.call((bead, formula))
}

pub(super) fn events(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let filter: BeadEventFilter = filtered(of_events(&request.http.query))?;
    request.call((filter,))
}
