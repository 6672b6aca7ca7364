//! `slingConvoy`: a batch of tasks in one transaction, ordered by dependencies, staged or running; `slingIntoConvoy`: one more.
//!
//! Owns these two commands and how a task becomes a member. Nothing is written before the whole batch has been checked.

use super::{graph, landing};
use crate::contract::checks::{check_metadata, check_text};
use crate::contract::formulas;
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::letters::rig::TaskDetails;
use crate::contract::limits::bead::{ARGS_BYTES_MAX, LABEL_CHARS_MAX, LABELS_MAX};
use crate::contract::limits::convoy::TASKS_MAX;
use crate::contract::shapes::{
    Bead, BeadStatus, BeadType, BlockedUntil, ConvoyBead, ConvoyEntry, ConvoyStatus, ConvoyTask, FeedKind, MergeMode, Priority, Quality,
    SlingConvoyInput, SlingConvoyResult, SlingIntoConvoyInput, SlingResult,
};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::query_one;
use crate::objects::town::convoys::changes::{check_member, check_size, tell_rigs};
use crate::objects::town::views::feed;
use crate::objects::town::{config, convoys, outbox_letters, rigs, state};
use base::error::{Code, Failure, Refusal, refuse};
use serde_json::{Map, Value, json as value};
use std::collections::{BTreeMap, BTreeSet};

/// Longest slug in a feature branch (Gastown contract 2.3).
const SLUG_CHARS_MAX: usize = 40;

/// `slingConvoy`.
pub(crate) fn sling_convoy(cx: &Cx<'_>, caller: &Caller, (input,): (SlingConvoyInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    rigs::require(cx, &input.rig_id)?;
    check_text(&input.convoy_title, None)?;
    if input.tasks.is_empty() || input.tasks.len() > TASKS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("tasks must have 1 to {TASKS_MAX} entries")));
    }
    let mut named: BTreeMap<String, RigId> = BTreeMap::new();
    for (index, task) in input.tasks.iter().enumerate() {
        check_task(&town, task).map_err(|failure| match failure {
            Failure::Refused(refusal) => at_task(index, refusal).into(),
            broke @ Failure::Broke(_) => broke,
        })?;
        if let Some(rig) = task.rig_id.as_ref().filter(|rig| !named.contains_key(*rig)) {
            named.insert(rig.clone(), rig_named(cx, rig)?);
        }
    }
    let edges = graph::check(&input.tasks)?;

    let id = ConvoyId::from_random(cx.random());
    let mode = input.merge_mode.unwrap_or_else(|| config::merge_mode_default(&town));
    let staged = input.staged.unwrap_or_else(|| config::staged_default(&town));
    let mut convoy = new_convoy(cx, id, input.convoy_title, mode, staged, caller.actor());
    convoy.total_beads = i64::try_from(input.tasks.len()).unwrap_or(i64::MAX);
    convoys::insert(cx, &convoy)?;

    let ids: Vec<BeadId> = input.tasks.iter().map(|_| BeadId::from_random(cx.random())).collect();
    let shared = input.metadata.unwrap_or_default();
    let mut beads = Vec::with_capacity(ids.len());
    let mut rigs = BTreeSet::from([input.rig_id.clone()]);
    for ((mut task, bead_id), blockers) in input.tasks.into_iter().zip(&ids).zip(&edges) {
        let rig = task.rig_id.take().and_then(|rig| named.get(&rig)).unwrap_or(&input.rig_id).clone();
        let until = task.until.unwrap_or(BlockedUntil::Closed);
        let waits_for: Vec<BeadId> = blockers.iter().filter_map(|index| ids.get(*index).cloned()).collect();
        beads.push(write_task(cx, &convoy, bead_id.clone(), &rig, task, shared.clone(), waits_for.len())?);
        for blocker in &waits_for {
            convoys::insert_edge(cx, &convoy.id, bead_id, blocker, until)?;
        }
        rigs.insert(rig);
    }
    tell_rigs(cx, &town, &convoy.id, rigs)?;
    let detail = value!({"title": convoy.title, "rig_id": input.rig_id, "staged": convoy.staged, "total_beads": convoy.total_beads});
    feed::write(cx, &town, FeedKind::ConvoyCreated, convoy.id.as_str(), convoy.created_by.as_deref(), &detail)?;
    // Assessed as on every later read, so that both answers are the same.
    convoy.assess();
    json(&SlingConvoyResult { convoy, beads })
}

