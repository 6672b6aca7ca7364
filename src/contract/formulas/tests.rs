//! What formulas become, and which of them are refused.

use super::built_in::of_quality;
use super::check::{check, check_steps, mentioned};
use super::{Definition, fill, quality, replace};
use crate::contract::limits::formula::{FORMULAS_MAX, STEP_CHARS_MAX, STEPS_MAX, VALUE_BYTES_MAX};
use crate::contract::shapes::Quality;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

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
