//! `convoy_partial`: what a convoy has achieved so far, nothing that failed left out, and a follow-up for what failed.
//!
//! Owns the tool. What a follow-up is made of, and that each failed bead is done anew once, is the town's (`town::follow_up`).

use super::NextCall;
use crate::contract::shapes::{BeadStatus, ConvoyBead, ConvoyInspection, FollowUp, FollowUpInput, FollowUpResult};
use crate::rpc::call::decode;
use crate::rpc::table::CREATE_FOLLOW_UP;
use crate::tools::bead_view::{WorkStatus, member_status};
use crate::tools::coordinator::convoys::{Phase, count, phase, summarize};
use crate::tools::interactive::{Live, LiveTool};
use crate::tools::playbooks::inspect;
use crate::tools::text::AgentText;
use crate::tools::tool::{Coverage, Hints, Reach};
use base::error::Failure;
use futures::future::LocalBoxFuture;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Ids of one sort in one answer; failed beads are all shown.
const IDS_MAX: usize = 20;

/// Shows a convoy's partial success: merged, done, open, blocked and every failed bead apart. Unless it is a dry run, it makes a
/// staged follow-up convoy that does the failed beads anew, once.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvoyPartial {
    /// Convoy id or title.
    convoy: String,
    /// false: make the follow-up. Default true: only look.
    dry_run: Option<bool>,
    /// Title of the follow-up.
    title: Option<String>,
    /// true: beads that wait for failed ones, and for nothing that stays, move to the follow-up. Default false: they stay.
    include_open: Option<bool>,
}

/// A convoy's partial success.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Partial {
    town: String,
    convoy: String,
    title: AgentText,
    phase: Phase,
    dry_run: bool,
    summary: String,
    merged: Sort,
    /// Closed without evidence of a merge.
    done: Sort,
    in_progress: Sort,
    in_review: Sort,
    /// Ready, or on a hook.
    open: Sort,
    blocked: Sort,
    /// Every one, until it is taken out of the convoy.
    failed: Vec<FailedLine>,
    /// How many of them nothing does anew yet.
    unhandled: usize,
    /// The convoy whose failed beads this one does anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up_of: Option<String>,
    /// Convoys that do this one's failed beads anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    follow_ups: Vec<String>,
    /// The follow-up that this call has made.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<String>,
    /// Beads that were moved to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moved: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<NextCall>,
    coverage: Coverage,
}

/// Beads that stand alike.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Sort {
    count: usize,
    /// The first of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    beads: Vec<String>,
}

/// A bead that failed.
#[derive(Debug, Serialize, JsonSchema)]
struct FailedLine {
    bead: String,
    title: AgentText,
    reason: AgentText,
    /// What does it anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up: Option<String>,
    /// It was deleted in its rig, and is not done anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

impl LiveTool for ConvoyPartial {
    const NAME: &'static str = "convoy_partial";
    const TITLE: &'static str = "A convoy's partial success";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy":"Payments API","dry_run":true}"#;
    type Output = Partial;

    fn run<'a>(&'a self, live: &'a Live<'a>) -> LocalBoxFuture<'a, Result<ToolReply, Interruption>> {
        Box::pin(self.show(live))
    }
}

impl ConvoyPartial {
    async fn show(&self, live: &Live<'_>) -> Result<ToolReply, Interruption> {
        let (seen, mut convoy) = inspect::one(live, &self.convoy).await?;
        let beads = inspect::beads(&seen, &convoy);
        let is_dry = self.dry_run.unwrap_or(true);
        let mut result = None;
        if !is_dry && beads.iter().any(|bead| is_unhandled(bead, &convoy.follow_ups)) {
            let made = self.make(live, &convoy).await?;
            convoy.follow_ups.extend(made.beads.iter().filter(|_| made.created).cloned());
            result = Some(made);
        }
        Ok(ToolReply::structured(Self::NAME, &answer(live, is_dry, &convoy, &beads, result.as_ref(), inspect::coverage(&seen))?)?)
    }

    async fn make(&self, live: &Live<'_>, convoy: &ConvoyInspection) -> Result<FollowUpResult, Failure> {
        let input = FollowUpInput { convoy: convoy.claimed.id.to_string(), title: self.title.clone(), include_open: self.include_open };
        let call = live.place.call_town(&CREATE_FOLLOW_UP, (input,))?;
        decode(&CREATE_FOLLOW_UP, &live.client.call(&call, Some(live.place.town()?), live.idempotency_key).await?)
    }
}

