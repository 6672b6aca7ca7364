//! Beads that are to become members of a convoy: asked of the rigs, and whether they may.
//!
//! Owns the question and the refusals. Writes nothing.

use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::shapes::{BeadStatus, ConvoyBead, DependencyEdge, TrackedBead};
use crate::objects::handler::{Answer, Cx, Gather};
use crate::objects::town::state::TownState;
use crate::objects::town::{convoys, rigs};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::CONVOY_CANDIDATES;
use base::error::{Code, Failure, Refusal};
use std::collections::BTreeMap;

/// Ids shown in a refusal at most.
const IDS_SHOWN_MAX: usize = 20;

/// The wanted beads that the rigs have.
#[derive(Default)]
pub(in crate::objects::town) struct Candidates {
    /// In the order of the wish.
    pub(in crate::objects::town) beads: Vec<(RigId, ConvoyBead)>,
    /// Dependencies from and to them, in their rigs.
    pub(in crate::objects::town) edges: Vec<DependencyEdge>,
}

/// Makes the change once the beads are known.
pub(in crate::objects::town) type Make = Box<dyn FnOnce(&Cx<'_>, Candidates) -> Result<Answer, Failure>>;

/// Asks the rigs for these beads and makes the change with their answers; without any bead, at once.
///
/// # Errors
/// `NotFound` with the ids that no rig has; `Unavailable` when a rig that may have them is silent. Nothing is changed then.
pub(in crate::objects::town) fn gather(cx: &Cx<'_>, town: &TownState, mut wanted: Vec<TrackedBead>, make: Make) -> Result<Answer, Failure> {
    if wanted.is_empty() {
        return make(cx, Candidates::default());
    }
    let known: Vec<RigId> = rigs::list(cx)?.into_iter().map(|rig| rig.id).collect();
    let mut seen = std::collections::BTreeSet::new();
    wanted.retain(|bead| seen.insert(bead.bead_id.clone()));
    crate::objects::town::convoys::changes::check_size(i64::try_from(wanted.len()).unwrap_or(i64::MAX))?;
    let mut questions: BTreeMap<&RigId, Vec<&BeadId>> = BTreeMap::new();
    for bead in &wanted {
        if let Some(rig) = &bead.rig_id {
            rigs::require(cx, rig)?;
        }
        for rig in known.iter().filter(|rig| bead.rig_id.as_ref().is_none_or(|wanted| wanted == *rig)) {
            questions.entry(rig).or_default().push(&bead.bead_id);
        }
    }
    let asked: Vec<RigId> = questions.keys().map(|rig| (*rig).clone()).collect();
    let calls = questions
        .iter()
        .map(|(rig, ids)| Call::new(Instance::Rig((*rig).clone()), &CONVOY_CANDIDATES, (ids,)))
        .collect::<Result<_, _>>()?;
    let then = move |cx: &Cx<'_>, answers| make(cx, read(&wanted, &asked, answers)?);
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(then) }))
}

fn read(wanted: &[TrackedBead], asked: &[RigId], answers: Vec<Result<String, Failure>>) -> Result<Candidates, Failure> {
    let mut found: BTreeMap<BeadId, (RigId, ConvoyBead)> = BTreeMap::new();
    let mut edges = Vec::new();
    let mut silent = Vec::new();
    for (rig, answer) in asked.iter().zip(answers) {
        match answer.and_then(|text| decode::<(Vec<ConvoyBead>, Vec<DependencyEdge>)>(&CONVOY_CANDIDATES, &text)) {
            Ok((beads, between)) => {
                found.extend(beads.into_iter().map(|bead| (bead.bead_id.clone(), (rig.clone(), bead))));
                edges.extend(between);
            }
            Err(_) => silent.push(rig),
        }
    }
    let (mut beads, mut missing, mut hidden_by) = (Vec::new(), Vec::new(), None);
    for bead in wanted {
        if let Some(candidate) = found.remove(&bead.bead_id) {
            beads.push(candidate);
        } else {
            hidden_by = hidden_by.or(silent.iter().find(|rig| bead.rig_id.as_ref().is_none_or(|wanted| wanted == **rig)));
            missing.push(bead.bead_id.as_str());
        }
    }
    if let Some(rig) = hidden_by {
        let refusal = Refusal::new(Code::Unavailable, format!("Rig {rig} did not answer whether it has the beads"));
        return Err(refusal.hint("Call again in a few seconds; nothing was changed.").into());
    }
    refuse_ids(Code::NotFound, "No rig has these beads as work", &missing, "Call list_beads to see the beads of each rig.")?;
    Ok(Candidates { beads, edges })
}

/// Refuses beads that failed, and those of another convoy.
///
/// # Errors
/// `Conflict` with their ids.
pub(in crate::objects::town) fn check(cx: &Cx<'_>, convoy: &ConvoyId, found: &Candidates) -> Result<(), Failure> {
    let failed: Vec<&str> =
        found.beads.iter().filter(|(_, bead)| bead.status == BeadStatus::Failed).map(|(_, bead)| bead.bead_id.as_str()).collect();
    refuse_ids(Code::Conflict, "These beads have failed, a convoy of them would never complete", &failed, "Make new beads for the work.")?;
    let mut taken = Vec::new();
    for (_, bead) in &found.beads {
        if convoys::membership(cx, &bead.bead_id)?.is_some_and(|(of, _)| of != *convoy) {
            taken.push(bead.bead_id.as_str());
        }
    }
    refuse_ids(Code::Conflict, "These beads are in another convoy", &taken, "Remove them there first: a bead is in one convoy at most.")
}

fn refuse_ids(code: Code, why: &str, ids: &[&str], hint: &str) -> Result<(), Failure> {
    if ids.is_empty() {
        return Ok(());
    }
    let shown: Vec<&str> = ids.iter().copied().take(IDS_SHOWN_MAX).collect();
    Err(Refusal::new(code, format!("{why}: {}", shown.join(", "))).hint(format!("{hint} Nothing was changed.")).into())
}
