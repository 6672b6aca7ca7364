//! Tools that look at convoys. Failed is not done, landed needs evidence, and both are said in so many words.

use crate::contract::ids::ConvoyId;
use crate::contract::shapes::{
    ConvoyBead, ConvoyDetail, ConvoyEntry, ConvoyFlag, ConvoyLanding, ConvoyStatus as RawStatus, LandingStatus, MergeMode,
};
use crate::contract::tool_keys;
use crate::rpc::table::{GET_CONVOY_STATUS, LIST_CONVOYS};
use crate::tools::bead_view::{MemberLine, WorkStatus, member_status};
use crate::tools::paging;
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::hint;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists the convoys (batches of beads) of a town that have not landed, newest first. Use `{convoy_status}` for one of them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListConvoys {
    /// Only those whose title has this in it.
    name: Option<String>,
    /// Convoys per page, 1 to 200 (default 50).
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of convoys. Counts are what the rigs last reported; `{convoy_status}` asks them.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConvoyList {
    town: String,
    convoys: Vec<ConvoyLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A convoy in a list, and as a change leaves it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::tools) struct ConvoyLine {
    id: String,
    title: AgentText,
    phase: Phase,
    total: i64,
    /// Closed, merged or not.
    closed: i64,
    /// Closed with a merge commit.
    merged: i64,
    failed: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_mode: Option<MergeMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_branch: Option<String>,
    /// What not to overlook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    flags: Vec<ConvoyFlag>,
    created_at: String,
}

impl From<ConvoyEntry> for ConvoyLine {
    fn from(entry: ConvoyEntry) -> Self {
        Self {
            phase: phase(&entry),
            id: entry.id.to_string(),
            title: AgentText::line(&entry.title),
            total: entry.total_beads,
            closed: entry.closed_beads,
            merged: entry.merged_beads,
            failed: entry.failed_beads,
            merge_mode: entry.merge_mode,
            feature_branch: entry.feature_branch.as_deref().map(name),
            flags: entry.flags,
            created_at: entry.created_at.to_string(),
        }
    }
}

/// Where a convoy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs on variants would turn the schema's enum into alternatives")]
pub enum Phase {
    Staged,
    Running,
    Complete,
    Landed,
    Closed,
}

/// Where a convoy stands, by its entry.
pub(in crate::tools) fn phase(entry: &ConvoyEntry) -> Phase {
    match entry.status {
        RawStatus::Landed if entry.forced_at.is_some() => Phase::Closed,
        RawStatus::Landed => Phase::Landed,
        RawStatus::Active if entry.staged => Phase::Staged,
        RawStatus::Active if entry.is_complete() => Phase::Complete,
        RawStatus::Active => Phase::Running,
    }
}

impl Tool for ListConvoys {
    const NAME: &'static str = "list_convoys";
    const TITLE: &'static str = "List convoys";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = ConvoyList;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        paging::limit(self.limit)?;
        paging::position::<ConvoyId>(self.cursor.as_deref())?;
        Ok(Plan::One(place.call_town(&LIST_CONVOYS, ())?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConvoyList, Failure> {
        let limit = paging::limit(self.limit)?;
        let after: Option<ConvoyId> = paging::position(self.cursor.as_deref())?;
        let mut entries: Vec<ConvoyEntry> = answers.one(&LIST_CONVOYS)?;
        if let Some(wanted) = self.name.as_ref().map(|wanted| wanted.to_lowercase()) {
            entries.retain(|entry| entry.title.to_lowercase().contains(&wanted));
        }
        if let Some(after) = after {
            // A convoy that landed meanwhile is gone from the list; then the page begins anew rather than losing some.
            let shown = entries.iter().position(|entry| entry.id == after).map_or(0, |index| index + 1);
            entries.drain(..shown);
        }
        let next_cursor = paging::cut(&mut entries, limit, |entry| entry.id.clone());
        let convoys = entries.into_iter().map(ConvoyLine::from).collect();
        Ok(ConvoyList { town: place.town()?.to_string(), convoys, next_cursor })
    }
}

/// Shows one convoy as its rigs know it now: every bead, who works on it, what it waits for, and how much is merged, done
/// or failed. Use it to follow a batch of work.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvoyStatus {
    /// Convoy id, or its title.
    convoy_id: String,
}

/// One convoy.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConvoyView {
    town: String,
    id: String,
    title: AgentText,
    phase: Phase,
    summary: String,
    progress: Standing,
    /// Every bead is done or merged.
    complete: bool,
    /// `verified` when it has landed or every bead has a merge commit and no landing is due, else `unverified`; `pending` while
    /// not complete.
    merge_evidence: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_mode: Option<MergeMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_branch: Option<String>,
    /// What not to overlook.
    flags: Vec<ConvoyFlag>,
    beads: Vec<MemberLine>,
    /// `[waiting bead, bead it waits for]`.
    dependencies: Vec<[String; 2]>,
    /// Bead ids in the order in which they can run: each wave waits for earlier ones only.
    waves: Vec<Vec<String>>,
    /// Landing merges, one per rig.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    landings: Vec<LandingLine>,
    /// Rigs asked.
    coverage: Coverage,
    as_of: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LandingLine {
    rig: String,
    status: LandingStatus,
    attempts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_commit: Option<String>,
    /// Nothing was merged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_empty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<AgentText>,
}

impl From<ConvoyLanding> for LandingLine {
    fn from(landing: ConvoyLanding) -> Self {
        Self {
            rig: landing.rig_id.to_string(),
            status: landing.status,
            attempts: landing.attempts,
            merge_commit: landing.merge_commit.as_deref().map(name),
            is_empty: landing.is_empty,
            failure: landing.failure.as_deref().map(AgentText::line),
        }
    }
}

/// How many beads stand where. The numbers add up to the total.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(in crate::tools) struct Standing {
    pub(in crate::tools) total: usize,
    pub(in crate::tools) merged: usize,
    /// Closed without evidence of a merge.
    pub(in crate::tools) done: usize,
    pub(in crate::tools) failed: usize,
    in_review: usize,
    in_progress: usize,
    hooked: usize,
    /// Open and waiting for another bead.
    blocked: usize,
    /// Open and ready.
    open: usize,
    /// (merged + done) / total, 0.0 to 1.0.
    ratio: f64,
}

impl Tool for ConvoyStatus {
    const NAME: &'static str = "convoy_status";
    const TITLE: &'static str = "Convoy status";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"convoy_id":"00000000-0000-4000-8000-000000000000"}"#;
    type Output = ConvoyView;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&GET_CONVOY_STATUS, (self.convoy_id.trim(),))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<ConvoyView, Failure> {
        let Some(detail) = answers.one::<Option<ConvoyDetail>>(&GET_CONVOY_STATUS)? else {
            return Err(unknown(&self.convoy_id).into());
        };
        let progress = count(&detail.beads);
        let complete = progress.total > 0 && progress.merged + progress.done == progress.total;
        let entry = detail.entry;
        let is_landed = entry.status == RawStatus::Landed && entry.forced_at.is_none();
        let merge_evidence = match (complete, progress.done) {
            (true, _) if is_landed => "verified",
            (false, _) => "pending",
            (true, 0) if !entry.needs_landing() => "verified",
            (true, _) => "unverified",
        };
        let known = detail.coverage;
        Ok(ConvoyView {
            town: place.town()?.to_string(),
            phase: phase(&entry),
            summary: summarize(&entry, &progress, merge_evidence),
            id: entry.id.to_string(),
            title: AgentText::line(&entry.title),
            complete,
            merge_evidence: merge_evidence.to_owned(),
            flags: entry.flags,
            merge_mode: entry.merge_mode,
            feature_branch: entry.feature_branch.as_deref().map(name),
            progress,
            waves: detail.waves.iter().map(|wave| wave.iter().map(ToString::to_string).collect()).collect(),
            landings: entry.landings.into_iter().map(LandingLine::from).collect(),
            beads: detail.beads.into_iter().map(MemberLine::from).collect(),
            dependencies: detail
                .dependency_edges
                .into_iter()
                .map(|edge| [edge.bead_id.to_string(), edge.depends_on_bead_id.to_string()])
                .collect(),
            as_of: known.as_ref().map_or(entry.created_at, |known| known.as_of).to_string(),
            coverage: known
                .as_ref()
                .map_or(Coverage::whole(0), |known| Coverage::of_rigs(known, "did not answer: its beads are shown as last reported")),
        })
    }
}

