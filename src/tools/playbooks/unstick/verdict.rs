//! What is found about a bead: why it has not ended, and the rung that is next.
//!
//! Owns the words for causes and rungs, and how a rung becomes a step of the rig. Decides nothing.

use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId};
use crate::contract::shapes::{ConvoyBead, Severity, UnstickInput, UnstickStep};
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a bead has not ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs on variants would turn the schema's enum into alternatives; `words` has a sentence for each")]
pub enum Cause {
    Working,
    Silent,
    NotTakenUp,
    InReview,
    PullRequest,
    ReviewStuck,
    NoRefinery,
    MergeConflict,
    Blocked,
    BlockerFailed,
    BlockerDeleted,
    Failed,
    FollowedUp,
    Deleted,
    RestartLoop,
    Resting,
    AllBusy,
    Queued,
    Held,
    WithMayor,
    LeftBehind,
    Staged,
    Parked,
    Draining,
    Breaker,
    OnItsWay,
    Missing,
    RigSilent,
}

/// What comes next for a bead. The ladder goes from `nudge` to `escalate`; a bead on another rung is waited for, left alone,
/// or a person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs on variants would turn the schema's enum into alternatives")]
pub enum Rung {
    Nudge,
    Reassign,
    Escalate,
    Human,
    Wait,
    Leave,
}

impl Rung {
    /// Whether the playbook does it.
    #[must_use]
    pub const fn is_step(self) -> bool {
        matches!(self, Self::Nudge | Self::Reassign | Self::Escalate)
    }
}

/// What was found about one bead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub bead: BeadId,
    /// In which rig.
    pub rig: Option<RigId>,
    /// Why it has not ended.
    pub cause: Cause,
    /// What comes next.
    pub rung: Rung,
    /// Who holds it: id, name, order.
    pub holder: Option<(AgentId, String, i64)>,
    /// Since when nothing has been done, where that matters.
    pub since: Option<Timestamp>,
    /// The bead that really stops it.
    pub root: Option<BeadId>,
    /// The escalation that stands for it.
    pub escalation: Option<BeadId>,
    /// When it may be otherwise by itself, in seconds from now.
    pub again_seconds: Option<i64>,
    /// A number that belongs to the cause: attempts, crashes, beads in the queue, blockers.
    pub number: i64,
}

impl Verdict {
    pub(super) fn new(bead: &ConvoyBead, cause: Cause, rung: Rung) -> Self {
        Self {
            bead: bead.bead_id.clone(),
            rig: bead.rig_id.clone(),
            cause,
            rung,
            holder: None,
            since: None,
            root: None,
            escalation: None,
            again_seconds: None,
            number: 0,
        }
    }

    pub(super) fn again(mut self, seconds: i64) -> Self {
        self.again_seconds = Some(seconds.max(1));
        self
    }

    pub(super) fn since(mut self, since: Timestamp) -> Self {
        self.since = Some(since);
        self
    }

    pub(super) fn number(mut self, number: i64) -> Self {
        self.number = number;
        self
    }
}

/// The sort of escalation that a cause is.
#[must_use]
pub const fn category(cause: Cause) -> &'static str {
    match cause {
        Cause::Failed => "failed_bead",
        Cause::Deleted => "deleted_bead",
        Cause::Silent => "stalled_agent",
        Cause::NotTakenUp => "no_runner",
        Cause::RestartLoop => "agent_restart_loop",
        Cause::ReviewStuck | Cause::NoRefinery => "stuck_review",
        Cause::MergeConflict => "merge_conflict",
        _ => "blocked_bead",
    }
}

/// The step as the rig takes it, without the words of an escalation.
#[must_use]
pub fn founded_on(convoy: &ConvoyId, verdict: &Verdict) -> Option<UnstickInput> {
    let step = match verdict.rung {
        Rung::Nudge => UnstickStep::Nudge,
        Rung::Reassign => UnstickStep::Reassign,
        Rung::Escalate => UnstickStep::Escalate,
        Rung::Human | Rung::Wait | Rung::Leave => return None,
    };
    let is_told = step == UnstickStep::Escalate;
    let severity =
        if matches!(verdict.cause, Cause::Failed | Cause::RestartLoop | Cause::MergeConflict) { Severity::High } else { Severity::Medium };
    Some(UnstickInput {
        convoy_id: convoy.clone(),
        bead_id: verdict.bead.clone(),
        step,
        agent_id: verdict.holder.as_ref().map(|(agent, ..)| agent.clone()),
        order: verdict.holder.as_ref().map(|(.., order)| *order),
        silent_since: verdict.since.filter(|_| !is_told),
        severity: is_told.then_some(severity),
        category: is_told.then(|| category(verdict.cause).to_owned()),
        message: None,
    })
}
