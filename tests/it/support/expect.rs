//! Generated files: compared with what the code makes, and rewritten with `UPDATE_EXPECT=1`.
//!
//! Owns the comparison, and how ids are made comparable. The diff of such a file is the review of the public surface.

use gastown_mcp::contract::ids::BeadId;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Fails when `path` (from the repository's root) does not hold `expected`.
pub fn file(path: &str, expected: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let found = fs::read_to_string(&full).unwrap_or_default();
    if found == expected {
        return;
    }
    if is_updating() {
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(&full, expected).unwrap();
        return;
    }
    let line = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected).map_or(0, |index| index + 1);
    panic!("{path} is not what the code makes (first difference near line {line}): run UPDATE_EXPECT=1 cargo test, and read the diff");
}

/// Whether this run writes what it would otherwise compare.
pub fn is_updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Fails when a folder holds other files than these; they are removed with `UPDATE_EXPECT=1`.
pub fn folder(path: &str, expected: BTreeSet<String>) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    for entry in fs::read_dir(&full).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if expected.contains(&name) {
            continue;
        }
        assert!(is_updating(), "{path}/{name} belongs to nothing: run UPDATE_EXPECT=1 cargo test, and read the diff");
        fs::remove_file(full.join(name)).unwrap();
    }
}

/// The same for the part of a file between `<!-- name: … -->` and `<!-- /name -->`.
pub fn section(path: &str, name: &str, expected: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let found = fs::read_to_string(&full).unwrap();
    let start = found.find(&format!("<!-- {name}:")).expect("the section's first marker");
    let start = start + found[start..].find("-->\n").unwrap() + 4;
    let end = found.find(&format!("<!-- /{name} -->")).expect("the section's last marker");
    let whole = format!("{}{expected}{}", &found[..start], &found[end..]);
    file(path, &whole);
}

/// The text with its ids numbered in the order of their first mention; `known` has those that were mentioned before.
pub fn number_ids(text: &str, known: &mut Vec<String>, shown: impl Fn(usize) -> String) -> String {
    let is_part = |next: char| next.is_ascii_hexdigit() || next == '-';
    let mut numbered = String::new();
    for piece in text.split_inclusive(|next: char| !is_part(next)) {
        let (word, end) = piece.split_at(piece.trim_end_matches(|next: char| !is_part(next)).len());
        if BeadId::parse(word).is_err() {
            numbered.push_str(piece);
            continue;
        }
        let place = known.iter().position(|id| id == word).unwrap_or_else(|| {
            known.push(word.to_owned());
            known.len() - 1
        });
        numbered.push_str(&shown(place + 1));
        numbered.push_str(end);
    }
    numbered
}
