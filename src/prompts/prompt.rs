//! A prompt as a row: what it is called, what it takes, and what its arguments are once they have been checked.
//!
//! Owns these types. The rows are `rows`', checking is the room's.

use crate::contract::ids::TownId;
use crate::resources::Offering;
use crate::tools::tool::Reach;
use base::error::{Failure, Fault};
use mcp::types::CallFuture;

/// The values that an argument may be completed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "things of a town")]
pub enum Values {
    Towns,
    Rigs,
    Convoys,
    Agents,
    Beads,
    /// Anything: nothing is offered.
    Free,
    /// These.
    Words(&'static [&'static str]),
}

/// A row of the table.
pub struct PromptDef {
    /// Public and permanent.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// The reach: a prompt over the fleet is not offered on a connection to one town.
    pub reach: Reach,
    /// The arguments, `town` included, which a connection to one town leaves out.
    pub arguments: &'static [Argument],
    /// The messages, as JSON text of an array.
    pub get: for<'a> fn(&'a Offering<'a>, Filled) -> CallFuture<'a, String>,
}

/// An argument of a prompt.
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What to write.
    pub description: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// The values for completion.
    pub values: Values,
}

/// Arguments that have been checked against their row.
pub struct Filled(pub(super) Vec<(&'static str, String)>);

impl Filled {
    /// An argument, if it was given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// An argument that the row requires.
    ///
    /// # Errors
    /// A fault: required arguments have been checked.
    pub fn text(&self, name: &str) -> Result<&str, Fault> {
        self.get(name).ok_or_else(|| Fault::new("fill in a prompt", format!("{name} is not required by its row")))
    }

    /// The town that is meant: the connection's own, or the one that `town` names.
    ///
    /// # Errors
    /// As for `Offering::town`.
    pub async fn town(&self, at: &Offering<'_>) -> Result<TownId, Failure> {
        match (at.pinned, self.get("town")) {
            (Some(pinned), None) => Ok(pinned.clone()),
            _ => at.town(self.text("town")?).await,
        }
    }
}
