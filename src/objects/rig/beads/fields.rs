//! Changes of a bead by people: its fields, its blockers, and whether it is held back.
//!
//! Owns `updateBead` and the two methods for held beads. An update is made whole or, when a part is refused, not at
//! all. `beads` owns moves of the status, `dependencies` the meaning of a blocker.

use super::dependencies::BLOCKERS_MAX;
use super::events::Happened;
use super::{dependencies, events};
use crate::contract::checks::{check_labels, check_metadata, check_note, check_text};
use crate::contract::ids::{BeadId, RigId};
use crate::contract::labels::{HELD_LABEL, has_held_label};
use crate::contract::letters::rig::RigState;
use crate::contract::limits::bead::LABELS_MAX;
use crate::contract::shapes::{Bead, BeadEventType, BeadType, BeadUpdate, BlockedUntil, CreateBeadInput, HeldBeadInput, UpdatedBead};
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::assignment::dispatch;
use crate::objects::rig::beads;
use crate::objects::rig::beads::Move;
use crate::objects::rig::{outbox_letters, state};
use crate::objects::store::sql::{execute, scalar};
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::{Map, Value, json};

/// Most keys of metadata removed at once.
const METADATA_KEYS_REMOVED_MAX: usize = 100;
/// Metadata of a convoy's bead that the convoy keeps.
const OF_CONVOY: [&str; 3] = ["convoy_id", "feature_branch", "merge_mode"];
/// Metadata of a bead on a hook that the hook keeps.
const OF_HOOK: [&str; 1] = ["branch"];

/// `updateBead`. A bead that has ended keeps its status, and everything else of it can be changed.
pub(crate) fn update_bead(
    cx: &Cx<'_>,
    caller: &Caller,
    (id, fields, actor): (BeadId, BeadUpdate, Option<String>),
) -> Result<Answer, Failure> {
    if let Some(actor) = &actor {
        caller.check_speaks_for(actor)?;
        check_note("actorId", actor)?;
    }
    let rig = state::require(cx)?;
    let before = beads::require(cx, &id)?;
    check_lengths(&fields)?;
    check_forms(&fields)?;
    check_place(&fields, &rig, &before)?;
    let mut changed = write_fields(cx, &fields, &before)?;
    if change_dependencies(cx, &rig, &fields, &id)? {
        changed.push("depends_on");
    }
    if !changed.is_empty() {
        let mut event = Happened::to(BeadEventType::FieldsUpdated, &id).about(json!({"changed": changed}));
        event.agent = actor.as_deref();
        events::write(cx, &event)?;
        execute(cx.sql, "-- beads_touch\nUPDATE beads SET updated_at = ? WHERE bead_id = ?", (cx.now.millis(), &id))?;
    }
    match fields.status {
        Some(status) if status != before.status && !before.status.is_terminal() => {
            beads::move_to(cx, &rig, &before, status, &Move::default())?;
            changed.push("status");
        }
        _ if !changed.is_empty() => outbox_letters::bead_changed(cx, &rig, &id)?,
        _ => {}
    }
    dispatch::dispatch(cx, &rig)?;
    let changed = changed.into_iter().map(str::to_owned).collect();
    answer(&UpdatedBead { bead: beads::require(cx, &id)?, changed })
}

/// A list may be as long as the limit of the field that it changes.
fn check_lengths(fields: &BeadUpdate) -> Result<(), Refusal> {
    let length = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
    let ids = |list: &Option<Vec<BeadId>>| list.as_ref().map_or(0, Vec::len);
    let lists = [
        ("labels", length(&fields.labels), LABELS_MAX),
        ("add_labels", length(&fields.add_labels), LABELS_MAX),
        ("remove_labels", length(&fields.remove_labels), LABELS_MAX),
        ("remove_metadata", length(&fields.remove_metadata), METADATA_KEYS_REMOVED_MAX),
        ("depends_on", ids(&fields.depends_on), BLOCKERS_MAX),
        ("add_depends_on", ids(&fields.add_depends_on), BLOCKERS_MAX),
        ("remove_depends_on", ids(&fields.remove_depends_on), BLOCKERS_MAX),
    ];
    match lists.into_iter().find(|(_, given, most)| given > most) {
        Some((name, _, most)) => Err(Refusal::new(Code::InvalidArgument, format!("{name}: at most {most} at once"))),
        None => Ok(()),
    }
}

/// One form for each thing: replace it, or add to it and remove from it.
fn check_forms(fields: &BeadUpdate) -> Result<(), Refusal> {
    let forms = [
        ("labels", fields.labels.is_some(), "add_labels and remove_labels", fields.add_labels.is_some() || fields.remove_labels.is_some()),
        (
            "metadata",
            fields.metadata.is_some(),
            "merge_metadata and remove_metadata",
            fields.merge_metadata.is_some() || fields.remove_metadata.is_some(),
        ),
        (
            "depends_on",
            fields.depends_on.is_some(),
            "add_depends_on and remove_depends_on",
            fields.add_depends_on.is_some() || fields.remove_depends_on.is_some(),
        ),
    ];
    match forms.into_iter().find(|(_, replaces, _, changes)| *replaces && *changes) {
        Some((replace, _, change, _)) => {
            Err(Refusal::new(Code::InvalidArgument, format!("Give either {replace}, which replaces all, or {change}, not both")))
        }
        None => Ok(()),
    }
}

