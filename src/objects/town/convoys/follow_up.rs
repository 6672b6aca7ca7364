//! Follow-ups: a convoy that repeats the failed beads of another one.
//!
//! Owns `createFollowUp` and the link from a convoy to the one that it follows (`convoys.follow_up_of`; the
//! metadata of its beads names the bead that each repeats). A failed bead is repeated once. Beads that are not stuck stay.

use super::landing;
use crate::contract::checks::check_text;
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::rig::TaskDetails;
use crate::contract::limits::bead::{ARGS_BYTES_MAX, TITLE_CHARS_MAX};
use crate::contract::shapes::{
    Bead, BeadStatus, BlockedUntil, ConvoyBead, ConvoyEntry, ConvoyStatus, ConvoyTask, FeedKind, FollowUp, FollowUpInput, FollowUpResult,
    MergeMode,
};
use crate::objects::handler::{Answer, Caller, Cx, Gather, json};
use crate::objects::store::sql::{execute, query, query_one};
use crate::objects::town::convoys::changes::{check_size, tell_rigs};
use crate::objects::town::convoys::{changes, sling_batch};
use crate::objects::town::views::feed;
use crate::objects::town::{convoys, state};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::FAILED_MEMBERS;
use base::error::{Code, Failure, Fault, Refusal, refuse};
use serde_json::{Map, Value, json as value};
use std::collections::{BTreeMap, BTreeSet};

/// The part of a failure's reason that the repeating bead tells, in characters.
const REASON_CHARS_MAX: usize = 1_000;
/// The key of a bead's metadata that names the bead it does anew.
const OF: &str = "follow_up_of";

/// The convoy that this one follows.
pub(in crate::objects::town) fn origin(cx: &Cx<'_>, id: &ConvoyId) -> Result<Option<ConvoyId>, Fault> {
    let found: Option<(Option<ConvoyId>,)> =
        query_one(cx.sql, "-- follow_up_origin\nSELECT follow_up_of FROM convoys WHERE id = ?", (id,))?;
    Ok(found.and_then(|(origin,)| origin))
}

/// The follow-up of a convoy.
pub(in crate::objects::town) fn of(cx: &Cx<'_>, id: &ConvoyId) -> Result<Vec<FollowUp>, Fault> {
    query(
        cx.sql,
        "-- follow_up_of\nSELECT convoys.id AS convoy_id, convoy_beads.bead_id, json_extract(convoy_beads.metadata, '$.follow_up_of') AS \"of\"
         FROM convoys INDEXED BY convoys_follow_up CROSS JOIN convoy_beads ON convoy_beads.convoy_id = convoys.id
         WHERE convoys.follow_up_of = ? AND json_type(convoy_beads.metadata, '$.follow_up_of') = 'text' ORDER BY convoys.sequence, position",
        (id,),
    )
}

