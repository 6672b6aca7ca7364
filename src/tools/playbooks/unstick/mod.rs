//! `convoy_unstick`: why a convoy does not move, bead by bead, and at most one step a call to get it going.
//!
//! Owns the tool: what it asks, that it takes one step, and what it answers. `decide` has the ladder, `chain` follows blockers,
//! `step` takes the step, `verdict` and `words` say it. It keeps nothing: who was nudged and when, what was escalated and who was replaced it reads from the rigs,
//! and the rig takes a step only if what it is founded on still holds.

pub mod chain;
pub mod decide;
mod messages;
mod step;
pub mod verdict;

use super::NextCall;
use crate::contract::shapes::{BeadStatus, ConvoyBead, TownInspection};
use crate::tools::bead_view::{WorkStatus, member_status};
use crate::tools::coordinator::convoys::{Phase, Standing, count, phase, summarize};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::playbooks::inspect;
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Coverage, Hints, Reach};
use base::error::{Code, Failure, Refusal};
use base::order::sort;
use decide::{decide, next};
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use step::{Done, Found};
use verdict::{Cause, Rung, Verdict};

/// How long an agent may be silent, and how long it has to answer, unless the call or the town says otherwise.
pub const PATIENCE_SECONDS_DEFAULT: i64 = 300;
/// Longest patience.
const PATIENCE_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;
/// Beads in one answer; those with a step come first.
const BEADS_MAX: usize = 20;
/// When to look again after somebody else has changed what a step was founded on.
const CHANGED_SECONDS: i64 = 1;

/// Finds out bead by bead why a convoy does not move and, unless it is a dry run, does the next safe step: nudge, replace a
/// silent polecat, or escalate. Use it for a stuck convoy, again and again until it moves.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvoyUnstick {
    /// Convoy id or title.
    convoy: String,
    /// false: do one step. Default true: only look.
    dry_run: Option<bool>,
    /// For how long an agent may be silent, and then has to answer a nudge. Default: as the town's watch is set, or 300.
    patience_seconds: Option<i64>,
}

/// What was found, done, and comes next.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Unsticking {
    town: String,
    convoy: String,
    title: AgentText,
    phase: Phase,
    dry_run: bool,
    summary: String,
    progress: Standing,
    /// The step that this call has taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    did: Option<Done>,
    /// Per bead that is neither done nor merged: what stops it, and what comes next. Those with a step come first.
    next_steps: Vec<BeadStep>,
    /// Beads that are not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// What a person can do about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<NextCall>,
    /// 0: at once. Absent: nothing will change by this tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    call_again_after_seconds: Option<i64>,
    /// Takes the next step then.
    #[serde(skip_serializing_if = "Option::is_none")]
    call_again: Option<NextCall>,
    coverage: Coverage,
}

/// A bead, and what comes next for it.
#[derive(Debug, Serialize, JsonSchema)]
struct BeadStep {
    bead: String,
    title: AgentText,
    status: WorkStatus,
    cause: Cause,
    /// `nudge`, `reassign` and `escalate` are done by this tool, in this order; `human`: a person must decide.
    step: Rung,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// Since when nothing has been done.
    #[serde(skip_serializing_if = "Option::is_none")]
    silent_since: Option<String>,
    /// The bead that really stops it, its merge request, or what does it anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    see: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    escalation: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<AgentText>,
}

impl LiveTool for ConvoyUnstick {
    const NAME: &'static str = "convoy_unstick";
    const TITLE: &'static str = "Get a convoy going";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy":"Payments API","dry_run":true}"#;
    type Output = Unsticking;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.unstick(live))
    }
}

impl ConvoyUnstick {
    async fn unstick(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let (seen, convoy) = inspect::one(live, &self.convoy).await?;
        let patience = self.patience(seen.patience_seconds)?;
        let verdicts = decide(&seen, &convoy, patience);
        let mut found = Found { seen, convoy, patience, verdicts };
        let is_dry = self.dry_run.unwrap_or(true);
        let (mut did, mut note) = (None, None);
        if !is_dry && let Some(place) = next(&found.verdicts) {
            (did, note) = found.take_step(live, place).await?;
        }
        Ok(ToolReply::structured(Self::NAME, &self.answer(live, &found, is_dry, did, note)?)?)
    }

    fn patience(&self, of_town: Option<i64>) -> Result<i64, Refusal> {
        match self.patience_seconds {
            None => Ok(of_town.unwrap_or(PATIENCE_SECONDS_DEFAULT)),
            Some(seconds) if (1..=PATIENCE_SECONDS_MAX).contains(&seconds) => Ok(seconds),
            Some(_) => Err(Refusal::new(Code::InvalidArgument, format!("patience_seconds must be 1 to {PATIENCE_SECONDS_MAX}"))),
        }
    }

