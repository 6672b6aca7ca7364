//! The labels that mean something to Gastown itself.
//!
//! Owns their texts, and which of them keep a bead from being given out.

/// The label that keeps a bead from being dispatched.
pub const HELD_LABEL: &str = "gt:held";
/// The label of beads that wait for a decision (triage).
pub const TRIAGE_LABEL: &str = "gt:triage-request";
/// The label of what the Mayor decides about.
pub const MAYOR_LABEL: &str = "gt:mayor";

/// Whether these labels keep a bead from being given out.
#[must_use]
pub fn has_held_label(labels: &[String]) -> bool {
    labels.iter().any(|label| label == HELD_LABEL || label == TRIAGE_LABEL)
}
