//! The tool that gives out a batch of tasks as a convoy.

use crate::contract::shapes::{BlockedUntil, ConvoyTask, MergeMode, Priority, Quality, SlingConvoyInput, SlingConvoyResult};
use crate::rpc::table::SLING_CONVOY;
use crate::tools::text::{AgentText, name};
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Gives a batch of related tasks to a rig, or several, as one convoy; a task starts when those it depends on are done. Staged convoys
/// (the town's default) wait to be started. Use it for anything that takes more than one task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlingBatch {
    /// Rig id or name.
    rig: String,
    /// What the batch is for.
    convoy_title: String,
    /// 1 to 50 tasks.
    #[schemars(length(min = 1, max = 50))]
    tasks: Vec<Task>,
    /// review-then-land: one landing merge at the end (the town's default). review-and-merge: each task merges by itself.
    merge_mode: Option<MergeMode>,
    /// true: plan only, start later. Default: as the town is configured (true unless changed).
    staged: Option<bool>,
    /// Set it when two or more tasks really have no order.
    parallel: Option<bool>,
    /// Free data kept with every bead.
    metadata: Option<Map<String, Value>>,
}

/// One task of a batch.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Task {
    /// What to do, in the imperative.
    title: String,
    /// Everything the polecat must know.
    body: Option<String>,
    /// Zero-based indices of the tasks that must be done first.
    depends_on: Option<Vec<i64>>,
    /// merged: waits until those are merged, not just closed.
    until: Option<BlockedUntil>,
    /// Id or name of another rig for this task.
    rig: Option<String>,
    /// Default medium.
    priority: Option<Priority>,
    labels: Option<Vec<String>>,
    /// How rigorously: basic, shiny or chrome.
    quality: Option<Quality>,
    /// Instructions besides the body.
    args: Option<String>,
    /// Formula by name.
    formula: Option<String>,
    /// Its variables.
    vars: Option<Map<String, Value>>,
}

impl Task {
    fn to_input(&self) -> ConvoyTask {
        ConvoyTask {
            title: self.title.clone(),
            body: self.body.clone(),
            depends_on: self.depends_on.clone(),
            until: self.until,
            rig_id: self.rig.clone(),
            priority: self.priority,
            labels: self.labels.clone(),
            quality: self.quality,
            args: self.args.clone(),
            formula: self.formula.clone(),
            vars: self.vars.clone(),
        }
    }
}

/// What was slung.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SlungBatch {
    town: String,
    rig: String,
    convoy_id: String,
    title: AgentText,
    staged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    merge_mode: Option<MergeMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature_branch: Option<String>,
    summary: String,
    /// In the order of the tasks.
    beads: Vec<SlungTask>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct SlungTask {
    id: String,
    title: AgentText,
    /// Tasks that must be done first.
    waits_for: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rig: Option<String>,
}

impl Tool for SlingBatch {
    const NAME: &'static str = "sling_batch";
    const TITLE: &'static str = "Sling a convoy";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","convoy_title":"Payments API","tasks":[{"title":"Write the API spec"},{"title":"Implement it","depends_on":[0]}],"staged":true}"#;
    type Output = SlungBatch;

    fn rig(&self) -> Option<&str> {
        Some(&self.rig)
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let ordered = self.tasks.iter().any(|task| task.depends_on.as_ref().is_some_and(|on| !on.is_empty()));
        if self.tasks.len() > 1 && !ordered && self.parallel != Some(true) {
            let refusal = Refusal::new(
                Code::InvalidArgument,
                format!("{} tasks without any depends_on: add depends_on, or set parallel: true", self.tasks.len()),
            );
            return Err(refusal.hint("Say which task needs which; only truly independent tasks are parallel.").into());
        }
        let input = SlingConvoyInput {
            rig_id: place.rig()?.clone(),
            convoy_title: self.convoy_title.clone(),
            tasks: self.tasks.iter().map(Task::to_input).collect(),
            merge_mode: self.merge_mode,
            staged: self.staged,
            metadata: self.metadata.clone(),
        };
        Ok(Plan::One(place.call_town(&SLING_CONVOY, (input,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<SlungBatch, Failure> {
        let slung: SlingConvoyResult = answers.one(&SLING_CONVOY)?;
        let convoy = slung.convoy;
        let ready = slung.beads.iter().filter(|entry| entry.bead.blockers_open == 0).count();
        let summary = if convoy.staged {
            format!("Staged with {} beads; nothing is given out until the convoy is started.", slung.beads.len())
        } else {
            format!("Running with {} beads: {ready} ready now, the others when what they wait for is done.", slung.beads.len())
        };
        Ok(SlungBatch {
            town: place.town()?.to_string(),
            rig: place.rig()?.to_string(),
            convoy_id: convoy.id.to_string(),
            title: AgentText::line(&convoy.title),
            staged: convoy.staged,
            merge_mode: convoy.merge_mode,
            feature_branch: convoy.feature_branch.as_deref().map(name),
            summary,
            beads: slung
                .beads
                .into_iter()
                .map(|entry| SlungTask {
                    id: entry.bead.bead_id.to_string(),
                    title: AgentText::line(&entry.bead.title),
                    waits_for: entry.bead.blockers_open,
                    rig: entry.bead.rig_id.as_ref().map(ToString::to_string),
                })
                .collect(),
        })
    }
}
