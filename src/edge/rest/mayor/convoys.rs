//! Routes about convoys.

use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::shapes::{ConvoyUpdate, MergeMode};
use crate::edge::rest::call::{PlannedCall, Running};
use crate::edge::rest::extract::{given, invalid, take};
use crate::edge::rest::request::RouteRequest;
use base::error::{Code, Failure, Refusal};

pub(super) const ABSENT: &str = "Convoy not found";
const NOT_STAGED: &str = "Convoy not found or not staged";

/// The convoy that the path names.
fn convoy(request: &RouteRequest<'_>) -> Result<ConvoyId, Refusal> {
    request.id("convoy", ABSENT)
}

pub(super) fn list(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call(())
}

/// Routes that say nothing beside which convoy is meant.
pub(super) fn of_convoy(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    request.call((convoy(request)?,))
}

pub(super) fn update(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (mode, branch): (Option<MergeMode>, Option<String>) = (given(&mut body, "merge_mode")?, given(&mut body, "feature_branch")?);
    if mode.is_none() && branch.is_none() {
        return Err(invalid("expected merge_mode or feature_branch").into());
    }
    let update = ConvoyUpdate { merge_mode: mode, feature_branch: branch, ..ConvoyUpdate::default() };
    request.call((convoy(request)?, update))
}

/// A convoy that has ended, or was started before, is not staged.
pub(super) fn start<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let id: ConvoyId = request.id("convoy", NOT_STAGED)?;
        let planned = request.call((id,));
        match request.carry_out(planned).await {
            Err(Failure::Refused(refusal)) if matches!(refusal.code, Code::NotFound | Code::Conflict) => {
                Err(Refusal::new(Code::NotFound, NOT_STAGED).into())
            }
            other => other,
        }
    })
}

pub(super) fn add_bead(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let mut body = request.body()?;
    let (bead, depends_on): (BeadId, Option<Vec<BeadId>>) = (take(&mut body, "bead_id")?, given(&mut body, "depends_on")?);
    request.call((convoy(request)?, bead, depends_on))
}

pub(super) fn remove_bead(request: &RouteRequest<'_>) -> Result<PlannedCall, Failure> {
    let bead: BeadId = take(&mut request.body()?, "bead_id")?;
    request.call((convoy(request)?, bead))
}
