//! Tools by which an agent reports on its work: that it is done, how it goes, what it wants to find again.

use super::{DONE, PRIME_TOOL, Reported};
use crate::contract::shapes::AgentDoneInput;
use crate::rpc::table::{AGENT_DONE, UPDATE_AGENT_STATUS_MESSAGE, WRITE_CHECKPOINT};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Failure, Refusal};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Reports that your work is finished and pushed; it goes into review and your hook is released. Use it once every quality gate
/// succeeds.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Done {
    /// The branch that you pushed.
    branch: String,
    /// Its pull request, if you opened one.
    pr_url: Option<String>,
    /// What you did, for whoever reviews it.
    summary: Option<String>,
    /// The commit that your work began at.
    base_commit: Option<String>,
}

impl Tool for Done {
    const NAME: &'static str = DONE;
    const TITLE: &'static str = "Report work done";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"branch":"polecat/toast/1a2b3c","summary":"Added GET /health with a test."}"#;
    type Output = Reported;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let input = AgentDoneInput {
            branch: self.branch.clone(),
            pr_url: self.pr_url.clone(),
            summary: self.summary.clone(),
            base_commit: self.base_commit.clone(),
        };
        Ok(Plan::One(place.call_rig(&AGENT_DONE, (place.agent()?, input))?))
    }

    fn render(self, _: Answers, _: &Place) -> Result<Reported, Failure> {
        Ok(Reported::new(format!("Reported. Your part is over: end your turn. If there is more for you, {PRIME_TOOL} shows it.")))
    }
}

/// Shows people one line about what you are doing. Use it when you begin something else, not at every step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// One line of 1 to 280 characters.
    message: String,
}

impl Tool for Status {
    const NAME: &'static str = "gt_status";
    const TITLE: &'static str = "Show a status line";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"message":"Writing tests for the health check."}"#;
    type Output = Reported;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let line = self.message.trim();
        if line.contains(['\n', '\r']) {
            let refusal = Refusal::argument("message", "one line");
            return Err(refusal.hint(format!("Say in one line what you are doing; {} keeps more.", Checkpoint::NAME)).into());
        }
        Ok(Plan::One(place.call_rig(&UPDATE_AGENT_STATUS_MESSAGE, (place.agent()?, line))?))
    }

    fn render(self, _: Answers, _: &Place) -> Result<Reported, Failure> {
        Ok(Reported::new("Shown."))
    }
}

/// Keeps notes for whoever goes on with your work, you after a crash included; `gt_prime` shows them. Each call replaces the
/// notes before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// Any JSON object, of at most 64 KB.
    data: Map<String, Value>,
}

impl Tool for Checkpoint {
    const NAME: &'static str = "gt_checkpoint";
    const TITLE: &'static str = "Keep a checkpoint";
    const HINTS: Hints = Hints::SET;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"data":{"done":["route"],"next":"test"}}"#;
    type Output = Reported;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_rig(&WRITE_CHECKPOINT, (place.agent()?, &self.data))?))
    }

    fn render(self, _: Answers, _: &Place) -> Result<Reported, Failure> {
        Ok(Reported::new("Kept until your hook is released."))
    }
}
