//! The mirror: the town's picture of its convoys' beads, from the rigs' letters and answers.
//!
//! Owns when the mirror of a member changes, and the consequences: rigs with waiting beads, listeners and the feed are told,
//! and the convoy is looked at. Never takes an older answer for a newer one.

use super::landing;
use crate::contract::columns::json_column;
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::town::BeadGone;
use crate::contract::letters::{Letter, RigToTown};
use crate::contract::outcome::has_ended;
use crate::contract::shapes::{BeadClosedInput, BeadStatus, ConvoyBead, ConvoyMembers, FeedKind};
use crate::objects::handler::{Answer, Caller, Cx, Gather, json};
use crate::objects::outbox::is_news;
use crate::objects::store::sql::{execute, query_one};
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{convoys, outbox_letters, rigs, topics};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::CONVOY_BEADS;
use base::error::{Failure, Fault};
use serde::Deserialize;
use serde_json::{Value, json as value};

/// Why a bead that its rig has no more counts as failed.
pub const DELETED: &str = "deleted";

/// A rig told how a bead stands, or that it was deleted.
pub(in crate::objects::town) fn apply_bead(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let town = state::require(cx)?;
    let is_gone = letter.body.get("deleted").and_then(Value::as_bool) == Some(true);
    let told = if is_gone {
        let told: BeadGone = letter.read("read a bead letter")?;
        let Some(known) = mirrored(cx, rig, &told.bead_id)? else { return Ok(()) };
        gone(known.bead)
    } else {
        letter.read("read a bead letter")?
    };
    match take(cx, &town, rig, &told)? {
        Some(taken) => look(cx, &town, &taken),
        None => Ok(()),
    }
}

/// A member that stands differently now.
pub(in crate::objects::town) struct Taken {
    pub(in crate::objects::town) convoy: ConvoyId,
    /// It was not over before.
    pub(in crate::objects::town) has_just_ended: bool,
}

/// Looks at the convoy of a member that changed: it lands, or none of its beads will change any more.
pub(in crate::objects::town) fn look(cx: &Cx<'_>, town: &TownState, taken: &Taken) -> Result<(), Failure> {
    if landing::settle(cx, town, &taken.convoy)? || !taken.has_just_ended {
        return Ok(());
    }
    match convoys::find(cx, &taken.convoy)? {
        Some(convoy) if has_ended(&convoy) && convoy.forced_at.is_none() => landing::tell_end(cx, town, FeedKind::ConvoyEnded, &convoy),
        _ => Ok(()),
    }
}

/// The state of a member that its rig no longer has. A done bead stays done.
pub(in crate::objects::town) fn gone(mut bead: ConvoyBead) -> ConvoyBead {
    if bead.status != BeadStatus::Closed {
        bead.status = BeadStatus::Failed;
        bead.failure_reason = Some(DELETED.to_owned());
    }
    bead.assignee_agent_name = None;
    bead.deleted = true;
    bead
}

#[derive(Deserialize)]
struct Mirrored {
    convoy: ConvoyId,
    #[serde(deserialize_with = "json_column")]
    bead: ConvoyBead,
}

fn mirrored(cx: &Cx<'_>, rig: &RigId, bead: &BeadId) -> Result<Option<Mirrored>, Fault> {
    query_one(
        cx.sql,
        "-- mirror_find\nSELECT convoy_id AS convoy, mirror AS bead FROM convoy_beads WHERE bead_id = ? AND rig_id = ?",
        (bead, rig),
    )
}

/// How a blocker stands, for the rigs that wait for it.
pub(in crate::objects::town) fn standing(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<(BeadStatus, bool)>, Fault> {
    let found: Option<(BeadStatus, i64)> = query_one(
        cx.sql,
        "-- mirror_standing\nSELECT status, json_extract(mirror, '$.merge_commit') IS NOT NULL FROM convoy_beads WHERE bead_id = ?",
        (bead,),
    )?;
    Ok(found.map(|(status, is_merged)| (status, is_merged == 1)))
}

/// Takes over how a member stands. Answers nothing when that changed nothing; else the caller looks at the convoy (`look`).
pub(in crate::objects::town) fn take(cx: &Cx<'_>, town: &TownState, rig: &RigId, told: &ConvoyBead) -> Result<Option<Taken>, Failure> {
    let Some(Mirrored { convoy: id, bead: before }) = mirrored(cx, rig, &told.bead_id)? else { return Ok(None) };
    if before == *told {
        return Ok(None);
    }
    let text = serde_json::to_string(told).map_err(|error| Fault::new("write a mirror", error))?;
    execute(
        cx.sql,
        "-- mirror_take\nUPDATE convoy_beads SET mirror = ?, status = ? WHERE bead_id = ?",
        (text, told.status, &told.bead_id),
    )?;
    if (before.status, before.merge_commit.is_some()) != (told.status, told.merge_commit.is_some()) {
        for waiting in convoys::rigs_waiting_for(cx, &told.bead_id)? {
            outbox_letters::blocker_changed(cx, &told.bead_id, &waiting)?;
        }
    }
    topics::convoy_changed(cx, town, &id)?;
    // That a bead has ended is told more than once, and news once.
    let has_just_ended = told.status.is_terminal() && !before.status.is_terminal();
    if has_just_ended && told.status == BeadStatus::Failed {
        let detail = value!({"convoy_id": id, "rig_id": rig, "title": told.title, "deleted": told.deleted});
        feed::write(cx, town, FeedKind::ConvoyBeadFailed, told.bead_id.as_str(), None, &detail)?;
    }
    Ok(Some(Taken { convoy: id, has_just_ended }))
}

/// Takes over a rig's answer about members, where no letter is newer. Returns the changed members.
pub(in crate::objects::town) fn take_answer(
    cx: &Cx<'_>,
    town: &TownState,
    rig: &RigId,
    answer: &ConvoyMembers,
) -> Result<Vec<Taken>, Failure> {
    if !rigs::is_known(cx, rig)? {
        // It was removed since it was asked, and its beads have failed.
        return Ok(Vec::new());
    }
    let source = Instance::Rig(rig.clone()).to_string();
    let mut changed = Vec::new();
    for bead in &answer.beads {
        let letter = Letter {
            kind: RigToTown::Bead.as_str().to_owned(),
            subject: bead.bead_id.to_string(),
            generation: answer.as_of,
            body: Value::Null,
        };
        if is_news(cx.sql, &source, &letter)? {
            changed.extend(take(cx, town, rig, bead)?);
        }
    }
    Ok(changed)
}

/// `onBeadClosed`: recounts the convoy from its rigs' answers, and lands it if that is due.
pub(crate) fn on_bead_closed(cx: &Cx<'_>, _caller: &Caller, (input,): (BeadClosedInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let id = input.convoy_id;
    if convoys::find(cx, &id)?.is_none() {
        return Ok(Answer::Json("null".to_owned()));
    }
    let rigs = convoys::rigs_of(cx, &id)?;
    let calls = rigs.iter().map(|rig| Call::new(Instance::Rig(rig.clone()), &CONVOY_BEADS, (&id,))).collect::<Result<_, _>>()?;
    let then = move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| {
        let town = state::require(cx)?;
        for (rig, answer) in rigs.iter().zip(answers) {
            // Of a silent rig the mirror stands.
            if let Ok(members) = answer.and_then(|text| decode::<ConvoyMembers>(&CONVOY_BEADS, &text)) {
                for taken in take_answer(cx, &town, rig, &members)? {
                    look(cx, &town, &taken)?;
                }
            }
        }
        landing::settle(cx, &town, &id)?;
        json(&convoys::find(cx, &id)?)
    };
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}
