//! Documents and deployment files that must agree with the code.

mod citations;
mod files;
mod transcript;

use crate::support::expect;
use files::{Tests, ends_in, read, written};
use gastown_mcp::contract::shapes::FeedKind;
use gastown_mcp::edge::rest::{RouteCaller, openapi};
use gastown_mcp::resources::rows::RESOURCES;
use gastown_mcp::rpc::table::{METHODS, Object};
use gastown_mcp::tools::agent;
use gastown_mcp::tools::profile::Audience;
use std::collections::BTreeSet;

/// Whether the last cell of each row is the name of a test. Gives the number of rows.
fn rows_name_tests<'a>(rows: impl Iterator<Item = &'a str>) -> usize {
    let tests = Tests::load();
    let named = |row: &'a str| {
        let named = row.trim_end_matches('|').rsplit('|').next().unwrap().trim().trim_matches('`');
        assert!(tests.has(named), "no test {named}: {row}");
    };
    rows.map(named).count()
}

#[test]
fn names_of_tests_have_at_most_seventy_characters() {
    assert_eq!(Tests::load().too_long(), Vec::<&str>::new());
}

#[test]
fn every_deviation_names_a_test_that_exists() {
    let text = read("docs/deviations.md");
    let (text, _) = text.split_once("## Fields").unwrap();
    assert!(rows_name_tests(text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| point"))) > 15);
}

#[test]
fn every_limit_of_streams_names_a_test_that_exists() {
    let text = read("docs/streams.md");
    let (_, limits) = text.split_once("## Limits").unwrap();
    assert!(rows_name_tests(limits.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what |"))) >= 10);
}

// The document for people who write agents lists what there is.
#[test]
fn the_document_on_agents_lists_their_tools_and_routes() {
    let mut rows = vec!["| tool | for | what it does |".to_owned(), "|---|---|---|".to_owned()];
    for tool in agent::TOOLS {
        let entry = gastown_mcp::tools::describe(tool);
        let first = entry["description"].as_str().unwrap().split(". ").next().unwrap().trim_end_matches('.').to_owned();
        let who = if tool.audience == Audience::Agents { "both" } else { "refinery" };
        rows.push(format!("| `{}` | {who} | {first}. |", tool.name));
    }
    expect::section("docs/agents.md", "tools", &format!("{}\n", rows.join("\n")));
    let mut rows = vec!["| method | path | own | status |".to_owned(), "|---|---|---|---|".to_owned()];
    for route in gastown_mcp::edge::rest::agents::AGENTS.routes {
        let own = if route.caller == RouteCaller::AgentItself { "own" } else { "" };
        let status = route.unsupported.unwrap_or(route.status);
        rows.push(format!("| {} | `/{}` | {own} | {status} |", route.method, openapi::in_braces(route.path)));
    }
    expect::section("docs/agents.md", "routes", &format!("{}\n", rows.join("\n")));
}

// The document for people who run a Mayor lists its routes.
#[test]
fn the_document_on_the_mayor_lists_its_routes() {
    let mut rows = vec!["| method | path | status |".to_owned(), "|---|---|---|".to_owned()];
    for route in gastown_mcp::edge::rest::mayor::TOOLS.routes {
        let status = route.unsupported.unwrap_or(route.status);
        rows.push(format!("| {} | `/{}` | {status} |", route.method, openapi::in_braces(route.path)));
    }
    expect::section("docs/mayor.md", "routes", &format!("{}\n", rows.join("\n")));
}

// What the document calls by name is there under that name.
#[test]
fn the_document_on_streams_names_kinds_and_uris_that_there_are() {
    let text = read("docs/streams.md");
    for kind in ["convoy_landed", "convoy_ended", "mayor_message"] {
        assert!(text.contains(kind) && FeedKind::parse(kind).is_some(), "{kind}");
    }
    for row in RESOURCES.iter().filter(|row| row.uri.starts_with("gastown://")) {
        let short = row.uri.replace("gastown://towns/{town}", "…");
        assert!(text.contains(&format!("`{}`", row.uri)) || text.contains(&format!("`{short}`")), "{}", row.uri);
    }
}

// The table is the only place that knows a method's name.
#[test]
fn no_method_is_named_outside_the_table() {
    for (path, code) in written().iter().filter(|(path, _)| path.starts_with("src/") && ends_in(path, "rs")) {
        if path.ends_with("rpc/methods.rs") || path.contains("/tests/") {
            continue;
        }
        let code = code.split("#[cfg(test)]").next().unwrap();
        // The protocol has a ping of its own.
        for method in METHODS.iter().filter(|method| method.name != "ping") {
            assert!(!code.contains(&format!("\"{}\"", method.name)), "{path} names {}", method.name);
        }
    }
}

#[test]
fn the_manifest_binds_every_class_and_migrates_each_once() {
    let manifest = read("wrangler.toml");
    let shell = read("src/shell/objects.rs");
    let entry = read("src/entry.mjs");
    for (binding, class) in
        [("TOWN", "TownDO"), ("RIG", "RigDO"), ("GASTOWN_USER", "GastownUserDO"), ("GASTOWN_ORG", "GastownOrgDO"), ("SESSION", "SessionDO")]
    {
        assert!(manifest.contains(&format!("{{ name = \"{binding}\", class_name = \"{class}\" }}")), "{binding}");
        assert_eq!(manifest.matches(&format!("\"{class}\"")).count(), 2, "{class}: one binding and one migration");
        assert!(shell.contains(&format!("    {class},\n")), "{class} is exported");
        assert!(entry.contains(&format!("export const {class} = durable(built.{class});")), "{class} answers RPC");
    }
    let objects: BTreeSet<String> = METHODS.iter().map(|method| format!("{:?}", method.object)).collect();
    let known = [Object::Rig, Object::Town, Object::Registry, Object::Session].map(|object| format!("{object:?}"));
    assert_eq!(objects, BTreeSet::from(known));
}

#[test]
fn the_documents_a_newcomer_needs_are_there() {
    let needed = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs/glossary.md", "docs/clients.md"];
    for path in needed {
        assert!(read(path).len() > 200, "{path}");
    }
    let readme = read("README.md");
    let places = ["*town*", "<!-- transcript:", "npm start", "npm test", "## Documents"].map(|words| readme.find(words).expect(words));
    assert!(places.is_sorted(), "what it is, a transcript, the two commands, the documents: {places:?}");
    let (opening, _) = readme.split_once("\n## ").unwrap();
    for term in ["town", "rig", "bead", "convoy", "polecat", "Mayor"] {
        assert!(opening.contains(&format!("*{term}")), "the opening does not say what a {term} is");
    }
    for (path, _) in written().iter().filter(|(path, _)| path.starts_with("docs/") && path.matches('/').count() == 1) {
        assert!(readme.contains(&format!("]({path})")), "the README does not lead to {path}");
    }
}

// S0-35: the coordinator's instruction text reaches every client of the fleet connection, word for word.
#[test]
fn the_fleet_instructions_and_prompt_carry_the_coordinators_text() {
    let words = "You are a fleet coordinator for an org's Gastown towns. You can see and direct work across all towns. \
        Delegate implementation details to individual town Mayors. Focus on cross-town coordination, dependency tracking, and fleet health.";
    let fleet = read("src/edge/instructions_fleet.txt");
    assert!(fleet.starts_with(words));
    assert!(read("src/prompts/meta_mayor.txt").starts_with(words));
    assert!(read("docs/meta-mayor.md").contains(words));
}

#[test]
fn every_requirement_of_the_protocol_names_its_tests_or_why_not() {
    let tests = Tests::load();
    let text = read("docs/protocol.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id ")).collect();
    for id in (1..=23).map(|number| format!("H{number}")).chain((1..=15).map(|number| format!("L{number}"))) {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| {id} |"))), "no row {id}");
    }
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, _, requirement, level, revisions, held_by, _] = cells[..] else { panic!("a row has five cells: {row}") };
        assert!(!requirement.is_empty() && !level.is_empty() && !revisions.is_empty(), "{row}");
        if held_by.starts_with("not here") {
            assert!(held_by.len() > "not here: a word".len(), "no reason: {row}");
            continue;
        }
        let named: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(tests.has(name), "no test {name}: {row}");
        }
    }
}
