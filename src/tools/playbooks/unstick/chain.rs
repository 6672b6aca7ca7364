//! The bead that really stops another one: followed from blocker to blocker, across rigs.
//!
//! Owns the walk. Pure.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{BeadStatus, RigInspection, UnmetBlocker};
use std::collections::BTreeSet;

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Which.
    pub bead: BeadId,
    /// How it stands, as the rig of whoever waits for it knows; `None`: it is gone.
    pub status: Option<BeadStatus>,
}

/// The worst bead at the ends of the chains that begin at `bead`: one that is gone before one that failed before one that is
/// under way. `None` when the rigs that answered know of nothing that it waits for.
#[must_use]
pub fn root(rigs: &[RigInspection], bead: &BeadId) -> Option<Root> {
    let mut seen = BTreeSet::from([bead]);
    let mut next = vec![bead];
    let mut ends: Vec<&UnmetBlocker> = Vec::new();
    while let Some(waiter) = next.pop() {
        for edge in unmet(rigs, waiter) {
            if !seen.insert(&edge.depends_on) {
                continue;
            }
            let goes_on = edge.status.is_some_and(|status| !status.is_terminal()) && unmet(rigs, &edge.depends_on).next().is_some();
            if goes_on { next.push(&edge.depends_on) } else { ends.push(edge) }
        }
    }
    let rank = |edge: &&UnmetBlocker| match edge.status {
        None => 0,
        Some(BeadStatus::Failed) => 1,
        Some(BeadStatus::Closed) => 3,
        Some(_) => 2,
    };
    ends.into_iter().min_by_key(rank).map(|edge| Root { bead: edge.depends_on.clone(), status: edge.status })
}

fn unmet<'a>(rigs: &'a [RigInspection], waiter: &BeadId) -> impl Iterator<Item = &'a UnmetBlocker> {
    rigs.iter().flat_map(|rig| &rig.unmet).filter(move |edge| edge.bead_id == *waiter)
}