/// A field that never changes may be given with its present value.
fn check_place(fields: &BeadUpdate, rig: &RigState, bead: &Bead) -> Result<(), Failure> {
    if fields.rig_id.as_ref().is_some_and(|told| told.as_ref() != Some(&rig.rig_id)) {
        let refusal = Refusal::new(Code::Unsupported, "rig_id cannot change: a bead stays in its rig");
        return Err(refusal.hint("Make a new bead in the other rig, and close this one.").into());
    }
    if fields.kind.is_some_and(|kind| kind != bead.kind) {
        return Err(refuse(Code::Unsupported, format!("type cannot change: the bead is of type {}", bead.kind.as_str())));
    }
    Ok(())
}

/// Writes the columns of the bead. Answers which of them have changed.
fn write_fields(cx: &Cx<'_>, fields: &BeadUpdate, before: &Bead) -> Result<Vec<&'static str>, Failure> {
    let mut after = before.clone();
    if let Some(title) = &fields.title {
        after.title.clone_from(title);
    }
    if let Some(body) = &fields.body {
        after.body.clone_from(body);
    }
    after.priority = fields.priority.unwrap_or(before.priority);
    if let Some(parent) = &fields.parent_bead_id {
        if let Some(parent) = parent.as_ref().filter(|parent| before.parent_bead_id.as_ref() != Some(*parent)) {
            check_parent(cx, &before.bead_id, parent)?;
        }
        after.parent_bead_id.clone_from(parent);
    }
    after.labels = labels(fields, before);
    after.metadata = metadata(cx, fields, before)?;
    let compared = [
        ("title", after.title != before.title),
        ("body", after.body != before.body),
        ("priority", after.priority != before.priority),
        ("labels", after.labels != before.labels),
        ("metadata", after.metadata != before.metadata),
        ("parent_bead_id", after.parent_bead_id != before.parent_bead_id),
    ];
    let changed: Vec<&'static str> = compared.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
    if changed.is_empty() {
        return Ok(changed);
    }
    check_text(&after.title, after.body.as_deref())?;
    let (labels, metadata) = (check_labels(&after.labels)?, check_metadata(&after.metadata)?);
    execute(
        cx.sql,
        "-- beads_update\nUPDATE beads SET title = ?, body = ?, priority = ?, priority_rank = ?, parent_bead_id = ?, labels = ?, metadata = ?,
           held = (staged = 1 OR ? = 1 OR EXISTS (SELECT 1 FROM merge_requests AS review
             WHERE review.bead_id = beads.bead_id AND review.not_before IS NOT NULL)) WHERE bead_id = ?",
        (
            &after.title,
            &after.body,
            after.priority,
            after.priority as i64,
            &after.parent_bead_id,
            labels,
            metadata,
            i64::from(has_held_label(&after.labels)),
            &before.bead_id,
        ),
    )?;
    Ok(changed)
}

/// Refuses a parent that does not exist, or that is the bead itself or below it.
fn check_parent(cx: &Cx<'_>, id: &BeadId, parent: &BeadId) -> Result<(), Failure> {
    beads::require(cx, parent)?;
    let circle: i64 = scalar(
        cx.sql,
        "-- beads_parents\nWITH RECURSIVE above (id) AS (
           SELECT ?1 UNION SELECT beads.parent_bead_id FROM above CROSS JOIN beads ON beads.bead_id = above.id WHERE beads.parent_bead_id IS NOT NULL
         ) SELECT EXISTS (SELECT 1 FROM above WHERE id = ?2)",
        (parent, id),
    )?;
    if circle == 0 {
        Ok(())
    } else {
        Err(refuse(Code::InvalidArgument, format!("Bead {id} cannot be a child of {parent}, which is below it")))
    }
}

fn labels(fields: &BeadUpdate, before: &Bead) -> Vec<String> {
    let mut labels = fields.labels.clone().unwrap_or_else(|| before.labels.clone());
    if let Some(removed) = &fields.remove_labels {
        labels.retain(|label| !removed.contains(label));
    }
    for label in fields.add_labels.iter().flatten() {
        if !labels.contains(label) {
            labels.push(label.clone());
        }
    }
    labels
}

/// The metadata after the update. Keys that the rig keeps there itself are never changed by the update.
fn metadata(cx: &Cx<'_>, fields: &BeadUpdate, before: &Bead) -> Result<Map<String, Value>, Failure> {
    let mut metadata = fields.metadata.clone().unwrap_or_else(|| before.metadata.clone());
    for key in fields.remove_metadata.iter().flatten() {
        metadata.remove(key);
    }
    if let Some(merged) = &fields.merge_metadata {
        metadata.extend(merged.clone());
    }
    if metadata == before.metadata {
        return Ok(metadata);
    }
    let of_convoy = if beads::convoy_of(cx, &before.bead_id)?.is_some() { OF_CONVOY.as_slice() } else { &[] };
    let of_hook = if before.assignee_agent_bead_id.is_some() { OF_HOOK.as_slice() } else { &[] };
    for key in of_convoy.iter().chain(of_hook) {
        match before.metadata.get(*key) {
            Some(kept) => metadata.insert((*key).to_owned(), kept.clone()),
            None => metadata.remove(*key),
        };
    }
    Ok(metadata)
}

