//! Toolsets: which tools a connection asked to see.
//!
//! Owns their names and how a choice is read. A choice never reaches beyond what the principal may do; who makes none gets
//! the tools that most work takes.

use base::error::Refusal;

/// A group of tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toolset {
    /// Towns, rigs and beads: what there is to do, and giving it out.
    Work,
    /// Batches of work.
    Convoys,
    /// Agents, messages and escalations.
    Agents,
    /// Making, changing and deleting towns and rigs; what only their owner does.
    Admin,
    /// What to do when things go wrong, a step at a time, and how it went so far.
    Playbooks,
}

impl Toolset {
    /// All, in the order of the documents.
    pub const ALL: [Self; 5] = [Self::Work, Self::Convoys, Self::Agents, Self::Admin, Self::Playbooks];

    /// The name that clients use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Work => "work",
            Self::Convoys => "convoys",
            Self::Agents => "agents",
            Self::Admin => "admin",
            Self::Playbooks => "playbooks",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The choice of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Toolsets(u8);

impl Toolsets {
    /// None was made: every tool that is listed by default.
    pub const DEFAULT: Self = Self(0);
    /// Every tool there is.
    pub const ALL: Self = Self(0b1_1111);

    /// Reads `X-MCP-Toolsets` or `?toolsets=`: names with commas between them, or `all`. Nothing at all is the default.
    ///
    /// # Errors
    /// `InvalidArgument` with the names there are.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut chosen = Self::DEFAULT;
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let bits = match Toolset::ALL.iter().find(|toolset| toolset.as_str() == name) {
                Some(toolset) => toolset.bit(),
                None if name == "all" => Self::ALL.0,
                None => {
                    let known: Vec<&str> = Toolset::ALL.iter().map(|toolset| toolset.as_str()).collect();
                    let refusal = Refusal::argument("toolsets", "one of the names is not a toolset");
                    return Err(refusal.hint(format!("Toolsets: {}, all. Leave it out for the usual tools.", known.join(", "))));
                }
            };
            chosen.0 |= bits;
        }
        Ok(chosen)
    }

    /// Whether a tool of this toolset is in the choice; `by_default`: it is one that needs no choice.
    #[must_use]
    pub const fn has(self, toolset: Toolset, by_default: bool) -> bool {
        if self.0 == Self::DEFAULT.0 { by_default } else { self.0 & toolset.bit() != 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_read_from_names() {
        assert_eq!(Toolsets::read("").unwrap(), Toolsets::DEFAULT);
        assert_eq!(Toolsets::read(" , ").unwrap(), Toolsets::DEFAULT);
        assert_eq!(Toolsets::read("all").unwrap(), Toolsets::ALL);
        assert_eq!(Toolsets::read("work,convoys, agents ,admin,playbooks").unwrap(), Toolsets::ALL);
        let refusal = Toolsets::read("work,everything").unwrap_err();
        assert_eq!(
            refusal.hint.as_deref(),
            Some("Toolsets: work, convoys, agents, admin, playbooks, all. Leave it out for the usual tools.")
        );
    }

    #[test]
    fn a_choice_shows_its_toolsets_whole_and_no_choice_the_usual_tools() {
        let chosen = Toolsets::read("admin").unwrap();
        assert!(chosen.has(Toolset::Admin, false) && !chosen.has(Toolset::Work, true));
        assert!(Toolsets::DEFAULT.has(Toolset::Work, true) && !Toolsets::DEFAULT.has(Toolset::Admin, false));
    }
}
