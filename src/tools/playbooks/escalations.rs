//! The inbox of a town: what waits for a decision, with what to do about it.
//!
//! Owns how it is shown: the most severe first, of these the one that waits longest. What is to be done is `decisions`'.

use super::decisions::{Decision, decision};
use crate::contract::shapes::{EscalationEntry, EscalationFilter};
use crate::rpc::table::LIST_ESCALATIONS;
use crate::tools::coordinator::escalations::EscalationLine;
use crate::tools::names::{Names, NextCall};
use crate::tools::text::word;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Escalations shown unless the call says otherwise.
const SHOWN_DEFAULT: usize = 10;

/// Lists what agents and rigs escalated and nobody has dealt with, most severe first. Use it to find what needs a decision.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Escalations {
    /// True: those that are dealt with.
    acknowledged: Option<bool>,
    /// How many, 1 to 100 (default 10).
    limit: Option<usize>,
}

/// The inbox.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Inbox {
    town: String,
    summary: String,
    escalations: Vec<Line>,
}

/// An escalation, and what to do about it.
#[derive(Debug, Serialize, JsonSchema)]
struct Line {
    #[serde(flatten)]
    escalation: EscalationLine,
    #[serde(skip_serializing_if = "Option::is_none")]
    bead: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static Decision>,
    /// In this order; the last settles it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    calls: Vec<NextCall>,
}

impl Tool for Escalations {
    const NAME: &'static str = "escalations";
    const TITLE: &'static str = "Escalations";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"limit":10}"#;
    type Output = Inbox;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        if self.limit.is_some_and(|limit| !(1..=100).contains(&limit)) {
            return Err(Refusal::new(Code::InvalidArgument, "limit must be from 1 to 100").into());
        }
        let is_over = self.acknowledged == Some(true);
        let filter = EscalationFilter { acknowledged: Some(is_over), worst_first: !is_over };
        Ok(Plan::One(place.call_town(&LIST_ESCALATIONS, (filter,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Inbox, Failure> {
        let mut entries: Vec<EscalationEntry> = answers.one(&LIST_ESCALATIONS)?;
        // The town answers with so many at most.
        let number = if entries.len() >= 100 { "100 or more".to_owned() } else { entries.len().to_string() };
        entries.truncate(self.limit.unwrap_or(SHOWN_DEFAULT));
        let what = if self.acknowledged == Some(true) { "dealt with" } else { "open" };
        let summary = format!("{number} {what}, {} shown.", entries.len());
        let town = place.town()?.to_string();
        Ok(Inbox { escalations: entries.into_iter().map(|entry| line(place.names, &town, entry)).collect(), town, summary })
    }
}

fn line(names: Names, town: &str, entry: EscalationEntry) -> Line {
    let decision = (entry.acknowledged == 0).then(|| decision(entry.category.as_deref()));
    Line {
        calls: decision.map_or_else(Vec::new, |decision| decision.calls(names, town, &entry)),
        decision,
        bead: entry.source_bead_id.as_deref().map(word),
        escalation: entry.into(),
    }
}
