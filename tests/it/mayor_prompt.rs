//! What a Mayor is told, as the prompt of its connection, over REST and as the connection's opening text: one template.

use crate::skills::unknown_words;
use crate::support::edge::{Isolate, Sent, text};
use crate::support::offer::{At, rig, town};
use crate::support::{Fleet, Town, tokens};
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::edge::instructions;
use gastown_mcp::prompts::mayor as prompt;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table as rpc;
use gastown_mcp::tools::run::{View, visible};
use gastown_mcp::tools::{TOOLS, mayor};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// 2,500 tokens, roughly; a test on workerd counts them.
const CHARS_MAX: usize = 9_500;

fn at_mayor(town: &Town) -> At {
    At { token: tokens::mayor(&town.fleet, &town.id).jwt, ..At::town(town) }
}

fn told(town: &Town) -> String {
    at_mayor(town).prompt_text("mayor", &json!({}))
}

fn mayors_tools() -> BTreeSet<&'static str> {
    mayor::TOOLS.iter().map(|tool| tool.name).collect()
}

// S1-18 to S1-23, S2-43 to S2-47.
#[test]
fn the_prompt_names_every_default_tool_and_none_that_is_not_there() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    rig(&town, "api");
    let text = told(&town);
    for tool in mayor::TOOLS.iter().filter(|tool| tool.by_default) {
        assert!(text.contains(&format!("\n- {}(", tool.name)), "{}", tool.name);
    }
    assert_eq!(unknown_words(&text, &mayors_tools()), BTreeSet::new());
    for plain in TOOLS.iter().map(|tool| tool.name).filter(|name| name.contains('_')) {
        assert!(!text.split(|c: char| !c.is_ascii_lowercase() && c != '_').any(|word| word == plain), "{plain} is not the Mayor's: {text}");
    }
    let parts = [
        "You are the Mayor of the Gastown town «backend»",
        "- «api»: «https://git.example/api.git», branch «main»",
        "`gt_sling_batch`",
        "zero-based",
        "I've assigned Toast",
        "starts by itself",
        "staged true",
        "do not edit code",
        "resolve conflicts",
        "design decisions",
        "« and »",
    ];
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.chars().count() <= CHARS_MAX, "{}", text.chars().count());
    assert!(!text.contains(['{', '}']) && !text.contains("\n+ ") && !text.contains("\n* "), "{text}");
}

// S1-19.
#[test]
fn a_rig_is_shown_with_what_it_is_for() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    let api = rig(&town, "api");
    let update = json!({"purpose": "serves «the» app"});
    let at = Instance::Town(town.id.clone());
    fleet.tell(&at, &rpc::UPDATE_RIG_CONFIG, (&api.id, update), &town.owner()).unwrap();
    assert!(told(&town).contains("branch «main», for «serves \"the\" app»"), "{}", told(&town));
}

#[test]
fn custom_instructions_stand_in_it_and_cannot_fill_its_places() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    assert!(!told(&town).contains("Custom Instructions"));
    town.configure(json!({"custom_instructions": {"mayor": "Answer in French. {tools} {rigs}"}})).unwrap();
    let text = told(&town);
    assert!(text.contains("\nCustom Instructions\nAnswer in French. {tools} {rigs}\n"), "{text}");
    town.configure(json!({"custom_instructions": {"mayor": "x".repeat(2_000)}})).unwrap();
    assert!(told(&town).contains(&"x".repeat(2_000)));
}

#[test]
fn a_town_of_many_rigs_still_fits() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    for number in 0..60 {
        rig(&town, &format!("rig-{number}-{}", "x".repeat(40)));
    }
    let text = told(&town);
    assert!(text.contains("more: call gt_list_rigs"), "{text}");
    assert!(text.chars().count() <= CHARS_MAX + 1_500, "{}", text.chars().count());
}

#[test]
fn the_same_text_is_had_over_rest_by_the_mayor_alone() {
    let fleet = Fleet::new();
    let town = town(&fleet, "backend");
    rig(&town, "api");
    let get = |token: &str| Isolate::new(&fleet).send(Sent::new("GET", format!("/api/mayor/{}/prompt", town.id)).bearer(token));
    let answer = get(&tokens::mayor(&fleet, &town.id).jwt);
    assert_eq!(answer.status, 200);
    assert_eq!(serde_json::from_str::<Value>(&text(&answer)).unwrap()["data"]["prompt"], told(&town));
    let other = crate::support::offer::town(&fleet, "frontend");
    for token in [tokens::user(&fleet, tokens::OWNER), tokens::mayor(&fleet, &other.id)] {
        assert_eq!(get(&token.jwt).status, 403);
    }
}

#[test]
fn the_opening_text_is_the_prompt_without_what_is_live() {
    let view = prompt::view(Scope::Write);
    let text = instructions::text(view);
    assert!(text.chars().count() < 2_048, "{}", text.chars().count());
    let tools: BTreeSet<&str> = visible(view).map(|tool| tool.name).collect();
    assert_eq!(unknown_words(text, &tools), BTreeSet::new());
    let town = town(&Fleet::new(), "backend");
    let whole = told(&town);
    for line in text.lines().skip(1) {
        let line = line.split("queue").next().unwrap();
        assert!(whole.contains(line), "{line}");
    }
    assert!(text.starts_with("You are the Mayor of this town:") && !text.contains("Rigs now") && !text.contains('{'), "{text}");
    let looks = instructions::text(View { read_only: true, ..view });
    assert!(!looks.contains("gt_sling") && looks.contains("gt_list_rigs"), "{looks}");
    assert_eq!(unknown_words(looks, &visible(View { read_only: true, ..view }).map(|tool| tool.name).collect()), BTreeSet::new());
}
