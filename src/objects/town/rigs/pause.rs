//! Pauses: parking, which a person ends, and a drain, which ends when the runtime is ready again.
//!
//! Owns the `parked` and `drain_…` columns. Running work goes on; a rig learns of a pause by its `rig` letter and gives
//! out waiting work when the pause is over.

use crate::contract::ids::{BeadId, RigId};
use crate::contract::shapes::{FeedKind, Parking};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query};
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{outbox_letters, rigs, topics};
use base::error::{Code, Failure, refuse};
use base::time::Timestamp;
use serde_json::json as value;

/// The longest drain (Gastown contract, section 10).
pub const DRAIN_MILLIS_MAX: i64 = 7 * 60 * 1_000;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;

/// `setParked(rigId, parked, reason)`: of one rig, or with null of the whole town. Saying it again changes nothing.
pub(crate) fn set_parked(
    cx: &Cx<'_>,
    caller: &Caller,
    (rig, parked, reason): (Option<RigId>, bool, Option<String>),
) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("reason must have at most {REASON_CHARS_MAX} characters")));
    }
    let flag = i64::from(parked);
    let changed = if let Some(rig) = &rig {
        rigs::require(cx, rig)?;
        let rows: Vec<(i64,)> =
            query(cx.sql, "-- pause_park_rig\nUPDATE rigs SET parked = ?1 WHERE id = ?2 AND parked <> ?1 RETURNING 1", (flag, rig))?;
        !rows.is_empty()
    } else {
        execute(cx.sql, "-- pause_park_town\nUPDATE town SET parked = ?", (flag,))?;
        cx.forget();
        town.parked != parked
    };
    if changed {
        match &rig {
            Some(rig) => outbox_letters::rig_changed(cx, rig)?,
            None => outbox_letters::rigs_changed(cx)?,
        }
        let kind = if parked { FeedKind::Parked } else { FeedKind::Unparked };
        let subject = rig.as_ref().map_or(town.town_id.as_str(), RigId::as_str);
        feed::write(cx, &town, kind, subject, Some(&caller.actor()), &value!({"rig_id": rig, "reason": reason}))?;
        topics::changed(cx, &town, topics::TOWN)?;
    }
    let town_parked = if rig.is_none() { parked } else { town.parked };
    json(&Parking { rig_id: rig, parked, changed, town_parked })
}

/// The drain under way: its nonce and when it began.
pub(in crate::objects::town) fn drain(town: &TownState, now: Timestamp) -> Option<(&str, Timestamp)> {
    let (nonce, started) = town.drain_nonce.as_deref().zip(town.drain_started_at)?;
    (now.since(started) < DRAIN_MILLIS_MAX).then_some((nonce, started))
}

/// `recordContainerEviction`: the container of the agents is going away, so no work is given out until it is back. Returns
/// the nonce that ends this drain; a drain that was under way before is this one from now on.
pub(crate) fn record_eviction(cx: &Cx<'_>, caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let nonce = BeadId::from_random(cx.random());
    execute(cx.sql, "-- pause_drain\nUPDATE town SET drain_nonce = ?, drain_started_at = ?", (&nonce, cx.now.millis()))?;
    cx.wake_at(cx.now.plus_millis(DRAIN_MILLIS_MAX));
    told(cx, &town, FeedKind::DrainStarted, Some(&caller.actor()))?;
    json(&nonce)
}

/// `acknowledgeContainerReady`: ends the drain with this nonce; false when that is not the one under way.
pub(crate) fn acknowledge_ready(cx: &Cx<'_>, caller: &Caller, (nonce,): (String,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let is_meant = drain(&town, cx.now).is_some_and(|(known, _)| known == nonce);
    if is_meant {
        end(cx, &town, Some(&caller.actor()))?;
    }
    json(&is_meant)
}

/// `isDraining`.
pub(crate) fn is_draining(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&drain(&*state::require(cx)?, cx.now).is_some())
}

/// `getDrainNonce`; null while there is no drain.
pub(crate) fn get_nonce(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&drain(&*state::require(cx)?, cx.now).map(|(nonce, _)| nonce))
}

/// `getDrainStartedAt`; null while there is no drain.
pub(crate) fn get_started_at(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    json(&drain(&*state::require(cx)?, cx.now).map(|(_, started)| started))
}

/// The alarm's part: an overdue drain ends by itself.
pub(in crate::objects::town) fn end_when_over(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    match (&town.drain_nonce, drain(town, cx.now)) {
        (Some(_), None) => end(cx, town, None),
        (_, Some((_, started))) => {
            cx.wake_at(started.plus_millis(DRAIN_MILLIS_MAX));
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

fn end(cx: &Cx<'_>, town: &TownState, actor: Option<&str>) -> Result<(), Failure> {
    execute(cx.sql, "-- pause_drained\nUPDATE town SET drain_nonce = NULL, drain_started_at = NULL", ())?;
    told(cx, town, FeedKind::DrainEnded, actor)
}

fn told(cx: &Cx<'_>, town: &TownState, kind: FeedKind, actor: Option<&str>) -> Result<(), Failure> {
    cx.forget();
    outbox_letters::rigs_changed(cx)?;
    feed::write(cx, town, kind, town.town_id.as_str(), actor, &value!({}))?;
    topics::changed(cx, town, topics::TOWN)
}
