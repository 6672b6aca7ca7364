//! Beads and agents, of one rig or of all.
//!
//! Owns how the rigs' lists become one; rigs that did not answer are named beside the data.

use super::{Asked, Planned, Reply, Running};
use crate::contract::shapes::{AgentFilter, BeadFilter};
use crate::edge::rest::extract::filter;
use crate::edge::rest::response::Shape;
use crate::rpc::call::{Call, Instance};
use crate::rpc::table::{LIST_AGENTS, LIST_BEADS, Method};
use crate::tools::resolve::rigs_of;
use base::error::{Failure, Fault};
use serde_json::{Value, json};

pub(super) fn beads_of_rig(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let filter: BeadFilter = filter(&asked.request.query)?;
    Planned::of_rig(asked.rig()?, &LIST_BEADS, (filter,), Shape::Whole)
}

pub(super) fn agents_of_rig(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let filter: AgentFilter = filter(&asked.request.query)?;
    Planned::of_rig(asked.rig()?, &LIST_AGENTS, (filter,), Shape::Whole)
}

pub(super) fn beads<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    let args = filter::<BeadFilter>(&asked.request.query).map(|filter| json!([filter]).to_string());
    Box::pin(async move { of_all(asked, &LIST_BEADS, &args?).await })
}

pub(super) fn agents<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    let args = filter::<AgentFilter>(&asked.request.query).map(|filter| json!([filter]).to_string());
    Box::pin(async move { of_all(asked, &LIST_AGENTS, &args?).await })
}

/// The lists of all rigs, asked at once, one after the other.
async fn of_all(asked: &Asked<'_>, method: &'static Method, args: &str) -> Result<Reply, Failure> {
    let rigs = rigs_of(&asked.caller.client, &asked.town).await?;
    let calls: Vec<Call> = rigs.iter().map(|rig| Call { instance: Instance::Rig(rig.id.clone()), method, args: args.to_owned() }).collect();
    let mut data: Vec<Value> = Vec::new();
    let mut missing = Vec::new();
    for (rig, outcome) in rigs.into_iter().zip(asked.caller.client.call_each(&calls, Some(&asked.town)).await) {
        match outcome.map(|text| serde_json::from_str::<Vec<Value>>(&text)) {
            Ok(Ok(part)) => data.extend(part),
            Ok(Err(error)) => return Err(Fault::new(method.name, error).into()),
            Err(failure) => missing.push(json!({"rig_id": rig.id, "reason": asked.caller.explain(failure).message})),
        }
    }
    Ok(Reply { data: Value::Array(data).to_string(), missing })
}
