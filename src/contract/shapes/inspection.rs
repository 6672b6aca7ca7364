//! Embedded: a convoy looked at closely, for whoever has to get it going, split or recount it; and the steps by which a
//! bead is got going.
//!
//! Owns names and types of fields. Titles, reasons and messages in them were written by agents or users.

use super::{AgentStatus, BeadStatus, ConvoyBead, ConvoyEntry, Coverage, Severity};
use crate::contract::columns::flag_column;
use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `inspectConvoys` of the town, input: one convoy by id or title, or a page of the active and recently landed ones, newest
/// first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct InspectInput {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub convoy: Option<String>,
    /// `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

/// `inspectConvoys` of the town.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TownInspection {
    pub as_of: Timestamp,
    /// The whole town is parked; a parked rig says so itself.
    pub parked: bool,
    pub draining: bool,
    /// `watch.nudge_after_seconds`, where the town sets it.
    pub patience_seconds: Option<i64>,
    pub review_stuck_seconds: i64,
    pub restart_loop_exits: i64,
    pub convoys: Vec<ConvoyInspection>,
    /// The rigs that have beads of these convoys and answered.
    pub rigs: Vec<RigInspection>,
    pub coverage: Coverage,
    /// Where the next page begins.
    pub next: Option<i64>,
}

/// A convoy as its town has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvoyInspection {
    /// With the counts that the town claims.
    pub claimed: ConvoyEntry,
    /// The members, as their rigs last told.
    pub members: Vec<ConvoyBead>,
    /// Rigs that have not heard of the convoy's last change yet.
    pub under_way: Vec<RigId>,
    /// The convoy whose failed beads this one does anew.
    pub follow_up_of: Option<ConvoyId>,
    /// What does this one's failed beads anew.
    pub follow_ups: Vec<FollowUp>,
}

/// A bead that does a failed one anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    pub convoy_id: ConvoyId,
    pub bead_id: BeadId,
    /// The bead that failed.
    pub of: BeadId,
}

/// `inspectMembers` of a rig: its members of some convoys, and what they depend on there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct RigInspection {
    pub rig_id: RigId,
    pub name: String,
    pub parked: bool,
    pub draining: bool,
    /// Too much has failed in the town: nothing is given out.
    pub breaker_open: bool,
    /// When the last pause ended; silence is counted from then at the earliest.
    pub resumed_at: Timestamp,
    /// Polecats that may live at once, that do, and that are free.
    pub capacity: i64,
    pub living: i64,
    pub idle: i64,
    pub queue_depth: i64,
    pub has_refinery: bool,
    /// The escalation that nobody takes up hooks here.
    pub no_runner: Option<BeadId>,
    pub members: Vec<MemberInspection>,
    /// What is not met, of the members and of whatever they wait for.
    pub unmet: Vec<UnmetBlocker>,
    /// Escalations about the beads that were asked for.
    pub raised: Vec<RaisedAbout>,
}

/// A member as its rig has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberInspection {
    pub bead: ConvoyBead,
    pub updated_at: Timestamp,
    /// Times that it was given back.
    pub attempts: i64,
    /// It is not given out again before.
    pub rests_until: Option<Timestamp>,
    /// A label holds it back.
    pub is_held: bool,
    /// It was left to the Mayor.
    pub is_mayors: bool,
    /// Its branch does not merge.
    pub has_conflicts: bool,
    /// Who has it on the hook.
    pub holder: Option<HolderInspection>,
    /// Its merge request, while that is open.
    pub review: Option<ReviewInspection>,
    /// Orders of it that ended without a report lately, as the watch counts restart loops.
    pub crashes: i64,
    /// Orders of it that were stopped because nothing came of them.
    pub stopped: i64,
}

/// Who holds a bead, and how long there has been no progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderInspection {
    pub agent_id: AgentId,
    pub name: String,
    pub status: AgentStatus,
    /// The order of the hook.
    pub order: i64,
    /// An agent or a runner has taken it up.
    #[serde(deserialize_with = "flag_column")]
    pub is_taken_up: bool,
    /// The newest thing that was done.
    pub progress_at: Timestamp,
    /// The newest nudge since the order began, but for those of other agents.
    pub nudged_at: Option<Timestamp>,
}

/// A merge request that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewInspection {
    pub bead_id: BeadId,
    pub status: BeadStatus,
    #[serde(deserialize_with = "flag_column")]
    pub has_pull_request: bool,
    /// The refinery has it on the hook.
    #[serde(deserialize_with = "flag_column")]
    pub is_held: bool,
    /// It waits for changes that were asked for.
    pub blockers_open: i64,
    /// The newest thing that happened to it.
    pub updated_at: Timestamp,
}

/// `bead_id` waits for `depends_on`, and that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmetBlocker {
    pub bead_id: BeadId,
    pub depends_on: BeadId,
    /// `None`: nobody has it any more.
    pub status: Option<BeadStatus>,
}

/// An escalation about a bead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAbout {
    /// The bead, or its merge request.
    pub about: BeadId,
    pub escalation_id: BeadId,
    pub category: String,
    /// The order that it is about, where it is about one.
    pub order: Option<i64>,
    /// Nobody has dealt with it.
    #[serde(deserialize_with = "flag_column")]
    pub is_open: bool,
}

/// `createFollowUp`, input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FollowUpInput {
    /// Id or title of the convoy that is followed.
    pub convoy: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Beads that wait for what is done anew come along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_open: Option<bool>,
}

/// `createFollowUp`: the follow-up, and whether it was made just now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FollowUpResult {
    pub created: bool,
    /// Null when nothing has failed.
    pub convoy: Option<ConvoyEntry>,
    pub beads: Vec<FollowUp>,
    /// Beads that came along.
    pub moved: Vec<BeadId>,
}

text_enum!(
    // What is done about a bead that does not move, one after the other.
    UnstickStep { Nudge = "nudge", Reassign = "reassign", Escalate = "escalate" }
);

/// `unstickBead`, input: one step, and what it is founded on. Where that is so no longer, nothing is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnstickInput {
    /// The convoy for which it is done.
    pub convoy_id: ConvoyId,
    pub bead_id: BeadId,
    pub step: UnstickStep,
    /// Nudge, reassign: who holds the bead, by which order, and since when without progress.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    #[serde(default)]
    pub order: Option<i64>,
    #[serde(default)]
    pub silent_since: Option<Timestamp>,
    /// Escalate.
    #[serde(default)]
    pub severity: Option<Severity>,
    #[serde(default)]
    pub category: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
}

/// `unstickBead`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnstickResult {
    pub done: bool,
    /// Why nothing was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Who holds the bead now; nobody: it waits in the queue, or has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_id: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<BeadStatus>,
    /// The escalation, just raised or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalation_id: Option<BeadId>,
}
