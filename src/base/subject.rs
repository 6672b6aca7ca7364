//! What a refusal is about, as data.
//!
//! Owns the closed set and its form in a reply: a kind and the id or path that belongs to it. Texts are `error`'s.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a refusal is about. Things carry their id, or the name by which the call named them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A rig that does not exist, or is none of the town's.
    Rig(String),
    /// A bead.
    Bead(String),
    /// A convoy.
    Convoy(String),
    /// An agent.
    Agent(String),
    /// A town.
    Town(String),
    /// A town that is being deleted.
    ClosingTown(String),
    /// A town that has its identity already.
    InitializedTown(String),
    /// An argument of the call; the message begins with this path.
    Argument(String),
    /// A place in the body of a request; the hint begins with this path.
    Body(String),
}

impl Subject {
    fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Rig(id) => ("rig", id),
            Self::Bead(id) => ("bead", id),
            Self::Convoy(id) => ("convoy", id),
            Self::Agent(id) => ("agent", id),
            Self::Town(id) => ("town", id),
            Self::ClosingTown(id) => ("closing_town", id),
            Self::InitializedTown(id) => ("initialized_town", id),
            Self::Argument(path) => ("argument", path),
            Self::Body(path) => ("body", path),
        }
    }

    fn of(kind: &str, id: String) -> Option<Self> {
        Some(match kind {
            "rig" => Self::Rig(id),
            "bead" => Self::Bead(id),
            "convoy" => Self::Convoy(id),
            "agent" => Self::Agent(id),
            "town" => Self::Town(id),
            "closing_town" => Self::ClosingTown(id),
            "initialized_town" => Self::InitializedTown(id),
            "argument" => Self::Argument(id),
            "body" => Self::Body(id),
            _ => return None,
        })
    }
}

/// A kind and what belongs to it.
pub fn serialize<S: Serializer>(subject: &Option<Subject>, serializer: S) -> Result<S::Ok, S::Error> {
    subject.as_ref().map(Subject::parts).serialize(serializer)
}

/// A kind of a later version reads as none: the code still says enough.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Subject>, D::Error> {
    let parts = Option::<(String, String)>::deserialize(deserializer)?;
    Ok(parts.and_then(|(kind, id)| Subject::of(&kind, id)))
}
