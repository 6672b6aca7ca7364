//! Writes the texts that the Worker carries from the snapshots under `tests/snapshots`: the lists of tools, one for each
//! profile, and the list of skills, without the white space that makes them readable.
//!
//! Owns the joining of one list from one file per tool, in the order of the profile's `index.json`. The host tests make the
//! snapshots and their index from the tools' types (`UPDATE_EXPECT=1 cargo test`); a tool that the index does not name yet is
//! not in the list yet, so that the test which adds it can be compiled.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

const SNAPSHOTS: &str = "tests/snapshots";
/// The folders of tools: each becomes `tools-<profile>.json`.
const PROFILES: [&str; 3] = ["coordinator", "mayor", "agent"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={SNAPSHOTS}/tools");
    println!("cargo::rerun-if-changed={SNAPSHOTS}/skills.json");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let snapshots = Path::new(SNAPSHOTS);
    for profile in PROFILES {
        let folder = snapshots.join("tools").join(profile);
        let tools: Vec<String> = names(&read(&folder.join("index.json"))).map(|name| read(&folder.join(format!("{name}.json")))).collect();
        write(&out.join(format!("tools-{profile}.json")), &format!("[{}]", tools.join(",")));
    }
    write(&out.join("skills.json"), &read(&snapshots.join("skills.json")));
}

/// A snapshot without white space.
fn read(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(json) => minified(&json),
        Err(error) => fail(&format!(
            "{} cannot be read ({error}). Take it back (git checkout {SNAPSHOTS}), or remove its name from the index.json beside it and run \
             UPDATE_EXPECT=1 cargo test",
            path.display()
        )),
    }
}

fn write(path: &Path, json: &str) {
    if let Err(error) = fs::write(path, json) {
        fail(&format!("{} cannot be written ({error})", path.display()));
    }
}

/// The names in an index: an array of words without escapes.
fn names(index: &str) -> impl Iterator<Item = &str> {
    index.split('"').skip(1).step_by(2)
}

/// JSON without white space outside strings.
fn minified(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let keeps = |&character: &char| {
        let kept = is_text || !character.is_ascii_whitespace();
        is_text ^= character == '"' && !is_escaped;
        is_escaped = is_text && character == '\\' && !is_escaped;
        kept
    };
    json.chars().filter(keeps).collect()
}

fn fail(why: &str) -> ! {
    println!("cargo::error={why}");
    exit(1)
}
