//! `convoy_unstick`: one disaster after another, and the step that is due in each.

use super::{World, mayor, pair, verdict};
use crate::support::{Trouble, code, tokens};
use base::error::Code;
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::{Agent, BeadStatus};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

// S2-21, S2-25, S2-33: an agent that answers is left alone.
#[test]
fn a_silent_agent_is_nudged_and_left_alone_once_it_answers() {
    let world = World::new(&[&[], &[0]]);
    let agent = world.begins(0);
    assert_eq!(verdict(&world, &world.look(), 0), pair("working", "leave"));
    world.seconds(400);
    let looked = world.look();
    world.expect("unstick_stalled_found", &looked);
    assert!(world.nudges().is_empty(), "a dry run changes nothing");
    let nudged = world.step();
    world.expect("unstick_stalled_nudged", &nudged);
    let asked = world.nudges();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].payload["message"].as_str(), asked[0].payload["source"].as_str()),
        (Some("Progress check: are you blocked?"), Some("convoy_unstick"))
    );
    world.seconds(60);
    world.says(&agent);
    let answered = world.step();
    world.expect("unstick_stalled_answered", &answered);
    assert_eq!((answered.get("did"), world.nudges().len()), (None, 1));
    assert_eq!(world.holder(0).unwrap().id, agent.id);
    // Silent once more, it is asked once more.
    world.seconds(400);
    assert_eq!(world.step()["did"]["step"], "nudge");
    assert_eq!(world.nudges().len(), 2);
}

// S2-21, S2-25, S2-34: nudged, waited for, replaced by another polecat on the same bead; then people are told, once.
#[test]
fn a_silent_agent_is_replaced_and_a_second_silence_is_escalated_once() {
    let world = World::new(&[&[], &[0]]);
    let first = world.begins(0);
    world.seconds(300);
    assert_eq!(world.step()["did"]["step"], "nudge");
    let waiting = world.step();
    assert_eq!((verdict(&world, &waiting, 0), waiting.get("did")), (pair("silent", "wait"), None));
    assert_eq!(waiting["call_again_after_seconds"], 300);
    world.seconds(300);
    assert_eq!(verdict(&world, &world.look(), 0), pair("silent", "reassign"));
    let replaced = world.step();
    world.expect("unstick_stalled_replaced", &replaced);
    let second = world.holder(0).unwrap();
    assert_ne!(second.id, first.id);
    let dead = world.town.agents(&world.rig).into_iter().find(|agent| agent.id == first.id).unwrap();
    assert_eq!(dead.status.as_str(), "dead");
    assert_eq!(world.town.beads(&world.rig, json!({})).len(), 2, "no second bead");
    let late = world.town.fleet.tell(
        &world.rig.at,
        &rpc::AGENT_DONE,
        (&first.id, json!({"branch": first.branch})),
        &tokens::ordered(&world.town.fleet, &world.town.id, &world.rig.id, &first.id, first.fence),
    );
    assert_eq!(code(late), Code::Conflict);
    assert_eq!(world.town.bead(&world.rig, &world.beads[0]).status, BeadStatus::Open);
    world.begins(0);
    world.seconds(300);
    assert_eq!(world.step()["did"]["step"], "nudge");
    world.seconds(300);
    let escalated = world.step();
    world.expect("unstick_stalled_escalated", &escalated);
    assert_eq!(world.holder(0).unwrap().id, second.id, "the second one stays until a person has decided");
    for _ in 0..2 {
        let again = world.step();
        assert_eq!((verdict(&world, &again, 0), again.get("did")), (pair("silent", "human"), None));
    }
    let escalations = world.escalations();
    assert_eq!(escalations.len(), 1);
    assert_eq!(
        (escalations[0].category.as_deref(), escalations[0].source_agent_id.as_deref()),
        (Some("stalled_agent"), Some(second.id.as_str()))
    );
    // Dealt with, it is not told again about the same order.
    world.town.fleet.tell(&world.town.at, &rpc::ACKNOWLEDGE_ESCALATION, (&escalations[0].id,), &world.town.owner()).unwrap();
    world.town.fleet.settle();
    assert_eq!(verdict(&world, &world.step(), 0), pair("silent", "human"));
    assert_eq!(world.escalations().len(), 1);
}

