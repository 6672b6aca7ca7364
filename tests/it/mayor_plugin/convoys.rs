//! Convoys that the Mayor follows and changes.

use super::{CONVOY, Deployment, NOTHING, Plugin, has, invalid, refused};
use serde_json::{Value, json};

fn staged(world: &Deployment, plugin: &Plugin<'_>) -> (Value, Vec<Value>) {
    let tasks = json!([{"title": "a"}, {"title": "b", "depends_on": [0]}]);
    let slung = plugin.ok("gt_sling_batch", json!({"rig_id": world.web.id, "convoy_title": "Payments", "tasks": tasks, "staged": true}));
    (slung["convoy"]["id"].clone(), slung["beads"].as_array().unwrap().iter().map(|slung| slung["bead"]["bead_id"].clone()).collect())
}

#[test]
fn a_convoy_is_listed_read_changed_started_and_closed() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        let (convoy, beads) = staged(&world, &plugin);
        let at = json!({"convoy_id": convoy});
        let listed = plugin.ok("gt_list_convoys", json!({}));
        has(&listed[0], CONVOY);
        let detail = plugin.ok("gt_convoy_status", at.clone());
        has(&detail, CONVOY);
        has(&detail["beads"][0], &["bead_id", "title", "status", "rig_id", "assignee_agent_name"]);
        assert_eq!(
            (&detail["dependency_edges"][0]["bead_id"], &detail["dependency_edges"][0]["depends_on_bead_id"]),
            (&beads[1], &beads[0])
        );

        let changed = plugin.ok("gt_convoy_update", json!({"convoy_id": convoy, "merge_mode": "review-and-merge"}));
        has(&changed, CONVOY);
        assert_eq!(changed["merge_mode"], "review-and-merge");
        let changed = plugin.ok("gt_convoy_update", json!({"convoy_id": convoy, "feature_branch": "convoy/payments"}));
        assert_eq!(changed["feature_branch"], "convoy/payments");

        let more = plugin.held(&world.api, "c");
        let added = plugin.ok("gt_convoy_add_bead", json!({"convoy_id": convoy, "bead_id": more, "depends_on": [beads[1]]}));
        assert_eq!(added, json!({"total_beads": 3}));
        let again = plugin.ok("gt_convoy_add_bead", json!({"convoy_id": convoy, "bead_id": more}));
        assert_eq!(again, json!({"total_beads": 3}), "a member already");
        world.town.fleet.settle();
        let removed = plugin.ok("gt_convoy_remove_bead", json!({"convoy_id": convoy, "bead_id": more}));
        assert_eq!(removed, json!({"total_beads": 2}));

        let started = plugin.ok("gt_convoy_start", at.clone());
        assert_eq!((&started["convoy"]["staged"], started["beads"].as_array().unwrap().len()), (&json!(false), 2));
        refused(plugin.tool("gt_convoy_start", at.clone()), 404, "Convoy not found or not staged");
        let closed = plugin.ok("gt_convoy_close", at.clone());
        has(&closed, CONVOY);
        assert_eq!(closed["status"], "landed");
        assert_eq!(plugin.ok("gt_convoy_close", at.clone())["status"], "landed", "closing twice is closing");
        assert_eq!(plugin.ok("gt_list_convoys", json!({})), json!([]));
        assert_eq!(plugin.ok("gt_convoy_status", at)["status"], "landed");
    }
}

#[test]
fn a_convoy_that_is_none_is_not_found_whatever_is_asked() {
    let world = Deployment::new();
    let plugin = world.mayor();
    let bead = plugin.held(&world.web, "b");
    for convoy in [NOTHING, "Payments"] {
        let at = json!({"convoy_id": convoy});
        let with = |name: &str, value: Value| json!({"convoy_id": convoy, name: value});
        for answer in [
            plugin.tool("gt_convoy_status", at.clone()),
            plugin.tool("gt_convoy_close", at.clone()),
            plugin.tool("gt_convoy_update", with("merge_mode", json!("review-and-merge"))),
            plugin.tool("gt_convoy_add_bead", with("bead_id", json!(bead))),
            plugin.tool("gt_convoy_remove_bead", with("bead_id", json!(bead))),
        ] {
            refused(answer, 404, "Convoy not found");
        }
        refused(plugin.tool("gt_convoy_start", at), 404, "Convoy not found or not staged");
    }
}

/// Values are checked before anything is asked; what a convoy cannot take is refused, where the contract breaks with 500.
#[test]
fn what_a_convoy_cannot_take_is_refused_and_nothing_is_written() {
    let world = Deployment::new();
    let plugin = world.mayor();
    let (convoy, beads) = staged(&world, &plugin);
    let call = |tool: &str, mut more: Value| {
        more["convoy_id"] = convoy.clone();
        plugin.tool(tool, more)
    };
    invalid(call("gt_convoy_update", json!({})), json!([]));
    invalid(call("gt_convoy_update", json!({"merge_mode": "zzz"})), json!(["merge_mode"]));
    invalid(call("gt_convoy_update", json!({"feature_branch": 7})), json!(["feature_branch"]));
    invalid(call("gt_convoy_add_bead", json!({})), json!(["bead_id"]));
    invalid(call("gt_convoy_add_bead", json!({"bead_id": beads[0], "depends_on": ["x"]})), json!(["depends_on", 0]));
    invalid(call("gt_convoy_remove_bead", json!({"bead_id": "x"})), json!(["bead_id"]));
    let (status, answer) = call("gt_convoy_add_bead", json!({"bead_id": NOTHING}));
    assert_eq!(status, 404, "{answer}");
    assert!(answer["error"].as_str().unwrap().contains(NOTHING), "{answer}");
    let (status, answer) = call("gt_convoy_add_bead", json!({"bead_id": beads[0], "depends_on": [beads[1]]}));
    assert_eq!(status, 400, "a circle: {answer}");
    let edges = plugin.ok("gt_convoy_status", json!({"convoy_id": convoy}))["dependency_edges"].clone();
    assert_eq!((edges.as_array().unwrap().len(), &edges[0]["bead_id"]), (1, &beads[1]));
}
