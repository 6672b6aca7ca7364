//! The part of a convoy that lives in this rig: its beads, as the town ordered them.
//!
//! Owns how a convoy letter becomes beads and edges. The convoy itself is the town's.

use super::beads::{self, NewBead};
use super::{dependencies, events, report, state};
use crate::error::{Failure, Fault};
use crate::ids::{BeadId, ConvoyId};
use crate::rpc::model::{BeadType, BlockedUntil, ConvoyBead, Priority};
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::outbox::Letter;
use crate::store::sql::{execute, query, query_one};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body of a `convoy` letter: everything this rig must know of the convoy, whole each time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConvoyOrder {
    /// The convoy.
    pub convoy_id: ConvoyId,
    /// Its beads exist but are not given out yet.
    pub staged: bool,
    /// Who asked for it.
    pub created_by: Option<String>,
    /// When.
    pub created_at: Timestamp,
    /// The beads of this rig, in order.
    pub beads: Vec<OrderedBead>,
}

/// One bead of a convoy letter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderedBead {
    /// Chosen by the town.
    pub bead_id: BeadId,
    /// What to do.
    pub title: String,
    /// More about it.
    pub body: Option<String>,
    /// Metadata with the convoy's reserved keys.
    pub metadata: Map<String, Value>,
    /// Beads of the same rig that must be done first.
    pub depends_on: Vec<BeadId>,
}

/// Selects beads as `ConvoyBead`s, in the order of its fields; the condition follows.
macro_rules! select_members {
    () => {
        "SELECT bead_id, title, beads.status, beads.rig_id, agents.name, blockers_open, merge_commit, failure_reason, quality
         FROM beads LEFT JOIN agents ON agents.id = beads.assignee_agent_id WHERE "
    };
}

/// Makes the beads that do not exist yet, and holds or frees all of them. Saying it twice changes nothing.
pub(super) fn apply(cx: &Cx<'_>, letter: &Letter) -> Result<(), Failure> {
    let order: ConvoyOrder = letter.read("read a convoy letter")?;
    let rig = state::require(cx)?;
    for ordered in order.beads {
        if beads::find(cx, &ordered.bead_id)?.is_some() || events::was_deleted(cx, &ordered.bead_id)? {
            continue;
        }
        for blocker in &ordered.depends_on {
            dependencies::insert(cx, &ordered.bead_id, blocker, BlockedUntil::Closed)?;
        }
        let blockers_open = dependencies::unmet(cx, &ordered.bead_id)?;
        let new = NewBead {
            bead_id: ordered.bead_id,
            kind: BeadType::Issue,
            title: ordered.title,
            body: ordered.body,
            parent_bead_id: None,
            priority: Priority::Medium,
            labels: Vec::new(),
            metadata: ordered.metadata,
            created_by: order.created_by.clone(),
            created_at: order.created_at,
            blockers_open,
            held: order.staged,
            convoy_id: Some(order.convoy_id.clone()),
            quality: None,
        };
        beads::insert(cx, &rig, new)?;
    }
    execute(
        cx.sql,
        "-- convoys_hold\nUPDATE beads SET staged = ?1, held = (?1 = 1 OR EXISTS (SELECT 1 FROM json_each(labels) WHERE value = 'gt:held')) WHERE convoy_id = ?2",
        (i64::from(order.staged), &order.convoy_id),
    )?;
    report::summary_changed(cx, &rig)
}

/// `convoyBeads`: the convoy's beads in this rig as they are now. The town asks when it is asked.
pub(crate) fn convoy_beads(cx: &Cx<'_>, _caller: &Caller, (id,): (ConvoyId,)) -> Result<Answer, Failure> {
    let beads: Vec<ConvoyBead> = query(cx.sql, concat!("-- convoys_beads\n", select_members!(), "convoy_id = ? ORDER BY sequence"), (id,))?;
    json(&beads)
}

/// One bead as its convoy shows it.
pub(super) fn member(cx: &Cx<'_>, bead: &str) -> Result<Option<ConvoyBead>, Fault> {
    query_one(cx.sql, concat!("-- convoys_member\n", select_members!(), "bead_id = ?"), (bead,))
}
