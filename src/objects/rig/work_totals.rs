//! Adds up the steps of work: per agent, per sort of bead, per part of the window.
//!
//! Owns the sums, as pure functions. What an event means is `work_steps`' business.

use super::work_steps::{Step, StepKind};
use crate::contract::ids::BeadId;
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{AgentRole, AgentWork, WorkCounts, WorkReport, WorkSort, WorkSpan};
use base::time::Timestamp;
use std::collections::BTreeMap;

/// Parts that a window has at most.
const PARTS_MAX: i64 = 24;
const HOUR_MILLIS: i64 = 60 * 60 * 1_000;
/// The sort of beads that cannot be asked any more.
const UNKNOWN: &str = "unknown";

/// The facts about an agent that its events do not tell.
pub(super) struct Known {
    pub(super) name: String,
    pub(super) role: AgentRole,
    pub(super) lives: bool,
    pub(super) holds: Option<BeadId>,
    /// It holds a merge request.
    pub(super) holds_review: bool,
}

/// The time that is looked at.
pub(super) struct Window {
    pub(super) asked_from: Timestamp,
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) hours: i64,
}

/// An agent's row while it grows.
#[derive(Default)]
struct Row {
    work: AgentWork,
    to_done: Vec<i64>,
    to_merge: Vec<i64>,
}

/// Adds everything up. `steps` come in the order in which they happened.
pub(super) fn fold(rig: &RigState, window: &Window, steps: &[Step], known: &BTreeMap<String, Known>) -> WorkReport {
    let is_refinery = |agent: &str| known.get(agent).is_some_and(|known| known.role == AgentRole::Refinery);
    let mut rows: BTreeMap<(String, bool), Row> = BTreeMap::new();
    for (id, agent) in known.iter().filter(|(_, agent)| agent.lives) {
        rows.entry((id.clone(), agent.role == AgentRole::Refinery)).or_default();
    }
    let mut without_agent = WorkCounts::default();
    let part_hours = (window.hours + PARTS_MAX - 1) / PARTS_MAX;
    let parts = (window.hours + part_hours - 1) / part_hours;
    let mut parts = vec![WorkCounts::default(); usize::try_from(parts).unwrap_or_default()];
    let last = parts.len().saturating_sub(1);
    let mut sorts: BTreeMap<(&str, String), WorkCounts> = BTreeMap::new();
    for step in steps {
        let is_review = match &step.kind {
            Some(kind) => kind == "merge_request",
            None => step.agent.as_deref().is_some_and(is_refinery),
        };
        match &step.agent {
            Some(agent) => rows.entry((agent.clone(), is_review)).or_default().add(step),
            None if !is_review => count(&mut without_agent, step),
            None => {}
        }
        let (Some(kind), false) = (&step.kind, is_review) else { continue };
        // An event of this moment is in the last part; one that a clock set back has dated too early is in the first.
        let part = usize::try_from(step.at.since(window.asked_from).max(0) / (part_hours * HOUR_MILLIS)).unwrap_or_default().min(last);
        if let Some(part) = parts.get_mut(part) {
            count(part, step);
        }
        let priority = step.priority.map_or(UNKNOWN, |priority| priority.as_str());
        let quality = match (step.priority, step.quality) {
            (None, _) => UNKNOWN,
            (_, None) => "none",
            (_, Some(quality)) => quality.as_str(),
        };
        for (by, value) in [("type", kind.as_str()), ("priority", priority), ("quality", quality)] {
            count(sorts.entry((by, value.to_owned())).or_default(), step);
        }
    }
    sorts.retain(|_, counts| *counts != WorkCounts::default());
    let sorts = sorts.into_iter().map(|((by, value), counts)| WorkSort { by: by.to_owned(), value, counts }).collect();
    WorkReport {
        rig_id: rig.rig_id.clone(),
        name: rig.name.clone(),
        asked_from: window.asked_from,
        from: window.from,
        to: window.to,
        agents: rows.into_iter().map(|((id, is_review), row)| row.close(id, is_review, known)).collect(),
        without_agent,
        sorts,
        part_hours,
        parts,
        peak: peak(steps, known),
    }
}

/// A bead taken off the hook unfinished is no result. A bead that was on no hook counts as done when it ends, merged or not.
fn count(counts: &mut WorkCounts, step: &Step) {
    match step.what {
        StepKind::Taken => counts.taken += 1,
        StepKind::Done | StepKind::Closed => counts.done += 1,
        StepKind::Merged => {
            counts.merged += 1;
            counts.done += i64::from(step.agent.is_none() || step.hooked_at.is_none());
        }
        StepKind::Failed => counts.failed += 1,
        StepKind::Back | StepKind::Off | StepKind::Rework | StepKind::Nudge | StepKind::Stall | StepKind::Other => {}
    }
}

impl Row {
    fn add(&mut self, step: &Step) {
        count(&mut self.work.counts, step);
        let took = step.hooked_at.map(|hooked| step.at.since(hooked).max(0) / 1_000);
        match step.what {
            StepKind::Done => self.to_done.extend(took),
            StepKind::Merged => self.to_merge.extend(took),
            StepKind::Back => self.work.handed_back += 1,
            StepKind::Rework => self.work.reworked += 1,
            StepKind::Nudge => self.work.nudged += 1,
            StepKind::Stall => self.work.stalls += 1,
            StepKind::Taken | StepKind::Off | StepKind::Failed | StepKind::Closed | StepKind::Other => {}
        }
    }

    fn close(mut self, id: String, is_review: bool, known: &BTreeMap<String, Known>) -> AgentWork {
        if let Some(known) = known.get(&id) {
            self.work.name.clone_from(&known.name);
            self.work.role = Some(known.role);
            self.work.lives = known.lives;
            self.work.holds = known.holds.clone().filter(|_| known.holds_review == is_review);
        }
        AgentWork { agent_id: id, is_review, to_done: span(self.to_done), to_merge: span(self.to_merge), ..self.work }
    }
}

/// The middle one (of an even number, the shorter of the two) and the longest.
fn span(mut seconds: Vec<i64>) -> Option<WorkSpan> {
    seconds.sort_unstable();
    let median = *seconds.get(seconds.len().saturating_sub(1) / 2)?;
    Some(WorkSpan { median, longest: *seconds.last()? })
}

/// Most beads on hooks at once, counted back from those that are on hooks now.
fn peak(steps: &[Step], known: &BTreeMap<String, Known>) -> i64 {
    let change = |step: &Step| match step.what {
        _ if step.kind.as_deref() == Some("merge_request") => 0,
        StepKind::Taken => 1,
        StepKind::Done | StepKind::Back | StepKind::Off => -1,
        StepKind::Merged | StepKind::Failed | StepKind::Closed | StepKind::Rework | StepKind::Nudge | StepKind::Stall | StepKind::Other => {
            0
        }
    };
    let now = known.values().filter(|agent| agent.holds.is_some() && !agent.holds_review).count();
    let mut held = i64::try_from(now).unwrap_or(i64::MAX);
    let mut peak = held;
    for step in steps.iter().rev() {
        held -= change(step);
        peak = peak.max(held);
    }
    peak
}
