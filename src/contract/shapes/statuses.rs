//! The words of the contract: statuses, kinds, roles, modes.
//!
//! Owns their texts, which databases and wires carry alike.

use serde::{Deserialize, Serialize};

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
    // Embedded: how rigorously a bead is worked on; each stands for a formula (`contract::formulas`).
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
