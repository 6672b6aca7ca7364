//! `convoy_audit`: convoys counted anew from their beads and from the evidence of merges, against what the town claims.
//!
//! Owns the tool and its answer; `findings` has the rules. Changes nothing.

use super::findings;
use super::findings::{Finding, Limits};
use crate::contract::shapes::{ConvoyBead, ConvoyInspection, InspectInput, TownInspection};
use crate::rpc::table::INSPECT_CONVOYS;
use crate::tools::coordinator::convoys::{Phase, count, phase, summarize, unknown};
use crate::tools::paging;
use crate::tools::playbooks::inspect;
use crate::tools::text::AgentText;
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::order::sort;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A staged convoy is forgotten after so many hours unless the call says otherwise.
const STAGED_HOURS_DEFAULT: i64 = 24;
/// A convoy makes no progress after so many minutes unless the call says otherwise.
const QUIET_MINUTES_DEFAULT: i64 = 60;
/// Convoys on a page at most.
const LIMIT_MAX: i64 = 20;

/// Counts convoys anew from their beads and merge evidence, and names what does not hold: landed without a merge, failed
/// counted as done, forgotten, no progress. Use it before you report success.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvoyAudit {
    /// Convoy id or title. Default: all that are active or landed within a week.
    convoy: Option<String>,
    /// Staged for longer is forgotten (default 24).
    staged_hours: Option<i64>,
    /// Quiet for longer is no progress (default 60).
    quiet_minutes: Option<i64>,
    /// Convoys per page, 1 to 20 (default 10).
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Audit {
    town: String,
    summary: String,
    /// Those with findings first.
    convoys: Vec<Audited>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    coverage: Coverage,
    as_of: String,
}

/// A convoy, counted anew.
#[derive(Debug, Serialize, JsonSchema)]
struct Audited {
    convoy: String,
    title: AgentText,
    phase: Phase,
    /// The verdict.
    verdict: String,
    recounted: Counts,
    /// What the town claims, where that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<Counts>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Finding>,
    /// Beads of rigs that did not answer: counted as they last told.
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
struct Counts {
    total: i64,
    /// Merged or not.
    closed: i64,
    merged: i64,
    failed: i64,
}

impl Tool for ConvoyAudit {
    const NAME: &'static str = "convoy_audit";
    const TITLE: &'static str = "Audit convoys";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"limit":10}"#;
    type Output = Audit;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        if self.limit.is_some_and(|limit| !(1..=LIMIT_MAX).contains(&limit)) {
            return Err(Refusal::new(Code::InvalidArgument, format!("limit must be from 1 to {LIMIT_MAX}")).into());
        }
        if self.staged_hours.is_some_and(|hours| hours < 0) || self.quiet_minutes.is_some_and(|minutes| minutes < 0) {
            return Err(Refusal::new(Code::InvalidArgument, "staged_hours and quiet_minutes must not be negative").into());
        }
        let convoy = self.convoy.as_deref().map(|convoy| convoy.trim().to_owned());
        let input = InspectInput { convoy, before: paging::position(self.cursor.as_deref())?, limit: self.limit };
        Ok(Plan::One(place.call_town(&INSPECT_CONVOYS, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Audit, Failure> {
        let seen: TownInspection = answers.one(&INSPECT_CONVOYS)?;
        if let (Some(named), true) = (&self.convoy, seen.convoys.is_empty()) {
            return Err(unknown(named).into());
        }
        let limits = Limits {
            staged_millis: self.staged_hours.unwrap_or(STAGED_HOURS_DEFAULT).saturating_mul(3_600_000),
            quiet_millis: self.quiet_minutes.unwrap_or(QUIET_MINUTES_DEFAULT).saturating_mul(60_000),
        };
        let convoys: Vec<Audited> = seen.convoys.iter().map(|convoy| audit(&seen, convoy, limits)).collect();
        let convoys = sort(convoys, false, |convoy| (convoy.findings.is_empty().into(), String::new()));
        let findings: usize = convoys.iter().map(|convoy| convoy.findings.len()).sum();
        let summary = match (findings, convoys.as_slice()) {
            (_, [only]) => format!("{} {}.", only.verdict, plural(findings)),
            _ => format!("{} convoys were counted anew. {}.", convoys.len(), plural(findings)),
        };
        Ok(Audit {
            town: place.town()?.to_string(),
            summary,
            convoys,
            next_cursor: seen.next.map(|next| paging::cursor(&next)),
            coverage: inspect::coverage(&seen),
            as_of: seen.as_of.to_string(),
        })
    }
}

fn plural(findings: usize) -> String {
    match findings {
        0 => "No findings".to_owned(),
        1 => "1 finding".to_owned(),
        several => format!("{several} findings"),
    }
}

fn audit(seen: &TownInspection, convoy: &ConvoyInspection, limits: Limits) -> Audited {
    let beads = inspect::beads(seen, convoy);
    let entry = inspect::recounted(convoy, &beads);
    let counts = |entry: &crate::contract::shapes::ConvoyEntry| Counts {
        total: entry.total_beads,
        closed: entry.closed_beads,
        merged: entry.merged_beads,
        failed: entry.failed_beads,
    };
    let (recounted, claimed) = (counts(&entry), counts(&convoy.claimed));
    let is_unknown = |bead: &&ConvoyBead| bead.rig_id.as_ref().is_none_or(|rig| seen.coverage.missing.contains(rig));
    let unknown = beads.iter().filter(is_unknown).count();
    let evidence = if findings::is_unverified(&entry) { "unverified" } else { "verified" };
    Audited {
        convoy: entry.id.to_string(),
        title: AgentText::line(&entry.title),
        phase: phase(&entry),
        verdict: summarize(&entry, &count(&beads), evidence),
        findings: findings::find(seen, convoy, &entry, &beads, limits),
        recounted,
        claimed: (claimed != recounted).then_some(claimed),
        unknown: (unknown > 0).then_some(unknown),
    }
}
