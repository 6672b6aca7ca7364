//! The text files of the repository, and the tests that they define.
//!
//! Owns where files are looked for. What they must say is the tests'.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours: what is built, installed or kept by tools.
const SKIPPED: [&str; 8] = [".git", ".wrangler", "target", "build", "node_modules", "out", "corpus", "artifacts"];
/// Endings of files that people write.
const WRITTEN: [&str; 7] = ["rs", "mjs", "js", "ts", "md", "toml", "txt"];

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file, by its path from the root.
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether a file's name has this extension.
pub fn ends_in(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

/// Every file that people write, by its path from the root, in order.
pub fn written() -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(root(), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))).collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                walk(&path, found);
            }
        } else if WRITTEN.iter().any(|ending| ends_in(&name, ending)) {
            found.push(path);
        }
    }
}

/// The names of all tests: functions with the attribute `#[test]`, and the titles of `test(…)` in JavaScript.
pub struct Tests {
    functions: BTreeSet<String>,
    scripts: String,
}

impl Tests {
    pub fn load() -> Self {
        let mut tests = Self { functions: BTreeSet::new(), scripts: String::new() };
        for (name, text) in written() {
            if ends_in(&name, "rs") {
                tests.functions.extend(test_functions(&text));
            } else if name.ends_with(".test.mjs") {
                tests.scripts.push_str(&text);
            }
        }
        assert!(tests.functions.len() > 500, "the tests were not found");
        tests
    }

    /// Names of tests that are longer than a line of a report has room for.
    pub fn too_long(&self) -> Vec<&str> {
        const NAME_CHARS_MAX: usize = 70;
        self.functions.iter().map(String::as_str).filter(|name| name.len() > NAME_CHARS_MAX).collect()
    }

    /// Whether there is a test of this name.
    pub fn has(&self, name: &str) -> bool {
        let is_function = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if is_function {
            return self.functions.contains(name);
        }
        ["\"", "`"].iter().any(|quote| self.scripts.contains(&format!("test({quote}{name}{quote}")))
    }
}

/// Functions that stand below `#[test]`, with other attributes and comments between at most.
fn test_functions(text: &str) -> Vec<String> {
    let mut is_test = false;
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line == "#[test]" {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("fn ").filter(|_| is_test) {
            found.extend(rest.split(['(', '<']).next().map(str::to_owned));
            is_test = false;
        } else if !line.starts_with("#[") && !line.starts_with("//") {
            is_test = false;
        }
    }
    found
}
