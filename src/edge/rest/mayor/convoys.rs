//! Routes about convoys.

use super::{Asked, Planned, Running};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{ConvoyUpdate, MergeMode};
use crate::edge::rest::extract::{given, invalid, take};
use crate::edge::rest::response::Shape;
use crate::rpc::table::{CLOSE_CONVOY, CONVOY_ADD_BEAD, CONVOY_REMOVE_BEAD, GET_CONVOY_STATUS, LIST_CONVOYS, START_CONVOY, UPDATE_CONVOY};
use base::error::{Code, Failure, Refusal};

pub(super) const ABSENT: &str = "Convoy not found";
const NOT_STAGED: &str = "Convoy not found or not staged";

pub(super) fn list(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.of_town(&LIST_CONVOYS, (), Shape::Whole)
}

pub(super) fn get(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.of_town(&GET_CONVOY_STATUS, (asked.convoy(ABSENT)?,), Shape::Found(ABSENT))
}

pub(super) fn update(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (mode, branch): (Option<MergeMode>, Option<String>) = (given(&mut body, "merge_mode")?, given(&mut body, "feature_branch")?);
    if mode.is_none() && branch.is_none() {
        return Err(invalid("", "expected merge_mode or feature_branch").into());
    }
    let update = ConvoyUpdate { merge_mode: mode, feature_branch: branch, ..ConvoyUpdate::default() };
    asked.of_town(&UPDATE_CONVOY, (asked.convoy(ABSENT)?, update), Shape::Found(ABSENT))
}

/// One that is over, or was started before, is not staged.
pub(super) fn start<'a>(asked: &'a Asked<'a>) -> Running<'a> {
    Box::pin(async move {
        let planned = asked.of_town(&START_CONVOY, (asked.convoy(NOT_STAGED)?,), Shape::Whole);
        match asked.carry_out(planned).await {
            Err(Failure::Refused(refusal)) if matches!(refusal.code, Code::NotFound | Code::Conflict) => {
                Err(Refusal::new(Code::NotFound, NOT_STAGED).into())
            }
            other => other,
        }
    })
}

pub(super) fn close(asked: &Asked<'_>) -> Result<Planned, Failure> {
    asked.of_town(&CLOSE_CONVOY, (asked.convoy(ABSENT)?,), Shape::Found(ABSENT))
}

pub(super) fn add_bead(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let mut body = asked.body()?;
    let (bead, depends_on): (BeadId, Option<Vec<BeadId>>) = (take(&mut body, "bead_id")?, given(&mut body, "depends_on")?);
    asked.of_town(&CONVOY_ADD_BEAD, (asked.convoy(ABSENT)?, bead, depends_on), Shape::Whole)
}

pub(super) fn remove_bead(asked: &Asked<'_>) -> Result<Planned, Failure> {
    let bead: BeadId = take(&mut asked.body()?, "bead_id")?;
    asked.of_town(&CONVOY_REMOVE_BEAD, (asked.convoy(ABSENT)?, bead), Shape::Whole)
}
