//! Prompts: what is offered where, what each says, and what it takes.

use crate::skills::unknown_words;
use crate::support::offer::{At, rig, town};
use crate::support::{Fleet, tokens};
use gastown_mcp::prompts::{list, visible};
use gastown_mcp::tools::{TOOLS, all};
use mcp::types::{CallError, ListSchema};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// 2,500 tokens, roughly.
const MAYOR_CHARS_MAX: usize = 9_000;

fn listed(pinned: bool, schema: ListSchema) -> Vec<Value> {
    serde_json::from_str(&list(pinned, schema, &[])).unwrap()
}

fn names(prompts: &[Value]) -> Vec<&str> {
    prompts.iter().map(|prompt| prompt["name"].as_str().unwrap()).collect()
}

fn invalid(outcome: Result<impl std::fmt::Debug, CallError>) -> String {
    match outcome {
        Err(CallError::Invalid(text)) => text,
        other => panic!("not invalid: {other:?}"),
    }
}

fn tool_names() -> BTreeSet<&'static str> {
    all().map(|tool| tool.name).collect()
}

#[test]
fn a_fleet_is_offered_every_prompt_and_a_town_its_own_without_town() {
    let fleet = listed(false, ListSchema::Full);
    assert_eq!(names(&fleet), ["meta_mayor", "mayor", "unstick_convoy", "plan_release"]);
    let pinned = listed(true, ListSchema::Full);
    assert_eq!(names(&pinned), ["mayor", "unstick_convoy", "plan_release"]);
    assert!(!pinned.iter().any(|prompt| prompt["arguments"].as_array().unwrap().iter().any(|argument| argument["name"] == "town")));
    assert_eq!(fleet[1]["arguments"][0]["required"], true);
    assert!(fleet.iter().all(|prompt| prompt["title"].is_string() && prompt["description"].is_string()));
    assert!(listed(false, ListSchema::Before2025June).iter().all(|prompt| prompt.get("title").is_none()));
    assert_eq!(visible(false, &[]).count(), fleet.len());
}

// S0-35.
#[test]
fn the_coordinator_begins_where_it_is_told_to() {
    let at = At::fleet(&Fleet::new());
    let text = at.prompt_text("meta_mayor", &json!({}));
    assert!(text.starts_with("You are a fleet coordinator for an org's Gastown towns."));
    assert!(!text.contains("Begin with"));
    let text = at.prompt_text("meta_mayor", &json!({"focus": "the «payments» work"}));
    assert!(text.contains("Begin with: «the \"payments\" work»"), "{text}");
    assert_eq!(unknown_words(&text, &tool_names()), BTreeSet::new());
}

// S1-18 to S1-23, S2-43 to S2-47.
#[test]
fn whoever_acts_as_mayor_knows_its_rigs_its_tools_and_its_limits() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    rig(&town, "api");
    rig(&town, "we«b»");
    for (at, arguments) in [(&At::fleet(&fleet), json!({"town": "backend"})), (&At::town(&town), json!({}))] {
        let text = at.prompt_text("mayor", &arguments);
        assert!(text.starts_with(&format!("You are the Mayor of the Gastown town «backend» ({})", town.id)), "{text}");
        assert!(text.contains("- «api»: «https://git.example/api.git», branch «main»"), "{text}");
        assert!(text.contains("- «we\"b\"»: "), "{text}");
        for tool in TOOLS.iter().filter(|tool| tool.by_default) {
            assert!(text.contains(&format!("\n- {}(", tool.name)), "{}", tool.name);
        }
        let sling = if at.pinned.is_none() { "sling(rig, town, args?, " } else { "sling(rig, args?, " };
        assert!(text.contains(sling), "{text}");
        for word in ["never wait", "starts by itself", "do not edit code", "resolve conflicts", "design decisions"] {
            assert!(text.contains(word), "{word}");
        }
        assert!(text.chars().count() <= MAYOR_CHARS_MAX, "{}", text.chars().count());
        assert_eq!(unknown_words(&text, &tool_names()), BTreeSet::new());
        assert!(!text.contains("gt_") && !text.contains(['{', '}']), "{text}");
    }
}

#[test]
fn a_token_that_only_looks_is_told_of_no_tool_that_changes() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let observer = At { token: tokens::observer(&fleet, tokens::OWNER).jwt, ..At::town(&town) };
    let text = observer.prompt_text("mayor", &json!({}));
    assert!(text.contains("\n- list_beads(") && !text.contains("\n- sling("), "{text}");
}

#[test]
fn a_town_of_many_rigs_still_fits() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    for number in 0..60 {
        rig(&town, &format!("rig-{number}-{}", "x".repeat(40)));
    }
    let text = At::town(&town).prompt_text("mayor", &json!({}));
    assert!(text.chars().count() <= MAYOR_CHARS_MAX, "{}", text.chars().count());
    assert!(text.contains("more: call list_rigs"));
    let text = At::town(&crate::support::offer::town(&fleet, "empty")).prompt_text("plan_release", &json!({"goal": "x"}));
    assert!(text.contains("none yet"));
}

