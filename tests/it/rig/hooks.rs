//! One hook per agent, one agent per bead.

use crate::support::{Town, code, refusal};
use base::error::Code;
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::{BeadStatus, Priority};
use gastown_mcp::rpc::call::{Call, read_reply};
use gastown_mcp::rpc::table::HOOK_BEAD;
use serde_json::json;

/// S2-16, S4-12, S4-19.
#[test]
fn a_held_bead_refuses_a_second_hook_and_names_the_holder() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "a");
    let holder = slung.agent.unwrap();
    let other = town.agent(&rig).unwrap();
    let refusal = refusal(town.hook(&rig, &other.id, &slung.bead.bead_id));
    assert_eq!(refusal.code, Code::Conflict);
    assert!(refusal.message.contains(&holder.name) && refusal.message.contains(holder.id.as_str()), "{}", refusal.message);
    assert_eq!(town.bead(&rig, &slung.bead.bead_id).assignee_agent_bead_id, Some(holder.id));
}

/// S2-16: refused, not overwritten. The contract's words.
#[test]
fn an_agent_with_a_hook_refuses_another_bead_and_names_the_one_it_holds() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "a");
    let agent = slung.agent.unwrap();
    let bead = town.create_bead(&rig, json!({"type": "issue", "title": "b"})).unwrap();
    let refusal = refusal(town.hook(&rig, &agent.id, &bead.bead_id));
    assert_eq!(refusal.message, format!("Agent {} is already hooked to bead {}. Unhook first.", agent.id, slung.bead.bead_id));
    // The same pair again is no error.
    town.hook(&rig, &agent.id, &slung.bead.bead_id).unwrap();
}

/// S4-12: of two concurrent hooks of one bead exactly one wins.
#[test]
fn of_two_concurrent_hooks_one_wins_and_the_other_is_told_who_did() {
    let (town, rig) = Town::with_rig();
    let bead = town.create_bead(&rig, json!({"type": "molecule", "title": "t"})).unwrap();
    let first = town.sling(&rig, "a");
    let second = town.agent(&rig).unwrap();
    town.close(&rig, &first.bead.bead_id);
    let agents = [first.agent.unwrap().id, second.id];
    let calls = agents.clone().map(|agent| {
        let call = Call::new(rig.at.clone(), &HOOK_BEAD, (agent, &bead.bead_id)).unwrap();
        town.fleet.start(&call, &town.owner())
    });
    let replies = town.fleet.block_on(futures::future::join_all(calls));
    let outcomes: Vec<_> = replies.iter().map(|reply| read_reply(reply.as_ref().unwrap()).map(str::to_owned)).collect();
    let won = outcomes.iter().position(Result::is_ok).unwrap();
    let lost = refusal(outcomes[1 - won].clone());
    assert!(lost.message.contains(agents[won].as_str()), "{}", lost.message);
    assert_eq!(town.bead(&rig, &bead.bead_id).assignee_agent_bead_id.as_ref(), Some(&agents[won]));
}

#[test]
fn what_does_not_exist_is_named_in_the_contracts_words() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap();
    let (nobody, nothing) = (AgentId::from_random([7; 16]), BeadId::from_random([7; 16]));
    assert_eq!(refusal(town.hook(&rig, &nobody, &nothing)).message, format!("Agent {nobody} not found"));
    assert_eq!(refusal(town.hook(&rig, &agent.id, &nothing)).message, format!("Bead {nothing} not found"));
    assert_eq!(code(town.unhook(&rig, &nobody)), Code::NotFound);
}

#[test]
fn beads_that_are_no_work_are_not_hooked() {
    let (town, rig) = Town::with_rig();
    let agent = town.agent(&rig).unwrap();
    let bead = |input| town.create_bead(&rig, input).unwrap().bead_id;
    let escalation = bead(json!({"type": "escalation", "title": "t"}));
    let held = bead(json!({"type": "issue", "title": "t", "labels": ["gt:held"]}));
    let triage = bead(json!({"type": "issue", "title": "t", "labels": ["gt:triage-request", "gt:held"]}));
    let closed = bead(json!({"type": "issue", "title": "t"}));
    town.close(&rig, &closed);
    let convoy = town.convoy(&rig, Some(true), &[&[], &[0]]);
    let cases = [
        (&escalation, "type 'escalation' is not workable"),
        (&held, "held back"),
        (&triage, "triage requests are resolved via gt_triage_resolve"),
        (&closed, "it is closed"),
        (&convoy.beads[0].bead.bead_id, "held back"),
        (&convoy.beads[1].bead.bead_id, "waits for 1 blocker"),
    ];
    for (bead, reason) in cases {
        let refusal = refusal(town.hook(&rig, &agent.id, bead));
        assert_eq!(refusal.code, Code::Conflict);
        assert!(refusal.message.starts_with("Cannot hook agent to bead") && refusal.message.contains(reason), "{}", refusal.message);
    }
}

#[test]
fn an_unhooked_bead_returns_to_its_place_in_the_queue() {
    let (town, rig) = Town::with_rig();
    town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let first = town.sling(&rig, "first");
    let second = town.sling(&rig, "second");
    let agent = first.agent.unwrap();
    town.unhook(&rig, &agent.id).unwrap();
    let bead = town.bead(&rig, &first.bead.bead_id);
    assert_eq!((bead.status, bead.assignee_agent_bead_id), (BeadStatus::Open, None));
    assert_eq!(town.agents(&rig)[0].branch, None);
    // Not at once: whoever unhooked had a reason. The next tick gives it out, before the younger bead.
    town.fleet.advance(5_000);
    let agent = &town.agents(&rig)[0];
    assert_eq!(agent.current_hook_bead_id, Some(first.bead.bead_id));
    assert_ne!(agent.current_hook_bead_id, Some(second.bead.bead_id));
    town.unhook(&rig, &agent.id).unwrap();
    town.unhook(&rig, &agent.id).unwrap();
}

/// S2-23: the same work item goes to a replacement.
#[test]
fn the_bead_of_a_deleted_agent_goes_to_the_next_one_in_the_same_call() {
    let (town, rig) = Town::with_rig();
    let slung = town.sling(&rig, "a");
    let agent = slung.agent.unwrap();
    town.set_status(&rig, &slung.bead.bead_id, BeadStatus::InProgress);
    town.delete_agent(&rig, &agent.id);
    town.delete_agent(&rig, &agent.id);
    let agents = town.agents(&rig);
    assert_eq!(agents.len(), 1);
    assert_ne!(agents[0].id, agent.id);
    assert!(agents[0].fence > agent.fence);
    let bead = town.bead(&rig, &slung.bead.bead_id);
    assert_eq!((bead.status, bead.assignee_agent_bead_id), (BeadStatus::Open, Some(agents[0].id.clone())));
}

#[test]
fn the_fence_of_every_hook_is_greater_than_any_before() {
    let (town, rig) = Town::with_rig();
    let mut last = 0;
    for number in 0..6 {
        let slung = town.sling_as(&rig, json!({"rigId": rig.id, "title": "t", "priority": "high"}), &town.owner()).unwrap();
        assert_eq!(slung.bead.priority, Priority::High);
        let agent = slung.agent.unwrap();
        assert!(agent.fence > last, "{number}");
        last = agent.fence;
        if number % 2 == 0 {
            town.fleet.evict(&rig.at);
        }
        town.close(&rig, &slung.bead.bead_id);
    }
}
