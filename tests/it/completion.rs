//! Completion: which names and ids are offered for what has been typed.

use crate::support::offer::{At, rig, town};
use crate::support::{Fleet, tokens};
use gastown_mcp::prompts::completion::VALUES_MAX;
use mcp::types::CallError;
use mcp::types::Reference::{Prompt, Resource};
use serde_json::{Value, json};

const NOTHING: (Vec<String>, usize) = (Vec::new(), 0);

fn values(of: Result<(Vec<String>, usize), CallError>) -> Vec<String> {
    let (values, total) = of.unwrap();
    assert_eq!(values.len(), total);
    values
}

#[test]
fn towns_are_completed_by_name_those_that_begin_so_first() {
    let fleet = Fleet::new();
    let same = [town(&fleet, "twin"), town(&fleet, "twin")];
    for name in ["Backend", "frontend", "back-office", "mobile"] {
        town(&fleet, name);
    }
    let at = At::fleet(&fleet);
    let complete = |typed: &str| values(at.complete(Prompt("mayor"), "town", typed, &Value::Null));
    assert_eq!(complete("BACK"), ["back-office", "Backend"]);
    assert_eq!(complete("end"), ["Backend", "frontend"]);
    assert_eq!(complete("").len(), 6);
    assert_eq!(complete("nothing"), Vec::<String>::new());
    // A name of two towns means neither.
    let mut ids: Vec<String> = same.iter().map(|town| town.id.to_string()).collect();
    ids.sort();
    assert_eq!(complete("twi"), ids);
    assert!(complete(same[0].id.prefix()).contains(&same[0].id.to_string()));
    let stranger = At { token: tokens::user(&fleet, "stranger").jwt, ..at.clone() };
    assert_eq!(stranger.complete(Prompt("mayor"), "town", "", &Value::Null).unwrap(), NOTHING);
}

#[test]
fn things_of_a_town_are_completed_once_the_town_is_known() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let web = rig(&town, "web");
    rig(&town, "api");
    let slung = town.sling(&web, "Fix the login");
    let convoy = town.convoy(&web, Some(true), &[&[]]).convoy.id.to_string();
    let agent = slung.agent.unwrap();
    let at = At::fleet(&fleet);
    let known = json!({"town": "backend"});
    let rigs = "gastown://towns/{town}/rigs/{rig}";
    assert_eq!(values(at.complete(Resource(rigs), "rig", "", &known)), ["api", "web"]);
    assert_eq!(values(at.complete(Resource(rigs), "rig", "W", &known)), ["web"]);
    assert_eq!(values(at.complete(Resource(rigs), "town", "b", &Value::Null)), ["backend"]);
    let agents = "gastown://towns/{town}/agents/{agent}";
    assert_eq!(values(at.complete(Resource(agents), "agent", &agent.name[..2].to_uppercase(), &known)), std::slice::from_ref(&agent.name));
    assert_eq!(values(at.complete(Resource(agents), "agent", agent.id.prefix(), &known)), [agent.id.to_string()]);
    let beads = "gastown://towns/{town}/beads/{bead}";
    assert_eq!(values(at.complete(Resource(beads), "bead", "login", &known)), [slung.bead.bead_id.to_string()]);
    assert_eq!(values(at.complete(Prompt("unstick_convoy"), "convoy", "pay", &known)), std::slice::from_ref(&convoy));

    // Without a town, or with one that is none, there is nothing to offer.
    for context in [Value::Null, json!({"town": "nowhere"}), json!({"town": 5})] {
        assert_eq!(at.complete(Prompt("unstick_convoy"), "convoy", "", &context).unwrap(), NOTHING, "{context}");
    }
    let pinned = At::town(&town);
    assert_eq!(values(pinned.complete(Prompt("unstick_convoy"), "convoy", "", &Value::Null)), [convoy]);
    assert_eq!(values(pinned.complete(Resource(rigs), "town", "", &Value::Null)), ["backend"]);
    assert_eq!(pinned.complete(Prompt("plan_release"), "goal", "x", &Value::Null).unwrap(), NOTHING);
}

#[test]
fn a_hundred_values_are_enough_and_the_total_is_told() {
    let fleet = Fleet::new();
    for number in 0..VALUES_MAX + 3 {
        town(&fleet, &format!("town-{number}"));
    }
    let (values, total) = At::fleet(&fleet).complete(Prompt("mayor"), "town", "", &Value::Null).unwrap();
    assert_eq!((values.len(), total), (VALUES_MAX, VALUES_MAX + 3));
}

#[test]
fn what_there_is_not_is_refused_by_name() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let invalid = |at: &At, of, argument: &str| match at.complete(of, argument, "", &Value::Null) {
        Err(CallError::Invalid(text)) => text,
        other => panic!("{argument}: {other:?}"),
    };
    let at = At::fleet(&fleet);
    assert!(invalid(&at, Prompt("nothing"), "town").contains("prompts/list"));
    assert!(invalid(&at, Prompt("mayor"), "rig").contains("it has: town"));
    assert!(invalid(&at, Resource("gastown://fleet"), "town").contains("resources/templates/list"));
    assert!(invalid(&at, Resource("gastown://towns/{town}"), "rig").contains("it has: town"));
    let pinned = At::town(&town);
    assert!(invalid(&pinned, Prompt("mayor"), "town").contains("has no town"));
    assert!(invalid(&pinned, Prompt("meta_mayor"), "focus").contains("no prompt"));
    assert!(invalid(&pinned, Resource("gastown://towns/{town}"), "town").contains("no such template"));
}

#[test]
fn the_suites_prompt_completes_its_arguments() {
    let at = At::fleet(&Fleet::new()).with_fixture();
    let of = Prompt("test_prompt_with_arguments");
    assert_eq!(values(at.complete(of, "arg1", "par", &Value::Null)), ["paris", "park", "party"]);
}
