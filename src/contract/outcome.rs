//! How a bead, a convoy or a message to the Mayor stands, in words that anyone of its town may hear.
//!
//! Owns what letters to sessions and answers about waiting say alike: ids, one word and counts, never text that agents or
//! users wrote. Failed is not done, and done is not merged.

use crate::contract::ids::{BeadId, ConvoyId, RigId};
use crate::contract::shapes::{BeadStatus, ConvoyEntry, ConvoyStatus, MayorMessage, MayorMessageStatus};
use serde_json::{Map, Value, json};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Nothing will change it any more.
    pub terminal: bool,
    /// An object: how it stands.
    pub told: Value,
}

impl Outcome {
    /// A bead, by its status and whether a merge commit is known; `None`: there is none any more.
    #[must_use]
    pub fn of_bead(id: &str, rig: &RigId, known: Option<(BeadStatus, bool)>) -> Self {
        let status = match known {
            None => "deleted",
            Some((BeadStatus::Closed, true)) => "merged",
            Some((BeadStatus::Closed, false)) => "done",
            Some((status @ (BeadStatus::Open | BeadStatus::InProgress | BeadStatus::InReview | BeadStatus::Failed), _)) => status.as_str(),
        };
        let terminal = known.is_none_or(|(status, _)| status.is_terminal());
        Self { terminal, told: json!({"bead_id": id, "status": status, "rig_id": rig}) }
    }

    /// A convoy, by the counts in its entry. It is `complete` only when every bead is closed, `landed` only with evidence,
    /// and `closed` when a person ended it.
    #[must_use]
    pub fn of_convoy(convoy: &ConvoyEntry) -> Self {
        let terminal = has_ended(convoy);
        let status = match convoy.status {
            // By hand: that says nothing about what was merged.
            ConvoyStatus::Landed if convoy.forced_at.is_some() => "closed",
            ConvoyStatus::Landed => "landed",
            ConvoyStatus::Active if terminal && convoy.failed_beads > 0 => "failed",
            ConvoyStatus::Active if terminal => "complete",
            ConvoyStatus::Active if convoy.staged => "staged",
            ConvoyStatus::Active => "running",
        };
        let told = json!({
            "convoy_id": convoy.id,
            "status": status,
            "total_beads": convoy.total_beads,
            "closed_beads": convoy.closed_beads,
            "failed_beads": convoy.failed_beads,
        });
        Self { terminal, told }
    }

    /// A convoy that is not there any more.
    #[must_use]
    pub fn of_deleted_convoy(id: &ConvoyId) -> Self {
        Self { terminal: true, told: json!({"convoy_id": id, "status": "deleted"}) }
    }

    /// A message to the Mayor; `None`: there is none any more, because newer ones took its place.
    #[must_use]
    pub fn of_message(id: &BeadId, known: Option<&MayorMessage>) -> Self {
        let terminal = known.is_none_or(|message| message.status == MayorMessageStatus::Answered);
        let told = match known {
            Some(message) => json!({"message_id": id, "status": message.status}),
            None => json!({"message_id": id, "status": "dropped"}),
        };
        Self { terminal, told }
    }

    /// The fields of what is told.
    #[must_use]
    pub fn fields(self) -> Map<String, Value> {
        if let Value::Object(fields) = self.told { fields } else { Map::new() }
    }
}

/// Whether the convoy has landed, was closed, or every bead of it is closed or failed. An empty one has not.
#[must_use]
pub fn has_ended(convoy: &ConvoyEntry) -> bool {
    let ended = convoy.closed_beads + convoy.failed_beads;
    convoy.status == ConvoyStatus::Landed || (convoy.total_beads > 0 && ended >= convoy.total_beads)
}
