//! Tools by which an agent follows the formula of its work, step by step.

use super::{DONE, MOL_ADVANCE};
use crate::contract::shapes::{CurrentStep, Molecule, MoleculeStatus};
use crate::rpc::table::{ADVANCE_MOLECULE, GET_MOLECULE_STEP};
use crate::tools::text::AgentText;
use crate::tools::tool::{Answers, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The step that is next.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// From one.
    number: usize,
    of: usize,
    title: AgentText,
    instructions: AgentText,
    /// Work is not submitted before you have advanced with what you found.
    gate: bool,
}

impl Step {
    /// The step that a molecule is at.
    #[must_use]
    pub fn of(molecule: &Molecule) -> Option<Self> {
        let step = molecule.formula.steps.get(molecule.current_step)?;
        Some(Self {
            number: molecule.current_step + 1,
            of: molecule.formula.steps.len(),
            title: AgentText::line(&step.title),
            instructions: AgentText::whole(&step.instructions),
            gate: step.gate,
        })
    }
}

/// How far the formula is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Progress {
    summary: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
}

/// Shows the step of its formula that your work is at, with its instructions. Use it before you begin a step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MolCurrent {}

impl Tool for MolCurrent {
    const NAME: &'static str = "gt_mol_current";
    const TITLE: &'static str = "Show the current step";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    type Output = Progress;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_rig(&GET_MOLECULE_STEP, (place.agent()?,))?))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<Progress, Failure> {
        let current: Option<CurrentStep> = answers.one(&GET_MOLECULE_STEP)?;
        Ok(progress(current.map(|current| current.molecule).as_ref()))
    }
}

/// Reports that the current step is through and shows the next one. Use it after each step; a gate needs a summary of what you found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MolAdvance {
    /// What the step came to, of at most 5000 characters.
    summary: String,
}

impl Tool for MolAdvance {
    const NAME: &'static str = MOL_ADVANCE;
    const TITLE: &'static str = "Finish the current step";
    const HINTS: Hints = Hints::ADD;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"summary":"All 214 tests pass."}"#;
    type Output = Progress;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_rig(&ADVANCE_MOLECULE, (place.agent()?, &self.summary))?))
    }

    fn render(self, answers: Answers, _: &Place) -> Result<Progress, Failure> {
        Ok(progress(answers.one::<Option<Molecule>>(&ADVANCE_MOLECULE)?.as_ref()))
    }
}

fn progress(molecule: Option<&Molecule>) -> Progress {
    let step = molecule.and_then(Step::of);
    let summary = match (molecule, &step) {
        (None, _) => format!("Your work follows no formula: do it and call {DONE}."),
        (Some(_), Some(step)) => format!("Step {} of {} is next.", step.number, step.of),
        (Some(molecule), None) if molecule.status == MoleculeStatus::Completed => format!("All steps are through: call {DONE}."),
        (Some(_), None) => "There is no further step.".to_owned(),
    };
    Progress { summary, step }
}
