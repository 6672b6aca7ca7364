//! The contract's shapes of convoys (Gastown contract 2.3, 3.3), and what embedded convoys have besides.
//!
//! Owns names and types of fields, and which flags follow from them.

use super::{BeadStatus, BlockedUntil, ConvoyStatus, Coverage, LandingStatus, MergeMode, Quality};
use crate::contract::columns::{flag_column, json_column};
use crate::contract::ids::{BeadId, ConvoyId, RigId};
use base::time::Timestamp;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

text_enum!(
    // Embedded: what a person should know about a convoy before believing its status.
    ConvoyFlag {
        // Has no beads yet.
        EmptyConvoy = "empty_convoy",
        // Beads failed; failed is not done.
        FailedMembers = "failed_members",
        // A bead was deleted in its rig.
        MemberDeleted = "member_deleted",
        // Every bead is closed or the convoy was, and the landing merge is missing.
        ClosedWithoutLanding = "closed_without_landing",
        // Beads are closed without a merge commit, and nothing else shows that they were merged.
        MergeUnverified = "merge_unverified",
        // The feature branch is the branch it would be merged into.
        BranchIsBase = "branch_is_base",
        // A landing merge merged nothing.
        EmptyLanding = "empty_landing",
        // A landing merge was given up.
        LandingFailed = "landing_failed",
    }
);

/// Contract 3.3. Embedded towns count as closed only beads that are done or merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvoyEntry {
    pub id: ConvoyId,
    pub title: String,
    pub status: ConvoyStatus,
    #[serde(deserialize_with = "flag_column")]
    pub staged: bool,
    pub total_beads: i64,
    pub closed_beads: i64,
    pub created_by: Option<String>,
    pub created_at: Timestamp,
    pub landed_at: Option<Timestamp>,
    pub feature_branch: Option<String>,
    pub merge_mode: Option<MergeMode>,
    /// Embedded: beads that failed; never part of `closed_beads`.
    #[serde(default)]
    pub failed_beads: i64,
    /// Embedded: closed beads with a merge commit.
    #[serde(default)]
    pub merged_beads: i64,
    /// Embedded: when a person closed it, whatever had become of its beads.
    #[serde(default)]
    pub forced_at: Option<Timestamp>,
    /// Embedded: who did.
    #[serde(default)]
    pub forced_by: Option<String>,
    /// Embedded: every bead is closed, the landing merge is next.
    #[serde(default, deserialize_with = "flag_column")]
    pub ready_to_land: bool,
    /// Embedded: the landing merges, one per rig.
    #[serde(default, deserialize_with = "json_column")]
    pub landings: Vec<ConvoyLanding>,
    /// Embedded: see `ConvoyFlag`; in the order of that list.
    #[serde(default, deserialize_with = "json_column")]
    pub flags: Vec<ConvoyFlag>,
}

impl ConvoyEntry {
    /// Whether the convoy's work is collected on a branch of its own, which is merged at the end.
    #[must_use]
    pub fn needs_landing(&self) -> bool {
        self.merge_mode != Some(MergeMode::ReviewAndMerge) && self.feature_branch.is_some()
    }