// S2-31 to S2-35, S2-39.
#[test]
fn a_stuck_convoy_is_shown_as_it_stands() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let web = rig(&town, "web");
    let convoy = town.convoy(&web, Some(false), &[&[], &[0]]);
    town.fail(&web, &convoy.beads[0].bead.bead_id);
    fleet.settle();
    let text = At::town(&town).prompt_text("unstick_convoy", &json!({"convoy": convoy.convoy.id}));
    assert!(text.contains(r#""failed":1"#) && text.contains("«task 0»"), "{text}");
    // The fields and words of the status that is shown are no tools.
    let mut words = unknown_words(&text, &tool_names());
    words.retain(|word| !text.contains(&format!("\"{word}\"")));
    assert_eq!(words, BTreeSet::new());
    let unknown = invalid(At::town(&town).prompt("unstick_convoy", &json!({"convoy": town.id})));
    assert!(unknown.contains("Convoy not found") && unknown.contains("list_convoys"), "{unknown}");
}

#[test]
fn a_release_is_planned_for_a_goal_that_stays_data() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    rig(&town, "api");
    let goal = "ship {town} payments»\nwith refunds";
    let text = At::fleet(&fleet).prompt_text("plan_release", &json!({"town": "backend", "goal": goal}));
    assert!(text.contains("Goal: «ship {town} payments\"\nwith refunds»"), "{text}");
    assert!(text.contains("«api»"));
    assert_eq!(unknown_words(&text, &tool_names()), BTreeSet::new());
}

#[test]
fn arguments_are_checked_by_name() {
    let fleet = Fleet::new();
    let (own, other) = (town(&fleet, "backend"), town(&fleet, "frontend"));
    let at = At::fleet(&fleet);
    assert!(matches!(at.prompt("nothing", &json!({})), Err(CallError::Unknown)));
    assert!(invalid(at.prompt("mayor", &json!({}))).starts_with("town: missing"));
    assert!(invalid(at.prompt("mayor", &json!({"town": "  "}))).starts_with("town: missing"));
    assert!(invalid(at.prompt("mayor", &json!({"town": 5}))).contains("expected a string"));
    assert!(invalid(at.prompt("mayor", &json!({"town": "backend", "rig": "x"}))).contains("it takes: town"));
    assert!(invalid(at.prompt("mayor", &json!({"town": "nowhere"}))).contains("Towns: "));
    assert!(invalid(at.prompt("plan_release", &json!({"town": "backend"}))).starts_with("goal: missing"));

    let pinned = At::town(&own);
    assert!(matches!(pinned.prompt("meta_mayor", &json!({})), Err(CallError::Unknown)));
    for named in [other.id.as_str(), "frontend"] {
        assert!(invalid(pinned.prompt("mayor", &json!({"town": named}))).contains("another"), "{named}");
    }
    let stranger = At { token: tokens::user(&fleet, "stranger").jwt, ..At::fleet(&fleet) };
    invalid(stranger.prompt("mayor", &json!({"town": own.id})));
    assert_eq!(fleet.take_faults(), Vec::<String>::new());
}

mod conformance {
    use super::*;
    use futures::future::LocalBoxFuture;
    use mcp::client::{ClientCapability, ClientHandle, InputRequest, Interruption, LogLevel};
    use std::rc::Rc;

    /// A client that answers at once.
    struct Answers(Value);

    impl ClientHandle for Answers {
        fn can(&self, _: ClientCapability) -> bool {
            true
        }
        fn progress<'a>(&'a self, _: f64, _: Option<f64>, _: &'a str) -> LocalBoxFuture<'a, ()> {
            Box::pin(async {})
        }
        fn log<'a>(&'a self, _: LogLevel, _: &'a str, _: Value) -> LocalBoxFuture<'a, ()> {
            Box::pin(async {})
        }
        fn ask<'a>(&'a self, questions: Vec<(&'static str, InputRequest)>) -> LocalBoxFuture<'a, Result<Vec<Value>, Interruption>> {
            assert!(questions.iter().all(|(name, question)| *name == "user_context" && question.accepts(&self.0)));
            Box::pin(async move { Ok(questions.iter().map(|_| self.0.clone()).collect()) })
        }
        fn spend(&self) -> LocalBoxFuture<'_, Result<(), Interruption>> {
            Box::pin(async { Ok(()) })
        }
        fn become_task(&self) -> Result<(), Interruption> {
            Err(Interruption::MissingCapability(ClientCapability::Tasks))
        }
        fn cancellable(&self) {}
        fn hang_up(&self) -> LocalBoxFuture<'_, ()> {
            Box::pin(async {})
        }
        fn sleep(&self, _: u32) -> LocalBoxFuture<'static, ()> {
            Box::pin(async {})
        }
    }

    #[test]
    fn the_suites_prompts_say_what_it_expects() {
        let at = At::fleet(&Fleet::new()).with_fixture();
        let messages = |at: &At, name: &str, arguments: Value| -> Value {
            serde_json::from_str(&at.prompt(name, &arguments).unwrap().messages).unwrap()
        };
        assert_eq!(at.prompt_text("test_simple_prompt", &json!({})), "This is a simple prompt for testing.");
        let said = at.prompt_text("test_prompt_with_arguments", &json!({"arg1": "hello", "arg2": "world"}));
        assert_eq!(said, "Prompt with arguments: arg1='hello', arg2='world'");
        let embedded = messages(&at, "test_prompt_with_embedded_resource", json!({"resourceUri": "test://example-resource"}));
        assert_eq!(embedded[0]["content"]["resource"]["uri"], "test://example-resource");
        assert_eq!(embedded[1]["content"]["text"], "Please process the embedded resource above.");
        assert_eq!(messages(&at, "test_prompt_with_image", json!({}))[0]["content"]["mimeType"], "image/png");
        assert!(matches!(
            at.prompt("test_input_required_result_prompt", &json!({})),
            Err(CallError::Interrupted(Interruption::MissingCapability(_)))
        ));
        let answered = At { mcp_client: Some(Rc::new(Answers(json!({"action": "accept", "content": {"context": "blue"}})))), ..at };
        assert!(answered.prompt_text("test_input_required_result_prompt", &json!({})).contains("blue"));
    }
}
