//! The bodies of what a town tells its rigs.
//!
//! Owns their fields. Escalations, which rigs tell too, are `town`'s.

use crate::contract::columns::flag_column;
use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId, TownId};
use crate::contract::shapes::{BeadStatus, BlockedUntil, Owner, Priority, Quality};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The rig's own record: the row, and the body of the town's `rig` letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RigState {
    /// Which rig.
    pub rig_id: RigId,
    /// Of which town.
    pub town_id: TownId,
    /// Its name within the town.
    pub name: String,
    /// The repository.
    pub git_url: String,
    /// The branch that work is merged into.
    pub default_branch: String,
    /// The user who owns the town, unless an organization does.
    pub owner_user_id: Option<String>,
    /// The organization that owns the town.
    pub owner_org_id: Option<String>,
    /// Polecats that may live at once.
    pub capacity: i64,
    /// The town's Mayor, who gets mail too.
    #[serde(default)]
    pub mayor_agent_id: Option<AgentId>,
    /// Nothing is given out, on purpose.
    #[serde(default, deserialize_with = "flag_column")]
    pub parked: bool,
    /// Nothing is given out until the town's drain is over.
    #[serde(default, deserialize_with = "flag_column")]
    pub draining: bool,
    /// Of that drain; agents hear it with their heartbeats.
    #[serde(default)]
    pub drain_nonce: Option<String>,
    /// Until then the town is told of every event, because it has viewers.
    #[serde(default)]
    pub watched_until: Timestamp,
    /// No session listens from then on, and a change costs nothing more. The rig's own: no letter carries it.
    #[serde(default, skip_serializing)]
    pub listened_until: Timestamp,
    /// Times that a bead is given out before it fails; `None`: `finish::DISPATCH_ATTEMPTS_MAX`.
    #[serde(default)]
    pub attempts_max: Option<i64>,
    /// Too much has failed in the town: nothing is given out until that is over.
    #[serde(default, deserialize_with = "flag_column")]
    pub breaker_open: bool,
    /// When the last pause ended, which is no silence of anybody. The rig's own: no letter carries it.
    #[serde(default, skip_serializing)]
    pub resumed_at: Timestamp,
    /// The town's own formulas (`formulas`). A letter carries them; the row that is read with each call does not.
    #[serde(default)]
    pub formulas: Value,
    /// The thresholds of the watch that the town has set (`watch`). Like the formulas, no part of the row.
    #[serde(default)]
    pub watch: Value,
    /// Commands that must succeed before work is submitted (`prime`). As `formulas`, a letter carries them only.
    #[serde(default)]
    pub gates: Value,
}

impl RigState {
    /// Whether nothing is given out on purpose.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.parked || self.draining
    }

    /// Whether work is given out.
    #[must_use]
    pub const fn gives_out(&self) -> bool {
        !self.is_paused() && !self.breaker_open
    }

    /// Who owns the town.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { user_id: self.owner_user_id.clone(), org_id: self.owner_org_id.clone() }
    }
}

/// The body of a `convoy` letter: everything this rig must know of the convoy, whole each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvoyOrder {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Its beads exist but are not given out yet.
    pub staged: bool,
    /// A person closed it: beads that have not ended are closed.
    #[serde(default)]
    pub closed: bool,
    /// Who asked for it.
    pub created_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// Metadata keys that are the convoy's own, for every member.
    #[serde(default)]
    pub reserved: Map<String, Value>,
    /// The beads of this rig, in order.
    pub beads: Vec<OrderedBead>,
}

/// One bead of a convoy letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderedBead {
    /// Chosen by the town, unless the rig had it before.
    pub bead_id: BeadId,
    /// Number of the membership: of two convoys that claim a bead, the one with the greater number has it.
    #[serde(default)]
    pub joined: i64,
    /// The rig had the bead before the convoy.
    #[serde(default)]
    pub adopted: bool,
    /// What to do.
    pub title: String,
    /// More about it.
    pub body: Option<String>,
    /// Metadata of a new bead.
    pub metadata: Map<String, Value>,
    /// Priority, labels and quality of a new bead.
    #[serde(default)]
    pub details: TaskDetails,
    /// Unmet blockers, as the town believes.
    #[serde(default)]
    pub blockers_open: i64,
    /// The members that it waits for.
    pub depends_on: Vec<OrderedEdge>,
}

/// What a member waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderedEdge {
    /// The member.
    pub bead_id: BeadId,
    /// What must have become of it.
    pub until: BlockedUntil,
    /// It is a bead of another rig.
    #[serde(default)]
    pub remote: bool,
}

/// What a new bead has besides text and metadata.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskDetails {
    /// Medium unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// None unless said otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// How rigorously it is worked on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

/// The body of a `blocker` letter: how a bead of another rig stands that one of ours waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockerTold {
    /// The blocker.
    pub bead_id: BeadId,
    /// As its rig last told.
    pub status: BeadStatus,
    /// With evidence.
    pub merged: bool,
}

/// The body of the town's `landing` letter: a convoy whose beads are all merged into its branch is to land.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LandingOrder {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Its title.
    pub title: String,
    /// Its feature branch.
    pub branch: String,
    /// It is not to land any more.
    pub cancelled: bool,
    /// Greater than that of every earlier order: a merge for an earlier order lacks the work added since.
    #[serde(default)]
    pub round: i64,
}

/// The body of an `acknowledged` letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who has dealt with the escalation.
    pub acknowledged_by: Option<String>,
}
