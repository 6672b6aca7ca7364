//! What the town tells: its rigs, who they are, the beads of convoys, what becomes of beads they wait for and what to land;
//! sessions, what they listen to.
//!
//! Owns the kinds of letter that rigs get. They say how things are when they are sent.

use super::{config, convoys, landing, mirror, state, topics};
use crate::error::Failure;
use crate::ids::{BeadId, ConvoyId, RigId};
use crate::rig::{BlockerTold, RigState};
use crate::rpc::call::Instance;
use crate::rpc::serve::{Cx, Flush};
use crate::rpc::topics::compose as compose_news;
use crate::store::outbox::{self, Composed, Owed, RESEND_MILLIS, TOPIC, post};
use crate::store::sql::query_one;
use crate::time::Timestamp;

fn tell(cx: &Cx<'_>, kind: &str, subject: &str, rig: &RigId) -> Result<(), Failure> {
    post(cx.sql, kind, subject, &Instance::Rig(rig.clone()).to_string(), cx.number()?, cx.now)?;
    // Before the reply: whoever made a rig or a convoy uses it in the next call.
    cx.flush(Flush::BeforeReply);
    cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    Ok(())
}

/// The rig was added, or something changed that it keeps a copy of.
pub(super) fn rig_changed(cx: &Cx<'_>, rig: &RigId) -> Result<(), Failure> {
    tell(cx, "rig", rig.as_str(), rig)
}

/// The same for every rig of the town.
pub(super) fn rigs_changed(cx: &Cx<'_>) -> Result<(), Failure> {
    for rig in super::rigs::list(cx)? {
        rig_changed(cx, &rig.id)?;
    }
    Ok(())
}

/// A convoy was made, or is another now.
pub(super) fn convoy_changed(cx: &Cx<'_>, convoy: &ConvoyId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, "convoy", convoy.as_str(), rig)
}

/// A bead stands differently now, and beads of this rig wait for it.
pub(super) fn blocker_changed(cx: &Cx<'_>, blocker: &BeadId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, "blocker", blocker.as_str(), rig)
}

/// A convoy's landing merge in this rig was ordered or taken back.
pub(super) fn landing_changed(cx: &Cx<'_>, convoy: &ConvoyId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, "landing", convoy.as_str(), rig)
}

/// Writes the letter for an outbox row from the state as it is.
pub(super) fn compose(cx: &Cx<'_>, owed: &Owed) -> Composed {
    if owed.kind == TOPIC {
        return compose_news(cx, owed, |topic| topics::news(cx, topic));
    }
    let Some(Instance::Rig(rig)) = Instance::parse(&owed.target) else { return Ok(None) };
    match owed.kind.as_str() {
        "rig" => rig_letter(cx, &rig),
        "convoy" => match ConvoyId::parse(&owed.subject) {
            Ok(convoy) => Ok(convoys::order_for_rig(cx, &convoy, &rig)?.map(|order| outbox::write(&order)).transpose()?),
            Err(_) => Ok(None),
        },
        "landing" => match ConvoyId::parse(&owed.subject) {
            Ok(convoy) => Ok(landing::order_for_rig(cx, &convoy, &rig, owed.generation)?.map(|order| outbox::write(&order)).transpose()?),
            Err(_) => Ok(None),
        },
        "blocker" => match BeadId::parse(&owed.subject) {
            Ok(bead_id) => Ok(mirror::standing(cx, &bead_id)?
                .map(|(status, merged)| outbox::write(&BlockerTold { bead_id, status, merged }))
                .transpose()?),
            Err(_) => Ok(None),
        },
        _ => Ok(None),
    }
}

fn rig_letter(cx: &Cx<'_>, rig: &RigId) -> Composed {
    let town = state::require(cx)?;
    let found: Option<(String, String, String, i64)> =
        query_one(cx.sql, "-- letters_rig\nSELECT name, git_url, default_branch, parked FROM rigs WHERE id = ?", (rig,))?;
    let owner = town.owner();
    let Some((name, git_url, default_branch, parked)) = found else { return Ok(None) };
    Ok(Some(outbox::write(&RigState {
        rig_id: rig.clone(),
        capacity: config::capacity(&town),
        town_id: town.town_id.clone(),
        name,
        git_url,
        default_branch,
        owner_user_id: owner.user_id,
        owner_org_id: owner.org_id,
        mayor_agent_id: Some(town.mayor_agent_id.clone()),
        parked: town.parked || parked == 1,
        draining: town.drain_nonce.is_some(),
        watched_until: town.watched_until,
        listened_until: Timestamp::default(),
    })?))
}
