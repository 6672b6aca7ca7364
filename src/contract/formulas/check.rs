//! The rules for formulas that a town, or whoever works, has written.
//!
//! Owns the refusals, which name the formula and the limit.

use super::Definition;
use crate::contract::limits::formula::{FORMULAS_MAX, NAME_CHARS_MAX, STEP_CHARS_MAX, STEPS_MAX, VALUE_BYTES_MAX};
use crate::contract::shapes::{FormulaStep, Quality};
use base::error::{Code, Refusal};
use serde_json::Value;

/// Checks the steps of a town's formula.
///
/// # Errors
/// `InvalidArgument` that names the limit.
pub fn check_steps(steps: &[FormulaStep]) -> Result<(), Refusal> {
    let fits = |text: &str| !text.trim().is_empty() && text.chars().count() <= STEP_CHARS_MAX;
    if steps.is_empty() || steps.len() > STEPS_MAX || !steps.iter().all(|step| fits(&step.title) && fits(&step.instructions)) {
        let message =
            format!("a formula has 1 to {STEPS_MAX} steps, each with a title and instructions of 1 to {STEP_CHARS_MAX} characters");
        return Err(Refusal::new(Code::InvalidArgument, message));
    }
    Ok(())
}

/// Checks a town's own formulas, as its configuration has them.
///
/// # Errors
/// `InvalidArgument` that names the formula and its fault.
pub fn check(formulas: &Value) -> Result<(), Refusal> {
    let bad = |message: String| {
        let form = "formulas: {\"<name>\": {\"description\"?, \"vars\"?: {\"<name>\": default or null}, \"steps\": [{\"title\", \"instructions\", \"gate\"?}]}}";
        Refusal::new(Code::InvalidArgument, message).hint(form)
    };
    let Some(formulas) = formulas.as_object().filter(|formulas| formulas.len() <= FORMULAS_MAX) else {
        return Err(bad(format!("formulas must be an object of at most {FORMULAS_MAX} formulas")));
    };
    for (name, definition) in formulas {
        if !is_name(name) || Quality::parse(name).is_some() {
            return Err(bad(format!(
                "formulas: a name has 1 to {NAME_CHARS_MAX} letters, digits, - and _, and is none of the built-in ones (basic, shiny, chrome)"
            )));
        }
        let read: Definition = serde_json::from_str(&definition.to_string()).map_err(|error| {
            let full = error.to_string();
            let what = full.split(" at line ").next().unwrap_or_default();
            bad(format!("formulas: {name}: {what}"))
        })?;
        check_steps(&read.steps).map_err(|refusal| bad(format!("formulas: {name}: {}", refusal.message)))?;
        if read.description.as_ref().is_some_and(|text| text.chars().count() > STEP_CHARS_MAX) {
            return Err(bad(format!("formulas: {name}: description must have at most {STEP_CHARS_MAX} characters")));
        }
        if !read.vars.iter().all(|(var, default)| is_name(var) && default.as_ref().is_none_or(|text| text.len() <= VALUE_BYTES_MAX)) {
            return Err(bad(format!(
                "formulas: {name}: a variable has a name like disks_1 and a default of at most {VALUE_BYTES_MAX} bytes, or null"
            )));
        }
        let texts = read.steps.iter().flat_map(|step| [&step.title, &step.instructions]);
        if let Some(unknown) = texts.flat_map(|text| mentioned(text)).find(|mentioned| !read.vars.contains_key(*mentioned)) {
            let shown: String = unknown.chars().take(NAME_CHARS_MAX).collect();
            return Err(bad(format!("formulas: {name}: {{{{{shown}}}}} is not among its vars")));
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_CHARS_MAX
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// The names in double braces.
pub(super) fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
}