/// A rig by id or name.
fn rig_named(cx: &Cx<'_>, rig: &str) -> Result<RigId, Failure> {
    let found: Option<(RigId,)> =
        query_one(cx.sql, "-- sling_rig_named\nSELECT id FROM rigs WHERE id = ?1 UNION SELECT id FROM rigs WHERE name = ?1", (rig,))?;
    found.map(|(id,)| id).ok_or_else(|| {
        let refusal = Refusal::new(Code::NotFound, format!("Rig {rig} not found in this town"));
        refusal.hint("Call list_rigs to see the rigs of the town.").into()
    })
}

/// `slingIntoConvoy`: one more task for a convoy that is not over. It waits for the members named.
pub(crate) fn sling_into_convoy(cx: &Cx<'_>, caller: &Caller, (input,): (SlingIntoConvoyInput,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let convoy = convoys::require_named(cx, &input.convoy)?;
    if convoy.status == ConvoyStatus::Landed {
        let refusal = Refusal::new(Code::Conflict, format!("Cannot add beads to a closed convoy: {}", convoy.id));
        return Err(refusal.hint("Make a new convoy for further work.").into());
    }
    rigs::require(cx, &input.rig_id)?;
    check_size(convoy.total_beads.saturating_add(1))?;
    let task = ConvoyTask {
        title: input.title,
        body: input.body,
        priority: input.priority,
        labels: input.labels,
        quality: input.quality,
        args: input.args,
        formula: input.formula,
        vars: input.vars,
        ..ConvoyTask::default()
    };
    check_task(&town, &task)?;
    let blockers: BTreeSet<BeadId> = input.depends_on.unwrap_or_default().into_iter().collect();
    for blocker in &blockers {
        check_member(cx, &convoy.id, blocker)?;
    }
    let id = BeadId::from_random(cx.random());
    let detail = value!({"title": convoy.title, "added": [id]});
    let bead = write_task(cx, &convoy, id.clone(), &input.rig_id, task, input.metadata.unwrap_or_default(), blockers.len())?;
    for blocker in &blockers {
        convoys::insert_edge(cx, &convoy.id, &id, blocker, input.until.unwrap_or(BlockedUntil::Closed))?;
        for rig in convoys::rigs_waiting_for(cx, blocker)? {
            outbox_letters::blocker_changed(cx, blocker, &rig)?;
        }
    }
    feed::write(cx, &town, FeedKind::ConvoyChanged, convoy.id.as_str(), Some(&caller.actor()), &detail)?;
    tell_rigs(cx, &town, &convoy.id, [input.rig_id])?;
    landing::settle(cx, &town, &convoy.id)?;
    let convoy = convoys::find(cx, &convoy.id)?.unwrap_or(convoy);
    json(&SlingConvoyResult { convoy, beads: vec![bead] })
}

/// A convoy that has no beads yet, with the feature branch of its name.
pub(in crate::objects::town) fn new_convoy(
    cx: &Cx<'_>,
    id: ConvoyId,
    title: String,
    mode: MergeMode,
    staged: bool,
    author: String,
) -> ConvoyEntry {
    ConvoyEntry {
        feature_branch: Some(feature_branch(&title, &id)),
        id,
        title,
        status: ConvoyStatus::Active,
        staged,
        total_beads: 0,
        closed_beads: 0,
        created_by: Some(author),
        created_at: cx.now,
        landed_at: None,
        merge_mode: Some(mode),
        failed_beads: 0,
        merged_beads: 0,
        forced_at: None,
        forced_by: None,
        ready_to_land: false,
        landings: Vec::new(),
        flags: Vec::new(),
    }
}

/// Refuses what no bead can hold: the rig's refusal would come too late to reach the caller.
fn check_task(town: &state::TownState, task: &ConvoyTask) -> Result<(), Failure> {
    check_text(&task.title, task.body.as_deref())?;
    let labels = task.labels.as_deref().unwrap_or_default();
    if labels.len() > LABELS_MAX || labels.iter().any(|label| label.chars().count() > LABEL_CHARS_MAX) {
        let message = format!("labels: at most {LABELS_MAX}, each of at most {LABEL_CHARS_MAX} characters");
        return Err(refuse(Code::InvalidArgument, message));
    }
    if task.args.as_ref().is_some_and(|args| args.len() > ARGS_BYTES_MAX) {
        return Err(refuse(Code::InvalidArgument, format!("args must have at most {ARGS_BYTES_MAX} bytes")));
    }
    if task.vars.is_some() && task.formula.is_none() && task.quality.is_none() {
        let refusal = Refusal::new(Code::InvalidArgument, "vars are for a formula, and none is given");
        return Err(refusal.hint("Give formula or quality too, or leave out vars.").into());
    }
    if let Some(name) = task.formula.as_deref().or(task.quality.map(Quality::as_str)) {
        let own = town.config.get("formulas").map_or_else(|| "{}".to_owned(), Value::to_string);
        formulas::resolve(&own, name, task.vars.as_ref().unwrap_or(&Map::new()))?;
    }
    Ok(())
}

