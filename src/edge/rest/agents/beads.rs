//! Routes about beads: made, read, moved, deleted, and what happened to them.

use super::{Asked, Planned};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{BeadEventFilter, BeadFilter, BeadStatus, BeadType, CreateBeadInput, FormulaInput, SlingInput};
use crate::edge::rest::extract::{filtered, of_events, query, shaped, take};
use crate::edge::rest::response::Shape;
use crate::rpc::table::{
    CLOSE_BEAD, CREATE_BEAD, CREATE_MOLECULE, DELETE_BEAD, GET_BEAD, LIST_BEAD_EVENTS, LIST_BEADS, SLING_BEAD, UPDATE_BEAD_STATUS,
};
use base::error::Failure;
use serde_json::{Map, Value, json};

const ABSENT: &str = "Bead not found";
/// The agent of a bead, as the contract calls it now and as it did before.
const ASSIGNEE: [&str; 2] = ["assignee_agent_bead_id", "assignee_agent_id"];

/// Takes the older name for the newer one.
fn renamed(mut fields: Map<String, Value>) -> Map<String, Value> {
    let [now, before] = ASSIGNEE;
    if let Some(agent) = fields.remove(before) {
        fields.entry(now).or_insert(agent);
    }
    fields
}

pub(super) fn create(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let input: CreateBeadInput = shaped(renamed(asked.body()?))?;
    asked.call(&CREATE_BEAD, (input,), Shape::Whole)
}

pub(super) fn list(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let filter: BeadFilter = filtered(renamed(query(&asked.request.query)))?;
    asked.call(&LIST_BEADS, (filter,), Shape::Whole)
}

pub(super) fn get(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&GET_BEAD, (asked.bead(ABSENT)?,), Shape::Found(ABSENT))
}

pub(super) fn delete(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.call(&DELETE_BEAD, (asked.bead(ABSENT)?, &asked.rig), Shape::Gone(ABSENT))
}

pub(super) fn set_status(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (status, agent): (BeadStatus, String) = (take(&mut body, "status")?, take(&mut body, "agent_id")?);
    asked.call(&UPDATE_BEAD_STATUS, (asked.bead(ABSENT)?, status, agent, body.remove("failure_reason")), Shape::Whole)
}

pub(super) fn close(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let agent: String = take(&mut asked.body()?, "agent_id")?;
    asked.call(&CLOSE_BEAD, (asked.bead(ABSENT)?, agent), Shape::Whole)
}

pub(super) fn sling(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut fields: Map<String, Value> = asked.body()?;
    fields.insert("rigId".to_owned(), json!(asked.rig));
    let input: SlingInput = shaped(fields)?;
    asked.call(&SLING_BEAD, (input,), Shape::Whole)
}

/// An escalation is a bead of the rig that its town hears of.
pub(super) fn escalate(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut fields: Map<String, Value> = asked.body()?;
    fields.insert("type".to_owned(), json!(BeadType::Escalation));
    let input: CreateBeadInput = shaped(fields)?;
    asked.call(&CREATE_BEAD, (input,), Shape::Whole)
}

pub(super) fn create_molecule(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (bead, formula): (BeadId, FormulaInput) = (take(&mut body, "bead_id")?, take(&mut body, "formula")?);
    asked.call(&CREATE_MOLECULE, (bead, formula), Shape::Whole)
}

pub(super) fn events(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let filter: BeadEventFilter = filtered(of_events(&asked.request.query))?;
    asked.call(&LIST_BEAD_EVENTS, (filter,), Shape::Whole)
}
