//! The rules of the source that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("src"), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The lines of a file that are code outside its tests, with their numbers.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..tests].lines().enumerate().map(|(index, line)| (index + 1, line.trim())).filter(|(_, line)| !line.starts_with("//"))
}

/// Fails with every place at once.
fn none(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
}

/// Places in `folder` whose code has one of `words` as a path segment.
fn uses(folder: &str, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| name.starts_with(folder)) {
        for (number, line) in code(text) {
            if words.iter().any(|word| names_module(line, word)) {
                places.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    places
}

/// Whether a line names a module of the crate: `crate::word`, or `word` in a list `crate::{…}`.
fn names_module(line: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    let direct = line.match_indices(&format!("crate::{word}")).any(|(at, found)| ends(&line[at + found.len()..]));
    let listed = line.split_once("crate::{").is_some_and(|(_, list)| list.split([',', '}', ' ', ':']).any(|name| name == word));
    direct || listed
}

#[test]
fn only_the_shell_names_the_runtime() {
    let mut places = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !name.starts_with("src/shell/")) {
        for (number, line) in code(text) {
            let names = ["worker::", "web_sys", "js_sys", "wasm_bindgen"];
            if names.iter().any(|word| line.contains(word)) {
                places.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    none("only src/shell may name worker, web_sys, js_sys and wasm_bindgen", &places);
}

#[test]
fn layers_name_only_what_lies_below_them() {
    none("mcp knows no tool and no object", &uses("src/mcp/", &["tools", "town", "rig", "registry", "session", "store", "rpc", "edge"]));
    none("tools know no SQL", &uses("src/tools/", &["store", "edge", "shell"]));
    for offer in [
        "src/resources/",
        "src/prompts/",
        "src/completion.rs",
        "src/skills.rs",
        "src/conformance/resources.rs",
        "src/conformance/prompts.rs",
    ] {
        none("what is offered knows no protocol, door or SQL", &uses(offer, &["mcp", "edge", "mayor", "session", "store", "shell"]));
    }
    for core in ["src/rig/", "src/town/", "src/registry/", "src/session/"] {
        none("an object's core knows no protocol", &uses(core, &["mcp", "http", "tools", "edge", "mayor"]));
    }
    none("the store knows no object", &uses("src/store/", &["rpc", "rig", "town", "registry", "session", "auth"]));
    none("auth knows no object", &uses("src/auth/", &["rpc", "rig", "town", "registry", "session", "store", "mcp", "tools"]));
}

#[test]
fn every_file_says_what_it_owns() {
    let silent: Vec<String> = sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(name, _)| name).collect();
    none("a source file opens with //!", &silent);
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > LINES_MAX)
        .map(|(name, lines)| format!("{name}: {lines}"))
        .collect();
    none("a source file has at most 500 lines", &long);
}

/// A panic ends every request of the isolate.
#[test]
fn nothing_panics_outside_tests() {
    let mut places = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| !name.contains("/tests/") && !name.ends_with("/tests.rs")) {
        for (number, line) in code(text) {
            let calls = [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!(", "unreachable!("];
            if calls.iter().any(|call| line.contains(call)) {
                places.push(format!("{name}:{number}: {line}"));
            }
        }
    }
    none("no panic outside tests", &places);
}