// S4-10: nobody has begun, so nobody is replaced: another polecat would not begin either.
#[test]
fn a_hook_that_nobody_takes_up_is_asked_for_and_escalated_and_stays() {
    let world = World::new(&[&[]]);
    let holder = world.holder(0).unwrap();
    assert_eq!(verdict(&world, &world.look(), 0), pair("not_taken_up", "leave"));
    world.seconds(300);
    assert_eq!(world.step()["did"]["step"], "nudge");
    world.seconds(300);
    assert_eq!(world.step()["did"]["step"], "escalate");
    assert_eq!(verdict(&world, &world.step(), 0), pair("not_taken_up", "human"));
    assert_eq!(world.holder(0).unwrap().id, holder.id);
    assert_eq!(world.escalations()[0].category.as_deref(), Some("no_runner"));
}

// S2-23: what the watch has told of is not told again.
#[test]
fn a_bead_that_ends_its_workers_again_and_again_is_a_persons() {
    let watch = json!({"restart_loop_exits": 3, "restart_loop_seconds": 1_800, "backoff_seconds": 30});
    let world = World::with(&json!({"watch": watch}), Some(false), &[&[]]);
    for round in 0..3 {
        let agent = world.begins(0);
        let report = json!({"status": "failed", "reason": "exit 1"});
        world
            .town
            .fleet
            .tell(&world.rig.at, &rpc::AGENT_COMPLETED, (&agent.id, report), &world.town.polecat(&world.rig, &agent.id))
            .unwrap();
        if round == 0 {
            let resting = world.step();
            world.expect("unstick_resting", &resting);
            assert_eq!(verdict(&world, &resting, 0), pair("resting", "wait"));
        }
        if round < 2 {
            world.seconds(130);
        }
    }
    let told = world.step();
    assert_eq!(told["did"]["step"], "escalate");
    world.seconds(10);
    let escalations: Vec<_> = world.escalations();
    assert!(escalations.iter().all(|raised| raised.category.as_deref() == Some("agent_restart_loop")));
    let looked = world.look();
    world.expect("unstick_crash_loop", &looked);
    assert_eq!(verdict(&world, &looked, 0), pair("restart_loop", "human"));
    assert_eq!(world.step().get("did"), None);
}

// S2-22, S2-45: never resolved here.
#[test]
fn a_merge_conflict_is_a_persons_and_is_left_alone() {
    let world = World::new(&[&[], &[0]]);
    conflict(&world);
    let looked = world.step();
    world.expect("unstick_merge_conflict", &looked);
    assert_eq!((verdict(&world, &looked, 0), looked.get("did")), (pair("merge_conflict", "human"), None));
    world.seconds(10_000);
    assert_eq!(world.step().get("did"), None);
    let escalations = world.escalations();
    assert_eq!((escalations.len(), escalations[0].category.as_deref()), (1, Some("merge_conflict")));
    assert_eq!(world.nudges().len(), 0);
    // Once a person has dealt with it, the work goes on as any other.
    world.town.fleet.tell(&world.town.at, &rpc::ACKNOWLEDGE_ESCALATION, (&escalations[0].id,), &world.town.owner()).unwrap();
    world.town.fleet.settle();
    assert_eq!(verdict(&world, &world.look(), 0).1, "nudge");
}

/// The first bead is submitted, and its branch does not merge.
fn conflict(world: &World) {
    let agent = world.begins(0);
    let owner = world.town.owner();
    world.town.fleet.tell(&world.rig.at, &rpc::AGENT_DONE, (&agent.id, json!({"branch": agent.branch})), &owner).unwrap();
    let review = world.town.beads(&world.rig, json!({"type": "merge_request"})).remove(0);
    let result = json!({"entry_id": review.bead_id, "status": "conflict", "message": "src/main.rs"});
    world.town.fleet.tell(&world.rig.at, &rpc::COMPLETE_REVIEW, (result,), &owner).unwrap();
    world.town.fleet.settle();
}

// S2-24, S2-40: it waits in the queue.
#[test]
fn when_all_polecats_are_busy_the_rest_is_queued() {
    let world = World::with(&json!({"max_polecats_per_rig": 1}), Some(false), &[&[], &[], &[]]);
    world.begins(0);
    let looked = world.step();
    world.expect("unstick_all_busy", &looked);
    assert_eq!((verdict(&world, &looked, 1), looked.get("did")), (pair("all_busy", "wait"), None));
    assert_eq!(looked["call_again_after_seconds"], 60);
}