/// `createFollowUp`: a staged convoy of new beads for the failed ones that no bead repeats yet. When there are none, the
/// existing follow-up.
pub(crate) fn create_follow_up(cx: &Cx<'_>, caller: &Caller, (input,): (FollowUpInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let convoy = convoys::require_named(cx, &input.convoy)?;
    if let Some(title) = &input.title {
        check_text(title, None)?;
    }
    let failed = convoys::mirrored_beads(cx, &convoy.id)?.into_iter().filter(|bead| bead.status == BeadStatus::Failed && !bead.deleted);
    let rigs: BTreeSet<RigId> = failed.filter_map(|bead| bead.rig_id).collect();
    let rigs: Vec<RigId> = rigs.into_iter().collect();
    let calls =
        rigs.iter().map(|rig| Call::new(Instance::Rig(rig.clone()), &FAILED_MEMBERS, (&convoy.id,))).collect::<Result<Vec<_>, _>>()?;
    let (id, actor) = (convoy.id, caller.actor());
    let then = move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| {
        let mut beads: Vec<Bead> = Vec::new();
        for (rig, answer) in rigs.iter().zip(answers) {
            let found = answer.and_then(|text| decode::<Vec<Bead>>(&FAILED_MEMBERS, &text));
            beads.extend(found.map_err(|_| {
                let refusal = Refusal::new(Code::Unavailable, format!("Rig {rig} did not answer what failed there"));
                refusal.hint("Call again in a few seconds; nothing was changed.")
            })?);
        }
        make(cx, &id, &input, beads, &actor)
    };
    if calls.is_empty() {
        return then(cx, Vec::new());
    }
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

/// `failed` is what the rigs have; beads that are no members any more, or were repeated meanwhile, are left out.
fn make(cx: &Cx<'_>, id: &ConvoyId, input: &FollowUpInput, mut failed: Vec<Bead>, actor: &str) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let Some(origin) = convoys::find(cx, id)? else {
        return Err(refuse(Code::NotFound, format!("Convoy not found: {id}")));
    };
    let known = of(cx, id)?;
    let members = convoys::mirrored_beads(cx, id)?;
    failed.retain(|bead| members.iter().any(|member| member.bead_id == bead.bead_id) && known.iter().all(|known| known.of != bead.bead_id));
    if failed.is_empty() {
        let newest = known.last().map(|known| convoys::find(cx, &known.convoy_id)).transpose()?.flatten();
        return json(&FollowUpResult { created: false, convoy: newest, beads: known, moved: Vec::new() });
    }
    let title = input.title.clone().unwrap_or_else(|| title_of(&origin, &known));
    let mode = origin.merge_mode.unwrap_or(MergeMode::ReviewThenLand);
    let convoy = sling_batch::new_convoy(cx, ConvoyId::from_random(cx.random()), title, mode, true, actor.to_owned());
    convoys::insert(cx, &convoy)?;
    execute(cx.sql, "-- follow_up_link\nUPDATE convoys SET follow_up_of = ? WHERE id = ?", (id, &convoy.id))?;
    let anew: BTreeMap<BeadId, BeadId> = failed.iter().map(|bead| (bead.bead_id.clone(), BeadId::from_random(cx.random()))).collect();
    let edges = convoys::edges(cx, id)?;
    let mut rigs = BTreeSet::new();
    for bead in &failed {
        let (Some(new), Some(rig)) = (anew.get(&bead.bead_id), &bead.rig_id) else { continue };
        let waits_for: Vec<(&BeadId, BlockedUntil)> = edges
            .iter()
            .filter(|edge| edge.bead_id == bead.bead_id)
            .filter_map(|edge| anew.get(&edge.depends_on_bead_id).map(|blocker| (blocker, edge.until)))
            .collect();
        let mut metadata = Map::new();
        metadata.insert(OF.to_owned(), Value::from(bead.bead_id.as_str()));
        metadata.insert("follow_up_of_convoy".to_owned(), Value::from(id.as_str()));
        sling_batch::write_task(cx, &convoy, new.clone(), rig, task_of(bead), metadata, waits_for.len())?;
        for (blocker, until) in waits_for {
            convoys::insert_edge(cx, &convoy.id, new, blocker, until)?;
        }
        rigs.insert(rig.clone());
    }
    let moved = if input.include_open == Some(true) && origin.status == ConvoyStatus::Active {
        move_waiting(cx, &origin, &convoy, &members, &anew, &mut rigs)?
    } else {
        Vec::new()
    };
    check_size(convoys::size(cx, &convoy.id)?)?;
    tell_rigs(cx, &town, &convoy.id, rigs)?;
    let detail = value!({"title": convoy.title, "staged": true, "total_beads": convoys::size(cx, &convoy.id)?, "follow_up_of": id});
    feed::write(cx, &town, FeedKind::ConvoyCreated, convoy.id.as_str(), Some(actor), &detail)?;
    if !moved.is_empty() {
        tell_rigs(cx, &town, id, convoys::rigs_of(cx, id)?)?;
        let detail = value!({"title": origin.title, "removed": moved});
        feed::write(cx, &town, FeedKind::ConvoyChanged, id.as_str(), Some(actor), &detail)?;
        landing::settle(cx, &town, id)?;
    }
    let beads = of(cx, id)?.into_iter().filter(|made| made.convoy_id == convoy.id).collect();
    json(&FollowUpResult { created: true, convoy: convoys::find(cx, &convoy.id)?, beads, moved })
}

