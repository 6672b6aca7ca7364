//! Beads and agents, of one rig or of all.
//!
//! Owns how the rigs' lists become one; rigs that did not answer are named beside the data.

use super::rig;
use crate::contract::shapes::{AgentFilter, BeadFilter};
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::filter;
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::Reply;
use crate::rpc::call::{Call, Instance};
use crate::rpc::table::{LIST_AGENTS, LIST_BEADS, Method};
use crate::tools::resolve::rigs_of;
use base::error::{Failure, Fault};
use serde_json::{Value, json};

pub(super) fn beads_of_rig(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let filter: BeadFilter = filter(&request.http.query)?;
    request.call_rig(rig(request)?, (filter,))
}

pub(super) fn agents_of_rig(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let filter: AgentFilter = filter(&request.http.query)?;
    request.call_rig(rig(request)?, (filter,))
}

pub(super) fn beads<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    let args = filter::<BeadFilter>(&request.http.query).map(|filter| json!([filter]).to_string());
    Box::pin(async move { of_all(request, &LIST_BEADS, &args?).await })
}

pub(super) fn agents<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    let args = filter::<AgentFilter>(&request.http.query).map(|filter| json!([filter]).to_string());
    Box::pin(async move { of_all(request, &LIST_AGENTS, &args?).await })
}

/// The lists of all rigs, asked at once, one after the other.
async fn of_all(request: &RouteRequest<'_>, method: &'static Method, args: &str) -> Result<Reply, Failure> {
    let (client, town) = (&request.caller.client, request.town()?);
    let rigs = rigs_of(client, town).await?;
    let calls: Vec<Call> = rigs.iter().map(|rig| Call { instance: Instance::Rig(rig.id.clone()), method, args: args.to_owned() }).collect();
    let mut data: Vec<Value> = Vec::new();
    let mut missing = Vec::new();
    for (rig, outcome) in rigs.into_iter().zip(client.call_each(&calls, Some(town)).await) {
        match outcome.map(|text| serde_json::from_str::<Vec<Value>>(&text)) {
            Ok(Ok(part)) => data.extend(part),
            Ok(Err(error)) => return Err(Fault::new(method.name, error).into()),
            Err(failure) => missing.push(json!({"rig_id": rig.id, "reason": request.caller.explain(failure).message})),
        }
    }
    Ok(Reply { data: Value::Array(data).to_string(), missing })
}