// S2-35, S2-39: a person decides about each, and hears of each once.
#[test]
fn failed_beads_are_escalated_one_by_one_and_the_calls_to_retry_are_named() {
    let world = World::new(&[&[], &[], &[0], &[1]]);
    for index in [0, 1] {
        let status: gastown_mcp::contract::shapes::Bead = world
            .town
            .fleet
            .ask(
                &world.rig.at,
                &rpc::UPDATE_BEAD_STATUS,
                (&world.beads[index], "failed", "tester", json!({"code": "tests", "message": "12 tests fail", "source": "agent"})),
                &world.town.owner(),
            )
            .unwrap();
        assert_eq!(status.status, BeadStatus::Failed);
    }
    world.town.fleet.settle();
    world.expect("unstick_half_failed", &world.look());
    for _ in 0..2 {
        assert_eq!(world.step()["did"]["step"], "escalate");
    }
    let told = world.step();
    world.expect("unstick_half_failed_told", &told);
    assert_eq!((told.get("did"), verdict(&world, &told, 2)), (None, pair("blocker_failed", "human")));
    assert_eq!(world.escalations().len(), 2);
    let tools: Vec<&str> = told["calls"].as_array().unwrap().iter().map(|call| call["tool"].as_str().unwrap()).collect();
    assert_eq!(tools, ["convoy_partial", "update_convoy"]);
    // The calls can be made as they are, and then the rest goes on.
    world.town.fleet.block_on(world.caller.start("update_convoy", told["calls"][1]["arguments"].clone())).unwrap();
    world.town.fleet.settle();
    assert_eq!(verdict(&world, &world.look(), 2), pair("not_taken_up", "leave"));
}

#[test]
fn a_blocker_that_was_deleted_is_named_and_told_of_once() {
    let world = World::new(&[&[], &[0], &[1]]);
    world.town.fleet.tell(&world.rig.at, &rpc::DELETE_BEAD, (&world.beads[0], Value::Null), &world.town.owner()).unwrap();
    world.town.fleet.settle();
    let looked = world.look();
    world.expect("unstick_blocker_deleted", &looked);
    assert_eq!(verdict(&world, &looked, 2), pair("blocker_deleted", "human"), "followed through the chain");
    assert_eq!(world.step()["did"]["step"], "escalate");
    assert_eq!(world.step().get("did"), None);
    assert_eq!(world.escalations().len(), 1);
}

#[test]
fn in_a_pause_nothing_is_done_and_silence_counts_from_its_end() {
    let world = World::new(&[&[], &[0], &[]]);
    world.begins(0);
    world.town.fail(&world.rig, &world.beads[2]);
    world.seconds(400);
    let park = |parked: bool| {
        world.town.fleet.tell(&world.town.at, &rpc::SET_PARKED, (&world.rig.id, parked, Value::Null), &world.town.owner()).unwrap();
        world.town.fleet.settle();
    };
    park(true);
    let parked = world.step();
    world.expect("unstick_parked", &parked);
    assert_eq!((parked.get("did"), verdict(&world, &parked, 0)), (None, pair("parked", "leave")));
    world.seconds(4_000);
    assert_eq!(world.step().get("did"), None);
    assert_eq!((world.nudges().len(), world.escalations().len()), (0, 0));
    park(false);
    assert_eq!(verdict(&world, &world.look(), 0), pair("working", "leave"));
    world.seconds(300);
    assert_eq!(world.step()["did"]["step"], "nudge");
    let drained: Value = world.town.fleet.ask(&world.town.at, &rpc::RECORD_EVICTION, (), &world.town.owner()).unwrap();
    assert!(drained.is_string());
    world.town.fleet.settle();
    let draining = world.step();
    assert_eq!((draining.get("did"), verdict(&world, &draining, 0)), (None, pair("draining", "leave")));
}

// S2-31: nothing is wrong with a plan.
#[test]
fn a_staged_convoy_only_has_to_be_started() {
    let world = World::with(&json!({}), Some(true), &[&[], &[0]]);
    world.seconds(10_000);
    let looked = world.step();
    world.expect("unstick_staged", &looked);
    assert_eq!((looked.get("did"), looked.get("call_again_after_seconds")), (None, None));
    assert_eq!(
        (&looked["calls"][0]["tool"], &looked["hint"]),
        (&json!("start_convoy"), &json!("Nothing is wrong: start_convoy starts it."))
    );
}

