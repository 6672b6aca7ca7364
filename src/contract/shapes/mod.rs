//! The contract's shapes (Gastown contract, section 3): what methods take and answer.
//!
//! Owns names and types of fields, nothing that happens to them. The same structs decode SQL rows (fields in column
//! order) and wire objects. Fields that Kilo's objects do not have are marked "embedded" and have a default.
#![expect(missing_docs, reason = "the field names are the contract's; section 3 of the contract describes each")]

mod activity;
mod admin;
mod escalations;
mod ledger;
mod messages;
mod orders;
mod pool;
mod town;
mod work;

pub use activity::*;
pub use admin::*;
pub use escalations::*;
pub use ledger::*;
pub use messages::*;
pub use orders::*;
pub use pool::*;
pub use town::*;
pub use work::*;

use crate::contract::ids::{AgentId, BeadId, RigId};
use crate::objects::store::sql::{flag_column, json_column};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

macro_rules! text_enum {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal $(or $other:literal)?),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $(#[serde(rename = $text $(, alias = $other)?)] $variant),*
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text $(| $other)? => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

// Below the macro, which it uses.
mod reviews;
pub use reviews::*;
// After the macro, which it uses.
mod check;
mod convoys;
mod inspection;
mod mayor;
pub use check::*;
pub use convoys::*;
pub use inspection::*;
pub use mayor::*;

text_enum!(
    BeadStatus { Open = "open", InProgress = "in_progress", InReview = "in_review", Closed = "closed", Failed = "failed" }
);
text_enum!(BeadType {
    Issue = "issue",
    Message = "message",
    Escalation = "escalation",
    MergeRequest = "merge_request",
    Convoy = "convoy",
    Molecule = "molecule",
    Agent = "agent",
});
text_enum!(
    // Most urgent last, so that the order of the variants is the order of urgency.
    Priority { Low = "low" or "P3", Medium = "medium" or "P2", High = "high" or "P1", Critical = "critical" }
);
text_enum!(
    // Embedded: how rigorously a bead is worked on; each stands for a formula (`rig::formulas`).
    Quality { Basic = "basic", Shiny = "shiny", Chrome = "chrome" }
);
text_enum!(
    // Embedded: what must have become of a blocker. `merged` takes evidence of the merge.
    BlockedUntil { Closed = "closed", Merged = "merged" }
);
text_enum!(
    // Contract 3.8.
    BeadEventType {
        Created = "created",
        Assigned = "assigned",
        Hooked = "hooked",
        Unhooked = "unhooked",
        StatusChanged = "status_changed",
        Closed = "closed",
        Escalated = "escalated",
        NotificationFailed = "notification_failed",
        MailSent = "mail_sent",
        ReviewSubmitted = "review_submitted",
        ReviewCompleted = "review_completed",
        AgentSpawned = "agent_spawned",
        AgentExited = "agent_exited",
        PrCreated = "pr_created",
        PrCreationFailed = "pr_creation_failed",
        AgentStatus = "agent_status",
        TriageResolved = "triage_resolved",
        FieldsUpdated = "fields_updated",
        ReviewQueueDepthAlert = "review_queue_depth_alert",
        EscalationRateSpike = "escalation_rate_spike",
        AgentRestartLoop = "agent_restart_loop",
        ReworkRequested = "rework_requested",
        // Embedded: beads are gone then; their events stay.
        Deleted = "deleted",
    }
);
text_enum!(AgentRole { Polecat = "polecat", Refinery = "refinery", Mayor = "mayor" });
text_enum!(AgentStatus { Idle = "idle", Working = "working", Waiting = "waiting", Stalled = "stalled", Dead = "dead" });
text_enum!(
    MergeMode { ReviewThenLand = "review-then-land", ReviewAndMerge = "review-and-merge" }
);
text_enum!(ConvoyStatus { Active = "active", Landed = "landed" });
text_enum!(
    // Embedded: what a town's feed tells of.
    FeedKind {
        TownCreated = "town_created",
        RigAdded = "rig_added",
        ConvoyCreated = "convoy_created",
        ConvoyStarted = "convoy_started",
        ConvoyBeadFailed = "convoy_bead_failed",
        // Every bead is closed or failed, but the convoy has not landed.
        ConvoyEnded = "convoy_ended",
        ConvoyLanded = "convoy_landed",
        // A person closed it, whatever had become of its beads.
        ConvoyClosed = "convoy_closed",
        // Members, dependencies, merge mode or branch are others now.
        ConvoyChanged = "convoy_changed",
        MayorMessage = "mayor_message",
        // Raised, or raised again because nobody has acknowledged it.
        EscalationRaised = "escalation_raised",
        EscalationAcknowledged = "escalation_acknowledged",
        RigRemoved = "rig_removed",
        // No work is given out, of the town or of one rig, until it is unparked.
        Parked = "parked",
        Unparked = "unparked",
        // The same until what runs the agents is back.
        DrainStarted = "drain_started",
        DrainEnded = "drain_ended",
        // Too many orders ended without a report: no rig gives out work until that is over.
        BreakerOpened = "breaker_opened",
        BreakerClosed = "breaker_closed",
    }
);
text_enum!(
    // Most severe last, so that the order of the variants is the order of severity.
    Severity { Low = "low", Medium = "medium", High = "high", Critical = "critical" }
);
text_enum!(
    // Embedded: how a message travels. Hooks are what an agent was given to do.
    Channel { Mail = "mail", Nudge = "nudge", Hook = "hook", Handoff = "handoff" }
);
text_enum!(NudgeMode { WaitIdle = "wait-idle", Immediate = "immediate", Queue = "queue" });
text_enum!(NudgePriority { Normal = "normal", Urgent = "urgent" });
text_enum!(OwnerType { User = "user", Org = "org" });
text_enum!(RuntimeMode { Legacy = "legacy", Modern = "modern" });

impl BeadStatus {
    /// Whether nothing changes it any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Closed | Self::Failed)
    }
}

