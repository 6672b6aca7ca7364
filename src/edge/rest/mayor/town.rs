//! Routes about the town: its inbox, its reviews, its status and settings, and what its watchers are shown.

use super::{Asked, NO_RIG, Planned, Running, is_about_rig};
use crate::contract::ids::BeadId;
use crate::contract::masking::masked;
use crate::contract::shapes::{EscalationFilter, MergeQueueFilter, TownConfig};
use crate::edge::rest::extract::{BAD_FILTER, filtered, query, take};
use crate::edge::rest::response::Shape;
use crate::provision;
use crate::rpc::call::decode;
use crate::rpc::table::{
    ACKNOWLEDGE_ESCALATION, BROADCAST_UI_ACTION, GET_ALARM_STATUS, GET_MERGE_QUEUE, GET_TOWN_CONFIG, LIST_ESCALATIONS,
};
use base::error::{Code, Failure, Refusal};
use serde_json::{Map, Value};

const NO_ESCALATION: &str = "Escalation not found";

pub(super) fn escalations(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let acknowledged = match query(&asked.request.query).get("acknowledged").map(|value| value.as_str()) {
        None => None,
        Some(Some("true")) => Some(true),
        Some(Some("false")) => Some(false),
        Some(_) => return Err(Refusal::new(Code::InvalidArgument, BAD_FILTER).hint("acknowledged: expected true or false").into()),
    };
    asked.of_town(&LIST_ESCALATIONS, (EscalationFilter { acknowledged, worst_first: false },), Shape::Whole)
}

pub(super) fn acknowledge(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let id = BeadId::parse(asked.named(0)).map_err(|_| Refusal::new(Code::NotFound, NO_ESCALATION))?;
    asked.of_town(&ACKNOWLEDGE_ESCALATION, (id,), Shape::Found(NO_ESCALATION))
}

pub(super) fn merge_queue(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut fields = query(&asked.request.query);
    if let Some(rig) = fields.remove("rig_id") {
        fields.insert("rigId".to_owned(), rig);
    }
    let filter: MergeQueueFilter = filtered(fields)?;
    asked.of_town(&GET_MERGE_QUEUE, (filter,), Shape::Whole)
}

pub(super) fn status(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.of_town(&GET_ALARM_STATUS, (Value::Null,), Shape::Whole)
}

/// Its secrets masked, whoever asks.
pub(super) fn config<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let shown = asked.carry_out(asked.of_town(&GET_TOWN_CONFIG, (), Shape::Whole)).await?;
        let config: TownConfig = decode(&GET_TOWN_CONFIG, &shown.data)?;
        Ok(provision::text(&masked(&config))?.into())
    })
}

/// A rig of the body that is none of the town's is a mistake in the body.
pub(super) fn ui_action<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let action: Map<String, Value> = take(&mut asked.body()?, "action")?;
        match asked.carry_out(asked.of_town(&BROADCAST_UI_ACTION, (action,), Shape::Flag("broadcast"))).await {
            Err(Failure::Refused(refusal)) if is_about_rig(&refusal) => Err(Refusal::new(Code::InvalidArgument, NO_RIG).into()),
            other => other,
        }
    })
}