    fn answer(
        &self,
        live: &Live<'_>,
        found: &Found,
        dry_run: bool,
        did: Option<Done>,
        note: Option<String>,
    ) -> Result<Unsticking, Failure> {
        let Found { seen, convoy, verdicts, .. } = found;
        let town = live.place.town()?.to_string();
        let beads = inspect::beads(seen, convoy);
        let entry = inspect::recounted(convoy, &beads);
        let progress = count(&beads);
        let due = next(verdicts).and_then(|place| verdicts.get(place));
        let has_changed = note.is_some();
        let call_again_after_seconds = match due {
            Some(_) if has_changed => Some(CHANGED_SECONDS),
            Some(_) => Some(0),
            None => verdicts.iter().filter_map(|verdict| verdict.again_seconds).min(),
        };
        let call_again = call_again_after_seconds.map(|_| {
            let mut arguments = json!({"town": town, "convoy": entry.id, "dry_run": false});
            if let (Some(seconds), Some(arguments)) = (self.patience_seconds, arguments.as_object_mut()) {
                arguments.insert("patience_seconds".to_owned(), seconds.into());
            }
            NextCall::new(Self::NAME, arguments)
        });
        let mut shown: Vec<&Verdict> = sort(verdicts.iter().collect(), false, |verdict| (verdict.rung as i64, String::new()));
        let more = shown.len().checked_sub(BEADS_MAX).filter(|more| *more > 0);
        shown.truncate(BEADS_MAX);
        Ok(Unsticking {
            summary: format!("{} {}", summarize(&entry, &progress, "pending"), step_in_words(verdicts, due, did.as_ref(), note.as_deref())),
            calls: messages::calls(&town, &entry, verdicts),
            hint: messages::hint(verdicts),
            town,
            convoy: entry.id.to_string(),
            title: AgentText::line(&entry.title),
            phase: phase(&entry),
            dry_run,
            progress,
            did,
            next_steps: shown.into_iter().filter_map(|verdict| step_of(verdict, &beads, seen)).collect(),
            more,
            call_again_after_seconds,
            call_again,
            coverage: inspect::coverage(seen),
        })
    }
}

fn step_of(verdict: &Verdict, beads: &[ConvoyBead], seen: &TownInspection) -> Option<BeadStep> {
    let bead = beads.iter().find(|bead| bead.bead_id == verdict.bead)?;
    let is_silence =
        matches!(verdict.cause, Cause::Silent | Cause::NotTakenUp | Cause::ReviewStuck | Cause::NoRefinery) && verdict.rung != Rung::Leave;
    Some(BeadStep {
        bead: verdict.bead.to_string(),
        title: AgentText::line(&bead.title),
        status: member_status(bead),
        cause: verdict.cause,
        step: verdict.rung,
        why: messages::why(verdict, seen.as_of),
        agent: verdict.holder.as_ref().map(|(_, holder, _)| name(holder)),
        silent_since: verdict.since.filter(|_| is_silence).map(|since| since.to_string()),
        see: verdict.root.as_ref().map(ToString::to_string),
        escalation: verdict.escalation.as_ref().map(ToString::to_string),
        failure: bead.failure_reason.as_deref().filter(|_| bead.status == BeadStatus::Failed).map(AgentText::line),
    })
}

/// The step that was taken or is due.
fn step_in_words(verdicts: &[Verdict], due: Option<&Verdict>, did: Option<&Done>, note: Option<&str>) -> String {
    let is_paused = verdicts.iter().any(|verdict| matches!(verdict.cause, Cause::Parked | Cause::Draining));
    match (did, note, due) {
        (Some(did), ..) => format!("Did: {} for bead {}.", word(did.step), did.bead),
        (None, Some(note), _) => format!("Did nothing: {note}."),
        (None, None, Some(due)) => format!("Next: {} for bead {}.", word(due.rung), due.bead),
        (None, None, None) if is_paused => "A pause is on purpose: nothing is done in it.".to_owned(),
        (None, None, None) => "No step is due.".to_owned(),
    }
}

const fn word(rung: Rung) -> &'static str {
    match rung {
        Rung::Nudge => "nudge",
        Rung::Reassign => "reassign",
        Rung::Escalate => "escalate",
        Rung::Human => "a person decides",
        Rung::Wait => "wait",
        Rung::Leave => "nothing",
    }
}
