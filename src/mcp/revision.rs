//! The revisions of the protocol, and what differs between them.
//!
//! Owns every question of the form "does this revision have …?", each as one function. Which methods a revision has
//! is a column of the table in `methods`.

use crate::client::ClientCapability;
use crate::types::ListSchema;

/// A released revision, oldest first, so that they compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revision {
    /// The first one.
    V2024_11_05,
    /// Streamable HTTP and JSON-RPC batches.
    V2025_03_26,
    /// Structured tool output, titles, the version header; no batches.
    V2025_06_18,
    /// The last one that begins with `initialize`.
    V2025_11_25,
    /// Stateless: every request says what it needs.
    V2026_07_28,
}

impl Revision {
    /// All of them, newest first, as `server/discover` lists them.
    pub const ALL: [Self; 5] = [Self::V2026_07_28, Self::V2025_11_25, Self::V2025_06_18, Self::V2025_03_26, Self::V2024_11_05];

    /// What `initialize` answers when it is asked for anything it cannot negotiate.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// As it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Reads the wire form; `None` for a revision that is not served.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// What `initialize` settles on: the revision asked for if it begins with `initialize` at all, else the newest
    /// that does (2025-11-25, lifecycle, version negotiation). Clients do ask for 2026-07-28 this way.
    #[must_use]
    pub fn negotiate(requested: &str) -> Self {
        Self::parse(requested).filter(|revision| !revision.is_modern()).unwrap_or(Self::LATEST_LEGACY)
    }

    /// Stateless, with everything in each request, against `initialize` and sessions.
    #[must_use]
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }

    /// Whether a body may be an array of messages. 2025-06-18 removed what 2025-03-26 had brought.
    #[must_use]
    pub const fn has_batches(self) -> bool {
        matches!(self, Self::V2025_03_26)
    }

    /// Whether `CallToolResult` has `structuredContent`.
    #[must_use]
    pub fn has_structured_content(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether `Implementation` has a `title`.
    #[must_use]
    pub fn has_titles(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether a stream begins with an event without data, and may end before its answer.
    #[must_use]
    pub const fn has_primed_streams(self) -> bool {
        matches!(self, Self::V2025_11_25)
    }

    /// Whether capabilities have `extensions`.
    #[must_use]
    pub const fn has_extensions(self) -> bool {
        self.is_modern()
    }

    /// Whether `notifications/progress` has a `message`.
    #[must_use]
    pub fn has_progress_messages(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// Whether `elicitation/create` has a `mode`.
    #[must_use]
    pub fn has_elicitation_modes(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether clients of this revision can do this at all. What a client of several revisions declares beyond the one
    /// that was settled on does not count.
    #[must_use]
    pub fn has_capability(self, capability: ClientCapability) -> bool {
        match capability {
            ClientCapability::Sampling | ClientCapability::Roots => true,
            ClientCapability::Elicitation => self >= Self::V2025_06_18,
            ClientCapability::UrlElicitation => self >= Self::V2025_11_25,
            ClientCapability::Tasks => self.is_modern(),
        }
    }

    /// The form of lists that this revision defines.
    #[must_use]
    pub fn list_schema(self) -> ListSchema {
        if self >= Self::V2025_06_18 { ListSchema::Full } else { ListSchema::Before2025June }
    }
}
