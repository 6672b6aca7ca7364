//! Routes to what the contract has outside of a town: wastelands, and pull requests that others made.
//!
//! Owns the checks of their bodies. The town is asked each time, so that the answer is its own: embedded towns have neither.

use crate::contract::ids::RigId;
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::{BAD_FILTER, given, part, query, take, unsupported};
use crate::edge::rest::request::RouteRequest;
use crate::edge::rest::response::Reply;
use base::error::{Code, Failure, Refusal};
use serde_json::{Map, Value, json};

pub(super) const NOT_CONNECTED: &str = "Town is not connected to a wasteland";
/// Items of one page.
const ITEMS_MAX: i64 = 100;

pub(super) fn browse<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let limit: Option<i64> = part(&mut query(&request.http.query), "limit")?;
        if limit.is_some_and(|limit| !(1..=ITEMS_MAX).contains(&limit)) {
            let hint = format!("limit: expected 1 to {ITEMS_MAX}");
            return Err(Refusal::new(Code::InvalidArgument, BAD_FILTER).hint(hint).into());
        }
        wasteland(request).await
    })
}

pub(super) fn claim<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    with_text(request, &["item_id"])
}

pub(super) fn post<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    with_text(request, &["title", "description"])
}

pub(super) fn done<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    with_text(request, &["item_id", "evidence"])
}

/// A body must have these texts.
fn with_text<'a>(request: &'a RouteRequest<'a>, names: &'static [&'static str]) -> Running<'a> {
    Box::pin(async move {
        let mut body: Map<String, Value> = request.body()?;
        for name in names {
            take::<String>(&mut body, name)?;
        }
        wasteland(request).await
    })
}

/// Says that there is no wasteland, as the town does.
async fn wasteland(request: &RouteRequest<'_>) -> Result<Reply, Failure> {
    match request.carry_out(request.call(())).await {
        Err(Failure::Refused(refusal)) if refusal.code == Code::Unsupported => {
            Err(Refusal::new(Code::NotFound, NOT_CONNECTED).hint("Embedded towns have no wasteland.").into())
        }
        Err(failure) => Err(failure),
        Ok(_) => Err(unsupported("nothing here speaks with wastelands", "Use Kilo's own Gastown for this town.")),
    }
}

/// Watches over a pull request that was made elsewhere.
pub(super) fn babysit(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body: Map<String, Value> = request.body()?;
    let rig: RigId = take(&mut body, "rig_id")?;
    let (address, may_force): (String, Option<bool>) = (take(&mut body, "pr_url")?, given(&mut body, "force_push_allowed")?);
    let (title, text): (Option<String>, Option<String>) = (given(&mut body, "title")?, given(&mut body, "body")?);
    let input = json!({
        "rigId": rig,
        "prUrl": address,
        "title": title,
        "body": text,
        "forcePushAllowed": may_force.unwrap_or_default(),
        "sourceAgentId": request.speaker(),
    });
    request.call_rig(rig, (input,))
}
