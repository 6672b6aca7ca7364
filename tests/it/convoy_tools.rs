//! The tools for convoys, as a client calls them.

use crate::support::caller::Caller;
use crate::support::{Fleet, Town};
use base::error::{Code, Failure, Refusal};
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::contract::shapes::BeadStatus;
use mcp::client::{ClientCapability, Interruption};
use mcp::types::ToolReply;
use serde_json::{Value, json};
use std::rc::Rc;

fn world() -> (Town, [crate::support::town::Rig; 2], Rc<Caller>) {
    let town = Town::new(&Fleet::new(), 1);
    let rigs = [town.add_rig("api", 2), town.add_rig("web", 3)];
    let caller = Caller::new(&town.fleet, &town.owner(), &[]);
    (town, rigs, caller)
}

fn structured(outcome: Result<ToolReply, Interruption>) -> Result<Value, Refusal> {
    match outcome {
        Ok(ToolReply::Structured(text)) => Ok(serde_json::from_str(&text).unwrap()),
        Err(Interruption::Failed(Failure::Refused(refusal))) => Err(refusal),
        other => panic!("neither an answer nor a refusal: {other:?}"),
    }
}

fn call(town: &Town, caller: &Rc<Caller>, tool: &str, mut arguments: Value) -> Result<Value, Refusal> {
    arguments["town"] = json!(town.id);
    structured(caller.call(tool, arguments))
}

// S3-18 to S3-20, S3-46: made by name, slung into, followed by name.
#[test]
fn a_convoy_is_made_changed_started_and_followed_by_its_name() {
    let (town, [api, web], caller) = world();
    let do_it = |tool: &str, arguments: Value| call(&town, &caller, tool, arguments).unwrap();
    let made = do_it("create_convoy", json!({"name": "Release «2»", "staged": true, "merge_mode": "review-then-land"}));
    assert_eq!((&made["summary"], &made["convoy"]["phase"]), (&json!("Made; it has no beads yet."), &json!("staged")));
    assert_eq!((&made["convoy"]["title"], &made["convoy"]["flags"]), (&json!("«Release \"2\"»"), &json!(["empty_convoy"])));
    let beads = [&api, &web].map(|rig| town.create_bead(rig, json!({"type": "issue", "title": "t"})).unwrap().bead_id);
    do_it("update_convoy", json!({"convoy": "Release «2»", "add_beads": [beads[0]]}));
    let changed =
        do_it("update_convoy", json!({"convoy": "Release «2»", "add_beads": [beads[1]], "depends_on": [beads[0]], "until": "merged"}));
    assert_eq!((&changed["summary"], &changed["convoy"]["total"]), (&json!("Changed; it has 2 beads."), &json!(2)));
    let started = do_it("start_convoy", json!({"convoy": "Release «2»"}));
    assert_eq!(started["convoy"]["phase"], "running");
    town.fleet.settle();
    let status = do_it("convoy_status", json!({"convoy_id": "Release «2»"}));
    assert_eq!((&status["id"], &status["waves"]), (&made["convoy"]["id"], &json!([[beads[0]], [beads[1]]])));
    assert_eq!(status["beads"][1]["rig"], json!(web.id));
    assert_eq!(status["summary"], "1 hooked, 1 blocked, not complete.");
    let listed = |name: &str| do_it("list_convoys", json!({"name": name}))["convoys"].as_array().unwrap().len();
    assert_eq!((listed("release"), listed("nothing")), (1, 0));
    let wrong = call(&town, &caller, "update_convoy", json!({"convoy": "x", "add_beads": ["Toast"]})).unwrap_err();
    assert_eq!(wrong.message, "add_beads: Toast is not a bead id");
    for (tool, arguments) in [
        ("convoy_status", json!({"convoy_id": "x"})),
        ("update_convoy", json!({"convoy": "x", "merge_mode": "review-and-merge"})),
        ("start_convoy", json!({"convoy": "x"})),
    ] {
        let refusal = call(&town, &caller, tool, arguments).unwrap_err();
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::NotFound, "Convoy not found: x"));
        assert!(refusal.hint.unwrap().contains("list_convoys"));
    }
}

// Truth rules 1 and 2: 13 beads of which 11 failed.
#[test]
fn eleven_failed_of_thirteen_is_not_complete() {
    let (town, [api, _], caller) = world();
    let convoy = town.convoy(&api, Some(false), &[&[] as &[i64]; 13]);
    for (index, part) in convoy.beads.iter().enumerate() {
        town.set_status(&api, &part.bead.bead_id, if index < 2 { BeadStatus::Closed } else { BeadStatus::Failed });
    }
    town.fleet.settle();
    let status = call(&town, &caller, "convoy_status", json!({"convoy_id": convoy.convoy.id})).unwrap();
    assert!(status["summary"].as_str().unwrap().starts_with("2 done, 11 failed, not complete."), "{}", status["summary"]);
    assert_eq!((&status["complete"], &status["phase"], &status["flags"]), (&json!(false), &json!("running"), &json!(["failed_members"])));
}

