//! The formulas that every town has: one for each quality.
//!
//! Owns their steps.

use crate::contract::shapes::{Formula, FormulaStep, Quality};

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
