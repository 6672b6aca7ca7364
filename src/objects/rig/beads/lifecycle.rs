//! The life of a bead, as one pure function: which moves are legal.
//!
//! Owns the stages and the moves between them; the diagram in `docs/towns.md` is printed from here. Touches no database.

use crate::contract::shapes::BeadStatus;
use base::error::{Code, Refusal};
use std::fmt::Write as _;

/// Where a bead is in its life. `hooked` is the contract's `open` with a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// No agent has it.
    Open,
    /// It is on an agent's hook, and the agent has not begun.
    Hooked,
    /// Its agent works on it.
    InProgress,
    /// The work is done and a merge request is open.
    InReview,
    /// It is over: merged if a merge commit is known, else done.
    Closed,
    /// It is over without success.
    Failed,
}

impl Stage {
    /// Every stage, in the order of a life that goes well, then failure.
    pub const ALL: [Self; 6] = [Self::Open, Self::Hooked, Self::InProgress, Self::InReview, Self::Closed, Self::Failed];

    /// The stage of a bead with this status; `is_held`: it is on a hook.
    #[must_use]
    pub const fn of(status: BeadStatus, is_held: bool) -> Self {
        match status {
            BeadStatus::Open if is_held => Self::Hooked,
            BeadStatus::Open => Self::Open,
            BeadStatus::InProgress => Self::InProgress,
            BeadStatus::InReview => Self::InReview,
            BeadStatus::Closed => Self::Closed,
            BeadStatus::Failed => Self::Failed,
        }
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Hooked => "hooked",
            Self::InProgress => "in_progress",
            Self::InReview => "in_review",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }

    /// Why a bead would move from here to there; `None` when it may not. Staying is no move.
    #[must_use]
    pub const fn to(self, next: Self) -> Option<&'static str> {
        use Stage::{Closed, Failed, Hooked, InProgress, InReview, Open};
        match (self, next) {
            (Open, Hooked) => Some("hook"),
            (Hooked, InProgress) => Some("start"),
            (Hooked | InProgress, InReview) => Some("submit"),
            (Hooked | InProgress, Open) => Some("unhook, lost agent"),
            (InReview, Open) => Some("rework, conflict"),
            (InReview, Closed) => Some("merge"),
            (Open | Hooked | InProgress, Closed) => Some("close without a merge"),
            (Open | Hooked | InProgress | InReview, Failed) => Some("fail"),
            (Open, Open | InProgress | InReview)
            | (Hooked, Hooked)
            | (InProgress, Hooked | InProgress)
            | (InReview, Hooked | InProgress | InReview)
            | (Closed | Failed, Open | Hooked | InProgress | InReview | Closed | Failed) => None,
        }
    }
}

/// Whether a bead may move.
///
/// # Errors
/// `Conflict` that names the stages it could move to. Terminal stages are the caller's business: the contract answers
/// them with the bead as it is.
pub fn check(id: &str, from: Stage, next: Stage) -> Result<(), Refusal> {
    if from == next || from.to(next).is_some() {
        return Ok(());
    }
    let possible: Vec<&str> = Stage::ALL.into_iter().filter(|stage| from.to(*stage).is_some()).map(Stage::as_str).collect();
    let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is {}: it cannot become {}", from.as_str(), next.as_str()));
    Err(refusal.hint(match (from, next) {
        (Stage::Open, Stage::InProgress | Stage::InReview) => {
            "Nobody holds it: hook it to an agent, or let the queue give it out.".to_owned()
        }
        _ if possible.is_empty() => "It has ended. Make a new bead for further work.".to_owned(),
        _ => format!("From here it can become {}.", possible.join(", ")),
    }))
}

/// The diagram of all moves, as Mermaid text.
#[must_use]
pub fn diagram() -> String {
    let mut text = "stateDiagram-v2\n  [*] --> open\n".to_owned();
    for from in Stage::ALL {
        for next in Stage::ALL {
            if let Some(why) = from.to(next) {
                _ = writeln!(text, "  {} --> {}: {why}", from.as_str(), next.as_str());
            }
        }
    }
    text + "  closed --> [*]\n  failed --> [*]\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    // Rows are from, columns next, both in the order of `ALL`: every pair, written out.
    const LEGAL: [[bool; 6]; 6] = [
        [false, true, false, false, true, true],
        [true, false, true, true, true, true],
        [true, false, false, true, true, true],
        [true, false, false, false, true, true],
        [false, false, false, false, false, false],
        [false, false, false, false, false, false],
    ];

    #[test]
    fn every_pair_of_stages_is_legal_or_not_as_written() {
        for (from, row) in Stage::ALL.into_iter().zip(LEGAL) {
            for (next, legal) in Stage::ALL.into_iter().zip(row) {
                assert_eq!(from.to(next).is_some(), legal, "{from:?} to {next:?}");
                assert_eq!(check("b", from, next).is_ok(), legal || from == next, "{from:?} to {next:?}");
            }
        }
    }

    #[test]
    fn a_refused_move_says_which_are_possible() {
        let refusal = check("b", Stage::InReview, Stage::Hooked).unwrap_err();
        assert_eq!(refusal.message, "Bead b is in_review: it cannot become hooked");
        assert_eq!(refusal.hint.as_deref(), Some("From here it can become open, closed, failed."));
        assert!(check("b", Stage::Open, Stage::InProgress).unwrap_err().hint.unwrap().contains("hook it"));
        assert!(check("b", Stage::Closed, Stage::Open).unwrap_err().hint.unwrap().contains("new bead"));
    }

    #[test]
    fn the_diagram_shows_every_legal_move_and_no_other() {
        let legal = LEGAL.iter().flatten().filter(|legal| **legal).count();
        assert_eq!(diagram().lines().filter(|line| line.contains("-->")).count(), legal + 3);
    }
}
