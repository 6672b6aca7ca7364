//! Routes about the town: its inbox, its reviews, its status and settings, and what its watchers are shown.

use super::{NO_RIG, is_about_rig};
use crate::contract::ids::BeadId;
use crate::contract::masking::masked;
use crate::contract::shapes::{EscalationFilter, MergeQueueFilter, TownConfig};
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::{BAD_FILTER, filtered, query, take};
use crate::edge::rest::request::RouteRequest;
use crate::provision;
use crate::rpc::call::decode;
use crate::rpc::table::GET_TOWN_CONFIG;
use base::error::{Code, Failure, Refusal};
use serde_json::{Map, Value};

pub(super) const NO_ESCALATION: &str = "Escalation not found";

pub(super) fn escalations(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let acknowledged = match query(&request.http.query).get("acknowledged").map(|value| value.as_str()) {
        None => None,
        Some(Some("true")) => Some(true),
        Some(Some("false")) => Some(false),
        Some(_) => return Err(Refusal::new(Code::InvalidArgument, BAD_FILTER).hint("acknowledged: expected true or false").into()),
    };
    request.call((EscalationFilter { acknowledged, worst_first: false },))
}

pub(super) fn acknowledge(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let id: BeadId = request.id("escalation", NO_ESCALATION)?;
    request.call((id,))
}

pub(super) fn merge_queue(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut fields = query(&request.http.query);
    if let Some(rig) = fields.remove("rig_id") {
        fields.insert("rigId".to_owned(), rig);
    }
    let filter: MergeQueueFilter = filtered(fields)?;
    request.call((filter,))
}

pub(super) fn status(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((Value::Null,))
}

/// Its secrets masked, whoever asks.
pub(super) fn config<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let shown = request.carry_out(request.call(())).await?;
        let config: TownConfig = decode(&GET_TOWN_CONFIG, &shown.data)?;
        Ok(provision::text(&masked(&config))?.into())
    })
}

/// A rig of the body that is none of the town's is a mistake in the body.
pub(super) fn ui_action<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let action: Map<String, Value> = take(&mut request.body()?, "action")?;
        match request.carry_out(request.call((action,))).await {
            Err(Failure::Refused(refusal)) if is_about_rig(&refusal) => Err(Refusal::new(Code::InvalidArgument, NO_RIG).into()),
            other => other,
        }
    })
}
