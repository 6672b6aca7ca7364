//! Skills and instructions: the texts that clients load, and what is said of them.

use crate::support::expect;
use gastown_mcp::auth::principal::Scope;
use gastown_mcp::contract::shapes::ConvoyFlag;
use gastown_mcp::edge::instructions;
use gastown_mcp::resources::rows::RESOURCES;
use gastown_mcp::resources::skills::{LIST, SKILLS, Skill, folder};
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::tools::run::{View, visible};
use gastown_mcp::tools::toolset::Toolsets;
use gastown_mcp::tools::{TOOLS, agent, mayor};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// Longest guide, in bytes.
const SKILL_BYTES_MAX: usize = 4_096;

fn frontmatter(skill: &Skill) -> Map<String, Value> {
    let (front, _) = skill.text.strip_prefix("---\n").unwrap().split_once("\n---\n").unwrap();
    let field = |line: &str| {
        let (key, value) = line.split_once(": ").unwrap();
        // What YAML would read otherwise.
        assert!(!value.contains(": ") && !value.contains(" #") && !value.starts_with(['"', '\'', '[', '{', '&', '*', '>', '|']), "{line}");
        (key.to_owned(), Value::from(value))
    };
    front.lines().map(field).collect()
}

/// Every file of a skill, the main one first.
fn files(skill: &Skill) -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once((skill.uri, skill.text)).chain(skill.references.iter().map(|file| (file.uri, file.text)))
}

#[test]
fn the_list_that_the_worker_carries_is_made_from_the_guides() {
    let entries = SKILLS.iter().map(|skill| {
        let file = |uri: &str, text: &str| {
            let digest = format!("sha256:{:x}", Sha256::digest(text));
            json!({"uri": uri, "digest": digest, "size": text.len()})
        };
        let files: Vec<Value> = files(skill).map(|(uri, text)| file(uri, text)).collect();
        json!({"uri": skill.uri, "frontmatter": frontmatter(skill), "resources": files})
    });
    let entries: Value = entries.collect();
    expect::file("tests/snapshots/skills.json", &format!("{entries:#}\n"));
    if !expect::is_updating() {
        assert_eq!(serde_json::from_str::<Value>(LIST).unwrap(), entries);
    }
}

#[test]
fn a_guide_is_called_as_its_front_matter_says() {
    for skill in SKILLS {
        let front = frontmatter(skill);
        assert_eq!((front["name"].as_str(), front["description"].as_str()), (Some(skill.name), Some(skill.description)));
        assert!(skill.uri.ends_with(&format!("/{}/SKILL.md", skill.name)));
        let row = RESOURCES.iter().find(|row| row.uri == skill.uri).unwrap();
        assert_eq!((row.name, row.description, row.mime_type), (skill.name, skill.description, "text/markdown"));
        for (uri, text) in files(skill) {
            assert!(
                uri.starts_with(skill.uri.strip_suffix("SKILL.md").unwrap())
                    && uri.rsplit_once('.').is_some_and(|(_, ending)| ending == "md")
            );
            assert!(text.len() <= SKILL_BYTES_MAX && text.starts_with(['-', '#']), "{uri}");
            let flags = ConvoyFlag::ALL.iter().map(|flag| flag.as_str());
            let known: BTreeSet<&str> = TOOLS.iter().map(|tool| tool.name).chain(["in_progress", "in_review"]).chain(flags).collect();
            assert_eq!(unknown_words(text, &known), BTreeSet::new(), "{uri}");
        }
    }
}

