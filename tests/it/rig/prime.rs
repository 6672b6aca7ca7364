//! What an agent is told when it begins.

use crate::support::town::Rig;
use crate::support::{Town, code};
use base::error::Code;
use gastown_mcp::contract::ids::AgentId;
use gastown_mcp::contract::shapes::Bead;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

fn prime(town: &Town, rig: &Rig, agent: &AgentId) -> Value {
    town.fleet.ask(&rig.at, &rpc::PRIME, (agent,), &town.polecat(rig, agent)).unwrap()
}

/// S1-23, S2-18, S3-12: hooked work starts without asking.
#[test]
fn an_agent_is_told_to_begin_without_asking_and_how() {
    let (town, rig) = Town::with_rig();
    let input = json!({"rigId": rig.id, "title": "work", "metadata": {"args": "focus on security"}});
    let slung = town.sling_as(&rig, input, &town.owner()).unwrap();
    let agent = slung.agent.unwrap();
    town.sql(&rig.at).rows::<Value>("UPDATE beads SET quality = 'chrome'");
    for number in 0..25 {
        town.create_bead(&rig, json!({"type": "issue", "title": format!("{number}"), "labels": ["gt:held"]})).unwrap();
    }
    let told = prime(&town, &rig, &agent.id);
    let instructions = told["instructions"].as_str().unwrap();
    for part in ["without asking", slung.bead.bead_id.as_str(), agent.branch.as_deref().unwrap(), "Quality: chrome", "focus on security"] {
        assert!(instructions.contains(part), "{part}: {instructions}");
    }
    assert_eq!(told["agent"]["id"], agent.id.as_str());
    assert_eq!(told["hooked_bead"]["bead_id"], slung.bead.bead_id.as_str());
    assert_eq!(told["open_beads"].as_array().unwrap().len(), 20);
    for context in ["rework_context", "pr_fixup_context", "pr_conflict_context"] {
        assert_eq!(told[context], Value::Null);
    }
    // Who has nothing to do is told so.
    let idle = town.agent(&rig).unwrap().id;
    let told = prime(&town, &rig, &idle);
    assert_eq!(told["hooked_bead"], Value::Null);
    assert!(told["instructions"].as_str().unwrap().starts_with("Nothing is on your hook."));
    let nobody = AgentId::from_random([7; 16]);
    let unknown = town.fleet.ask::<Value>(&rig.at, &rpc::PRIME, (&nobody,), &town.owner());
    assert_eq!(code(unknown), Code::NotFound);
}

/// What must succeed before work is submitted, whatever the town has changed since; and where the work goes.
#[test]
fn an_agent_is_told_gates_order_base_and_step() {
    let (town, rig) = Town::with_rig();
    let agent = town.sling_as(&rig, json!({"rigId": rig.id, "title": "t", "quality": "basic"}), &town.owner()).unwrap().agent.unwrap();
    let told = prime(&town, &rig, &agent.id);
    assert_eq!((&told["quality_gates"], &told["order"], &told["base_branch"]), (&json!([]), &json!(agent.fence), &json!("main")));
    assert_eq!(told["step"]["step"]["title"], "implement");
    for gates in [json!(["npm test", "npm run lint"]), json!([])] {
        town.configure(json!({"refinery": {"gates": gates}})).unwrap();
        assert_eq!(prime(&town, &rig, &agent.id)["quality_gates"], gates);
    }
    town.configure(json!({"refinery": {"gates": ["make"]}})).unwrap();
    town.configure(json!({"refinery": null})).unwrap();
    assert_eq!(prime(&town, &rig, &agent.id)["quality_gates"], json!([]));
    // Work of a convoy goes into its branch.
    let convoy = town.try_convoy(json!({"rigId": rig.id, "convoyTitle": "C", "tasks": [{"title": "x"}], "staged": false})).unwrap();
    town.fleet.settle();
    let worker =
        town.agents(&rig).into_iter().find(|agent| agent.current_hook_bead_id == Some(convoy.beads[0].bead.bead_id.clone())).unwrap();
    let base = prime(&town, &rig, &worker.id)["base_branch"].clone();
    assert!(base.as_str().unwrap().starts_with("convoy/"), "{base}");
    assert_eq!(prime(&town, &rig, &town.agent(&rig).unwrap().id)["base_branch"], Value::Null);
}

/// Gastown contract 2.4: mail is taken; nudges wait until they are marked.
#[test]
fn mail_is_taken_by_priming_and_nudges_are_only_shown() {
    let (town, rig) = Town::with_rig();
    let agent = town.sling(&rig, "work").agent.unwrap().id;
    let mail = json!({"from_agent_id": "mayor", "to_agent_id": agent, "subject": "s", "body": "b"});
    town.fleet.tell(&rig.at, &rpc::SEND_MAIL, (mail,), &town.owner()).unwrap();
    town.fleet.tell(&rig.at, &rpc::QUEUE_NUDGE, (&agent, "blocked?", Value::Null), &town.owner()).unwrap();
    let first = prime(&town, &rig, &agent);
    assert_eq!(first["undelivered_mail"][0]["subject"], "s");
    assert_eq!(first["undelivered_mail"][0]["delivered"], false);
    assert_eq!(first["nudges"][0]["message"], "blocked?");
    let second = prime(&town, &rig, &agent);
    assert_eq!(second["undelivered_mail"], json!([]));
    assert_eq!(second["nudges"].as_array().unwrap().len(), 1);
}

/// Gastown contract 3.11.
#[test]
fn what_came_back_from_review_comes_with_its_context() {
    let (town, rig) = Town::with_rig();
    let original: Bead = town.sling(&rig, "the original").bead;
    let hold = |labels: Value, metadata: Value| {
        let input = json!({"rigId": rig.id, "title": "t", "body": "use a lock", "labels": labels, "metadata": metadata});
        let agent = town.sling_as(&rig, input, &town.owner()).unwrap().agent.unwrap().id;
        prime(&town, &rig, &agent)
    };
    let rework =
        hold(json!(["gt:rework"]), json!({"rework_for": original.bead_id, "mr_bead_id": "mr", "files": ["a.rs"], "target_branch": "main"}));
    let expected = json!({"feedback": "use a lock", "branch": rework["agent"]["branch"], "target_branch": "main", "files": ["a.rs"],
        "original_bead_title": "the original", "mr_bead_id": "mr"});
    assert_eq!(rework["rework_context"], expected);
    let fixup = hold(json!(["gt:pr-fixup"]), json!({"pr_url": "u", "target_branch": "main"}));
    assert_eq!(fixup["pr_fixup_context"], json!({"pr_url": "u", "branch": fixup["agent"]["branch"], "target_branch": "main"}));
    let conflict = hold(json!(["gt:pr-conflict"]), json!({"pr_url": "u", "conflict_target_branch": "dev", "has_feedback": 1}));
    let expected = json!({"pr_url": "u", "branch": conflict["agent"]["branch"], "target_branch": "dev", "has_feedback": true});
    assert_eq!(conflict["pr_conflict_context"], expected);
}
