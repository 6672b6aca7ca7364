//! The merge queue of a town: the parts of its rigs, asked at once.
//!
//! Owns `getMergeQueueData` (Gastown contract 3.7). Keeps nothing: a rig that does not answer is named, not shown as empty.

use crate::contract::ids::{ConvoyId, RigId};
use crate::contract::limits::merge_queue::LIST_LIMIT_MAX;
use crate::contract::shapes::{Coverage, MergeQueueData, MergeQueueFilter};
use crate::objects::handler::{Answer, Caller, Cx, Gather, json};
use crate::objects::town::{convoys, rigs, state};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::MERGE_QUEUE;
use base::error::Failure;
use base::order::sort;
use serde_json::{Value, json as value};

/// Longest list unless the caller says otherwise (Gastown contract, section 10).
pub const LIST_LIMIT_DEFAULT: i64 = 50;

/// `getMergeQueueData`, of one rig or of all.
pub(crate) fn get_merge_queue_data(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<MergeQueueFilter>,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let filter = filter.unwrap_or_default();
    let asked: Vec<RigId> = match filter.rig_id {
        Some(rig) => {
            rigs::require(cx, &rig)?;
            vec![rig]
        }
        None => rigs::list(cx)?.into_iter().map(|rig| rig.id).collect(),
    };
    let limit = filter.limit.unwrap_or(LIST_LIMIT_DEFAULT).clamp(0, LIST_LIMIT_MAX);
    let calls =
        asked.iter().map(|rig| Call::new(Instance::Rig(rig.clone()), &MERGE_QUEUE, (limit, filter.since))).collect::<Result<_, _>>()?;
    let then = Box::new(move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| merge(cx, &asked, limit, answers));
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then }))
}

fn merge(cx: &Cx<'_>, asked: &[RigId], limit: i64, answers: Vec<Result<String, Failure>>) -> Result<Answer, Failure> {
    let mut all = MergeQueueData::default();
    let mut missing = Vec::new();
    for (rig, answer) in asked.iter().zip(answers) {
        match answer.and_then(|text| decode::<MergeQueueData>(&MERGE_QUEUE, &text)) {
            Ok(part) => {
                all.waiting.extend(part.waiting);
                all.activity_log.extend(part.activity_log);
                all.needs_attention.open_prs.extend(part.needs_attention.open_prs);
                all.needs_attention.failed_reviews.extend(part.needs_attention.failed_reviews);
                all.needs_attention.stale_prs.extend(part.needs_attention.stale_prs);
            }
            Err(_) => missing.push(rig.clone()),
        }
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let attention = &mut all.needs_attention;
    arrange(&mut all.waiting, "/mrBead/created_at", false, limit);
    arrange(&mut attention.open_prs, "/mrBead/updated_at", false, limit);
    arrange(&mut attention.stale_prs, "/mrBead/updated_at", false, limit);
    arrange(&mut attention.failed_reviews, "/mrBead/updated_at", true, limit);
    arrange(&mut all.activity_log, "/event/created_at", true, limit);
    for list in [&mut all.waiting, &mut attention.open_prs, &mut attention.stale_prs, &mut attention.failed_reviews, &mut all.activity_log]
    {
        for item in list {
            add_convoy(cx, item)?;
        }
    }
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let answered = count(asked.len().saturating_sub(missing.len()));
    all.coverage = Some(Coverage { asked: count(asked.len()), answered, missing, as_of: cx.now });
    json(&all)
}

/// Sorts by a time, which is a text that sorts as it is, and cuts at the limit.
fn arrange(list: &mut Vec<Value>, time: &str, newest_first: bool, limit: usize) {
    let at = |item: &Value| item.pointer(time).and_then(Value::as_str).map_or((0, String::new()), |at| (1, at.to_owned()));
    // At the same time, the order of the rig stays.
    if newest_first {
        list.reverse();
    }
    *list = sort(std::mem::take(list), false, at);
    if newest_first {
        list.reverse();
    }
    list.truncate(limit);
}

/// Adds the convoy's title: the rig knows its id only.
fn add_convoy(cx: &Cx<'_>, item: &mut Value) -> Result<(), Failure> {
    let Some(convoy) = item.get_mut("convoy").filter(|convoy| !convoy.is_null()) else { return Ok(()) };
    let id = convoy.get("convoy_id").and_then(Value::as_str).and_then(|id| ConvoyId::parse(id).ok());
    *convoy = match id.map(|id| convoys::find(cx, &id)).transpose()?.flatten() {
        Some(entry) => value!({
            "convoy_id": entry.id, "title": entry.title, "total_beads": entry.total_beads, "closed_beads": entry.closed_beads,
            "feature_branch": entry.feature_branch, "merge_mode": entry.merge_mode,
        }),
        None => Value::Null,
    };
    Ok(())
}
