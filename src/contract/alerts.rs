//! What is raised by itself: the kinds of alert, and the categories under which people find them.
//!
//! Owns their texts and severities. Whether something is wrong, a rig's watchdog and a town's circuit breaker decide.

use super::shapes::Severity;
use serde::{Deserialize, Serialize};

/// The category of a bead that failed because it was given out too often, and why it failed.
pub const ATTEMPTS_SPENT: &str = "max_dispatch_attempts";
/// The category of a circuit breaker that has opened.
pub const DISPATCH_BREAKER: &str = "dispatch_breaker";
/// Who resolves what was raised by itself.
pub const AUTHOR: &str = "watch";

/// A condition that can last for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertKind {
    /// An agent makes no progress; the subject is the agent.
    StalledAgent,
    /// Orders end without a report again and again; the subject is a bead or an agent.
    RestartLoop,
    /// A review made no progress and was stopped; the subject is the merge request.
    StuckReview,
    /// Too much work waits; of the rig.
    QueueDepth,
    /// No runner takes up hooked work; of the rig.
    NoRunner,
}

impl AlertKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::StalledAgent, Self::RestartLoop, Self::StuckReview, Self::QueueDepth, Self::NoRunner];

    /// The category of its escalation.
    #[must_use]
    pub const fn category(self) -> &'static str {
        match self {
            Self::StalledAgent => "stalled_agent",
            Self::RestartLoop => "agent_restart_loop",
            Self::StuckReview => "stuck_review",
            Self::QueueDepth => "queue_depth",
            Self::NoRunner => "no_runner",
        }
    }

    /// How bad it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::NoRunner => Severity::Low,
            Self::StalledAgent | Self::StuckReview | Self::QueueDepth => Severity::Medium,
            Self::RestartLoop => Severity::High,
        }
    }
}
