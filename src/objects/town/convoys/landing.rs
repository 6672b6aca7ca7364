//! When a convoy lands: with evidence, and never while a bead failed or is missing.
//!
//! Owns the `convoy_landings` table and the end of a convoy. With `review-and-merge` every bead must name the commit that
//! merged it. With `review-then-land` every rig is ordered to merge the feature branch once all beads are closed, and each
//! must name a commit that merged something. An order is taken back when a member is added or reopened later.

use crate::contract::ids::{ConvoyId, RigId};
use crate::contract::letters::Letter;
use crate::contract::letters::rig::LandingOrder;
use crate::contract::letters::town::LandingReport;
use crate::contract::shapes::{BeadStatus, ConvoyEntry, ConvoyLanding, ConvoyStatus, FeedKind, LandingStatus};
use crate::objects::handler::Cx;
use crate::objects::store::sql::{execute, query, query_one};
use crate::objects::town::rigs::deletion::REASON;
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{convoys, outbox_letters, topics};
use base::error::{Failure, Fault};
use serde_json::json as value;
use std::collections::BTreeSet;

/// The reason why no landing is ordered for a branch that is its own target.
const BRANCH_IS_BASE: &str = "the feature branch is the rig's default branch: there is nothing to merge";

/// Looks at a convoy after anything of it changed: orders or takes back landing merges, and lands it if that is due.
/// Answers whether it has just landed.
pub(in crate::objects::town) fn settle(cx: &Cx<'_>, town: &TownState, id: &ConvoyId) -> Result<bool, Failure> {
    let Some(convoy) = convoys::find(cx, id)?.filter(|convoy| convoy.status == ConvoyStatus::Active) else { return Ok(false) };
    let members = convoys::mirrored_beads(cx, id)?;
    let rigs: BTreeSet<&RigId> = members.iter().filter_map(|bead| bead.rig_id.as_ref()).collect();
    let unfinished: BTreeSet<&RigId> =
        members.iter().filter(|bead| bead.status != BeadStatus::Closed).filter_map(|bead| bead.rig_id.as_ref()).collect();
    let is_ready = convoy.is_complete() && convoy.needs_landing();
    let stands = |landing: &ConvoyLanding| {
        let merged_whole = landing.status == LandingStatus::Merged && !unfinished.contains(&landing.rig_id);
        convoy.needs_landing() && rigs.contains(&landing.rig_id) && (is_ready || merged_whole)
    };
    for landing in convoy.landings.iter().filter(|landing| !stands(landing)) {
        withdraw(cx, id, &landing.rig_id)?;
    }
    if is_ready != convoy.ready_to_land {
        execute(cx.sql, "-- landing_ready\nUPDATE convoys SET ready_to_land = ? WHERE id = ?", (i64::from(is_ready), id))?;
    }
    if is_ready {
        for rig in rigs.iter().filter(|rig| convoy.landings.iter().all(|landing| landing.rig_id != ***rig)) {
            order(cx, &convoy, rig)?;
        }
    }
    let has_evidence = if convoy.needs_landing() {
        is_ready && rigs.iter().all(|rig| convoy.landings.iter().any(|landing| landing.rig_id == **rig && landing.is_evidence()))
    } else {
        convoy.is_complete() && convoy.merged_beads >= convoy.total_beads
    };
    if !has_evidence {
        return Ok(false);
    }
    execute(cx.sql, "-- landing_land\nUPDATE convoys SET status = 'landed', landed_at = ? WHERE id = ?", (cx.now.millis(), id))?;
    topics::convoy_changed(cx, town, id)?;
    tell_end(cx, town, FeedKind::ConvoyLanded, &convoy)?;
    Ok(true)
}

/// A convoy has landed, was closed, or none of its beads will change any more.
pub(in crate::objects::town) fn tell_end(cx: &Cx<'_>, town: &TownState, kind: FeedKind, convoy: &ConvoyEntry) -> Result<(), Failure> {
    topics::changed(cx, town, topics::CONVOYS)?;
    let detail = value!({
        "title": convoy.title, "total_beads": convoy.total_beads, "closed_beads": convoy.closed_beads,
        "merged_beads": convoy.merged_beads, "failed_beads": convoy.failed_beads, "flags": convoy.flags
    });
    feed::write(cx, town, kind, convoy.id.as_str(), cx.actor().as_deref(), &detail)
}