/// Reads an id of a convoy; `argument` is where it stands.
pub(in crate::tools) fn convoy_id(argument: &str, text: &str) -> Result<ConvoyId, Refusal> {
    ConvoyId::parse(text.trim()).map_err(|_| {
        let refusal = Refusal::argument(argument, "not a convoy id");
        refusal.hint(hint!["Call ", tool_keys::LIST_CONVOYS, " to see the convoys of the town."])
    })
}

/// The refusal of a convoy that the town does not have.
pub(in crate::tools) fn unknown(id: &str) -> Refusal {
    Refusal::new(Code::NotFound, format!("Convoy not found: {id}")).hint(hint![
        "Call ",
        tool_keys::LIST_CONVOYS,
        " to see the convoys of the town."
    ])
}

/// How many of these beads stand where.
pub(in crate::tools) fn count(beads: &[ConvoyBead]) -> Standing {
    let mut progress = Standing { total: beads.len(), ..Standing::default() };
    for bead in beads {
        let slot = match member_status(bead) {
            WorkStatus::Merged => &mut progress.merged,
            WorkStatus::Done => &mut progress.done,
            WorkStatus::Failed => &mut progress.failed,
            WorkStatus::InReview => &mut progress.in_review,
            WorkStatus::InProgress => &mut progress.in_progress,
            WorkStatus::Hooked => &mut progress.hooked,
            WorkStatus::Open if bead.blockers_open > 0 => &mut progress.blocked,
            WorkStatus::Open => &mut progress.open,
        };
        *slot += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "a convoy has far fewer than 2^52 beads")]
    if progress.total > 0 {
        progress.ratio = (progress.merged + progress.done) as f64 / progress.total as f64;
    }
    progress
}

