//! The tool that says how agents have done.
//!
//! Owns how that is shown. The rigs add it up from their events (`reportWork`).

use crate::contract::ids::AgentId;
use crate::contract::shapes::{AgentRole, AgentWork, WorkCounts, WorkInput, WorkReport, WorkSpan};
use crate::contract::tool_keys::{LIST_AGENTS, LIST_RIGS};
use crate::rpc::table::REPORT_WORK;
use crate::tools::bead_view::some;
use crate::tools::paging;
use crate::tools::text::name;
use crate::tools::tool::{Answers, Coverage, Gathered, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::hint;
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Agents shown; those that were given most come first.
const AGENTS_SHOWN_MAX: usize = 12;
/// Longest window, in hours.
const HOURS_MAX: i64 = 168;

/// Shows what each agent was given, finished, had merged and failed, what came back, how long it took and how often it stalled; told
/// by events, so agents that are gone are in it. Use it to compare agents, or to see what ends work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentReport {
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Agent id or name: only that one.
    agent: Option<String>,
    /// How far back, 1 to 168 (default 24).
    hours: Option<i64>,
}

/// How agents have done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Performance {
    town: String,
    summary: String,
    window: Span,
    totals: Totals,
    /// Most was given to the first.
    agents: Vec<Line>,
    /// Agents that are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
    /// Rigs asked.
    coverage: Coverage,
}

/// The time that is looked at.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Span {
    from: String,
    to: String,
    /// Older events of some rig are no longer kept, or too many: of it this is all from here on only.
    #[serde(skip_serializing_if = "Option::is_none")]
    covered_from: Option<String>,
}

/// Work of all agents; reviews are not in it.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Totals {
    #[serde(flatten)]
    counts: WorkCounts,
    handed_back: i64,
    reworked: i64,
    /// Of these, ended by somebody while no agent had them.
    without_agent: i64,
}

/// An agent, or its reviews: a refinery's are merge requests.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    agent: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    rig: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<AgentRole>,
    /// It was removed, or is dead.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    gone: bool,
    /// These are reviews.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reviews: bool,
    /// Bead id on its hook now.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<String>,
    #[serde(flatten)]
    counts: WorkCounts,
    /// Came off its hook unfinished.
    #[serde(skip_serializing_if = "Option::is_none")]
    handed_back: Option<i64>,
    /// A review wanted something changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reworked: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nudged: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalls: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_to_done: Option<WorkSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_to_merge: Option<WorkSpan>,
}

impl Tool for AgentReport {
    const NAME: &'static str = "agent_report";
    const TITLE: &'static str = "How agents have done";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","hours":24}"#;
    type Output = Performance;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        plan(self.hours, place)
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Performance, Failure> {
        let (answered, window, coverage) = gather(answers, place)?;
        let mut totals = Totals::default();
        let mut agents: Vec<(String, AgentWork)> = Vec::new();
        for rig in answered {
            add(&mut totals.counts, rig.without_agent);
            totals.without_agent += rig.without_agent.done + rig.without_agent.failed;
            for agent in rig.agents.iter().filter(|agent| !agent.is_review) {
                add(&mut totals.counts, agent.counts);
                totals.handed_back += agent.handed_back;
                totals.reworked += agent.reworked;
            }
            let rig_id = rig.rig_id.to_string();
            agents.extend(rig.agents.into_iter().map(|agent| (rig_id.clone(), agent)));
        }
        if let Some(named) = &self.agent {
            let id = AgentId::parse(named).ok();
            agents.retain(|(_, agent)| id.as_ref().map_or(agent.name == *named, |id| id.as_str() == agent.agent_id));
            if agents.is_empty() {
                let refusal =
                    Refusal::of_argument(Code::NotFound, "agent", "no agent that lives or did anything in this time has that id or name");
                return Err(refusal.hint(hint!["Call ", LIST_AGENTS, " to see who lives, or look further back."]).into());
            }
        }
        let summary = format!(
            "{} hook(s) by {} agent(s): {} finished, {} merged, {} failed, {} came back unfinished.",
            totals.counts.taken,
            agents.iter().filter(|(_, agent)| !agent.is_review).count(),
            totals.counts.done,
            totals.counts.merged,
            totals.counts.failed,
            totals.handed_back
        );
        let mut agents = paging::sort(agents, false, |(_, agent)| (-agent.counts.taken, agent.name.clone() + &agent.agent_id));
        let left_out = agents.len().checked_sub(AGENTS_SHOWN_MAX).filter(|more| *more > 0);
        agents.truncate(AGENTS_SHOWN_MAX);
        let agents = agents.into_iter().map(|(rig, agent)| line(rig, agent)).collect();
        Ok(Performance { town: place.town()?.to_string(), summary, window, totals, agents, left_out, coverage })
    }
}

fn line(rig: String, agent: AgentWork) -> Line {
    Line {
        agent: agent.agent_id,
        name: name(&agent.name),
        rig,
        role: agent.role.filter(|role| *role != AgentRole::Polecat),
        gone: !agent.lives,
        reviews: agent.is_review,
        holds: agent.holds.map(|bead| bead.to_string()),
        counts: agent.counts,
        handed_back: some(agent.handed_back),
        reworked: some(agent.reworked),
        nudged: some(agent.nudged),
        stalls: some(agent.stalls),
        seconds_to_done: agent.to_done,
        seconds_to_merge: agent.to_merge,
    }
}

/// Asks the rig, or all of them.
pub(super) fn plan(hours: Option<i64>, place: &Place) -> Result<Plan, Failure> {
    if hours.is_some_and(|hours| !(1..=HOURS_MAX).contains(&hours)) {
        return Err(Refusal::new(Code::InvalidArgument, format!("hours must be from 1 to {HOURS_MAX}")).into());
    }
    let input = WorkInput { hours };
    Ok(place.ask_rigs(&REPORT_WORK, (input,))?)
}

/// What the rigs said, of which time, and who did not.
pub(super) fn gather(answers: Answers, place: &Place) -> Result<(Vec<WorkReport>, Span, Coverage), Failure> {
    let Gathered { answered, coverage } = answers.gather::<WorkReport>(&REPORT_WORK, place)?;
    let told: Vec<WorkReport> = answered.into_iter().map(|(_, rig)| rig).collect();
    let Some((from, to)) = told.iter().map(|rig| rig.asked_from).min().zip(told.iter().map(|rig| rig.to).max()) else {
        let refusal = Refusal::new(Code::Unavailable, "No rig of the town has answered");
        return Err(refusal.hint(hint!["Call again; ", LIST_RIGS, " shows which rigs there are."]).into());
    };
    let cut: Option<Timestamp> = told.iter().filter(|rig| rig.from > rig.asked_from).map(|rig| rig.from).max();
    let window = Span { from: from.to_string(), to: to.to_string(), covered_from: cut.map(|at| at.to_string()) };
    Ok((told, window, coverage))
}

/// Adds counts up.
pub(super) const fn add(sum: &mut WorkCounts, more: WorkCounts) {
    sum.taken += more.taken;
    sum.done += more.done;
    sum.merged += more.merged;
    sum.failed += more.failed;
}