/// Makes the edges as the update has them. Answers whether any of them has changed.
fn change_dependencies(cx: &Cx<'_>, rig: &RigState, fields: &BeadUpdate, id: &BeadId) -> Result<bool, Failure> {
    let asked = fields.depends_on.is_some() || fields.add_depends_on.is_some() || fields.remove_depends_on.is_some();
    if !asked && fields.until.is_none() {
        return Ok(false);
    }
    let before: Edges = dependencies::blockers(cx, id)?.into_iter().map(|edge| (edge.bead_id, edge.until)).collect();
    let mut after = if fields.depends_on.is_some() { Vec::new() } else { before.clone() };
    if let Some(removed) = &fields.remove_depends_on {
        after.retain(|(blocker, _)| !removed.contains(blocker));
    }
    for blocker in fields.depends_on.iter().chain(&fields.add_depends_on).flatten() {
        let until = fields.until.or_else(|| until_of(&before, blocker)).unwrap_or(BlockedUntil::Closed);
        after.retain(|(known, _)| known != blocker);
        after.push((blocker.clone(), until));
    }
    if let (Some(until), None, None) = (fields.until, &fields.depends_on, &fields.add_depends_on) {
        for (_, known) in &mut after {
            *known = until;
        }
    }
    let moved = before.iter().filter(|edge| !after.contains(edge)).chain(after.iter().filter(|edge| !before.contains(edge)));
    if let Some(convoy) = beads::convoy_of(cx, id)? {
        for (blocker, _) in moved {
            if beads::convoy_of(cx, blocker)?.as_ref() == Some(&convoy) {
                let refusal = Refusal::new(
                    Code::Conflict,
                    format!("Beads {id} and {blocker} are both of convoy {convoy}: it says who waits for whom"),
                );
                return Err(refusal.hint("Change the convoy instead: add the bead to it again with its depends_on.").into());
            }
        }
    }
    set(cx, rig, id, &before, &after)
}

/// The blockers of a bead, each once, and the state each must reach. At most a hundred, so nothing is sorted.
type Edges = Vec<(BeadId, BlockedUntil)>;

fn until_of(edges: &Edges, blocker: &BeadId) -> Option<BlockedUntil> {
    edges.iter().find(|(known, _)| known == blocker).map(|(_, until)| *until)
}

/// Turns one set of edges into another. Answers whether they differ.
///
/// # Errors
/// `InvalidArgument` for a blocker that `dependencies::check` refuses.
fn set(cx: &Cx<'_>, rig: &RigState, id: &BeadId, before: &Edges, after: &Edges) -> Result<bool, Failure> {
    let added: Vec<BeadId> =
        after.iter().filter(|(blocker, _)| until_of(before, blocker).is_none()).map(|(blocker, _)| blocker.clone()).collect();
    dependencies::check(cx, id, &added, after.len())?;
    let mut differs = false;
    for (blocker, until) in after {
        if until_of(before, blocker) != Some(*until) {
            dependencies::insert(cx, id, blocker, *until)?;
            differs = true;
        }
    }
    for (blocker, _) in before {
        if until_of(after, blocker).is_none() {
            dependencies::remove(cx, id, blocker)?;
            differs = true;
        }
    }
    dependencies::recount(cx, rig, id)?;
    Ok(differs)
}

/// `createHeldBead`: an issue that is given to no agent before it is started.
pub(crate) fn create_held_bead(cx: &Cx<'_>, caller: &Caller, (input,): (HeldBeadInput,)) -> Result<Answer, Failure> {
    let input = CreateBeadInput {
        kind: BeadType::Issue,
        title: input.title,
        body: input.body,
        priority: None,
        labels: input.labels,
        metadata: input.metadata,
        assignee_agent_bead_id: None,
        parent_bead_id: None,
        rig_id: input.rig_id,
        created_by: input.created_by,
        held: Some(true),
        depends_on: None,
        until: None,
    };
    beads::create_bead(cx, caller, (input,))
}

/// `startHeldBead`: takes the label off; the bead is given out when its turn comes. A bead that was not held is no error.
pub(crate) fn start_held_bead(cx: &Cx<'_>, caller: &Caller, (id, rig_id): (BeadId, Option<RigId>)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    if let Some(other) = rig_id.filter(|other| *other != rig.rig_id) {
        return Err(refuse(Code::NotFound, format!("Bead {id} does not belong to rig {other}")));
    }
    let fields = BeadUpdate { remove_labels: Some(vec![HELD_LABEL.to_owned()]), ..BeadUpdate::default() };
    update_bead(cx, caller, (id.clone(), fields, None))?;
    answer(&beads::require(cx, &id)?)
}