/// The refusal of one task of several.
fn at_task(index: usize, refusal: Refusal) -> Refusal {
    Refusal { message: format!("tasks[{index}].{}", refusal.message), ..refusal }
}

/// Writes a task as a member that waits for so many others.
pub(in crate::objects::town) fn write_task(
    cx: &Cx<'_>,
    convoy: &ConvoyEntry,
    bead_id: BeadId,
    rig: &RigId,
    task: ConvoyTask,
    mut metadata: Map<String, Value>,
    waits_for: usize,
) -> Result<SlingResult, Failure> {
    for (key, value) in [
        ("quality", task.quality.map(|quality| Value::from(quality.as_str()))),
        ("args", task.args.map(Value::from)),
        ("formula", task.formula.or_else(|| task.quality.map(|quality| quality.as_str().to_owned())).map(Value::from)),
        ("vars", task.vars.map(Value::Object)),
    ] {
        if let Some(value) = value {
            metadata.insert(key.to_owned(), value);
        }
    }
    metadata.extend(convoys::reserved(convoy));
    check_metadata(&metadata)?;
    let details = TaskDetails { priority: task.priority, labels: task.labels.unwrap_or_default(), quality: task.quality };
    let mirror = ConvoyBead {
        bead_id,
        title: task.title,
        status: BeadStatus::Open,
        rig_id: Some(rig.clone()),
        assignee_agent_name: None,
        blockers_open: i64::try_from(waits_for).unwrap_or(i64::MAX),
        merge_commit: None,
        failure_reason: None,
        quality: task.quality,
        deleted: false,
    };
    let new =
        convoys::NewMember { mirror: &mirror, rig, body: task.body.as_deref(), metadata: &metadata, details: &details, adopted: false };
    convoys::insert_member(cx, &convoy.id, &new)?;
    let bead = new_bead(&mirror, task.body, &metadata, &details, convoy);
    Ok(SlingResult { bead, agent: None, queue_position: None, molecule: None })
}

/// A member in the contract's bead shape, as far as the town knows it.
pub(in crate::objects::town) fn new_bead(
    mirror: &ConvoyBead,
    body: Option<String>,
    metadata: &Map<String, Value>,
    details: &TaskDetails,
    convoy: &ConvoyEntry,
) -> Bead {
    Bead {
        bead_id: mirror.bead_id.clone(),
        kind: BeadType::Issue,
        status: mirror.status,
        title: mirror.title.clone(),
        body,
        rig_id: mirror.rig_id.clone(),
        parent_bead_id: None,
        assignee_agent_bead_id: None,
        priority: details.priority.unwrap_or(Priority::Medium),
        labels: details.labels.clone(),
        metadata: metadata.clone(),
        dispatch_attempts: 0,
        last_dispatch_attempt_at: None,
        created_by: convoy.created_by.clone(),
        created_at: convoy.created_at,
        updated_at: convoy.created_at,
        closed_at: None,
        blockers_open: mirror.blockers_open,
        merge_commit: mirror.merge_commit.clone(),
        failure_reason: mirror.failure_reason.clone(),
        quality: mirror.quality,
    }
}

/// `convoy/<slug>/<convoy id prefix>/head`.
fn feature_branch(title: &str, id: &ConvoyId) -> String {
    let mut slug = String::new();
    for character in title.to_lowercase().chars() {
        match character {
            'a'..='z' | '0'..='9' => slug.push(character),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug: String = slug.trim_matches('-').chars().take(SLUG_CHARS_MAX).collect();
    let slug = if slug.is_empty() { "convoy" } else { slug.trim_end_matches('-') };
    format!("convoy/{slug}/{}/head", id.prefix())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_branch_is_a_legal_ref_whatever_the_title() {
        let id = ConvoyId::from_random([1; 16]);
        assert_eq!(feature_branch("Payments API", &id), "convoy/payments-api/01010101/head");
        assert_eq!(feature_branch("../..", &id), "convoy/convoy/01010101/head");
        assert!(feature_branch(&"x y".repeat(100), &id).len() < 70);
    }
}
