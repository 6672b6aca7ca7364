//! The contract's shapes of formulas and molecules (Gastown contract 2.5, 3.11): the steps of a piece of work.
//!
//! Owns names and types of fields.

use super::{MoleculeStatus, Quality};
use crate::contract::columns::json_column;
use crate::contract::ids::BeadId;
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Contract 2.5 `createMolecule`: the steps themselves, or (embedded) the name of a formula and its variables.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct FormulaInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<FormulaStep>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
}

/// Embedded `applyFormula`, input: a formula by name, or the one that a quality stands for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ApplyFormulaInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
}

/// Contract 4.2: a step of a formula. Embedded: work with a `gate` is not submitted before that step is through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormulaStep {
    pub title: String,
    pub instructions: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gate: bool,
}

/// Contract 3.11: what a molecule follows. Embedded: its name, where it has one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Formula {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub steps: Vec<FormulaStep>,
}

/// Contract 3.11. `current_step` is zero-based, and the number of steps once all are through. Embedded: `summaries`, what
/// was said of each step that is through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Molecule {
    pub id: BeadId,
    pub bead_id: BeadId,
    #[serde(deserialize_with = "json_column")]
    pub formula: Formula,
    pub current_step: usize,
    pub status: MoleculeStatus,
    #[serde(default, deserialize_with = "json_column")]
    pub summaries: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Contract 2.5 `getMoleculeCurrentStep`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentStep {
    pub molecule: Molecule,
    pub step: FormulaStep,
}

impl Quality {
    /// What it is for, in words.
    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::Basic => "trivial fixes",
            Self::Shiny => "standard workflow",
            Self::Chrome => "maximum rigor",
        }
    }
}