#[test]
fn of_a_rig_that_does_not_answer_nothing_is_claimed_and_nothing_is_done() {
    let world = World::new(&[&[], &[0]]);
    world.begins(0);
    world.seconds(400);
    world.town.fleet.trouble(&world.rig.at, Some(Trouble::DropBefore));
    let looked = world.step();
    world.expect("unstick_rig_silent", &looked);
    assert_eq!((looked.get("did"), verdict(&world, &looked, 0)), (None, pair("rig_silent", "leave")));
    assert_eq!(looked["coverage"]["missing"][0]["id"], json!(world.rig.id));
    world.town.fleet.trouble(&world.rig.at, None);
    assert_eq!(world.nudges().len(), 0);
}

#[test]
fn a_review_that_does_not_move_is_told_of_when_its_time_is_over() {
    let world = World::with(&json!({"watch": {"review_stuck_seconds": 900}}), Some(false), &[&[]]);
    let agent = world.begins(0);
    world.town.fleet.tell(&world.rig.at, &rpc::AGENT_DONE, (&agent.id, json!({"branch": agent.branch})), &world.town.owner()).unwrap();
    world.seconds(600);
    assert_eq!(verdict(&world, &world.look(), 0), pair("in_review", "leave"));
    world.seconds(400);
    assert_eq!(world.step()["did"]["step"], "escalate");
    assert_eq!(verdict(&world, &world.step(), 0), pair("no_refinery", "human"));
}

#[test]
fn patience_comes_from_the_call_the_town_or_is_five_minutes() {
    let world = World::new(&[&[]]);
    world.begins(0);
    world.seconds(400);
    let patience = |arguments: Value| verdict(&world, &world.call("convoy_unstick", arguments), 0).1;
    assert_eq!(patience(json!({})), "leave", "the town has set a week");
    assert_eq!(patience(json!({"patience_seconds": 1})), "nudge");
    world.town.configure(json!({"watch": {"nudge_after_seconds": 350}})).unwrap();
    assert_eq!(patience(json!({})), "nudge");
    let refused = world.try_call("convoy_unstick", json!({"patience_seconds": 0})).unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgument);
    // A town that has set nothing.
    let plain = World::holding(|town, rig| super::convoy(town, rig, Some(false), &[&[]]));
    plain.begins(0);
    let now = || verdict(&plain, &plain.call("convoy_unstick", json!({})), 0).1;
    plain.seconds(290);
    assert_eq!(now(), "leave");
    plain.seconds(20);
    assert_eq!(now(), "nudge");
}

#[test]
fn a_convoy_that_is_not_there_is_refused_and_agents_take_no_steps() {
    let world = World::new(&[&[]]);
    let arguments = json!({"town": world.town.id, "convoy": "nothing"});
    let refused = super::structured(world.caller.call("convoy_unstick", arguments)).unwrap_err();
    assert_eq!(refused.code, Code::NotFound);
    let agent: Agent = world.holder(0).unwrap();
    let input = json!({"convoy_id": world.convoy, "bead_id": world.beads[0], "step": "nudge"});
    let own = world.town.polecat(&world.rig, &agent.id);
    assert_eq!(code(world.town.fleet.tell(&world.rig.at, &rpc::UNSTICK_BEAD, (&input,), &own)), Code::Forbidden);
    // A step says what it is founded on, and nobody is replaced who was not asked.
    let lead = mayor(&world);
    assert_eq!(code(world.town.fleet.tell(&world.rig.at, &rpc::UNSTICK_BEAD, (&input,), &lead)), Code::InvalidArgument);
    let stranger = AgentId::from_random([9; 16]);
    let now = world.town.fleet.now();
    let founded = |agent: &AgentId| json!({"convoy_id": world.convoy, "bead_id": world.beads[0], "step": "reassign", "agent_id": agent, "order": world.holder(0).unwrap().fence, "silent_since": now});
    assert_eq!(code(world.town.fleet.tell(&world.rig.at, &rpc::UNSTICK_BEAD, (founded(&agent.id),), &lead)), Code::Conflict);
    let nothing: Value = world.town.fleet.ask(&world.rig.at, &rpc::UNSTICK_BEAD, (founded(&stranger),), &lead).unwrap();
    assert_eq!(nothing["done"], false);
}