fn is_unhandled(bead: &ConvoyBead, known: &[FollowUp]) -> bool {
    bead.status == BeadStatus::Failed && !bead.deleted && known.iter().all(|known| known.of != bead.bead_id)
}

fn answer(
    live: &Live<'_>,
    dry_run: bool,
    convoy: &ConvoyInspection,
    beads: &[ConvoyBead],
    result: Option<&FollowUpResult>,
    coverage: Coverage,
) -> Result<Partial, Failure> {
    let town = live.place.town()?.to_string();
    let entry = inspect::recounted(convoy, beads);
    let sort = |wanted: &dyn Fn(&ConvoyBead) -> bool| {
        let all: Vec<&ConvoyBead> = beads.iter().filter(|bead| wanted(bead)).collect();
        Sort { count: all.len(), beads: all.iter().take(IDS_MAX).map(|bead| bead.bead_id.to_string()).collect() }
    };
    let is = |status: WorkStatus| move |bead: &ConvoyBead| member_status(bead) == status;
    let is_free = |bead: &ConvoyBead| matches!(member_status(bead), WorkStatus::Open | WorkStatus::Hooked);
    let failed: Vec<FailedLine> = beads
        .iter()
        .filter(|bead| bead.status == BeadStatus::Failed)
        .map(|bead| FailedLine {
            bead: bead.bead_id.to_string(),
            title: AgentText::line(&bead.title),
            reason: AgentText::line(bead.failure_reason.as_deref().unwrap_or("no reason was given")),
            follow_up: convoy.follow_ups.iter().find(|known| known.of == bead.bead_id).map(|known| known.bead_id.to_string()),
            deleted: bead.deleted,
        })
        .collect();
    let unhandled = failed.iter().filter(|line| line.follow_up.is_none()).count();
    let mut follow_ups: Vec<String> = convoy.follow_ups.iter().map(|known| known.convoy_id.to_string()).collect();
    follow_ups.dedup();
    let created = result.filter(|result| result.created).and_then(|result| result.convoy.as_ref());
    let mut calls = Vec::new();
    if let Some(created) = created {
        calls.push(NextCall::new("start_convoy", json!({"town": town, "convoy": created.id})));
    } else if beads.iter().any(|bead| is_unhandled(bead, &convoy.follow_ups)) {
        calls.push(NextCall::new("convoy_partial", json!({"town": town, "convoy": entry.id, "dry_run": false})));
    }
    let done_with: Vec<&str> =
        failed.iter().filter(|line| line.follow_up.is_some() || line.deleted).map(|line| line.bead.as_str()).collect();
    if !done_with.is_empty() {
        calls.push(NextCall::new("update_convoy", json!({"town": town, "convoy": entry.id, "remove_beads": done_with})));
    }
    let what = match (created, unhandled, failed.len()) {
        (Some(_), ..) => "A staged follow-up does what failed anew.".to_owned(),
        (None, _, 0) => "Nothing has failed.".to_owned(),
        (None, 0, _) => "Everything that failed is done anew in a follow-up.".to_owned(),
        (None, unhandled, _) => {
            format!("{unhandled} failed beads are not handled: convoy_partial makes a follow-up, update_convoy takes them out.")
        }
    };
    Ok(Partial {
        summary: format!("{} {what}", summarize(&entry, &count(beads), "pending")),
        convoy: entry.id.to_string(),
        title: AgentText::line(&entry.title),
        phase: phase(&entry),
        dry_run,
        merged: sort(&is(WorkStatus::Merged)),
        done: sort(&is(WorkStatus::Done)),
        in_progress: sort(&is(WorkStatus::InProgress)),
        in_review: sort(&is(WorkStatus::InReview)),
        open: sort(&|bead| is_free(bead) && bead.blockers_open == 0),
        blocked: sort(&|bead| is_free(bead) && bead.blockers_open > 0),
        failed,
        unhandled,
        follow_up_of: convoy.follow_up_of.as_ref().map(ToString::to_string),
        follow_ups,
        created: created.map(|created| created.id.to_string()),
        moved: result.map(|result| result.moved.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        calls,
        town,
        coverage,
    })
}