    /// Whether every bead is closed, none of them failed, and there is one.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.total_beads > 0 && self.closed_beads >= self.total_beads
    }

    /// Takes the counts from the beads themselves, and the flags that follow from them.
    pub fn recount(&mut self, beads: &[ConvoyBead]) {
        let count =
            |wanted: &dyn Fn(&ConvoyBead) -> bool| i64::try_from(beads.iter().filter(|bead| wanted(bead)).count()).unwrap_or(i64::MAX);
        self.total_beads = count(&|_| true);
        self.closed_beads = count(&|bead| bead.status == BeadStatus::Closed);
        self.merged_beads = count(&|bead| bead.status == BeadStatus::Closed && bead.merge_commit.is_some());
        self.failed_beads = count(&|bead| bead.status == BeadStatus::Failed);
        self.assess();
    }

    /// Adds the flags that follow from the other fields to those that do not (`member_deleted`, `branch_is_base`), and
    /// takes out those that do not hold any more.
    pub fn assess(&mut self) {
        let forced = self.forced_at.is_some();
        let over = self.is_complete() || forced;
        let has_landed = !self.landings.is_empty() && self.landings.iter().all(ConvoyLanding::is_evidence);
        let known = std::mem::take(&mut self.flags);
        let holds = |flag: &ConvoyFlag| match flag {
            ConvoyFlag::EmptyConvoy => self.total_beads == 0,
            ConvoyFlag::FailedMembers => self.failed_beads > 0,
            ConvoyFlag::ClosedWithoutLanding => over && self.needs_landing() && !has_landed,
            ConvoyFlag::MergeUnverified => over && !(self.needs_landing() && has_landed) && self.merged_beads < self.total_beads,
            ConvoyFlag::EmptyLanding => self.landings.iter().any(|landing| landing.is_empty),
            ConvoyFlag::LandingFailed => self.landings.iter().any(|landing| landing.status == LandingStatus::Failed && !landing.is_empty),
            ConvoyFlag::MemberDeleted | ConvoyFlag::BranchIsBase => known.contains(flag),
        };
        self.flags = ConvoyFlag::ALL.iter().copied().filter(holds).collect();
    }
}

/// Embedded: a convoy's landing merge in one rig.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConvoyLanding {
    pub rig_id: RigId,
    pub status: LandingStatus,
    pub attempts: i64,
    pub merge_commit: Option<String>,
    /// The branch was at its base: nothing was merged.
    #[serde(deserialize_with = "flag_column")]
    pub is_empty: bool,
    pub failure: Option<String>,
}

impl ConvoyLanding {
    /// Whether it shows that the work was merged.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        self.status == LandingStatus::Merged && self.merge_commit.is_some() && !self.is_empty
    }
}

/// Contract 3.3: a bead as its convoy shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvoyBead {
    pub bead_id: BeadId,
    pub title: String,
    pub status: BeadStatus,
    pub rig_id: Option<RigId>,
    pub assignee_agent_name: Option<String>,
    /// Embedded: blockers that are not met yet.
    #[serde(default)]
    pub blockers_open: i64,
    /// Embedded: evidence of the merge.
    #[serde(default)]
    pub merge_commit: Option<String>,
    /// Embedded: why it failed.
    #[serde(default)]
    pub failure_reason: Option<String>,
    /// Embedded: how rigorously it is worked on.
    #[serde(default)]
    pub quality: Option<Quality>,
    /// Embedded: its rig has it no more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Embedded: the members of a convoy that one rig has, and how new the answer is: letters of the rig with this generation or
/// an older one say nothing newer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvoyMembers {
    pub as_of: i64,
    pub beads: Vec<ConvoyBead>,
}

/// Contract 3.3: `bead_id` waits for `depends_on_bead_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyEdge {
    pub bead_id: BeadId,
    pub depends_on_bead_id: BeadId,
    /// Embedded: what must have become of it.
    #[serde(default = "until_closed")]
    pub until: BlockedUntil,
}

const fn until_closed() -> BlockedUntil {
    BlockedUntil::Closed
}

/// Contract 3.3.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConvoyDetail {
    #[serde(flatten)]
    pub entry: ConvoyEntry,
    pub beads: Vec<ConvoyBead>,
    pub dependency_edges: Vec<DependencyEdge>,
    /// Embedded: the beads in the order in which they can run: each wave waits for earlier ones only.
    pub waves: Vec<Vec<BeadId>>,
    /// Embedded: how much of this was read from the rigs just now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
}

impl<'de> Deserialize<'de> for ConvoyDetail {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Own {
            beads: Vec<ConvoyBead>,
            dependency_edges: Vec<DependencyEdge>,
            #[serde(default)]
            waves: Vec<Vec<BeadId>>,
            #[serde(default)]
            coverage: Option<Coverage>,
        }
        // Read twice, each time for what is known there: what serde derives for `flatten` is a decoder for every type in it.
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let entry = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let Own { beads, dependency_edges, waves, coverage } = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self { entry, beads, dependency_edges, waves, coverage })
    }
}
