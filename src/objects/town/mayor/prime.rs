//! `prime` for the Mayor: everything that a new session needs, in one answer.
//!
//! Owns no table: it shows its neighbours' rows.

use crate::contract::shapes::{ConvoyEntry, Coverage, MayorConvoy, MayorMessageStatus, MayorPrime, MayorRig, RigRecord, TownPause};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::scalar;
use crate::objects::town::mayor::{mail, reading};
use crate::objects::town::views::status;
use crate::objects::town::{convoys, mayor, rigs, state};
use base::error::{Failure, Fault};
use serde_json::Value;

/// Convoys that are shown.
pub const CONVOYS_MAX: usize = 20;

/// `primeMayor`. The Mayor's own call marks the messages in it as read; other callers only look.
pub(crate) fn prime(cx: &Cx<'_>, caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let is_own_call = mayor::is_own_call(&town, caller);
    if is_own_call {
        mayor::is_at_work(cx, &town)?;
    }
    let mail = reading::read(cx, &town, is_own_call)?;
    let now = status::alarm_status(cx)?;
    let convoys = convoys::active(cx)?;
    let more_convoys = i64::try_from(convoys.len().saturating_sub(CONVOYS_MAX)).unwrap_or_default();
    json(&MayorPrime {
        town_id: town.town_id.clone(),
        town_name: town.name(),
        mayor_agent_id: town.mayor_agent_id.clone(),
        rigs: rigs_of(cx, town.parked)?,
        mail,
        is_read: is_own_call,
        unanswered: mail::tally(cx, &[MayorMessageStatus::Read])?,
        open_escalations: open_escalations(cx)?,
        convoys: convoys.into_iter().take(CONVOYS_MAX).map(MayorConvoy::from).collect(),
        more_convoys,
        agents: now.agents,
        beads: now.beads,
        queue_depth: now.queue_depth,
        coverage: now.coverage.unwrap_or(Coverage { asked: 0, answered: 0, missing: Vec::new(), as_of: cx.now }),
        paused: match (now.parked, now.draining == Some(true), now.breaker.is_some()) {
            (true, ..) => Some(TownPause::Parked),
            (false, true, _) => Some(TownPause::Draining),
            (false, false, true) => Some(TownPause::Breaker),
            (false, false, false) => None,
        },
        dashboard_context: mayor::dashboard_context(cx)?,
    })
}

impl From<ConvoyEntry> for MayorConvoy {
    fn from(convoy: ConvoyEntry) -> Self {
        Self {
            id: convoy.id,
            title: convoy.title,
            staged: convoy.staged,
            total_beads: convoy.total_beads,
            closed_beads: convoy.closed_beads,
            failed_beads: convoy.failed_beads,
            ready_to_land: convoy.ready_to_land,
        }
    }
}

fn rigs_of(cx: &Cx<'_>, town_is_parked: bool) -> Result<Vec<MayorRig>, Failure> {
    let parked = rigs::parked(cx)?;
    let rig = |rig: RigRecord| MayorRig {
        purpose: rig.config.get("purpose").and_then(Value::as_str).map(str::to_owned),
        parked: town_is_parked || parked.contains(&rig.id),
        id: rig.id,
        name: rig.name,
        git_url: rig.git_url,
        default_branch: rig.default_branch,
    };
    Ok(rigs::list(cx)?.into_iter().map(rig).collect())
}

fn open_escalations(cx: &Cx<'_>) -> Result<i64, Fault> {
    scalar(cx.sql, "-- mayor_open_escalations\nSELECT COUNT(*) FROM escalations WHERE acknowledged = 0", ())
}
