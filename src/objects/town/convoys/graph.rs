//! The dependency graph of a convoy: checked before anything is written.
//!
//! Owns the rules for indices and cycles, and the order in which beads can run. Pure.

use crate::contract::ids::BeadId;
use crate::contract::shapes::{ConvoyTask, DependencyEdge};
use base::error::{Code, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// For each task, the tasks it waits for.
pub type Edges = Vec<BTreeSet<usize>>;

/// Reads and checks `depends_on` of every task.
///
/// # Errors
/// `InvalidArgument` for an index out of range or of the task itself (the original drops those silently, and the work
/// then starts too early), or for a cycle, in the contract's words.
pub fn check(tasks: &[ConvoyTask]) -> Result<Edges, Refusal> {
    let mut edges = Vec::with_capacity(tasks.len());
    for (index, task) in tasks.iter().enumerate() {
        let mut blockers = BTreeSet::new();
        for &on in task.depends_on.iter().flatten() {
            let blocker = usize::try_from(on).ok().filter(|blocker| *blocker < tasks.len() && *blocker != index);
            let Some(blocker) = blocker else {
                let last = tasks.len().saturating_sub(1);
                return Err(Refusal::new(
                    Code::InvalidArgument,
                    format!("tasks[{index}].depends_on: {on} is not another task; use zero-based indices from 0 to {last}"),
                ));
            };
            blockers.insert(blocker);
        }
        edges.push(blockers);
    }
    check_acyclic(&edges)?;
    Ok(edges)
}

/// Refuses a graph in which some can never run, in the contract's words.
///
/// # Errors
/// `InvalidArgument` with how many they are.
pub fn check_acyclic(edges: &Edges) -> Result<(), Refusal> {
    let stuck = edges.len() - waves(edges).iter().map(Vec::len).sum::<usize>();
    if stuck == 0 {
        return Ok(());
    }
    let message = format!("Convoy dependency graph contains a cycle — {stuck} tasks are involved in circular dependencies");
    Err(Refusal::new(Code::InvalidArgument, message).hint("Remove one depends_on of the cycle."))
}

/// The graph of beads, by their places in `beads`. Edges to or from other beads are ignored.
#[must_use]
pub fn of_beads(beads: &[BeadId], edges: &[DependencyEdge]) -> Edges {
    let places: BTreeMap<&BeadId, usize> = beads.iter().enumerate().map(|(place, bead)| (bead, place)).collect();
    let mut graph = vec![BTreeSet::new(); beads.len()];
    for edge in edges {
        if let (Some(waiter), Some(blocker)) = (places.get(&edge.bead_id), places.get(&edge.depends_on_bead_id))
            && let Some(blockers) = graph.get_mut(*waiter)
        {
            blockers.insert(*blocker);
        }
    }
    graph
}

/// The waves of beads, in their order.
#[must_use]
pub fn bead_waves(beads: &[BeadId], edges: &[DependencyEdge]) -> Vec<Vec<BeadId>> {
    let waves = waves(&of_beads(beads, edges));
    waves.into_iter().map(|wave| wave.into_iter().filter_map(|place| beads.get(place).cloned()).collect()).collect()
}

/// Tasks in the order in which they can run: each wave needs only earlier ones. Tasks of a cycle, or behind one, are in
/// no wave.
#[must_use]
pub fn waves(edges: &Edges) -> Vec<Vec<usize>> {
    let mut done = BTreeSet::new();
    let mut waves = Vec::new();
    loop {
        let wave: Vec<usize> = edges
            .iter()
            .enumerate()
            .filter(|(task, blockers)| !done.contains(task) && blockers.is_subset(&done))
            .map(|(task, _)| task)
            .collect();
        if wave.is_empty() {
            return waves;
        }
        done.extend(wave.iter().copied());
        waves.push(wave);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn task(depends_on: &[i64]) -> ConvoyTask {
        ConvoyTask { title: "t".to_owned(), depends_on: Some(depends_on.to_vec()), ..ConvoyTask::default() }
    }

    #[test]
    fn indices_must_name_another_task() {
        for bad in [-1, 0, 2, 99] {
            let refusal = check(&[task(&[bad]), task(&[])]).unwrap_err();
            assert!(refusal.message.contains("tasks[0].depends_on"), "{}", refusal.message);
        }
        assert_eq!(check(&[task(&[]), task(&[0, 0])]).unwrap(), vec![BTreeSet::new(), BTreeSet::from([0])]);
    }

    #[test]
    fn a_cycle_is_refused_in_the_contracts_words() {
        let refusal = check(&[task(&[1]), task(&[0]), task(&[])]).unwrap_err();
        assert_eq!(refusal.message, "Convoy dependency graph contains a cycle — 2 tasks are involved in circular dependencies");
    }

    proptest! {
        #[test]
        fn without_forward_edges_every_task_has_a_wave_after_its_blockers(picks in proptest::collection::vec(proptest::collection::vec(0_i64..30, 0..4), 1..30)) {
            let tasks: Vec<ConvoyTask> = picks.iter().enumerate()
                .map(|(index, on)| task(&on.iter().copied().filter(|on| usize::try_from(*on).unwrap() < index).collect::<Vec<_>>()))
                .collect();
            let edges = check(&tasks).unwrap();
            let mut seen = BTreeSet::new();
            for wave in waves(&edges) {
                for task in &wave { prop_assert!(edges[*task].is_subset(&seen)); }
                seen.extend(wave);
            }
            prop_assert_eq!(seen.len(), tasks.len());
        }
    }
}
