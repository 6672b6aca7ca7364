//! Who gets which name, how many live at once, and who waits where.

use crate::support::Town;
use serde_json::json;
use std::collections::BTreeSet;

const POOL: [&str; 20] = [
    "Toast", "Maple", "Birch", "Shadow", "Clover", "Ember", "Sage", "Dusk", "Flint", "Coral", "Slate", "Reed", "Thorn", "Pike", "Moss",
    "Wren", "Blaze", "Gale", "Drift", "Lark",
];

/// S4-03, S4-05, S4-17.
#[test]
fn twenty_five_slings_take_the_names_in_order_and_then_fall_back() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 30})).unwrap();
    let names: Vec<String> = (0..25).map(|number| town.sling(&rig, &format!("task {number}")).agent.unwrap().name).collect();
    let fallback: Vec<String> = (21..=25).map(|number| format!("Polecat-{number}")).collect();
    assert_eq!(names[..20], POOL);
    assert_eq!(names[20..], fallback);
}

/// S2-40, S2-42, S4-01.
#[test]
fn twenty_five_slings_are_five_polecats_and_a_queue_of_twenty() {
    let (town, rig) = Town::with_rig();
    let slung: Vec<_> = (0..25).map(|number| town.sling(&rig, &format!("task {number}"))).collect();
    for (index, result) in slung.iter().enumerate() {
        if let Some(name) = POOL.get(index).filter(|_| index < 5) {
            assert_eq!(result.agent.as_ref().map(|agent| agent.name.as_str()), Some(*name));
            assert_eq!(result.queue_position, None);
        } else {
            assert_eq!(result.agent, None);
            assert_eq!(result.queue_position, Some(i64::try_from(index).unwrap() - 4));
        }
    }
    assert_eq!(town.agents(&rig).len(), 5);
}

/// S4-04.
#[test]
fn the_name_of_a_deregistered_polecat_is_given_out_again() {
    let (town, rig) = Town::with_rig();
    let agents: Vec<_> = (0..4).map(|_| town.sling(&rig, "work").agent.unwrap()).collect();
    town.set_status(&rig, agents[2].current_hook_bead_id.as_ref().unwrap(), gastown_mcp::contract::shapes::BeadStatus::Closed);
    town.delete_agent(&rig, &agents[2].id);
    let next = town.sling(&rig, "more").agent.unwrap();
    assert_eq!(next.name, "Birch");
    assert_ne!(next.id, agents[2].id);
}

/// S4-07.
#[test]
fn every_polecat_has_a_branch_of_its_own_that_names_it_and_its_bead() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 30})).unwrap();
    let mut branches = BTreeSet::new();
    for number in 0..25 {
        let slung = town.sling(&rig, &format!("task {number}"));
        let agent = slung.agent.unwrap();
        let branch = agent.branch.unwrap();
        let parts: Vec<&str> = branch.split('/').collect();
        assert_eq!(parts[..2], ["polecat", &agent.name.to_lowercase()]);
        assert!(parts[1].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        assert!(parts[2].len() >= 6 && parts[2].bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{branch}");
        assert!(slung.bead.bead_id.as_str().starts_with(parts[2]));
        assert_eq!(slung.bead.metadata["branch"], branch);
        assert!(branches.insert(branch));
    }
}

/// S4-05: names are unique among the living of one rig; another rig has a pool of its own.
#[test]
fn two_rigs_give_out_the_same_names_without_mixing() {
    let (town, frontend) = Town::with_rig();
    let backend = town.add_rig("backend", 3);
    let first = town.sling(&frontend, "a").agent.unwrap();
    let second = town.sling(&backend, "b").agent.unwrap();
    assert_eq!((first.name.as_str(), second.name.as_str()), ("Toast", "Toast"));
    assert_ne!(first.identity, second.identity);
    assert_eq!(town.agents(&frontend).len(), 1);
}

#[test]
fn an_idle_polecat_is_taken_before_a_new_one_is_made() {
    let (town, rig) = Town::with_rig();
    let first = town.sling(&rig, "a");
    town.close(&rig, &first.bead.bead_id);
    let second = town.sling(&rig, "b").agent.unwrap();
    assert_eq!(second.id, first.agent.unwrap().id);
    assert!(second.fence > 0);
}

#[test]
fn get_or_create_agent_answers_the_idle_one_and_refuses_beyond_capacity() {
    let (town, rig) = Town::with_rig();
    let idle = town.agent(&rig).unwrap();
    assert_eq!(town.agent(&rig).unwrap().id, idle.id);
    for _ in 0..5 {
        town.sling(&rig, "work");
    }
    let refusal = crate::support::refusal(town.agent(&rig));
    assert!(refusal.message.contains("at capacity: 5 polecats"), "{}", refusal.message);
}

/// A capacity that was lowered is kept as soon as enough have finished.
#[test]
fn lowering_the_capacity_gives_out_nothing_until_fewer_work_than_allowed() {
    let (town, rig) = Town::with_rig();
    let slung: Vec<_> = (0..7).map(|number| town.sling(&rig, &format!("task {number}")).bead.bead_id).collect();
    town.configure(json!({"max_polecats_per_rig": 2})).unwrap();
    let hooked = || town.agents(&rig).into_iter().filter(|agent| agent.current_hook_bead_id.is_some()).count();
    for (closed, expected) in [(0, 4), (1, 3), (2, 2), (3, 2), (4, 2), (5, 1)] {
        town.close(&rig, &slung[closed]);
        assert_eq!(hooked(), expected, "after {closed}");
    }
}
