//! What does not hold about a convoy: one pure function over what was seen.
//!
//! Owns the rules of `convoy_audit` (each finding names the beads or rigs that show it). Of a rig that did not answer it claims
//! nothing.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{
    BeadStatus, ConvoyBead, ConvoyEntry, ConvoyFlag, ConvoyInspection, ConvoyLanding, ConvoyStatus, TownInspection,
};
use crate::contract::tool_keys::{CLOSE_CONVOY, CONVOY_UNSTICK, START_CONVOY, TOWN_CHECK};
use crate::tools::names::Names;
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Ids that one finding names.
const EVIDENCE_MAX: usize = 20;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs on variants would turn the schema's enum into alternatives; `find` has a sentence for each")]
pub enum Code {
    LandedWithoutMerge,
    ClosedButNotLanded,
    FailedCountedAsDone,
    CountsDiffer,
    StagedAndForgotten,
    NoProgress,
    MissingBeads,
    FailedBeads,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    code: Code,
    why: String,
    /// Ids of the beads, or of the rigs where they show it; the first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
}

impl Finding {
    fn new(code: Code, why: impl Into<String>, evidence: impl IntoIterator<Item = String>) -> Self {
        Self { code, why: why.into(), evidence: evidence.into_iter().take(EVIDENCE_MAX).collect() }
    }

    /// What is wrong.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }
}

/// When something has gone on for too long, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A convoy may be staged for so long.
    pub staged_millis: i64,
    /// Nothing may happen to it for so long.
    pub quiet_millis: i64,
}

/// Whether merges are missing that should be there.
#[must_use]
pub fn is_unverified(entry: &ConvoyEntry) -> bool {
    entry.flags.iter().any(|flag| matches!(flag, ConvoyFlag::MergeUnverified | ConvoyFlag::ClosedWithoutLanding))
}

/// Everything that does not hold about a convoy; `entry` has the counts of `beads`.
#[must_use]
pub fn find(
    names: Names,
    seen: &TownInspection,
    convoy: &ConvoyInspection,
    entry: &ConvoyEntry,
    beads: &[ConvoyBead],
    limits: Limits,
) -> Vec<Finding> {
    let ids = |wanted: &dyn Fn(&ConvoyBead) -> bool| -> Vec<String> {
        beads.iter().filter(|bead| wanted(bead)).map(|bead| bead.bead_id.to_string()).collect()
    };
    let mut findings = merges(entry, ids(&|bead| bead.status == BeadStatus::Closed && bead.merge_commit.is_none()));
    let claimed = |bead: &BeadId| convoy.members.iter().find(|known| known.bead_id == *bead).map(|known| known.status);
    let called_done = ids(&|bead| bead.status == BeadStatus::Failed && claimed(&bead.bead_id) == Some(BeadStatus::Closed));
    if !called_done.is_empty() {
        let detail = format!("The town counts {} failed beads as closed.", called_done.len());
        findings.push(Finding::new(Code::FailedCountedAsDone, detail, called_done.clone()));
    } else if entry.status == ConvoyStatus::Landed && entry.failed_beads > 0 {
        let detail = format!("The convoy is over, and {} of its beads failed: they are not done.", entry.failed_beads);
        findings.push(Finding::new(Code::FailedCountedAsDone, detail, ids(&|bead| bead.status == BeadStatus::Failed)));
    } else if entry.failed_beads > 0 {
        let is_done_anew = |bead: &ConvoyBead| convoy.follow_ups.iter().any(|known| known.of == bead.bead_id);
        let unhandled = ids(&|bead| bead.status == BeadStatus::Failed && !bead.deleted && !is_done_anew(bead));
        if !unhandled.is_empty() {
            let detail = format!("{} failed beads are not handled: the convoy cannot complete.", unhandled.len());
            findings.push(Finding::new(Code::FailedBeads, detail, unhandled));
        }
    }
    let differs = ids(&|bead| {
        let known = convoy.members.iter().find(|known| known.bead_id == bead.bead_id);
        known.is_some_and(|known| (known.status, known.merge_commit.is_some()) != (bead.status, bead.merge_commit.is_some()))
            && !called_done.contains(&bead.bead_id.to_string())
    });
    if !differs.is_empty() {
        let detail = format!("The town has these otherwise than their rigs; {} mends that.", names.of(TOWN_CHECK));
        findings.push(Finding::new(Code::CountsDiffer, detail, differs));
    }
    let missing = ids(&|bead| bead.status != BeadStatus::Closed && is_missing(seen, convoy, bead));
    if !missing.is_empty() {
        findings.push(Finding::new(Code::MissingBeads, "Their rigs do not have these members.", missing));
    }
    findings.extend(quiet(names, seen, entry, beads, limits));
    findings
}

