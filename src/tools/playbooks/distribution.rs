//! The tool that says where work went: to which rigs and agents, of which sort, and when.
//!
//! Owns how that is shown. The rigs add it up from their events (`reportWork`).

use super::report::{Span, add, gather, plan};
use crate::contract::shapes::WorkCounts;
use crate::tools::paging;
use crate::tools::text::{name, word};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Rigs and agents shown; those that were given most come first.
const SHOWN_MAX: usize = 10;

/// Shows how work was spread: shares of rigs and agents, by type, priority and quality, and hour by hour. Use it to find who carries
/// the load, and when it came.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkDistribution {
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// How far back, 1 to 168 (default 24).
    hours: Option<i64>,
}

/// Where work went; reviews are not in it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Distribution {
    town: String,
    summary: String,
    window: Span,
    rigs: Vec<RigShare>,
    /// Most was given to the first.
    agents: Vec<AgentShare>,
    /// By type, priority and quality, then by its values.
    sorts: BTreeMap<String, BTreeMap<String, WorkCounts>>,
    timeline: Timeline,
    /// Rigs asked.
    coverage: Coverage,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RigShare {
    rig: String,
    name: String,
    /// Of all that was put on hooks, in percent.
    share: i64,
    #[serde(flatten)]
    counts: WorkCounts,
    /// Most beads on its hooks at once.
    peak: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AgentShare {
    agent: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    share: i64,
    taken: i64,
}

/// The window in parts of the same length, the oldest first.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Timeline {
    part_hours: i64,
    taken: Vec<i64>,
    done: Vec<i64>,
    merged: Vec<i64>,
    failed: Vec<i64>,
}

impl Tool for WorkDistribution {
    const NAME: &'static str = "work_distribution";
    const TITLE: &'static str = "Where work went";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"hours":24}"#;
    type Output = Distribution;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        plan(self.hours, place)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Distribution, Failure> {
        let (answered, window, coverage) = gather(answers, place)?;
        let mut sorts: BTreeMap<String, BTreeMap<String, WorkCounts>> = BTreeMap::new();
        let mut parts: Vec<WorkCounts> = Vec::new();
        let mut part_hours = 1;
        let (mut rigs, mut agents) = (Vec::new(), Vec::new());
        for rig in answered {
            let mut counts = rig.without_agent;
            for agent in rig.agents.into_iter().filter(|agent| !agent.is_review) {
                add(&mut counts, agent.counts);
                if agent.counts.taken > 0 {
                    agents.push(AgentShare { agent: agent.agent_id, name: name(&agent.name), share: 0, taken: agent.counts.taken });
                }
            }
            for sort in rig.sorts {
                add(sorts.entry(sort.by).or_default().entry(word(&sort.value)).or_default(), sort.counts);
            }
            part_hours = rig.part_hours;
            parts.resize(parts.len().max(rig.parts.len()), WorkCounts::default());
            for (sum, part) in parts.iter_mut().zip(rig.parts) {
                add(sum, part);
            }
            rigs.push(RigShare { rig: rig.rig_id.to_string(), name: name(&rig.name), share: 0, counts, peak: rig.peak });
        }
        let mut all = WorkCounts::default();
        for rig in &rigs {
            add(&mut all, rig.counts);
        }
        let share = |taken: i64| (taken * 100 + all.taken / 2).checked_div(all.taken).unwrap_or_default();
        for rig in &mut rigs {
            rig.share = share(rig.counts.taken);
        }
        for agent in &mut agents {
            agent.share = share(agent.taken);
        }
        let summary = format!(
            "{} rig(s) and {} agent(s): {} put on hooks, {} finished, {} merged, {} failed.",
            rigs.len(),
            agents.len(),
            all.taken,
            all.done,
            all.merged,
            all.failed
        );
        let mut rigs = paging::sort(rigs, false, |rig| (-rig.counts.taken, rig.name.clone()));
        let mut agents = paging::sort(agents, false, |agent| (-agent.taken, agent.name.clone() + &agent.agent));
        rigs.truncate(SHOWN_MAX);
        agents.truncate(SHOWN_MAX);
        let each = |of: fn(&WorkCounts) -> i64| parts.iter().map(of).collect();
        let timeline = Timeline {
            part_hours,
            taken: each(|part| part.taken),
            done: each(|part| part.done),
            merged: each(|part| part.merged),
            failed: each(|part| part.failed),
        };
        Ok(Distribution { town: place.town()?.to_string(), summary, window, rigs, agents, sorts, timeline, coverage })
    }
}
