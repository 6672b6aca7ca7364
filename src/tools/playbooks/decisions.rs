//! What to do about an escalation: one row for each category that rigs and towns raise, and one for all others.
//!
//! Owns the table, and the calls that its rows stand for. Raises and resolves nothing.

use super::unstick::verdict::{Cause, category};
use crate::contract::alerts::{ATTEMPTS_SPENT, AlertKind, DISPATCH_BREAKER};
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::labels::HELD_LABEL;
use crate::contract::shapes::EscalationEntry;
use crate::contract::tool_keys::{
    ACKNOWLEDGE_ESCALATION, GET_BEAD, MERGE_QUEUE, POOL_STATUS, RESET_AGENT, SEND_MESSAGE, TOWN_FEED, UPDATE_BEAD,
};
use crate::contract::watch::NUDGE;
use crate::tools::names::{Names, NextCall};
use base::error::ToolKey;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// What those who raise it call it; empty for whatever has no row of its own.
    #[serde(skip)]
    pub category: &'static str,
    sort: &'static str,
    to_do: &'static str,
    /// What is done before it is settled.
    #[serde(skip)]
    steps: &'static [Step],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Ask the agent.
    Nudge,
    /// Put the agent back to the beginning.
    Restart,
    /// Look at the bead that it is about.
    LookAtBead,
    /// Give the bead to nobody for now.
    Hold,
    LookAtReviews,
    LookAtPool,
    LookAtTown,
}

use Step::{Hold, LookAtBead, LookAtPool, LookAtReviews, LookAtTown, Nudge, Restart};

const fn row(category: &'static str, sort: &'static str, to_do: &'static str, steps: &'static [Step]) -> Decision {
    Decision { category, sort, to_do, steps }
}

/// The table; the last row is for whatever has none of its own.
pub static DECISIONS: [Decision; 14] = [
    row(
        AlertKind::StalledAgent.category(),
        "stalled_agent",
        "Ask it; if it stays silent, restart it: its bead is given out again.",
        &[Nudge, Restart],
    ),
    row(
        AlertKind::RestartLoop.category(),
        "crash_loop",
        "Its bead is given out again each time. Hold the bead until you know what ends its processes.",
        &[LookAtBead, Hold],
    ),
    row(AlertKind::StuckReview.category(), "stuck_review", "It is given out again. See what it waits for.", &[LookAtReviews]),
    row(AlertKind::QueueDepth.category(), "all_busy", "Let it queue, or raise the limit of polecats.", &[LookAtPool]),
    row(AlertKind::NoRunner.category(), "no_runner", "Start a runner for the rig; what is on hooks stays there.", &[]),
    row(
        ATTEMPTS_SPENT,
        "failed_bead",
        "Find out why it failed, and give the work out anew, as something smaller or clearer.",
        &[LookAtBead],
    ),
    row(
        category(Cause::Failed),
        "failed_bead",
        "Read why it failed; give the work out anew in a follow-up, or take it out of its convoy.",
        &[LookAtBead],
    ),
    row(
        category(Cause::Deleted),
        "deleted_bead",
        "A convoy still counts on a bead that is gone: take it out, or make the work anew.",
        &[LookAtBead],
    ),
    row(
        category(Cause::BlockerDeleted),
        "blocked_bead",
        "What it waits for failed or is gone: change what it waits for, or make that anew.",
        &[LookAtBead],
    ),
    row(
        "merge_conflict",
        "merge_conflict",
        "Its bead is open again with what the refinery said. Let it be reworked, or ask a person to look.",
        &[LookAtBead, LookAtReviews],
    ),
    row("landing_failed", "landing_failed", "Its branch does not merge. See why, mend that, and land it anew.", &[LookAtReviews]),
    row("triage", "passed_on", "Somebody could not decide a request and passed it on: decide.", &[LookAtBead]),
    row(
        DISPATCH_BREAKER,
        "dispatch_breaker",
        "Nothing is given out. Find out what ends the orders; settling this gives out work again at once.",
        &[LookAtTown],
    ),
    row("", "other", "Read it, and answer or act.", &[]),
];

/// The row of a category.
#[must_use]
pub fn decision(category: Option<&str>) -> &'static Decision {
    let [rows @ .., other] = &DECISIONS;
    rows.iter().find(|row| Some(row.category) == category).unwrap_or(other)
}

impl Decision {
    /// The calls to make, in this order; the last one settles the escalation.
    #[must_use]
    pub fn calls(&self, names: Names, town: &str, entry: &EscalationEntry) -> Vec<NextCall> {
        let about = About::of(town, entry);
        let mut calls: Vec<NextCall> = self.steps.iter().filter_map(|step| about.call(names, *step)).collect();
        calls.push(names.call(ACKNOWLEDGE_ESCALATION, json!({"town": town, "escalation": entry.id})));
        calls
    }
}

/// What an escalation is about, as far as that can be named in a call.
struct About<'a> {
    town: &'a str,
    rig: Option<&'a str>,
    agent: Option<AgentId>,
    bead: Option<BeadId>,
}

impl<'a> About<'a> {
    fn of(town: &'a str, entry: &'a EscalationEntry) -> Self {
        Self {
            town,
            rig: Some(entry.source_rig_id.as_str()).filter(|rig| !rig.is_empty()),
            agent: entry.source_agent_id.as_deref().and_then(|id| AgentId::parse(id).ok()),
            bead: entry.source_bead_id.as_deref().and_then(|id| BeadId::parse(id).ok()),
        }
    }

    fn call(&self, names: Names, step: Step) -> Option<NextCall> {
        let (tool, mut arguments): (ToolKey, Value) = match step {
            Nudge => (SEND_MESSAGE, json!({"to": self.agent.as_ref()?, "channel": "nudge", "body": NUDGE})),
            Restart => (RESET_AGENT, json!({"agent": self.agent.as_ref()?})),
            LookAtBead => (GET_BEAD, json!({"bead": self.bead.as_ref()?})),
            Hold => (UPDATE_BEAD, json!({"bead": self.bead.as_ref()?, "add_labels": [HELD_LABEL]})),
            LookAtReviews => (MERGE_QUEUE, json!({})),
            LookAtPool => (POOL_STATUS, json!({})),
            LookAtTown => return Some(names.call(TOWN_FEED, json!({"town": self.town}))),
        };
        let fields = arguments.as_object_mut()?;
        fields.insert("town".to_owned(), Value::from(self.town));
        fields.insert("rig".to_owned(), Value::from(self.rig?));
        Some(names.call(tool, arguments))
    }
}