#[test]
fn a_folder_holds_what_the_list_names_and_nothing_else_is_a_folder() {
    let read = |uri: &str| -> Vec<Value> { serde_json::from_str(&folder(uri).unwrap_or_else(|| panic!("{uri} is no folder"))).unwrap() };
    let mut open = vec!["skill://gastown".to_owned()];
    let mut found = BTreeSet::new();
    while let Some(uri) = open.pop() {
        assert_eq!(folder(&uri), folder(&format!("{uri}/")));
        for entry in read(&uri) {
            let child = entry["uri"].as_str().unwrap().to_owned();
            assert!(!child.strip_prefix(&format!("{uri}/")).unwrap().contains('/') && entry["name"].is_string(), "{child} is in {uri}");
            if entry["mimeType"] == "inode/directory" {
                open.push(child);
            } else {
                assert_eq!(folder(&child), None, "a file is no folder");
                assert!(RESOURCES.iter().any(|row| row.uri == child && entry["mimeType"] == row.mime_type && entry["name"] == row.name));
                assert!(found.insert(child));
            }
        }
    }
    assert_eq!(found, SKILLS.iter().flat_map(|skill| files(skill)).map(|(uri, _)| uri.to_owned()).collect());
    assert!(read("skill://gastown/gastown-coordinator").iter().any(|entry| entry["mimeType"] == "inode/directory"));
    for other in [
        "",
        "/",
        "skill:",
        "skill:/",
        "skill://",
        "skill://gastow",
        "skill://gastown//",
        "skill://gastown/nothing",
        "gastown://fleet",
        "ui://gastown",
    ] {
        assert_eq!(folder(other), None, "{other}");
    }
}

#[test]
fn instructions_are_short_and_name_only_tools_that_their_connection_has() {
    let mut texts = BTreeSet::new();
    let wide =
        |pinned, read_only| View { profile: Profile::Coordinator, read_only, scope: Scope::Write, pinned, toolsets: Toolsets::DEFAULT };
    for view in [wide(false, false), wide(false, true), wide(true, false), wide(true, true)] {
        let text = instructions::text(view);
        assert!(texts.insert(text) && text.chars().count() < 2_000);
        assert_eq!(instructions::text(View { scope: Scope::Read, ..view }), instructions::text(View { read_only: true, ..view }));
        let tools: BTreeSet<&str> = visible(view).map(|tool| tool.name).collect();
        assert_eq!(unknown_words(text, &tools), BTreeSet::new(), "{view:?}");
        assert_eq!(text.contains("sling"), !view.read_only);
        assert!(text.contains("« and »"));
    }
}

#[test]
fn instructions_of_agents_are_short_and_name_only_their_tools() {
    let mut texts = BTreeSet::new();
    for profile in [Profile::Polecat, Profile::Refinery] {
        for read_only in [false, true] {
            let view = View { profile, read_only, scope: Scope::Write, pinned: true, toolsets: Toolsets::DEFAULT };
            let text = instructions::text(view);
            texts.insert(text);
            let tools: BTreeSet<&str> = visible(view).map(|tool| tool.name).collect();
            // The one that only looks says which tool to begin with elsewhere.
            let elsewhere: BTreeSet<String> = read_only.then(|| "gt_prime".to_owned()).into_iter().collect();
            assert_eq!(unknown_words(text, &tools), elsewhere, "{view:?}");
            assert!(text.chars().count() < 2_000 && text.contains("« and »") && text.contains("gt_prime"));
        }
    }
    assert_eq!(texts.len(), 3);
}

/// Words that look like a tool's name and are neither one of `tools` nor an argument or field of any tool.
pub fn unknown_words(text: &str, tools: &BTreeSet<&str>) -> BTreeSet<String> {
    fn fields(schema: &Value, found: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(Value::Object(properties)) = object.get("properties") {
                    found.extend(properties.keys().cloned());
                }
                object.values().for_each(|value| fields(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| fields(value, found)),
            _ => {}
        }
    }
    let mut known = BTreeSet::new();
    for tool in [TOOLS, mayor::TOOLS, agent::TOOLS].into_iter().flatten() {
        fields(&gastown_mcp::tools::describe(tool), &mut known);
    }
    known.extend(tools.iter().map(|tool| (*tool).to_owned()));
    text.split(|character: char| !character.is_ascii_lowercase() && !character.is_ascii_digit() && character != '_')
        .map(|word| word.trim_matches('_'))
        .filter(|word| word.contains('_') && !known.contains(*word))
        .map(str::to_owned)
        .collect()
}
