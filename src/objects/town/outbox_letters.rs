//! Letters of the town: to its rigs, their records, the beads of convoys, the states of blockers and landing orders; to
//! sessions, the topics they listen to.
//!
//! Owns the kinds of letter that rigs get. A letter carries the state at the time of sending.

use super::{config, convoys, escalations, rigs, state, topics};
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::rig::{BlockerTold, RigState};
use crate::contract::letters::{LetterKind, ToSession, TownToRig};
use crate::objects::handler::{Cx, Flush};
use crate::objects::outbox;
use crate::objects::outbox::{Composed, Owed, RESEND_MILLIS, post};
use crate::objects::store::sql::query_one;
use crate::objects::topics::compose as compose_news;
use crate::objects::town::convoys::{landing, mirror};
use crate::objects::town::rigs::{pause, rig_config};
use crate::rpc::call::Instance;
use base::error::{Failure, Fault};
use base::time::Timestamp;

fn tell(cx: &Cx<'_>, kind: TownToRig, subject: &str, rig: &RigId) -> Result<(), Failure> {
    write(cx, kind, subject, &Instance::Rig(rig.clone()))
}

fn write(cx: &Cx<'_>, kind: impl LetterKind, subject: &str, target: &Instance) -> Result<(), Failure> {
    post(cx.sql, kind, subject, &target.to_string(), cx.number()?, cx.now)?;
    // Before the reply: the caller uses its new rig or convoy in the next call.
    cx.flush(Flush::BeforeReply);
    cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    Ok(())
}

/// The rig was added, or something changed that it keeps a copy of.
pub(super) fn rig_changed(cx: &Cx<'_>, rig: &RigId) -> Result<(), Failure> {
    tell(cx, TownToRig::Rig, rig.as_str(), rig)
}

/// The same for every rig of the town.
pub(super) fn rigs_changed(cx: &Cx<'_>) -> Result<(), Failure> {
    for rig in super::rigs::list(cx)? {
        rig_changed(cx, &rig.id)?;
    }
    Ok(())
}

/// The same, after the reply.
pub(super) fn rigs_changed_unawaited(cx: &Cx<'_>) -> Result<(), Failure> {
    for rig in super::rigs::list(cx)? {
        post(cx.sql, TownToRig::Rig, rig.id.as_str(), &Instance::Rig(rig.id.clone()).to_string(), cx.number()?, cx.now)?;
    }
    cx.flush(Flush::AfterReply);
    cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    Ok(())
}

/// A convoy was made, or is another now.
pub(super) fn convoy_changed(cx: &Cx<'_>, convoy: &ConvoyId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, TownToRig::Convoy, convoy.as_str(), rig)
}

/// Something in a rig waits for a decision.
pub(super) fn triage_wanted(cx: &Cx<'_>, escalation: &BeadId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, TownToRig::Triage, escalation.as_str(), rig)
}

/// An escalation was acknowledged; the rig that it concerns closes its bead.
pub(super) fn acknowledged(cx: &Cx<'_>, escalation: &BeadId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, TownToRig::Acknowledged, escalation.as_str(), rig)
}

/// The town has removed this rig, or goes itself and its sessions with it: the object is to empty itself.
pub(super) fn removed(cx: &Cx<'_>, target: &Instance) -> Result<(), Failure> {
    let subject = target.to_string();
    if matches!(target, Instance::Rig(_)) {
        write(cx, TownToRig::Removed, &subject, target)
    } else {
        write(cx, ToSession::Removed, &subject, target)
    }
}

/// A bead stands differently now, and beads of this rig wait for it.
pub(super) fn blocker_changed(cx: &Cx<'_>, blocker: &BeadId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, TownToRig::Blocker, blocker.as_str(), rig)
}

/// A convoy's landing merge in this rig was ordered or taken back.
pub(super) fn landing_changed(cx: &Cx<'_>, convoy: &ConvoyId, rig: &RigId) -> Result<(), Failure> {
    tell(cx, TownToRig::Landing, convoy.as_str(), rig)
}

/// Writes the letter for an outbox row from the state as it is.
pub(super) fn compose(cx: &Cx<'_>, owed: &Owed) -> Composed {
    if let Some(Instance::Rig(rig)) = Instance::parse(&owed.target) {
        return to_rig(cx, owed, owed.kind()?, &rig);
    }
    match owed.kind()? {
        ToSession::Topic => compose_news(cx, owed, |topic| topics::news(cx, topic)),
        ToSession::Removed => Ok(Some(outbox::write(&true)?)),
    }
}

fn to_rig(cx: &Cx<'_>, owed: &Owed, kind: TownToRig, rig: &RigId) -> Composed {
    if kind != TownToRig::Removed && !rigs::is_known(cx, rig)? {
        // A removed rig must not be revived by a letter owed to it before.
        return Ok(None);
    }
    let convoy = || ConvoyId::parse(&owed.subject).map_err(|error| Fault::new("write a letter about a convoy", error));
    match kind {
        TownToRig::Rig => rig_letter(cx, rig),
        TownToRig::Convoy => Ok(convoys::order_for_rig(cx, &convoy()?, rig)?.map(|order| outbox::write(&order)).transpose()?),
        TownToRig::Triage => escalations::triage_letter(cx, &owed.subject, rig),
        TownToRig::Acknowledged => escalations::acknowledgement(cx, &owed.subject, rig),
        TownToRig::Landing => {
            Ok(landing::order_for_rig(cx, &convoy()?, rig, owed.generation)?.map(|order| outbox::write(&order)).transpose()?)
        }
        TownToRig::Blocker => {
            let bead_id = BeadId::parse(&owed.subject).map_err(|error| Fault::new("write a blocker letter", error))?;
            let standing = mirror::standing(cx, &bead_id)?;
            Ok(standing.map(|(status, merged)| outbox::write(&BlockerTold { bead_id, status, merged })).transpose()?)
        }
        TownToRig::Removed => Ok(Some(outbox::write(&true)?)),
    }
}

fn rig_letter(cx: &Cx<'_>, rig: &RigId) -> Composed {
    let town = state::require(cx)?;
    let found: Option<(i64,)> = query_one(cx.sql, "-- letters_rig\nSELECT parked FROM rigs WHERE id = ?", (rig,))?;
    let owner = town.owner();
    let (Some((parked,)), Some(record)) = (found, rigs::find(cx, rig)?) else { return Ok(None) };
    let drain = pause::drain(&town, cx.now);
    Ok(Some(outbox::write(&RigState {
        rig_id: rig.clone(),
        capacity: rig_config::capacity(&town, &record.config),
        town_id: town.town_id.clone(),
        name: record.name,
        git_url: record.git_url,
        default_branch: record.default_branch,
        owner_user_id: owner.user_id,
        owner_org_id: owner.org_id,
        mayor_agent_id: Some(town.mayor_agent_id.clone()),
        parked: town.parked || parked == 1,
        draining: drain.is_some(),
        drain_nonce: drain.map(|(nonce, _)| nonce.to_owned()),
        watched_until: town.watched_until,
        listened_until: Timestamp::default(),
        attempts_max: rig_config::attempts_max(&record.config),
        breaker_open: town.breaker_opened_at.is_some(),
        resumed_at: Timestamp::default(),
        watch: town.config.get("watch").cloned().unwrap_or_default(),
        formulas: town.config.get("formulas").cloned().unwrap_or_default(),
        gates: config::gates(&town).cloned().unwrap_or_default(),
    })?))
}