/// Every number that is not zero, then the verdict.
pub(in crate::tools) fn summarize(entry: &ConvoyEntry, progress: &Standing, merge_evidence: &str) -> String {
    let numbers = [
        (progress.merged, "merged"),
        (progress.done, "done"),
        (progress.failed, "failed"),
        (progress.in_review, "in review"),
        (progress.in_progress, "in progress"),
        (progress.hooked, "hooked"),
        (progress.blocked, "blocked"),
        (progress.open, "open"),
    ];
    let mut parts: Vec<String> =
        numbers.into_iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    let landing_failed = entry.flags.iter().any(|flag| matches!(flag, ConvoyFlag::LandingFailed | ConvoyFlag::EmptyLanding));
    let verdict = match phase(entry) {
        Phase::Landed => "landed",
        Phase::Closed => "closed by hand, not landed",
        Phase::Staged => "staged: nothing is given out until it is started",
        Phase::Complete if landing_failed => "complete, landing failed",
        Phase::Complete if entry.needs_landing() => "complete, not landed",
        Phase::Complete if merge_evidence == "unverified" => "closed, merge unverified",
        Phase::Complete => "complete, not landed",
        Phase::Running if progress.total == 0 => "no beads yet",
        Phase::Running => "not complete",
    };
    parts.push(verdict.to_owned());
    let note = if progress.failed > 0 { " Failed beads are not done, and what waits for them is blocked." } else { "" };
    format!("{}.{note}", parts.join(", "))
}
