//! `inspectConvoys`: convoys looked at closely, as the town has them and as their rigs do, side by side.
//!
//! Owns which convoys are looked at, and the question to the rigs. Compares nothing and decides nothing: the caller does. A
//! silent rig is named, and its beads are shown as it last told.

use super::follow_up;
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::TownToRig;
use crate::contract::shapes::{ConvoyInspection, Coverage, InspectInput, RigInspection, TownInspection};
use crate::objects::handler::{Answer, Caller, Cx, Gather, json};
use crate::objects::outbox::is_owed;
use crate::objects::store::sql::query;
use crate::objects::town::rigs::pause;
use crate::objects::town::state::TownState;
use crate::objects::town::{config, convoys, state};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::INSPECT_MEMBERS;
use base::error::Failure;
use base::order::sort;
use serde_json::Value;
use std::collections::BTreeMap;

/// Most convoys in one answer: each rig is asked about all of them at once.
pub const PAGE_MAX: i64 = 20;
/// Convoys on a page unless the caller says otherwise.
const PAGE_DEFAULT: i64 = 10;
/// For how long after it landed a convoy is looked at without being named, in milliseconds.
const LANDED_MILLIS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Landed convoys that are looked through for those, from the newest.
const LANDED_MAX: i64 = 200;

/// No sequence is greater: a number beyond that would not survive JavaScript.
const SEQUENCE_MAX: i64 = (1 << 53) - 1;

/// `inspectConvoys`. A convoy that does not exist is left out.
pub(crate) fn inspect_convoys(cx: &Cx<'_>, _caller: &Caller, (input,): (InspectInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let (ids, next) = wanted(cx, &input)?;
    let mut inspected = Vec::new();
    let mut questions: BTreeMap<RigId, (Vec<ConvoyId>, Vec<BeadId>)> = BTreeMap::new();
    for id in &ids {
        let Some(convoy) = inspect(cx, id)? else { continue };
        for bead in &convoy.members {
            let Some(rig) = &bead.rig_id else { continue };
            let (of, beads) = questions.entry(rig.clone()).or_default();
            if !of.contains(id) {
                of.push(id.clone());
            }
            beads.push(bead.bead_id.clone());
        }
        inspected.push(convoy);
    }
    let rigs: Vec<RigId> = questions.keys().cloned().collect();
    let calls = questions
        .iter()
        .map(|(rig, (convoys, beads))| Call::new(Instance::Rig(rig.clone()), &INSPECT_MEMBERS, (convoys, beads)))
        .collect::<Result<Vec<_>, _>>()?;
    let then = move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| {
        let town = state::require(cx)?;
        let (mut answered, mut missing) = (Vec::new(), Vec::new());
        for (rig, answer) in rigs.iter().zip(answers) {
            match answer.and_then(|text| decode::<RigInspection>(&INSPECT_MEMBERS, &text)) {
                Ok(inspection) => answered.push(inspection),
                Err(_) => missing.push(rig.clone()),
            }
        }
        json(&look(cx, &town, inspected, answered, missing, next))
    };
    if calls.is_empty() {
        return then(cx, Vec::new());
    }
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

/// The convoys that are meant, the newest first, and where the next page begins.
fn wanted(cx: &Cx<'_>, input: &InspectInput) -> Result<(Vec<ConvoyId>, Option<i64>), Failure> {
    if let Some(named) = &input.convoy {
        return Ok((convoys::find_named(cx, named)?.map(|convoy| convoy.id).into_iter().collect(), None));
    }
    let limit = input.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let before = input.before.unwrap_or(SEQUENCE_MAX).min(SEQUENCE_MAX);
    let mut found: Vec<(ConvoyId, i64)> = query(
        cx.sql,
        "-- inspection_active\nSELECT id, sequence FROM convoys INDEXED BY convoys_status WHERE status = 'active' AND sequence < ? ORDER BY sequence DESC LIMIT ?",
        (before, limit + 1),
    )?;
    let landed: Vec<(ConvoyId, i64)> = query(
        cx.sql,
        "-- inspection_landed\nSELECT id, sequence FROM
           (SELECT id, sequence, landed_at FROM convoys INDEXED BY convoys_status WHERE status = 'landed' ORDER BY sequence DESC LIMIT ?1)
         WHERE sequence < ?2 AND landed_at >= ?3 LIMIT ?4",
        (LANDED_MAX, before, cx.now.plus_millis(-LANDED_MILLIS).millis(), limit + 1),
    )?;
    found.extend(landed);
    let mut found = sort(found, true, |(_, sequence)| (*sequence, String::new()));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(|(_, sequence)| *sequence);
    Ok((found.into_iter().map(|(id, _)| id).collect(), next))
}

fn inspect(cx: &Cx<'_>, id: &ConvoyId) -> Result<Option<ConvoyInspection>, Failure> {
    let Some(claimed) = convoys::find(cx, id)? else { return Ok(None) };
    let mut under_way = convoys::rigs_of(cx, id)?;
    let mut owed = Vec::new();
    for rig in under_way.drain(..) {
        if is_owed(cx.sql, TownToRig::Convoy, id.as_str(), &Instance::Rig(rig.clone()).to_string())? {
            owed.push(rig);
        }
    }
    Ok(Some(ConvoyInspection {
        claimed,
        members: convoys::mirrored_beads(cx, id)?,
        under_way: owed,
        follow_up_of: follow_up::origin(cx, id)?,
        follow_ups: follow_up::of(cx, id)?,
    }))
}

fn look(
    cx: &Cx<'_>,
    town: &TownState,
    convoys: Vec<ConvoyInspection>,
    rigs: Vec<RigInspection>,
    missing: Vec<RigId>,
    next: Option<i64>,
) -> TownInspection {
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    let answered = count(rigs.len());
    let watch = config::watch(town);
    TownInspection {
        as_of: cx.now,
        parked: town.parked,
        draining: pause::drain(town, cx.now).is_some(),
        patience_seconds: town.config.get("watch").and_then(|watch| watch.get("nudge_after_seconds")).and_then(Value::as_i64),
        review_stuck_seconds: watch.review_stuck_seconds,
        restart_loop_exits: watch.restart_loop_exits,
        convoys,
        rigs,
        coverage: Coverage { asked: answered.saturating_add(count(missing.len())), answered, missing, as_of: cx.now },
        next,
    }
}
