//! Deletion of a rig, and of the town with all its rigs.
//!
//! Owns the question before, the effect on convoys, and the order: the town's own record first, then a letter to each
//! object that goes, and the town itself when every letter has arrived. An object that cannot be reached now goes later.

use crate::contract::ids::{ConvoyId, RigId};
use crate::contract::letters::{Letter, RigToTown, TownToRig};
use crate::contract::shapes::{BeadStatus, ConvoyBead, FeedKind, RigFacts};
use crate::objects::handler::{Answer, Caller, Cx, Gather};
use crate::objects::outbox;
use crate::objects::outbox::RESEND_MILLIS;
use crate::objects::store::sql::{execute, query, query_one};
use crate::objects::town::convoys::{landing, mirror};
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{convoys, outbox_letters, rigs, topics};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::RIG_FACTS;
use base::error::{Code, Failure, Refusal};
use base::time::Timestamp;
use serde_json::json as value;

/// Why beads of a deleted rig failed.
pub(in crate::objects::town) const REASON: &str = "its rig was deleted";
/// When the alarm looks whether everything has arrived, in milliseconds.
const LOOK_MILLIS: i64 = 1_000;

/// `removeRig(rigId, force)`: refused while the rig holds active beads, unless forced. Removing an unknown rig is no
/// error (Gastown contract 2.1).
pub(crate) fn remove_rig(cx: &Cx<'_>, caller: &Caller, (id, force): (RigId, Option<bool>)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    caller.principal.check_may_delete(town.owner().org_id.as_deref(), "rigs")?;
    if rigs::find(cx, &id)?.is_none() {
        return Ok(Answer::Void);
    }
    if force == Some(true) {
        remove(cx, &id)?;
        return Ok(Answer::Void);
    }
    let calls = vec![Call::new(Instance::Rig(id.clone()), &RIG_FACTS, ())?];
    let then = move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| {
        let Some(rig) = rigs::find(cx, &id)? else { return Ok(Answer::Void) };
        let Some(active) = active_beads(answers) else {
            let refusal =
                Refusal::new(Code::Unavailable, format!("The rig named \"{}\" did not answer: nobody knows what it holds", rig.name));
            return Err(refusal.hint("Call again, or pass force = true to lose whatever it holds.").into());
        };
        if active > 0 {
            let refusal = Refusal::new(Code::Conflict, format!("A rig named \"{}\" has {active} active bead(s)", rig.name));
            return Err(refusal.hint("Close or delete them first, or pass force = true to lose them.").into());
        }
        remove(cx, &id)?;
        Ok(Answer::Void)
    };
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

/// Active beads of all asked rigs; `None` when one did not answer. A rig that was never initialised holds none.
fn active_beads(answers: Vec<Result<String, Failure>>) -> Option<i64> {
    answers.into_iter().try_fold(0_i64, |sum, answer| match answer.and_then(|text| decode::<RigFacts>(&RIG_FACTS, &text)) {
        Ok(facts) => Some(sum.saturating_add(facts.active_beads)),
        Err(Failure::Refused(refusal)) if refusal.code == Code::NotFound => Some(sum),
        Err(_) => None,
    })
}

fn remove(cx: &Cx<'_>, id: &RigId) -> Result<(), Failure> {
    let town = state::require(cx)?;
    let failed = fail_members(cx, id)?;
    landing::rig_removed(cx, &town, id)?;
    let name: Option<(String,)> = query_one(cx.sql, "-- removal_rig\nDELETE FROM rigs WHERE id = ? RETURNING name", (id,))?;
    outbox_letters::removed(cx, &Instance::Rig(id.clone()))?;
    topics::changed(cx, &town, topics::RIGS)?;
    topics::changed(cx, &town, topics::TOWN)?;
    let detail = value!({"name": name.map(|(name,)| name), "failed_beads": failed});
    feed::write(cx, &town, FeedKind::RigRemoved, id.as_str(), cx.actor().as_deref(), &detail)
}

/// Unfinished beads of convoys that were in the rig have failed: the town hears it as it would from the rig, so that
/// everything that follows a failure follows this one too. Answers how many there were.
fn fail_members(cx: &Cx<'_>, rig: &RigId) -> Result<usize, Failure> {
    let unfinished: Vec<(ConvoyId,)> = query(
        cx.sql,
        "-- removal_convoys\nSELECT id FROM convoys WHERE id IN
         (SELECT convoy_id FROM convoy_beads WHERE rig_id = ? AND status NOT IN ('closed', 'failed'))",
        (rig,),
    )?;
    let mut failed = 0;
    for (convoy,) in unfinished {
        let members = convoys::mirrored_beads(cx, &convoy)?.into_iter();
        for bead in members.filter(|bead| bead.rig_id.as_ref() == Some(rig) && !bead.status.is_terminal()) {
            let told =
                ConvoyBead { status: BeadStatus::Failed, failure_reason: Some(REASON.to_owned()), assignee_agent_name: None, ..bead };
            let letter = Letter {
                kind: RigToTown::Bead.as_str().to_owned(),
                subject: told.bead_id.to_string(),
                generation: cx.number()?,
                body: value!(told),
            };
            mirror::apply_bead(cx, rig, &letter)?;
            failed += 1;
        }
    }
    Ok(failed)
}

/// Whether the rig is on its way out: its letter is sent, and its later reports are ignored.
pub(in crate::objects::town) fn is_leaving(cx: &Cx<'_>, rig: &RigId) -> Result<bool, Failure> {
    let target = Instance::Rig(rig.clone()).to_string();
    let owed: Option<(i64,)> = query_one(
        cx.sql,
        "-- removal_owed\nSELECT 1 FROM outbox WHERE kind = ? AND subject = ? AND target = ?",
        (TownToRig::Removed.as_str(), &target, &target),
    )?;
    Ok(owed.is_some())
}

/// `destroy(force)`: refused while rigs hold active beads, unless forced. From then on the town refuses every caller; it is gone
/// when its rigs and its sessions are.
pub(crate) fn destroy(cx: &Cx<'_>, caller: &Caller, (force,): (Option<bool>,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    caller.principal.check_may_delete(town.owner().org_id.as_deref(), "towns")?;
    let rigs = rigs::list(cx)?;
    if force == Some(true) || rigs.is_empty() {
        close(cx, &town)?;
        return Ok(Answer::Void);
    }
    let calls = rigs.into_iter().map(|rig| Call::new(Instance::Rig(rig.id), &RIG_FACTS, ())).collect::<Result<_, _>>()?;
    let then = move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| {
        let town = state::require(cx)?;
        let asked = answers.len();
        let Some(active) = active_beads(answers) else {
            let refusal = Refusal::new(Code::Unavailable, format!("Not all of the {asked} rigs answered: nobody knows what they hold"));
            return Err(refusal.hint("Call again, or pass force = true to lose whatever they hold.").into());
        };
        if active > 0 {
            let refusal = Refusal::new(Code::Conflict, format!("The town has {active} active bead(s) in {asked} rig(s)"));
            return Err(refusal.hint("Close or delete them first, or pass force = true to lose them.").into());
        }
        close(cx, &town)?;
        Ok(Answer::Void)
    };
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

fn close(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    topics::changed(cx, town, topics::TOWN)?;
    let rigs = rigs::list(cx)?;
    execute(cx.sql, "-- removal_close\nUPDATE town SET closing = 1", ())?;
    execute(cx.sql, "-- removal_rigs\nDELETE FROM rigs", ())?;
    cx.forget();
    for rig in rigs {
        outbox_letters::removed(cx, &Instance::Rig(rig.id))?;
    }
    outbox_letters::removed(cx, &Instance::Session(format!("town:{}", town.town_id)))?;
    cx.wake_at(cx.now.plus_millis(LOOK_MILLIS));
    Ok(())
}

/// The alarm's part: a town that is being deleted goes when all its letters are acknowledged.
pub(in crate::objects::town) fn go_when_told(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    if !town.closing {
        return Ok(());
    }
    match outbox::next_due(cx.sql)? {
        None => cx.destroy(),
        Some(due) => cx.wake_at(Timestamp::max(due, cx.now).plus_millis(RESEND_MILLIS)),
    }
    Ok(())
}