/// Orders the landing merge of one rig.
fn order(cx: &Cx<'_>, convoy: &ConvoyEntry, rig: &RigId) -> Result<(), Failure> {
    let base: Option<(String,)> = query_one(cx.sql, "-- landing_base\nSELECT default_branch FROM rigs WHERE id = ?", (rig,))?;
    let is_base = base.as_ref().is_some_and(|(base,)| Some(base) == convoy.feature_branch.as_ref());
    let (status, failure) = match base {
        None => (LandingStatus::Failed, Some(REASON)),
        Some(_) if is_base => (LandingStatus::Failed, Some(BRANCH_IS_BASE)),
        Some(_) => (LandingStatus::Waiting, None),
    };
    execute(
        cx.sql,
        "-- landing_order\nINSERT INTO convoy_landings (convoy_id, rig_id, status, attempts, is_empty, failure, updated_at, round) VALUES (?, ?, ?, 0, ?, ?, ?, ?)",
        (&convoy.id, rig, status, i64::from(is_base), failure, cx.now.millis(), cx.next_number()?),
    )?;
    if status == LandingStatus::Failed { Ok(()) } else { outbox_letters::landing_changed(cx, &convoy.id, rig) }
}

/// A rig was removed: its landings end.
pub(in crate::objects::town) fn rig_removed(cx: &Cx<'_>, town: &TownState, rig: &RigId) -> Result<(), Failure> {
    let failed: Vec<(ConvoyId,)> = query(
        cx.sql,
        "-- landing_rig_removed\nUPDATE convoy_landings SET status = ?1, failure = ?2, updated_at = ?3
         WHERE convoy_id IN (SELECT id FROM convoys WHERE status = 'active') AND rig_id = ?4 AND status NOT IN ('merged', 'failed') RETURNING convoy_id",
        (LandingStatus::Failed, REASON, cx.now.millis(), rig),
    )?;
    for (convoy,) in failed {
        topics::convoy_changed(cx, town, &convoy)?;
        tell_failure(cx, town, &convoy, rig, Some(REASON), false)?;
    }
    Ok(())
}

fn tell_failure(
    cx: &Cx<'_>,
    town: &TownState,
    convoy: &ConvoyId,
    rig: &RigId,
    reason: Option<&str>,
    is_empty: bool,
) -> Result<(), Failure> {
    let detail = value!({"rig_id": rig, "landing": LandingStatus::Failed, "reason": reason, "is_empty": is_empty});
    feed::write(cx, town, FeedKind::ConvoyChanged, convoy.as_str(), None, &detail)
}

/// Takes back the landing merge of one rig, in any state.
pub(in crate::objects::town) fn withdraw(cx: &Cx<'_>, convoy: &ConvoyId, rig: &RigId) -> Result<(), Failure> {
    execute(cx.sql, "-- landing_withdraw\nDELETE FROM convoy_landings WHERE convoy_id = ? AND rig_id = ?", (convoy, rig))?;
    outbox_letters::landing_changed(cx, convoy, rig)
}

/// The order for a convoy's landing in a rig: a `LandingOrder`, and its `round`, which is greater than that of any order
/// before it. `generation` is that of the letter.
pub(in crate::objects::town) fn order_for_rig(
    cx: &Cx<'_>,
    id: &ConvoyId,
    rig: &RigId,
    generation: i64,
) -> Result<Option<LandingOrder>, Fault> {
    let Some(convoy) = convoys::find(cx, id)? else { return Ok(None) };
    let round: Option<(i64,)> =
        query_one(cx.sql, "-- landing_round\nSELECT round FROM convoy_landings WHERE convoy_id = ? AND rig_id = ?", (id, rig))?;
    Ok(Some(LandingOrder {
        convoy_id: convoy.id,
        title: convoy.title,
        branch: convoy.feature_branch.unwrap_or_default(),
        cancelled: round.is_none(),
        round: round.map_or(generation, |(round,)| round),
    }))
}

/// A rig told the state of its landing merge. A report on an order that was taken back is ignored.
pub(in crate::objects::town) fn apply_report(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let told: LandingReport = letter.read("read a landing letter")?;
    let town = state::require(cx)?;
    let id = &told.convoy_id;
    // The evidence of a landed convoy stays as it was.
    let active = convoys::find(cx, id)?.filter(|convoy| convoy.status == ConvoyStatus::Active);
    let Some(known) = active.and_then(|convoy| convoy.landings.into_iter().find(|landing| landing.rig_id == *rig)) else {
        return Ok(());
    };
    let applied: Option<(i64,)> = query_one(
        cx.sql,
        "-- landing_report\nUPDATE convoy_landings SET status = ?1, attempts = ?2, merge_commit = ?3, is_empty = ?4, failure = ?5, updated_at = ?6
         WHERE convoy_id = ?7 AND rig_id = ?8 AND (?9 = 0 OR round = ?9) RETURNING round",
        (
            told.status,
            told.attempts,
            &told.merge_commit,
            i64::from(told.is_empty),
            &told.failure,
            cx.now.millis(),
            id,
            rig,
            told.round,
        ),
    )?;
    if applied.is_none() {
        return Ok(());
    }
    topics::convoy_changed(cx, &town, id)?;
    if told.status == LandingStatus::Failed && known.status != LandingStatus::Failed {
        tell_failure(cx, &town, id, rig, told.failure.as_deref(), told.is_empty)?;
    }
    settle(cx, &town, id).map(drop)
}