/// A member that its rig, which answered and knows of the convoy as it is, does not have.
fn is_missing(seen: &TownInspection, convoy: &ConvoyInspection, bead: &ConvoyBead) -> bool {
    let Some(rig) = seen.rigs.iter().find(|rig| Some(&rig.rig_id) == bead.rig_id.as_ref()) else { return false };
    let is_there = rig.members.iter().any(|member| member.bead.bead_id == bead.bead_id);
    !is_there && (bead.deleted || !convoy.under_way.contains(&rig.rig_id))
}

/// What the evidence of merges says.
fn merges(entry: &ConvoyEntry, unmerged: Vec<String>) -> Vec<Finding> {
    let has_landed = !entry.landings.is_empty() && entry.landings.iter().all(ConvoyLanding::is_evidence);
    let lacking: Vec<String> =
        entry.landings.iter().filter(|landing| !landing.is_evidence()).map(|landing| landing.rig_id.to_string()).collect();
    let has_evidence = if entry.needs_landing() { has_landed } else { unmerged.is_empty() };
    let is_closed_by_hand = entry.forced_at.is_some();
    match (entry.status, is_closed_by_hand) {
        (ConvoyStatus::Landed, true) => {
            let evidence = if lacking.is_empty() { unmerged } else { lacking };
            vec![Finding::new(Code::ClosedButNotLanded, "A person closed it: it did not land.", evidence)]
        }
        (ConvoyStatus::Landed, false) if !has_evidence => {
            let evidence = if lacking.is_empty() { unmerged } else { lacking };
            vec![Finding::new(Code::LandedWithoutMerge, "It counts as landed, and no commit shows that it was merged.", evidence)]
        }
        (ConvoyStatus::Active, _) if entry.is_complete() && !has_evidence => {
            let detail = if entry.needs_landing() {
                "Every bead is closed, and the convoy's branch has not landed in every rig."
            } else {
                "Every bead is closed, and no commit shows that these were merged."
            };
            vec![Finding::new(Code::ClosedButNotLanded, detail, if entry.needs_landing() { lacking } else { unmerged })]
        }
        _ => Vec::new(),
    }
}

/// What has gone on for too long. A pause is no outage, and of a silent rig nothing is known.
fn quiet(names: Names, seen: &TownInspection, entry: &ConvoyEntry, beads: &[ConvoyBead], limits: Limits) -> Option<Finding> {
    if entry.status != ConvoyStatus::Active {
        return None;
    }
    let open: Vec<&ConvoyBead> = beads.iter().filter(|bead| !bead.status.is_terminal()).collect();
    let evidence = || open.iter().map(|bead| bead.bead_id.to_string());
    if entry.staged {
        let age = seen.as_of.since(entry.created_at);
        let [start, close] = [START_CONVOY, CLOSE_CONVOY].map(|tool| names.of(tool));
        let detail = format!("Staged for {} hours: {start} starts it, {close} ends it.", age / 3_600_000);
        return (age >= limits.staged_millis).then(|| Finding::new(Code::StagedAndForgotten, detail, evidence()));
    }
    let is_paused = seen.parked || seen.draining || seen.rigs.iter().any(|rig| rig.parked || rig.draining);
    if open.is_empty() || is_paused || !seen.coverage.missing.is_empty() {
        return None;
    }
    let newest = seen
        .rigs
        .iter()
        .flat_map(|rig| rig.members.iter().map(move |member| (rig, member)))
        .filter(|(_, member)| beads.iter().any(|bead| bead.bead_id == member.bead.bead_id))
        .flat_map(|(rig, member)| {
            let holder = member.holder.as_ref().map(|holder| holder.progress_at);
            [Some(member.updated_at), holder, member.review.as_ref().map(|review| review.updated_at), Some(rig.resumed_at)]
        })
        .flatten()
        .fold(entry.created_at, Timestamp::max);
    let silent = seen.as_of.since(newest);
    let unstick = names.of(CONVOY_UNSTICK);
    let detail = format!("Nothing has happened to any bead for {} minutes; {unstick} finds out why.", silent / 60_000);
    (silent >= limits.quiet_millis).then(|| Finding::new(Code::NoProgress, detail, evidence()))
}
