//! The bodies of what rigs tell their town.
//!
//! Owns their fields. Summaries, frames and beads that are there have the shapes that answers have.

use crate::contract::ids::{BeadId, ConvoyId};
use crate::contract::shapes::{BeadStatus, LandingStatus, Severity};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The body of the rig's `landing` letter: how the landing stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingReport {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Which order it answers.
    #[serde(default)]
    pub round: i64,
    /// Where it is.
    pub status: LandingStatus,
    /// Reviews that have ended.
    pub attempts: i64,
    /// The merge commit; absent when none was named, and when the branch was at its base.
    #[serde(default)]
    pub merge_commit: Option<String>,
    /// The branch was at its base: nothing was merged.
    pub is_empty: bool,
    /// Why the last review failed.
    #[serde(default)]
    pub failure: Option<String>,
}

/// The body of a `bead` letter about a bead that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeadGone {
    /// Which one.
    pub bead_id: BeadId,
    /// True; a bead that is there has a `ConvoyBead`'s fields instead.
    pub deleted: bool,
}

/// The body of a `message` letter: mail to the Mayor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailToMayor {
    /// Who writes, as the Mayor reads it.
    pub sender: String,
    /// What about.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The work that changes hands with it.
    pub bead_id: Option<String>,
}

/// An escalation as a rig tells its town (`status`: of its bead), and as a town tells the rig that it concerns.
/// The letter's subject is its id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EscalationLetter {
    /// Who raised it.
    pub agent_id: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// Under what people find it.
    pub category: Option<String>,
    /// What is wrong.
    pub message: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Of its bead.
    pub status: BeadStatus,
    /// Who closed it, unless a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_by: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_bead_id: Option<String>,
}
