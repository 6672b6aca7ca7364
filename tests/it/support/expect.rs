//! Generated files: compared with what the code makes, and rewritten with `UPDATE_EXPECT=1`.
//!
//! Owns the comparison. The diff of such a file is the review of the public surface.

use std::fs;
use std::path::Path;

/// Fails when `path` (from the repository's root) does not hold `expected`.
pub fn file(path: &str, expected: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let found = fs::read_to_string(&full).unwrap_or_default();
    if found == expected {
        return;
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(&full, expected).unwrap();
        return;
    }
    let line = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected).map_or(0, |index| index + 1);
    panic!("{path} is not what the code makes (first difference near line {line}): run UPDATE_EXPECT=1 cargo test, and read the diff");
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
