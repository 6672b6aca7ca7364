//! The bead that really stops another one.

use super::ladder::{bead, rig_of};
use gastown_mcp::contract::shapes::{BeadStatus, RigInspection, UnmetBlocker};
use gastown_mcp::tools::playbooks::unstick::chain::root;

fn rig(edges: &[(u8, u8, Option<BeadStatus>)]) -> RigInspection {
    let unmet =
        edges.iter().map(|(waiter, blocker, status)| UnmetBlocker { bead_id: bead(*waiter), depends_on: bead(*blocker), status: *status });
    RigInspection { unmet: unmet.collect(), ..rig_of(Vec::new()) }
}

fn found(rigs: &[RigInspection], waiter: u8) -> Option<(u8, Option<BeadStatus>)> {
    let root = root(rigs, &bead(waiter))?;
    Some(((0..=255).find(|seed| bead(*seed) == root.bead).unwrap(), root.status))
}

#[test]
fn a_chain_is_followed_to_its_end_across_rigs_and_the_worst_end_counts() {
    use BeadStatus::{Failed, InProgress, Open};
    let api = rig(&[(1, 2, Some(Open)), (2, 3, Some(Open)), (5, 6, Some(InProgress)), (5, 7, Some(Failed)), (5, 8, None)]);
    let web = rig(&[(3, 4, Some(Failed))]);
    let rigs = [api, web];
    assert_eq!(found(&rigs, 1), Some((4, Some(Failed))));
    assert_eq!(found(&rigs, 5), Some((8, None)));
    assert_eq!(found(&rigs[..1], 1), Some((3, Some(Open))), "what the silent rig knows is not guessed");
    assert_eq!(found(&rigs, 4), None);
}

#[test]
fn a_circle_ends_the_walk() {
    let rigs = [rig(&[(1, 2, Some(BeadStatus::Open)), (2, 1, Some(BeadStatus::Open))])];
    assert_eq!(found(&rigs, 1), None);
}
