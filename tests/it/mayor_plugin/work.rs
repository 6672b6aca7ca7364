//! Work that the Mayor gives out: one task or a batch.

use super::{AGENT_FIELDS, BEAD, CONVOY, Deployment, NOTHING, has, invalid, refused};
use serde_json::{Value, json};

/// S1-11, S1-17, S1-22.
#[test]
fn a_sling_answers_at_once_with_bead_and_polecat_in_any_rig() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        for rig in [&world.web, &world.api] {
            let slung = plugin
                .ok("gt_sling", json!({"rig_id": rig.id, "title": "do it", "body": "so", "metadata": {"ticket": 1}, "labels": ["a"]}));
            has(&slung["bead"], BEAD);
            has(&slung["agent"], AGENT_FIELDS);
            assert_eq!((&slung["bead"]["rig_id"], &slung["bead"]["metadata"]["ticket"]), (&json!(rig.id), &json!(1)));
            assert_eq!(slung["bead"]["assignee_agent_bead_id"], slung["agent"]["id"]);
        }
    }
    let plugin = world.mayor();
    invalid(plugin.tool("gt_sling", json!({"rig_id": world.web.id})), json!(["title"]));
    invalid(plugin.tool("gt_sling", json!({"rig_id": "web", "title": "t"})), json!(["rig_id"]));
    invalid(plugin.tool("gt_sling", json!({"rig_id": world.web.id, "title": "t", "labels": "a"})), json!(["labels"]));
    refused(plugin.tool("gt_sling", json!({"rig_id": NOTHING, "title": "t"})), 403, "Rig not found in this town");
}

#[test]
fn a_batch_says_whether_it_is_staged() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        for (staged, is_staged) in [(Value::Null, true), (json!(true), true), (json!(false), false)] {
            let mut batch = json!({
                "rig_id": world.web.id, "convoy_title": "Payments", "merge_mode": "review-and-merge",
                "tasks": [{"title": "spec", "body": "all of it"}, {"title": "build", "depends_on": [0]}],
            });
            if !staged.is_null() {
                batch["staged"] = staged;
            }
            let slung = plugin.ok("gt_sling_batch", batch);
            has(&slung["convoy"], CONVOY);
            assert_eq!(slung["convoy"]["staged"], is_staged);
            assert_eq!(slung["convoy"]["merge_mode"], "review-and-merge");
            let beads = slung["beads"].as_array().unwrap();
            assert_eq!(beads.len(), 2);
            for slung in beads {
                has(&slung["bead"], BEAD);
                assert_eq!(slung["agent"], Value::Null, "agents come when their turn does");
            }
        }
    }
}

#[test]
fn a_batch_of_no_task_of_fifty_one_or_without_order_is_refused() {
    let world = Deployment::new();
    let plugin = world.mayor();
    let sling = |tasks: Vec<Value>, more: Value| {
        let mut batch = json!({"rig_id": world.web.id, "convoy_title": "c", "tasks": tasks});
        batch.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        plugin.tool("gt_sling_batch", batch)
    };
    let tasks = |count: usize| vec![json!({"title": "t"}); count];
    invalid(sling(tasks(0), json!({})), json!(["tasks"]));
    invalid(sling(tasks(51), json!({"parallel": true})), json!(["tasks"]));
    let (status, answer) = sling(tasks(2), json!({}));
    let error = answer["error"].as_str().unwrap();
    assert!(status == 400 && error.contains("depends_on") && error.contains("parallel: true"), "{answer}");
    refused(sling(vec![json!({"title": "a"}), json!({"title": "b", "depends_on": []})], json!({})), 400, error);
    invalid(
        sling(vec![json!({"title": "a"}), json!({"title": "b", "depends_on": ["0"]})], json!({})),
        json!(["tasks", 1, "depends_on", 0]),
    );
    invalid(sling(tasks(1), json!({"merge_mode": "zzz"})), json!(["merge_mode"]));
    let (status, _) = sling(vec![json!({"title": "a", "depends_on": [1]}), json!({"title": "b", "depends_on": [0]})], json!({}));
    assert_eq!(status, 400, "a circle");
    assert_eq!(plugin.ok("gt_list_convoys", json!({})), json!([]), "nothing was written");
    assert_eq!(sling(tasks(2), json!({"parallel": true})).0, 201);
    assert_eq!(sling(tasks(50), json!({"parallel": true})).0, 201);
    assert_eq!(sling(tasks(1), json!({})).0, 201);
}

/// S1-13, S1-14: without a rig, of all rigs; one that does not answer is named.
#[test]
fn lists_are_of_one_rig_or_of_all() {
    let world = Deployment::new();
    let plugin = world.container();
    for rig in [&world.web, &world.api] {
        plugin.ok("gt_sling", json!({"rig_id": rig.id, "title": "t"}));
    }
    let rigs = plugin.ok("gt_list_rigs", json!({}));
    assert_eq!(rigs.as_array().unwrap().len(), 2);
    has(&rigs[0], &["id", "town_id", "name", "git_url", "default_branch", "platform_integration_id", "created_at", "updated_at"]);
    let beads = plugin.ok("gt_list_beads", json!({"rig_id": world.web.id, "status": "open", "type": "issue"}));
    assert_eq!(beads.as_array().unwrap().len(), 1);
    has(&beads[0], BEAD);
    has(&plugin.ok("gt_list_agents", json!({"rig_id": world.web.id}))[0], AGENT_FIELDS);
    refused(plugin.tool("gt_list_beads", json!({"rig_id": world.web.id, "status": "bogus"})), 400, "Invalid filter");
    for tool in ["gt_list_beads", "gt_list_agents"] {
        for rig in [NOTHING, "web"] {
            refused(plugin.tool(tool, json!({"rig_id": rig})), 403, "Rig not found in this town");
        }
    }
    assert_eq!(plugin.read("beads?type=issue").as_array().unwrap().len(), 2);
    assert_eq!(plugin.read("agents").as_array().unwrap().len(), 2);
    world.town.fleet.trouble(&world.api.at, Some(crate::support::Trouble::DropBefore));
    let (status, answer) = plugin.send("GET", "beads?type=issue", Value::Null);
    assert_eq!((status, answer["data"].as_array().unwrap().len()), (200, 1));
    assert_eq!(answer["missing"][0]["rig_id"], json!(world.api.id));
}
