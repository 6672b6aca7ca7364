//! Formulas: the steps in which a piece of work is done, built in or the town's own, with variables.
//!
//! Owns the built-in formulas, the rules for the town's, and how a formula and its variables become steps. `molecules` knows which bead follows a
//! formula, and how far it is.

use crate::contract::shapes::{Formula, FormulaStep, Quality};
use crate::objects::handler::Cx;
use crate::objects::store::sql::query_one;
use base::error::{Code, Failure, Fault, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Most formulas that a town may define.
pub const FORMULAS_MAX: usize = 20;
/// Most steps of a formula.
pub const STEPS_MAX: usize = 20;
/// Longest text of a step, title or instructions, in characters.
pub const STEP_CHARS_MAX: usize = 2_000;
/// Longest name of a formula or variable, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Longest value of a variable, in bytes.
pub const VALUE_BYTES_MAX: usize = 1_000;
/// Longest formula once its variables are filled in, in bytes.
pub const FORMULA_BYTES_MAX: usize = 64 * 1024;

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

/// A built-in step: title, instructions, and whether it is a gate.
type Step = (&'static str, &'static str, bool);

const IMPLEMENT: Step = (
    "implement",
    "Make the change on your branch and nothing beyond it. Keep to the style of the code around it. Commit in small steps.",
    false,
);
const SUBMIT: Step =
    ("submit", "Push your branch and report that you are done, with a summary of what changed and how you checked it.", false);
const TEST: Step = (
    "test",
    "Write tests that fail without your change. Run the whole test suite, not only the new tests. Say which you ran and what came out.",
    true,
);
const DESIGN: Step = (
    "design",
    "Read the code that is concerned. Write down what will change, where, what could break and how you will test it, before you edit anything.",
    false,
);
const SELF_REVIEW: Step = (
    "self-review",
    "Read your whole diff as a stranger would. Look for missed cases, leftovers and names that mislead. Fix what you find; say what it was.",
    true,
);

/// The formula behind each quality, under the quality's name.
const BUILT_IN: [(Quality, &[Step]); 3] = [
    (Quality::Basic, &[IMPLEMENT, SUBMIT]),
    (Quality::Shiny, &[DESIGN, IMPLEMENT, SELF_REVIEW, TEST, SUBMIT]),
    (
        Quality::Chrome,
        &[
            DESIGN,
            (
                "design review",
                "Attack your own design: which requirement does it miss, which simpler way is there, what happens on failure, under load, on upgrade? Change it until nothing is left, and say what changed.",
                true,
            ),
            IMPLEMENT,
            TEST,
            (
                "review: correctness",
                "Read the whole diff for errors: edges, concurrency, failures half-way, data that exists already. Fix what you find and run the tests again. Say what it was.",
                true,
            ),
            (
                "review: clarity",
                "Read the whole diff for its readers: names, structure, comments, documents, messages to users. Delete what is not needed. Say what it was.",
                true,
            ),
            (
                "security check",
                "Look at each input, permission, secret, query, path and dependency that the diff touches. Say what could be abused and how it is prevented.",
                true,
            ),
            (
                "final check",
                "Bring your branch up to date with its target. Run build, linters and the whole test suite on the result. Say what came out.",
                true,
            ),
            SUBMIT,
        ],
    ),
];

/// The formula that a quality stands for.
#[must_use]
pub fn of_quality(quality: Quality) -> Formula {
    let steps = BUILT_IN.iter().find(|(known, _)| *known == quality).map(|(_, steps)| *steps).unwrap_or_default();
    let step = |(title, instructions, gate): &Step| FormulaStep {
        title: (*title).to_owned(),
        instructions: (*instructions).to_owned(),
        gate: *gate,
    };
    Formula { name: Some(quality.as_str().to_owned()), steps: steps.iter().map(step).collect() }
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

/// A formula by name, built in or the town's, with its variables filled in.
///
/// # Errors
/// `NotFound` with the names there are; `InvalidArgument` for variables that are missing, unknown or too long.
pub(in crate::objects::rig) fn named(cx: &Cx<'_>, name: &str, vars: &Map<String, Value>) -> Result<Formula, Failure> {
    let stored: Option<(String,)> = query_one(cx.sql, "-- formulas_of_town\nSELECT formulas FROM rig", ())?;
    resolve(stored.as_ref().map_or("{}", |(text,)| text), name, vars)
}

/// The same, given the JSON text of the town's own formulas.
///
/// # Errors
/// As `named`.
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
fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn hanoi() -> Definition {
        serde_json::from_value(json!({
            "vars": {"disks": null, "peg": "C"},
            "steps": [{"title": "move {{disks}} disks", "instructions": "to {{ peg }}, {{nothing}} {{"}]
        }))
        .unwrap()
    }

    // S3-14.
    #[test]
    fn variables_are_filled_in_once_and_only_those_there_are() {
        let vars = |value: Value| value.as_object().unwrap().clone();
        let filled = fill("hanoi", &hanoi(), &vars(json!({"disks": 5}))).unwrap();
        assert_eq!((filled.steps[0].title.as_str(), filled.steps[0].instructions.as_str()), ("move 5 disks", "to C, {{nothing}} {{"));
        let nested = fill("hanoi", &hanoi(), &vars(json!({"disks": "{{peg}}", "peg": "B"}))).unwrap();
        assert_eq!(nested.steps[0].title, "move {{peg}} disks");
        for (given, says) in [
            (json!({}), "formula hanoi needs disks"),
            (json!({"disks": 1, "color": "red"}), "formula hanoi has no variable color"),
            (json!({"disks": [1]}), "disks must be a text"),
            (json!({"disks": "x".repeat(VALUE_BYTES_MAX + 1)}), "disks must have at most 1000 bytes"),
        ] {
            let refusal = fill("hanoi", &hanoi(), &vars(given)).unwrap_err();
            assert!(refusal.message.contains(says), "{}", refusal.message);
            assert_eq!(refusal.hint.as_deref(), Some("Its variables: disks, peg."));
        }
    }

    // S3-17, S3-48.
    #[test]
    fn the_qualities_are_three_and_grow_in_rigor() {
        let gates = |quality| of_quality(quality).steps.iter().filter(|step| step.gate).count();
        assert_eq!(Quality::ALL.iter().map(|quality| gates(*quality)).collect::<Vec<_>>(), [0, 2, 6]);
        for known in Quality::ALL {
            let formula = of_quality(*known);
            check_steps(&formula.steps).unwrap();
            assert_eq!(formula.steps.last().unwrap().title, "submit");
            assert_eq!(quality(known.as_str()), Ok(*known));
        }
        for wrong in ["", "Chrome", "platinum"] {
            let message = quality(wrong).unwrap_err().message;
            assert_eq!(message, "quality must be one of basic (trivial fixes), shiny (standard workflow), chrome (maximum rigor)");
        }
    }

    #[test]
    fn a_towns_formulas_are_checked_before_they_are_kept() {
        let step = json!({"title": "t", "instructions": "i"});
        check(&json!({"hanoi": {"vars": {"disks": null}, "steps": [{"title": "{{disks}}", "instructions": "i", "gate": true}]}})).unwrap();
        let many: Map<String, Value> = (0..=FORMULAS_MAX).map(|number| (format!("f{number}"), json!({"steps": [step]}))).collect();
        for (wrong, says) in [
            (json!([]), "an object of at most 20"),
            (Value::Object(many), "an object of at most 20"),
            (json!({"chrome": {"steps": [step]}}), "none of the built-in ones"),
            (json!({"a b": {"steps": [step]}}), "letters, digits"),
            (json!({"x": {}}), "x: missing field `steps`"),
            (json!({"x": {"steps": []}}), "1 to 20 steps"),
            (json!({"x": {"steps": vec![step.clone(); STEPS_MAX + 1]}}), "1 to 20 steps"),
            (json!({"x": {"steps": [{"title": "t", "instructions": "i".repeat(STEP_CHARS_MAX + 1)}]}}), "1 to 2000 characters"),
            (json!({"x": {"steps": [step], "surprise": 1}}), "unknown field `surprise`"),
            (json!({"x": {"steps": [{"title": "{{y}}", "instructions": "i"}]}}), "{{y}} is not among its vars"),
            (json!({"x": {"vars": {"a b": null}, "steps": [step]}}), "a name like disks_1"),
            (json!({"x": {"description": "d".repeat(STEP_CHARS_MAX + 1), "steps": [step]}}), "description"),
        ] {
            let refusal = check(&wrong).unwrap_err();
            assert!(refusal.message.contains(says), "{}", refusal.message);
        }
    }

    proptest! {
        #[test]
        fn filling_in_keeps_what_is_no_variable(text in "[a{}$ é]{0,60}", value in "[a{}]{0,10}") {
            let values = BTreeMap::from([("a", value.clone())]);
            let filled = replace(&text, &values);
            prop_assert_eq!(&replace(&text, &BTreeMap::new()), &text);
            if mentioned(&text).all(|name| name != "a") { prop_assert_eq!(filled, text); }
        }
    }
}
