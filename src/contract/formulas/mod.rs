//! Formulas: the steps in which a piece of work is done, built in or the town's own, with variables.
//!
//! Owns what a formula is, and how it and its variables become steps. `built_in` has those of Gastown, `check` the rules for
//! the town's own. Who follows a formula, and how far, is a rig's business.

pub mod built_in;
pub mod check;
#[cfg(test)]
mod tests;

use self::built_in::of_quality;
use super::limits::formula::{FORMULA_BYTES_MAX, NAME_CHARS_MAX, VALUE_BYTES_MAX};
use crate::contract::shapes::{Formula, FormulaStep, Quality};
use base::error::{Code, Failure, Fault, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A formula as the town's configuration has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Its variables, each with its default; null: it must be given.
    #[serde(default)]
    pub vars: BTreeMap<String, Option<String>>,
    /// Its steps; `{{name}}` in their texts is replaced by the variable.
    pub steps: Vec<FormulaStep>,
}

/// Reads a quality.
///
/// # Errors
/// `InvalidArgument` with the list of qualities.
pub fn quality(text: &str) -> Result<Quality, Refusal> {
    Quality::parse(text).ok_or_else(|| {
        let known: Vec<String> = Quality::ALL.iter().map(|known| format!("{} ({})", known.as_str(), known.purpose())).collect();
        Refusal::new(Code::InvalidArgument, format!("quality must be one of {}", known.join(", ")))
            .hint("Leave it out for work without a formula.")
    })
}

/// A formula by name, built in or the town's own, of which this is the JSON text, with its variables filled in.
///
/// # Errors
/// `NotFound` with the names there are; `InvalidArgument` for variables that are missing, unknown or too long.
pub fn resolve(own: &str, name: &str, vars: &Map<String, Value>) -> Result<Formula, Failure> {
    if let Some(quality) = Quality::parse(name) {
        let none = Definition { description: None, vars: BTreeMap::new(), steps: of_quality(quality).steps };
        return Ok(fill(name, &none, vars)?);
    }
    let known: BTreeMap<String, Definition> = serde_json::from_str(own).map_err(|error| Fault::new("read the town's formulas", error))?;
    if let Some(definition) = known.get(name) {
        return Ok(fill(name, definition, vars)?);
    }
    let names = Quality::ALL.iter().map(|quality| quality.as_str()).chain(known.keys().map(String::as_str)).collect::<Vec<_>>();
    let refusal = Refusal::new(Code::NotFound, "formula: neither this town nor Gastown has one of that name");
    Err(refusal.hint(format!("Formulas: {}. A town defines more in its configuration, under formulas.", names.join(", "))).into())
}

/// Puts the values of the variables into the steps.
///
/// # Errors
/// `InvalidArgument` that names the variable and those there are.
pub fn fill(name: &str, definition: &Definition, given: &Map<String, Value>) -> Result<Formula, Refusal> {
    let known: Vec<&str> = definition.vars.keys().map(String::as_str).collect();
    let bad = |message: String| {
        let takes = if known.is_empty() { "It takes no variables.".to_owned() } else { format!("Its variables: {}.", known.join(", ")) };
        Refusal::new(Code::InvalidArgument, message).hint(takes)
    };
    if let Some(unknown) = given.keys().find(|key| !definition.vars.contains_key(*key)) {
        let shown: String = unknown.chars().take(NAME_CHARS_MAX).collect();
        return Err(bad(format!("vars: formula {name} has no variable {shown}")));
    }
    let mut values: BTreeMap<&str, String> = BTreeMap::new();
    for (key, default) in &definition.vars {
        let value = match given.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(number @ (Value::Number(_) | Value::Bool(_))) => Some(number.to_string()),
            None | Some(Value::Null) => default.clone(),
            Some(_) => return Err(bad(format!("vars: {key} must be a text, a number or true or false"))),
        };
        let Some(value) = value else { return Err(bad(format!("vars: formula {name} needs {key}"))) };
        if value.len() > VALUE_BYTES_MAX {
            return Err(bad(format!("vars: {key} must have at most {VALUE_BYTES_MAX} bytes")));
        }
        values.insert(key, value);
    }
    let mut bytes = 0;
    let mut steps = Vec::with_capacity(definition.steps.len());
    for step in &definition.steps {
        let (title, instructions) = (replace(&step.title, &values), replace(&step.instructions, &values));
        bytes += title.len() + instructions.len();
        if bytes > FORMULA_BYTES_MAX {
            return Err(bad(format!("vars: formula {name} would have more than {FORMULA_BYTES_MAX} bytes")));
        }
        steps.push(FormulaStep { title, instructions, gate: step.gate });
    }
    Ok(Formula { name: Some(name.to_owned()), steps })
}

/// Replaces each `{{name}}` that is a variable, once: a value is never looked at for further names.
fn replace(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let value = after.split_once("}}").and_then(|(name, tail)| values.get(name.trim()).map(|value| (value, tail)));
        if let Some((value, tail)) = value {
            filled.push_str(value);
            rest = tail;
        } else {
            filled.push_str("{{");
            rest = after;
        }
    }
    filled.push_str(rest);
    filled
}
