//! `slingConvoy`: a batch of tasks in one transaction, ordered by dependencies, staged or running.
//!
//! Owns that one command. Nothing is written before the whole batch has been checked.

use super::{config, convoys, feed, graph, letters, rigs, state, topics};
use crate::error::{Code, Failure, refuse};
use crate::ids::{BeadId, ConvoyId};
use crate::rig::beads::{check_metadata, check_text};
use crate::rpc::model::{
    Bead, BeadStatus, BeadType, ConvoyBead, ConvoyEntry, ConvoyStatus, FeedKind, Priority, SlingConvoyInput, SlingConvoyResult, SlingResult,
};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use serde_json::{Map, Value, json as value};

/// Most tasks of one convoy (Gastown contract 4.5).
pub const TASKS_MAX: usize = 50;
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
    for task in &input.tasks {
        check_text(&task.title, task.body.as_deref())?;
    }
    let edges = graph::check(&input.tasks)?;

    let id = ConvoyId::from_random(cx.random());
    let convoy = ConvoyEntry {
        feature_branch: Some(feature_branch(&input.convoy_title, &id)),
        id,
        title: input.convoy_title,
        status: ConvoyStatus::Active,
        staged: input.staged.unwrap_or_else(|| config::staged_default(&town)),
        total_beads: i64::try_from(input.tasks.len()).unwrap_or(i64::MAX),
        closed_beads: 0,
        created_by: Some(caller.actor()),
        created_at: cx.now,
        landed_at: None,
        merge_mode: Some(input.merge_mode.unwrap_or_else(|| config::merge_mode_default(&town))),
        failed_beads: 0,
    };
    convoys::insert(cx, &convoy)?;

    let ids: Vec<BeadId> = input.tasks.iter().map(|_| BeadId::from_random(cx.random())).collect();
    let mut metadata = input.metadata.unwrap_or_default();
    reserve(&mut metadata, &convoy);
    // The rig would refuse what no bead can hold, when it is too late to tell the caller.
    check_metadata(&metadata)?;
    let mut beads = Vec::with_capacity(ids.len());
    for ((task, bead_id), blockers) in input.tasks.into_iter().zip(&ids).zip(&edges) {
        let waits_for: Vec<BeadId> = blockers.iter().filter_map(|index| ids.get(*index).cloned()).collect();
        let mirror = ConvoyBead {
            bead_id: bead_id.clone(),
            title: task.title,
            status: BeadStatus::Open,
            rig_id: Some(input.rig_id.clone()),
            assignee_agent_name: None,
            blockers_open: i64::try_from(waits_for.len()).unwrap_or(i64::MAX),
            merge_commit: None,
            failure_reason: None,
            quality: None,
        };
        let bead = new_bead(&mirror, task.body, &metadata, &convoy);
        convoys::insert_bead(cx, &convoy.id, &bead, &mirror, &waits_for)?;
        beads.push(SlingResult { bead, agent: None, queue_position: None, molecule: None });
    }
    letters::convoy_changed(cx, &convoy.id, &input.rig_id)?;
    topics::changed(cx, &town, topics::CONVOYS)?;
    let detail = value!({"title": convoy.title, "rig_id": input.rig_id, "staged": convoy.staged, "total_beads": convoy.total_beads});
    feed::write(cx, &town, FeedKind::ConvoyCreated, convoy.id.as_str(), convoy.created_by.as_deref(), &detail)?;
    json(&SlingConvoyResult { convoy, beads })
}

/// Metadata keys that are the convoy's own, whatever the caller wrote there.
fn reserve(metadata: &mut Map<String, Value>, convoy: &ConvoyEntry) {
    metadata.insert("convoy_id".to_owned(), Value::from(convoy.id.as_str()));
    if let Some(branch) = &convoy.feature_branch {
        metadata.insert("feature_branch".to_owned(), Value::from(branch.as_str()));
    }
    if let Some(mode) = convoy.merge_mode {
        metadata.insert("merge_mode".to_owned(), Value::from(mode.as_str()));
    }
}

/// A member in the contract's bead shape, as far as the town knows it.
pub(super) fn new_bead(mirror: &ConvoyBead, body: Option<String>, metadata: &Map<String, Value>, convoy: &ConvoyEntry) -> Bead {
    Bead {
        bead_id: mirror.bead_id.clone(),
        kind: BeadType::Issue,
        status: mirror.status,
        title: mirror.title.clone(),
        body,
        rig_id: mirror.rig_id.clone(),
        parent_bead_id: None,
        assignee_agent_bead_id: None,
        priority: Priority::Medium,
        labels: Vec::new(),
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
