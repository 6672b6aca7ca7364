//! Beads that the Mayor mends: changed, given to another, deleted, looked at.

use super::{BEAD, Deployment, NOTHING, has, invalid, refused};
use crate::support::fill::{bead_id, fill_beads};
use serde_json::{Value, json};

#[test]
fn a_bead_is_changed_field_by_field_and_the_answer_is_the_bead() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        let (bead, blocker) = (plugin.held(&world.web, "old"), plugin.held(&world.web, "first"));
        let update = |fields: Value| {
            let mut args = json!({"rig_id": world.web.id, "bead_id": bead});
            args.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            plugin.tool("gt_bead_update", args)
        };
        let (status, answer) =
            update(json!({"title": "new", "body": "b", "priority": "high", "labels": ["gt:held", "x"], "depends_on": [blocker]}));
        assert_eq!(status, 200, "{answer}");
        let changed = &answer["data"];
        has(changed, BEAD);
        assert_eq!(
            (&changed["title"], &changed["priority"], &changed["labels"], &changed["blockers_open"]),
            (&json!("new"), &json!("high"), &json!(["gt:held", "x"]), &json!(1))
        );
        assert_eq!(update(json!({"body": null})).1["data"]["body"], Value::Null);
        assert_eq!(update(json!({"status": "closed"})).1["data"]["status"], "closed");
        assert_eq!(update(json!({"status": "open", "title": "still"})).1["data"]["status"], "closed", "what has ended stays so");
        invalid(update(json!({})), json!([]));
        invalid(update(json!({"status": "bogus"})), json!(["status"]));
        invalid(update(json!({"priority": "urgent"})), json!(["priority"]));
        invalid(update(json!({"title": null})), json!(["title"]));
        invalid(update(json!({"depends_on": [NOTHING, "x"]})), json!(["depends_on", 1]));
    }
}

/// Gastown contract 4.5: which rig, then which bead.
#[test]
fn what_is_in_another_rig_is_told_from_what_is_nowhere() {
    let world = Deployment::new();
    let elsewhere = crate::support::Town::new(&world.town.fleet, 7);
    let foreign = elsewhere.add_rig("web", 8);
    let plugin = world.mayor();
    let bead = plugin.held(&world.web, "mine");
    let calls = |rig: &str, bead: &str| {
        let at = json!({"rig_id": rig, "bead_id": bead});
        let with = |more: Value| {
            let mut args = at.clone();
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            args
        };
        vec![
            plugin.tool("gt_bead_update", with(json!({"title": "t"}))),
            plugin.tool("gt_bead_reassign", with(json!({"agent_id": NOTHING}))),
            plugin.tool("gt_bead_delete", at.clone()),
            plugin.send("GET", &format!("rigs/{rig}/beads/{bead}"), Value::Null),
            plugin.send("GET", &format!("rigs/{rig}/beads/{bead}/events"), Value::Null),
        ]
    };
    for rig in [NOTHING, "web", foreign.id.as_str()] {
        for answer in calls(rig, &bead) {
            refused(answer, 403, "Rig not found in this town");
        }
    }
    for absent in [NOTHING, "b-1"] {
        for answer in calls(world.web.id.as_str(), absent) {
            refused(answer, 404, "Bead not found");
        }
    }
    for answer in calls(world.api.id.as_str(), &bead) {
        refused(answer, 403, "Bead does not belong to this rig");
    }
    assert_eq!(plugin.read(&format!("rigs/{}/beads/{bead}", world.web.id))["bead"]["title"], "mine", "nothing was changed");
    // Nobody knows whether a rig has it that does not answer.
    world.town.fleet.trouble(&world.api.at, Some(crate::support::Trouble::Hang));
    assert_eq!(plugin.tool("gt_bead_delete", json!({"rig_id": world.web.id, "bead_id": NOTHING})).0, 503);
}

#[test]
fn a_bead_is_given_to_another_agent_of_its_rig() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        let sling = |title: &str| plugin.ok("gt_sling", json!({"rig_id": world.web.id, "title": title}));
        let (one, two) = (sling("one"), sling("two"));
        let stranger = plugin.ok("gt_sling", json!({"rig_id": world.api.id, "title": "there"}))["agent"]["id"].clone();
        let bead = one["bead"]["bead_id"].as_str().unwrap();
        let give = |agent: &Value| plugin.tool("gt_bead_reassign", json!({"rig_id": world.web.id, "bead_id": bead, "agent_id": agent}));
        refused(give(&json!(NOTHING)), 404, "Target agent not found");
        refused(give(&stranger), 403, "Target agent does not belong to this rig");
        invalid(give(&json!("Toast")), json!(["agent_id"]));
        assert_eq!(give(&two["agent"]["id"]).0, 409, "it has a hook already");
        plugin.ok("gt_bead_update", json!({"rig_id": world.web.id, "bead_id": two["bead"]["bead_id"], "status": "closed"}));
        let (status, answer) = give(&two["agent"]["id"]);
        assert_eq!((status, &answer["data"]["assignee_agent_bead_id"]), (200, &two["agent"]["id"]), "{answer}");
        has(&answer["data"], BEAD);
    }
}