#[test]
fn a_batch_takes_what_each_task_needs() {
    let (town, [api, web], caller) = world();
    town.configure(
        json!({"formulas": {"audit": {"vars": {"area": null}, "steps": [{"title": "look", "instructions": "Look at {{area}}."}]}}}),
    )
    .unwrap();
    let tasks = json!([
        {"title": "spec", "priority": "high", "labels": ["api"], "quality": "chrome", "args": "mind the limits", "formula": "audit", "vars": {"area": "auth"}},
        {"title": "client", "rig": "web", "depends_on": [0], "until": "merged"},
    ]);
    let slung = call(&town, &caller, "sling_batch", json!({"rig": "api", "convoy_title": "c", "tasks": tasks, "staged": true})).unwrap();
    assert_eq!((&slung["beads"][0]["rig"], &slung["beads"][1]["rig"]), (&json!(api.id), &json!(web.id)));
    let first = town.bead(&api, &BeadId::parse(slung["beads"][0]["id"].as_str().unwrap()).unwrap());
    assert_eq!((first.priority.as_str(), first.quality.unwrap().as_str(), first.labels), ("high", "chrome", vec!["api".to_owned()]));
    assert_eq!((&first.metadata["args"], &first.metadata["vars"]), (&json!("mind the limits"), &json!({"area": "auth"})));
    assert_eq!(town.sql(&web.at).value::<String>("SELECT until FROM bead_dependencies"), "merged");
    let wrong = json!([{"title": "x", "quality": "golden"}]);
    let refusal = call(&town, &caller, "sling_batch", json!({"rig": "api", "convoy_title": "c", "tasks": wrong})).unwrap_err();
    assert!(refusal.message.contains("`basic`, `shiny`, `chrome`"), "{}", refusal.message);
}

#[test]
fn closing_by_hand_is_confirmed_first_and_says_what_it_did() {
    let (town, [api, _], caller) = world();
    let convoy = town.convoy(&api, Some(false), &[&[], &[0]]);
    let id = &convoy.convoy.id;
    town.fleet.settle();
    let dry = call(&town, &caller, "close_convoy", json!({"convoy": "Payments API"})).unwrap();
    let would = dry["would"].as_str().unwrap();
    assert!(
        would.contains("2 of its 2 beads have not ended") && would.contains("1 of them taken from agents") && would.contains(id.as_str()),
        "{would}"
    );
    assert_eq!((&dry["closed"], &dry["convoy"]["phase"]), (&json!(false), &json!("running")));
    let token = &dry["confirm_token"];
    let closed = call(&town, &caller, "close_convoy", json!({"convoy": "Payments API", "confirm": true, "confirm_token": token})).unwrap();
    assert_eq!((&closed["closed"], &closed["convoy"]["phase"]), (&json!(true), &json!("closed")));
    town.fleet.settle();
    assert_eq!(town.beads(&api, json!({"status": "closed"})).len(), 2);
    let status = call(&town, &caller, "convoy_status", json!({"convoy_id": id})).unwrap();
    assert_eq!((&status["phase"], &status["merge_evidence"]), (&json!("closed"), &json!("unverified")));
    assert!(status["summary"].as_str().unwrap().contains("closed by hand, not landed"));
    // A second time nothing is asked and nothing is changed; who can be asked is asked.
    let again = call(&town, &caller, "close_convoy", json!({"convoy": id})).unwrap();
    assert_eq!((again["closed"].clone(), again.get("dry_run")), (json!(true), None));
    let other = town.convoy(&api, Some(true), &[&[]]);
    let asked = Caller::new(&town.fleet, &town.owner(), &[ClientCapability::Elicitation]);
    let arguments = json!({"town": town.id, "convoy": other.convoy.id});
    assert!(matches!(asked.call("close_convoy", arguments), Err(Interruption::InputRequired)));
}

#[test]
fn a_check_of_a_town_is_dry_unless_a_repair_is_asked_for() {
    let (town, [api, _], caller) = world();
    town.convoy(&api, Some(false), &[&[]]);
    town.fleet.settle();
    let clean = call(&town, &caller, "town_check", json!({})).unwrap();
    assert_eq!((&clean["ok"], &clean["summary"]), (&json!(true), &json!("Clean: 1 beads, 1 agents and 1 open convoys agree.")));
    let _: Vec<(i64,)> = town.sql(&api.at).rows("UPDATE status_tally SET beads = 9 WHERE status = 'open' RETURNING 1");
    for (repair, repaired) in [(false, false), (true, true)] {
        let found = call(&town, &caller, "town_check", json!({"repair": repair})).unwrap();
        assert_eq!((&found["findings"][0]["code"], &found["findings"][0]["repaired"]), (&json!("tally_wrong"), &json!(repaired)));
    }
    town.fleet.settle();
    assert_eq!(call(&town, &caller, "town_check", json!({})).unwrap()["ok"], true);
}
