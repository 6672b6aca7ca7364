//! Skills (SEP-2640): guides that clients can load when they need them.
//!
//! Owns the guides and what `skills/list` says of them. They are read as resources (`resources::rows`).

/// A guide.
pub struct Skill {
    /// Of its only file. The folder has the skill's name.
    pub uri: &'static str,
    /// The front matter's `name`.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// The front matter's `description`.
    pub description: &'static str,
    /// The file.
    pub text: &'static str,
}

/// For the client that directs several towns.
pub const COORDINATOR: Skill = Skill {
    uri: "skill://gastown/gastown-coordinator/SKILL.md",
    name: "gastown-coordinator",
    title: "Coordinating a fleet of towns",
    description: "Coordinate work across several Gastown towns. Use when a request touches more than one town, or when asked how the fleet is doing.",
    text: include_str!("skills/coordinator.md"),
};

/// For the client that runs one town.
pub const MAYOR: Skill = Skill {
    uri: "skill://gastown/gastown-mayor/SKILL.md",
    name: "gastown-mayor",
    title: "Running a town as its Mayor",
    description: "Run one Gastown town by giving out work as beads and convoys, following it, and handling what stalls or fails. Use when work has to be done in the rigs of a town.",
    text: include_str!("skills/mayor.md"),
};

/// Every skill.
pub const SKILLS: &[&Skill] = &[&COORDINATOR, &MAYOR];

/// `skills` of `skills/list`: JSON text of an array, with the digest and size of each file. A test makes it from the files.
pub const LIST: &str = include_str!("skills/list.json");