#[test]
fn beads_are_deleted_one_many_or_by_status() {
    let world = Deployment::new();
    let plugin = world.container();
    let ids: Vec<String> = (0..4).map(|number| plugin.held(&world.web, &format!("b{number}"))).collect();
    let there = plugin.held(&world.api, "there");
    let delete = |bead: Value| plugin.tool("gt_bead_delete", json!({"rig_id": world.web.id, "bead_id": bead}));
    assert_eq!(delete(json!(ids[0])), (200, json!({"success": true, "data": {"deleted": true}})));
    refused(delete(json!(ids[0])), 404, "Bead not found");
    assert_eq!(delete(json!([ids[1], ids[2], there, NOTHING])), (200, json!({"success": true, "data": {"deleted": 2}})));
    invalid(delete(json!([])), json!(["bead_ids"]));
    invalid(delete(json!([ids[3], "x"])), json!(["bead_ids", 1]));
    let by_status = |rig: &str, body: Value| plugin.send("POST", &format!("rigs/{rig}/beads/delete-by-status"), body);
    let web = world.web.id.as_str();
    invalid(by_status(web, json!({"status": "bogus"})), json!(["status"]));
    invalid(by_status(web, json!({"status": "open", "type": "bogus"})), json!(["type"]));
    invalid(by_status(web, json!({})), json!(["status"]));
    assert_eq!(by_status(web, json!({"status": "open", "type": "escalation"})).1["data"], json!({"deleted": 0}));
    assert_eq!(by_status(web, json!({"status": "open"})).1["data"], json!({"deleted": 1}));
    refused(by_status(NOTHING, json!({"status": "open"})), 403, "Rig not found in this town");
    refused(plugin.tool("gt_bead_delete", json!({"rig_id": NOTHING, "bead_id": [there]})), 403, "Rig not found in this town");
    assert_eq!(plugin.read(&format!("rigs/{}/beads/{there}", world.api.id))["bead"]["title"], "there");
}

#[test]
fn five_thousand_beads_are_deleted_by_one_request_and_one_more_is_refused() {
    let world = Deployment::new();
    let plugin = world.mayor();
    fill_beads(&world.town.sql(&world.web.at), &world.web.id, 5_001, world.town.fleet.now());
    let ids: Vec<_> = (1..=5_001).map(bead_id).collect();
    let delete =
        |ids: &[gastown_mcp::contract::ids::BeadId]| plugin.tool("gt_bead_delete", json!({"rig_id": world.web.id, "bead_id": ids}));
    invalid(delete(&ids), json!(["bead_ids"]));
    assert_eq!(delete(&ids[..5_000]), (200, json!({"success": true, "data": {"deleted": 5_000}})));
    assert_eq!(plugin.read(&format!("rigs/{}/beads", world.web.id)).as_array().unwrap().len(), 1);
}

/// What the contract has and the plugin lacks: one bead whole, and what happened.
#[test]
fn a_bead_is_shown_whole_and_so_is_what_happened() {
    let world = Deployment::new();
    let plugin = world.mayor();
    let (bead, other) = (plugin.held(&world.web, "one"), plugin.held(&world.web, "two"));
    plugin.ok("gt_bead_update", json!({"rig_id": world.web.id, "bead_id": bead, "depends_on": [other]}));
    let rig = format!("rigs/{}", world.web.id);
    let whole = plugin.read(&format!("{rig}/beads/{bead}"));
    has(&whole, &["bead", "reviewMetadata", "dependencies"]);
    assert_eq!(whole["dependencies"][0]["depends_on_bead_id"], json!(other));
    let of_bead = plugin.read(&format!("{rig}/beads/{bead}/events"));
    let types: Vec<&str> = of_bead.as_array().unwrap().iter().map(|event| event["event_type"].as_str().unwrap()).collect();
    assert_eq!(types, ["fields_updated", "created"]);
    has(&of_bead[0], &["bead_event_id", "bead_id", "agent_id", "event_type", "old_value", "new_value", "metadata", "created_at"]);
    assert_eq!(plugin.read(&format!("{rig}/events")).as_array().unwrap().len(), 3);
    assert_eq!(plugin.read(&format!("{rig}/events?limit=1&bead_id={other}"))[0]["bead_id"], json!(other));
    assert_eq!(plugin.read(&format!("{rig}/beads/{bead}/events?since=2099-01-01T00:00:00.000Z")), json!([]));
    refused(plugin.send("GET", &format!("{rig}/events?since=yesterday"), Value::Null), 400, "Invalid filter");
    plugin.ok("gt_bead_delete", json!({"rig_id": world.web.id, "bead_id": bead}));
    assert_eq!(plugin.read(&format!("{rig}/beads/{bead}/events"))[0]["event_type"], "deleted");
    refused(plugin.send("GET", &format!("{rig}/beads/{bead}"), Value::Null), 404, "Bead not found");
}
