//! Skills (SEP-2640): guides that clients can load when they need them.
//!
//! Owns the guides, their entries in `skills/list` and the content of their folders. They are read as resources
//! (`resources::rows`).

use serde_json::{Value, json};

/// A guide: the main file of a skill.
pub struct Skill {
    /// Of its main file. The folder has the skill's name.
    pub uri: &'static str,
    /// The front matter's `name`.
    pub name: &'static str,
    /// The title, for people.
    pub title: &'static str,
    /// The front matter's `description`.
    pub description: &'static str,
    /// The text of the file.
    pub text: &'static str,
    /// The other files in its folder.
    pub references: &'static [Reference],
}

/// A file that a guide refers to.
pub struct Reference {
    /// Below the skill's folder.
    pub uri: &'static str,
    /// File name without its ending.
    pub name: &'static str,
    /// The title, for people.
    pub title: &'static str,
    /// The content, in a sentence.
    pub description: &'static str,
    /// The text of the file.
    pub text: &'static str,
}

/// How the states of convoys and beads are read.
pub const CONVOYS: Reference = Reference {
    uri: "skill://gastown/gastown-coordinator/references/convoys.md",
    name: "convoys",
    title: "Reading a convoy",
    description: "What the states of beads and convoys mean, and the rules for reporting them.",
    text: include_str!("skills/convoys.md"),
};

/// The type of every file of a skill.
pub const MIME_TYPE: &str = "text/markdown";
/// The type of a folder.
const FOLDER_MIME_TYPE: &str = "inode/directory";

/// For the client that directs several towns.
pub const COORDINATOR: Skill = Skill {
    uri: "skill://gastown/gastown-coordinator/SKILL.md",
    name: "gastown-coordinator",
    title: "Coordinating a fleet of towns",
    description: "Coordinate work across several Gastown towns. Use when a request touches more than one town, or when asked how the fleet is doing.",
    text: include_str!("skills/coordinator.md"),
    references: &[CONVOYS],
};

/// For the client that runs one town.
pub const MAYOR: Skill = Skill {
    uri: "skill://gastown/gastown-mayor/SKILL.md",
    name: "gastown-mayor",
    title: "Running a town as its Mayor",
    description: "Run one Gastown town by giving out work as beads and convoys, following it, and handling what stalls or fails. Use when work has to be done in the rigs of a town.",
    text: include_str!("skills/mayor.md"),
    references: &[],
};

/// Every skill, in the order of the list.
pub const SKILLS: &[&Skill] = &[&COORDINATOR, &MAYOR];

/// `skills` of `skills/list`: JSON text of an array, with the digest and size of each file. A test makes it from the
/// files, `build.rs` minifies it.
pub const LIST: &str = include_str!(concat!(env!("OUT_DIR"), "/skills.json"));

/// `resources` of `resources/directory/read`: JSON text of an array of the entries of a folder, named with or without a
/// slash at its end; `None` for an unknown folder.
#[must_use]
pub fn folder(uri: &str) -> Option<String> {
    let folder = uri.strip_suffix('/').unwrap_or(uri);
    let inside = |file: &'static str| file.strip_prefix(folder)?.strip_prefix('/').filter(|_| folder.starts_with("skill://"));
    let mut entries: Vec<Value> = Vec::new();
    let mut folders: Vec<&str> = Vec::new();
    let mut put = |file: &'static str, name: &str, title: &str, description: &str| match inside(file).map(|rest| rest.split_once('/')) {
        Some(None) => {
            entries.push(json!({"uri": file, "name": name, "title": title, "description": description, "mimeType": MIME_TYPE}));
        }
        Some(Some((below, _))) if !folders.contains(&below) => {
            folders.push(below);
            entries.push(json!({"uri": format!("{folder}/{below}"), "name": below, "mimeType": FOLDER_MIME_TYPE}));
        }
        _ => {}
    };
    for skill in SKILLS {
        put(skill.uri, skill.name, skill.title, skill.description);
        for file in skill.references {
            put(file.uri, file.name, file.title, file.description);
        }
    }
    (!entries.is_empty()).then(|| Value::Array(entries).to_string())
}
