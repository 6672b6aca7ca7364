//! Lists: filtered, bounded, and complete page by page.

use crate::support::Town;
use gastown_mcp::contract::shapes::{Agent, Bead};
use gastown_mcp::rpc::table::LIST_AGENTS;
use serde_json::{Value, json};
use std::collections::BTreeSet;

#[test]
fn every_filter_of_beads_keeps_what_it_names() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "slung");
    let closed = town.sling(&rig, "closed").bead.bead_id;
    town.close(&rig, &closed);
    let child = town.create_bead(&rig, json!({"type": "molecule", "title": "child", "parent_bead_id": slung.bead.bead_id})).unwrap();
    let titles = |filter: Value| town.beads(&rig, filter).into_iter().map(|bead| bead.title).collect::<BTreeSet<_>>();
    let set = |titles: &[&str]| titles.iter().map(|title| (*title).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(titles(json!({})), set(&["slung", "closed", "child"]));
    assert_eq!(titles(json!({"status": "closed"})), set(&["closed"]));
    assert_eq!(titles(json!({"type": "molecule"})), set(&["child"]));
    assert_eq!(titles(json!({"type": "issue", "status": "open"})), set(&["slung"]));
    assert_eq!(titles(json!({"assignee_agent_bead_id": slung.agent.unwrap().id})), set(&["slung"]));
    assert_eq!(titles(json!({"parent_bead_id": slung.bead.bead_id})), set(&["child"]));
    assert_eq!(titles(json!({"rig_id": rig.id, "limit": null})), set(&["slung", "closed", "child"]));
    assert_eq!(town.beads(&rig, json!({"parent_bead_id": slung.bead.bead_id})), [child]);
}

#[test]
fn agents_are_listed_by_role_and_status_oldest_first() {
    let (town, rig) = Town::with_rig();
    let first = town.sling(&rig, "a").agent.unwrap();
    town.fleet.advance(1);
    let _refinery: Agent =
        town.fleet.ask(&rig.at, &gastown_mcp::rpc::table::GET_OR_CREATE_AGENT, ("refinery", &rig.id), &town.owner()).unwrap();
    let list = |filter: Value| -> Vec<String> {
        let agents: Vec<Agent> = town.fleet.ask(&rig.at, &LIST_AGENTS, (filter,), &town.owner()).unwrap();
        agents.into_iter().map(|agent| agent.name).collect()
    };
    assert_eq!(list(json!(null)), [first.name.as_str(), "refinery"]);
    assert_eq!(list(json!({"role": "polecat", "status": "idle"})), [first.name]);
    assert_eq!(list(json!({"role": "refinery"})), ["refinery"]);
    assert!(list(json!({"status": "dead"})).is_empty());
    assert!(list(json!({"rig_id": town.id})).is_empty());
}

/// Pages continue by position, so that beads made meanwhile neither repeat nor hide others.
#[test]
fn paging_gives_every_bead_once_while_others_are_made() {
    let (town, rig) = Town::with_rig();
    for number in 0..60 {
        town.sling(&rig, &format!("{number}"));
        if number % 7 == 0 {
            town.fleet.advance(1);
        }
    }
    let before: BTreeSet<_> = town.beads(&rig, json!({"limit": 500})).into_iter().map(|bead| bead.bead_id).collect();
    let mut seen = Vec::new();
    let mut position = Value::Null;
    loop {
        let page: Vec<Bead> = town.beads(&rig, json!({"limit": 7, "before": position}));
        let Some(last) = page.last() else { break };
        position = json!({"created_at": last.created_at, "bead_id": last.bead_id});
        seen.extend(page.iter().map(|bead| bead.bead_id.clone()));
        town.fleet.advance(1);
        town.sling(&rig, "meanwhile");
    }
    assert_eq!(seen.len(), 60);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), before);
}

#[test]
fn lists_are_bounded_whatever_is_asked() {
    let (town, rig) = Town::with_rig();
    for number in 0..120 {
        town.create_bead(&rig, json!({"type": "molecule", "title": format!("{number}")})).unwrap();
    }
    assert_eq!(town.beads(&rig, json!({})).len(), 100);
    assert_eq!(town.beads(&rig, json!({"limit": 1_000_000})).len(), 120);
    assert_eq!(town.beads(&rig, json!({"limit": -1})).len(), 0);
    assert_eq!(town.beads(&rig, json!({"limit": 50, "offset": 100})).len(), 20);
    assert_eq!(town.beads(&rig, json!({"offset": -5, "limit": 1})).len(), 1);
}
