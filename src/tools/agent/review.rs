//! Tools by which a refinery judges the merge request on its hook.

use super::{PRIME_TOOL, Reported};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{RequestChangesInput, RequestedChanges, ReviewReport, ReviewResult};
use crate::rpc::table::{COMPLETE_REVIEW, REQUEST_CHANGES};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sends the merge request on your hook back for rework; it comes to you again once that is done. Use it when the work must
/// change before it can be merged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestChanges {
    /// What is to be changed, so that somebody who cannot ask back can do it.
    feedback: String,
    /// Files that it is about.
    files: Option<Vec<String>>,
}

/// What to do about a merge request that is none.
const OWN: &str = "Leave it out: the one on your hook is meant then.";

/// Rework was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Returned {
    summary: String,
    rework_bead_id: String,
}

impl Tool for RequestChanges {
    const NAME: &'static str = "gt_request_changes";
    const TITLE: &'static str = "Request changes";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"feedback":"The new route has no test.","files":["src/health.rs"]}"#;
    type Output = Returned;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let input = RequestChangesInput { feedback: self.feedback.clone(), files: self.files.clone() };
        Ok(Plan::One(place.call_rig(&REQUEST_CHANGES, (place.agent()?, input))?))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<Returned, Failure> {
        let RequestedChanges { rework_bead_id } = answers.one(&REQUEST_CHANGES)?;
        let summary = "The review waits for the rework; your hook is released.".to_owned();
        Ok(Returned { summary, rework_bead_id: rework_bead_id.to_string() })
    }
}

/// Reports how a review ended; the work closes or goes back to the queue. Use it once you have pushed the merge, or know that there
/// will be none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewComplete {
    /// Bead id of the merge request; the one on your hook when left out.
    entry_id: Option<String>,
    /// How it ended.
    status: ReviewResult,
    /// Why, unless it was merged.
    message: Option<String>,
    /// The merge commit. Without it nobody can show that it was merged.
    commit_sha: Option<String>,
    /// Where the target was before the merge.
    base_commit: Option<String>,
}

impl Tool for ReviewComplete {
    const NAME: &'static str = "gt_review_complete";
    const TITLE: &'static str = "Complete a review";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"status":"merged","commit_sha":"9fceb02d0ae598e95dc970b74767f19372d61af8"}"#;
    type Output = Reported;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let unknown = |_| Refusal::of_argument(Code::NotFound, "entry_id", "your rig has no such merge request");
        let report = ReviewReport {
            entry_id: self.entry_id.as_deref().map(BeadId::parse).transpose().map_err(|error| unknown(error).hint(OWN))?,
            status: self.status,
            message: self.message.clone(),
            commit_sha: self.commit_sha.clone(),
            base_commit: self.base_commit.clone(),
        };
        Ok(Plan::One(place.call_rig(&COMPLETE_REVIEW, (report,))?))
    }

    fn render(self, _: Answers, _: &Place) -> Result<Reported, Failure> {
        let summary = match (self.status, &self.commit_sha) {
            (ReviewResult::Merged, Some(_)) => "Reported as merged, with evidence.",
            (ReviewResult::Merged, None) => "Reported as merged, but unverified: no commit was named.",
            (ReviewResult::Failed | ReviewResult::Conflict, _) => "Reported; the work goes back to the queue with what you said.",
        };
        Ok(Reported::new(format!("{summary} {PRIME_TOOL} shows whether there is more for you.")))
    }
}
