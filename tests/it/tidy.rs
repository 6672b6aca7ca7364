//! The rules of the source that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

pub fn sources() -> Vec<(String, String)> {
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

/// A file without the tests at its end.
pub fn product(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// The lines of a file that are code outside its tests, with their numbers.
pub fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    product(text).lines().enumerate().map(|(index, line)| (index + 1, line.trim())).filter(|(_, line)| !line.starts_with("//"))
}

/// Fails with every place at once.
pub fn none(what: &str, places: &[String]) {
    assert!(places.is_empty(), "{what}:\n{}", places.join("\n"));
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