/// The title of a follow-up, another one for each.
fn title_of(origin: &ConvoyEntry, known: &[FollowUp]) -> String {
    let before: BTreeSet<&ConvoyId> = known.iter().map(|known| &known.convoy_id).collect();
    let suffix = format!(" (follow-up {})", before.len() + 1);
    let room = TITLE_CHARS_MAX.saturating_sub(suffix.chars().count());
    format!("{}{suffix}", origin.title.chars().take(room).collect::<String>())
}

/// The same work once more, with the reason of the failure.
fn task_of(bead: &Bead) -> ConvoyTask {
    let note = |key: &str| bead.metadata.get(key).and_then(Value::as_str);
    let reason: String = bead.failure_reason.as_deref().unwrap_or("no reason was given").chars().take(REASON_CHARS_MAX).collect();
    let mut args = format!("Bead {} failed at this before: {reason}", bead.bead_id);
    if let Some(before) = note("args") {
        args = format!("{before}\n\n{args}");
    }
    args.truncate(args.floor_char_boundary(ARGS_BYTES_MAX));
    ConvoyTask {
        title: bead.title.clone(),
        body: bead.body.clone(),
        priority: Some(bead.priority),
        labels: Some(bead.labels.iter().filter(|label| !label.starts_with("gt:")).cloned().collect()),
        quality: bead.quality,
        args: Some(args),
        formula: note("formula").map(str::to_owned),
        vars: bead.metadata.get("vars").and_then(Value::as_object).cloned(),
        ..ConvoyTask::default()
    }
}

/// Moves the beads that cannot go on: open beads without a holder that wait, directly or through other moved beads, for a
/// repeated bead. A bead that also waits for one that stays is left, because no bead waits across convoys. Returns the moved
/// beads.
fn move_waiting(
    cx: &Cx<'_>,
    origin: &ConvoyEntry,
    convoy: &ConvoyEntry,
    members: &[ConvoyBead],
    anew: &BTreeMap<BeadId, BeadId>,
    rigs: &mut BTreeSet<RigId>,
) -> Result<Vec<BeadId>, Failure> {
    let edges = convoys::edges(cx, &origin.id)?;
    let is_met = |blocker: &BeadId, until: BlockedUntil| {
        let member = members.iter().find(|member| member.bead_id == *blocker);
        member.is_some_and(|member| member.status == BeadStatus::Closed && (until == BlockedUntil::Closed || member.merge_commit.is_some()))
    };
    let mut moving: Vec<&ConvoyBead> = Vec::new();
    loop {
        let goes = |bead: &&ConvoyBead| {
            let is_free = bead.status == BeadStatus::Open && bead.assignee_agent_name.is_none() && !bead.deleted;
            let unmet: Vec<&BeadId> = edges
                .iter()
                .filter(|edge| edge.bead_id == bead.bead_id && !is_met(&edge.depends_on_bead_id, edge.until))
                .map(|edge| &edge.depends_on_bead_id)
                .collect();
            let comes_along = |blocker: &&BeadId| anew.contains_key(*blocker) || moving.iter().any(|moved| moved.bead_id == **blocker);
            is_free && !unmet.is_empty() && unmet.iter().all(comes_along) && moving.iter().all(|moved| moved.bead_id != bead.bead_id)
        };
        let Some(next) = members.iter().find(goes) else { break };
        moving.push(next);
    }
    for bead in &moving {
        let Some(rig) = &bead.rig_id else { continue };
        changes::remove(cx, &origin.id, &bead.bead_id)?;
        let new =
            convoys::NewMember { mirror: bead, rig, body: None, metadata: &Map::new(), details: &TaskDetails::default(), adopted: true };
        convoys::insert_member(cx, &convoy.id, &new)?;
        rigs.insert(rig.clone());
    }
    for edge in edges.iter().filter(|edge| moving.iter().any(|moved| moved.bead_id == edge.bead_id)) {
        let blocker = anew.get(&edge.depends_on_bead_id).unwrap_or(&edge.depends_on_bead_id);
        if !is_met(blocker, edge.until) {
            convoys::insert_edge(cx, &convoy.id, &edge.bead_id, blocker, edge.until)?;
        }
    }
    Ok(moving.into_iter().map(|bead| bead.bead_id.clone()).collect())
}