/// Contract 3.1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bead {
    pub bead_id: BeadId,
    #[serde(rename = "type")]
    pub kind: BeadType,
    pub status: BeadStatus,
    pub title: String,
    pub body: Option<String>,
    pub rig_id: Option<RigId>,
    pub parent_bead_id: Option<BeadId>,
    pub assignee_agent_bead_id: Option<AgentId>,
    pub priority: Priority,
    #[serde(deserialize_with = "json_column")]
    pub labels: Vec<String>,
    #[serde(deserialize_with = "json_column")]
    pub metadata: Map<String, Value>,
    #[serde(default)]
    pub dispatch_attempts: i64,
    #[serde(default)]
    pub last_dispatch_attempt_at: Option<Timestamp>,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// Embedded: blockers that are not met yet.
    #[serde(default)]
    pub blockers_open: i64,
    /// Embedded: the commit that merged this bead, the evidence that it was merged.
    #[serde(default)]
    pub merge_commit: Option<String>,
    /// Embedded: why a failed bead failed.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// Embedded: how rigorously it is worked on, where somebody said so.
    #[serde(default)]
    pub quality: Option<Quality>,
}

/// Contract 3.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    pub id: AgentId,
    pub rig_id: Option<RigId>,
    pub role: AgentRole,
    pub name: String,
    pub identity: String,
    pub status: AgentStatus,
    pub current_hook_bead_id: Option<BeadId>,
    #[serde(default)]
    pub dispatch_attempts: i64,
    pub last_activity_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "json_column")]
    pub checkpoint: Value,
    pub created_at: Timestamp,
    #[serde(default)]
    pub agent_status_message: Option<String>,
    #[serde(default)]
    pub agent_status_updated_at: Option<Timestamp>,
    /// Embedded: the branch that the hooked bead is worked on.
    #[serde(default)]
    pub branch: Option<String>,
    /// Embedded: grows with each hook; a report that names an older one is refused.
    #[serde(default)]
    pub fence: i64,
    /// Embedded: how rigorously the hooked bead is worked on, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Embedded: who runs its process, where that works and when its newest heartbeat came, in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_at: Option<Timestamp>,
}

/// Contract 2.2 `slingBead`. Embedded: at capacity `agent` is null and `queue_position` tells the place in the queue;
/// `molecule` tells how far the bead's formula is, as in `2/5 implement`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlingResult {
    pub bead: Bead,
    pub agent: Option<Agent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_position: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub molecule: Option<String>,
}

/// Contract 2.2 `slingBead`, input. Embedded: everything after `labels`. `title` is for a new bead, `bead_id` for one there is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SlingInput {
    #[serde(rename = "rigId")]
    pub rig_id: RigId,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub priority: Option<String>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bead_id: Option<BeadId>,
    /// basic, shiny or chrome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// What else the worker is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vars: Option<Map<String, Value>>,
    /// A polecat by id or name; or `mayor`, which no polecat is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depends_on: Option<Vec<BeadId>>,
    /// What must have become of those; closed unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<BlockedUntil>,
    /// Not to be given out before it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<bool>,
}

/// Contract 2.2 `createBead`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateBeadInput {
    #[serde(rename = "type")]
    pub kind: BeadType,
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub priority: Option<Priority>,
    #[serde(default)]
    pub labels: Option<Vec<String>>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub assignee_agent_bead_id: Option<AgentId>,
    #[serde(default)]
    pub parent_bead_id: Option<BeadId>,
    #[serde(default)]
    pub rig_id: Option<RigId>,
    #[serde(default)]
    pub created_by: Option<String>,
    /// Embedded: not given out before it is started.
    #[serde(default)]
    pub held: Option<bool>,
    /// Embedded: beads of the same rig that it waits for.
    #[serde(default)]
    pub depends_on: Option<Vec<BeadId>>,
    /// Embedded: what must become of them.
    #[serde(default)]
    pub until: Option<BlockedUntil>,
}

/// Contract 2.2 `listBeads`, input. Embedded: `before` continues after a bead of an earlier page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct BeadFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BeadStatus>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<BeadType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignee_agent_bead_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_bead_id: Option<BeadId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<RigId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<BeadPosition>,
}

/// Embedded: where a page of beads ended. Lists run from the newest bead to the oldest, ties by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BeadPosition {
    pub created_at: Timestamp,
    pub bead_id: BeadId,
}

/// Contract 2.4 `listAgents`, input.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct AgentFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AgentRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<AgentStatus>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rig_id: Option<RigId>,
}

/// Contract 3.4.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mail {
    pub id: BeadId,
    pub from_agent_id: String,
    pub to_agent_id: AgentId,
    pub subject: String,
    pub body: String,
    #[serde(deserialize_with = "flag_column")]
    pub delivered: bool,
    pub created_at: Timestamp,
    pub delivered_at: Option<Timestamp>,
    /// Embedded: `mail`, or `handoff` for work that changes hands.
    pub channel: Channel,
    /// Embedded: that work.
    #[serde(default)]
    pub bead_id: Option<BeadId>,
}

/// Contract 2.4 `sendMail`, input. Embedded: `mayor` stands for the town's Mayor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MailInput {
    pub from_agent_id: String,
    pub to_agent_id: String,
    pub subject: String,
    pub body: String,
}
