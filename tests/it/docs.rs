//! Documents and deployment files that must agree with the code.

use crate::support::expect;
use gastown_mcp::contract::shapes::FeedKind;
use gastown_mcp::edge::rest::agents::routes;
use gastown_mcp::resources::rows::RESOURCES;
use gastown_mcp::rpc::table::{METHODS, Object};
use gastown_mcp::tools::agent;
use gastown_mcp::tools::profile::Audience;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All Rust code of the project.
fn code() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("tests"), &mut files);
    files.iter().map(|path| fs::read_to_string(path).unwrap()).collect()
}

/// Whether the last cell of each row is the name of a test. Gives the number of rows.
fn rows_name_tests<'a>(rows: impl Iterator<Item = &'a str>) -> usize {
    let code = code();
    let named = |row: &'a str| {
        let named = row.trim_end_matches('|').rsplit('|').next().unwrap().trim().trim_matches('`');
        assert!(code.contains(&format!("fn {named}(")), "no test {named}: {row}");
    };
    rows.map(named).count()
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
    for (at, is_own) in routes() {
        rows.push(format!("| {} | `/{}` | {} | {} |", at.method, at.shown(), if is_own { "own" } else { "" }, at.status));
    }
    expect::section("docs/agents.md", "routes", &format!("{}\n", rows.join("\n")));
}

// The document for people who run a Mayor lists its routes.
#[test]
fn the_document_on_the_mayor_lists_its_routes() {
    let mut rows = vec!["| method | path | status |".to_owned(), "|---|---|---|".to_owned()];
    for (at, absent) in gastown_mcp::edge::rest::mayor::routes() {
        rows.push(format!("| {} | `/{}` | {} |", at.method, at.shown(), absent.unwrap_or(at.status)));
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
    assert!(read("README.md").contains("docs/streams.md"));
}

// The table is the only place that knows a method's name.
#[test]
fn no_method_is_named_outside_the_table() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    for path in files.iter().filter(|path| !path.ends_with("rpc/table.rs") && !path.to_string_lossy().contains("/tests/")) {
        let code = fs::read_to_string(path).unwrap();
        let code = code.split("#[cfg(test)]").next().unwrap();
        // The protocol has a ping of its own.
        for method in METHODS.iter().filter(|method| method.name != "ping") {
            assert!(!code.contains(&format!("\"{}\"", method.name)), "{} names {}", path.display(), method.name);
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
    for path in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs/meta-mayor.md", "docs/deviations.md"] {
        assert!(read(path).len() > 200, "{path}");
    }
    let readme = read("README.md");
    assert!(readme.find("npm start").unwrap() < readme.find("## Connecting").unwrap(), "the two commands come first");
    assert!(readme.contains("npm test"));
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
fn every_requirement_of_the_protocol_names_tests_that_exist_or_says_why_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("tests"), &mut files);
    files.extend(fs::read_dir(root.join("tests/workerd")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    let code: String = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let text = read("docs/protocol.md");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id ")).collect();
    for id in (1..=23).map(|number| format!("H{number}")).chain((1..=15).map(|number| format!("L{number}"))) {
        assert!(rows.iter().any(|row| row.starts_with(&format!("| {id} |"))), "no row {id}");
    }
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, _, requirement, level, revisions, tests, _] = cells[..] else { panic!("a row has five cells: {row}") };
        assert!(!requirement.is_empty() && !level.is_empty() && !revisions.is_empty(), "{row}");
        if tests.starts_with("not here") {
            assert!(tests.len() > "not here: a word".len(), "no reason: {row}");
            continue;
        }
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            let is_function = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            let exists = if is_function {
                code.contains(&format!("fn {name}("))
            } else {
                ["\"", "`"].iter().any(|quote| code.contains(&format!("test({quote}{name}{quote}")))
            };
            assert!(exists, "no test {name}: {row}");
        }
    }
}
