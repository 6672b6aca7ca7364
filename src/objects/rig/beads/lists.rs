//! Beads as callers read them: one, one with all that is known of it, or a page.
//!
//! Owns the statements of lists. Changes nothing.

use super::{dependencies, events};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::shapes::{Bead, BeadDetail, BeadFilter, BeadStatus, BeadType, ReviewMetadata};
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::beads::{bead_columns, find};
use crate::objects::rig::state;
use crate::objects::store::sql::{query, query_one};
use base::error::{Failure, Fault};
use serde_json::Value;

/// Longest page of a list.
pub const LIST_LIMIT_MAX: i64 = 500;
/// Events shown with a bead.
const EVENTS_SHOWN: i64 = 10;

/// `getBeadAsync`.
pub(crate) fn get_bead(cx: &Cx<'_>, _caller: &Caller, (id,): (BeadId,)) -> Result<Answer, Failure> {
    answer(&find(cx, &id)?)
}

/// `listBeads`: newest first, bounded, continued by offset or by position.
pub(crate) fn list_beads(cx: &Cx<'_>, _caller: &Caller, (filter,): (Option<BeadFilter>,)) -> Result<Answer, Failure> {
    let filter = filter.unwrap_or_default();
    let rig = state::require(cx)?;
    if filter.rig_id.as_ref().is_some_and(|id| *id != rig.rig_id) {
        return Ok(Answer::Json("[]".to_owned()));
    }
    answer(&list(cx, &filter)?)
}

/// The beads of a filter; its rig is ignored.
pub(in crate::objects::rig) fn list(cx: &Cx<'_>, filter: &BeadFilter) -> Result<Vec<Bead>, Fault> {
    const LIST: &str = concat!("-- beads_list\nSELECT ", bead_columns!(), " FROM beads");
    let mut conditions = Vec::new();
    let mut params: Vec<Value> = Vec::new();
    let mut equals = |column: &str, value: Option<&str>| {
        if let Some(value) = value {
            conditions.push(format!("{column} = ?"));
            params.push(Value::from(value));
        }
    };
    equals("status", filter.status.map(BeadStatus::as_str));
    equals("type", filter.kind.map(BeadType::as_str));
    equals("assignee_agent_id", filter.assignee_agent_bead_id.as_ref().map(AgentId::as_str));
    equals("parent_bead_id", filter.parent_bead_id.as_ref().map(BeadId::as_str));
    if filter.kind.is_some_and(|kind| kind != BeadType::Issue) {
        // Lets the planner use the index of beads that are no issues.
        conditions.push("type <> 'issue'".to_owned());
    }
    if let Some(before) = &filter.before {
        conditions.push("(created_at, bead_id) < (?, ?)".to_owned());
        params.push(Value::from(before.created_at.millis()));
        params.push(Value::from(before.bead_id.as_str()));
    }
    let condition = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    params.push(Value::from(filter.limit.unwrap_or(100).clamp(0, LIST_LIMIT_MAX)));
    params.push(Value::from(filter.offset.unwrap_or(0).max(0)));
    query(cx.sql, &format!("{LIST}{condition} ORDER BY created_at DESC, bead_id DESC LIMIT ? OFFSET ?"), &params)
}

/// `debugGetBead`: the bead with its dependencies in both directions, its review and its newest events.
pub(crate) fn debug_get_bead(cx: &Cx<'_>, _caller: &Caller, (id,): (BeadId,)) -> Result<Answer, Failure> {
    let Some(bead) = find(cx, &id)? else {
        return answer(&BeadDetail { bead: None, review_metadata: None, dependencies: Vec::new(), events: Vec::new(), formula: None });
    };
    answer(&BeadDetail {
        bead: Some(bead),
        review_metadata: review(cx, &id)?,
        dependencies: dependencies::around(cx, &id)?,
        events: events::of_bead(cx, &id, EVENTS_SHOWN)?,
        formula: query_one(
            cx.sql,
            "-- beads_formula\nSELECT json_extract(formula, '$.name') AS name, current_step, json_array_length(formula, '$.steps') AS steps,
               json_extract(formula, '$.steps[' || current_step || '].title') AS title, status FROM molecules WHERE bead_id = ?",
            (&id,),
        )?,
    })
}

/// The satellite of a merge request, or that of the newest one made for a bead.
fn review(cx: &Cx<'_>, id: &BeadId) -> Result<Option<ReviewMetadata>, Fault> {
    query_one(
        cx.sql,
        "-- beads_review\nSELECT branch, target_branch, review.merge_commit, pr_url, retry_count, request.bead_id, request.status
         FROM merge_requests AS review JOIN beads AS request ON request.bead_id = review.bead_id
         WHERE review.bead_id = coalesce((SELECT own.bead_id FROM merge_requests AS own WHERE own.bead_id = ?1),
           (SELECT bead_id FROM (SELECT newest.bead_id, max(newest.sequence) FROM merge_requests AS made
              JOIN beads AS newest ON newest.bead_id = made.bead_id WHERE made.source_bead_id = ?1)))",
        (id,),
    )
}
