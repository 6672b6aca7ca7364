//! What the Mayor sees and settles of its town; and what embedded towns do not have.

use super::{Deployment, NOTHING, has, invalid, refused};
use gastown_mcp::contract::shapes::EscalationEntry;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

#[test]
fn escalations_are_listed_and_acknowledged() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        let input = json!({"townId": world.town.id, "source_rig_id": world.web.id, "severity": "high", "message": "Toast hangs."});
        let raised: EscalationEntry = world.town.fleet.ask(&world.town.at, &rpc::ROUTE_ESCALATION, (input,), &world.town.owner()).unwrap();
        let open = plugin.read("escalations?acknowledged=false");
        let fields = [
            "id",
            "source_rig_id",
            "source_agent_id",
            "severity",
            "category",
            "message",
            "acknowledged",
            "re_escalation_count",
            "created_at",
        ];
        has(&open[0], &fields);
        assert_eq!((open.as_array().unwrap().len(), &open[0]["id"]), (1, &json!(raised.id)));
        let at = json!({"escalation_id": raised.id});
        assert_eq!(plugin.ok("gt_escalation_acknowledge", at.clone())["acknowledged"], 1);
        assert_eq!(plugin.ok("gt_escalation_acknowledge", at)["acknowledged"], 1, "twice is once");
        assert_eq!(plugin.read("escalations?acknowledged=false"), json!([]));
        assert!(!plugin.read("escalations?acknowledged=true").as_array().unwrap().is_empty());
        assert_eq!(plugin.read("escalations"), plugin.read("escalations?acknowledged=true"));
        for id in [NOTHING, "e-1"] {
            refused(plugin.tool("gt_escalation_acknowledge", json!({"escalation_id": id})), 404, "Escalation not found");
        }
        refused(plugin.send("GET", "escalations?acknowledged=perhaps", Value::Null), 400, "Invalid filter");
    }
}

#[test]
fn the_dashboard_is_led_to_what_there_is_only() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        let act = |action: Value| plugin.tool("gt_ui_action", json!({"action_json": action.to_string()}));
        let bead = |rig: &str| json!({"type": "open_bead_drawer", "beadId": NOTHING, "rigId": rig});
        for action in [
            bead(world.web.id.as_str()),
            json!({"type": "open_convoy_drawer", "convoyId": NOTHING, "townId": "another"}),
            json!({"type": "open_agent_drawer", "agentId": NOTHING, "rigId": world.api.id, "townId": world.town.id}),
            json!({"type": "navigate", "page": "agents"}),
            json!({"type": "highlight_bead", "beadId": NOTHING, "rigId": world.web.id}),
        ] {
            assert_eq!(act(action), (200, json!({"success": true, "data": {"broadcast": true}})));
        }
        refused(act(bead(NOTHING)), 400, "Rig not found in this town");
        assert_eq!(act(json!({"type": "navigate", "page": "https://evil.example"})).0, 400);
        assert_eq!(act(json!({"type": "reboot"})).0, 400);
        invalid(act(json!("navigate")), json!(["action"]));
        invalid(plugin.send("POST", "ui-action", json!({})), json!(["action"]));
    }
}

/// What the contract has and the plugin lacks.
#[test]
fn status_reviews_and_settings_are_read_and_secrets_are_not() {
    let world = Deployment::new();
    world.town.configure(json!({"env_vars": {"TOKEN": "a-long-secret"}, "max_polecats_per_rig": 3})).unwrap();
    for plugin in [world.mayor(), world.container()] {
        has(&plugin.read("status"), &["alarm", "agents", "beads", "patrol", "reconciler", "recentEvents", "billing"]);
        has(&plugin.read("merge-queue"), &["needsAttention", "activityLog"]);
        has(&plugin.read(&format!("merge-queue?rig_id={}&limit=5", world.web.id)), &["needsAttention", "activityLog"]);
        refused(plugin.send("GET", &format!("merge-queue?rig_id={NOTHING}"), Value::Null), 403, "Rig not found in this town");
        refused(plugin.send("GET", "merge-queue?limit=many", Value::Null), 400, "Invalid filter");
        let config = plugin.read("config");
        assert_eq!((&config["max_polecats_per_rig"], &config["env_vars"]), (&json!(3), &json!({"TOKEN": "****cret"})));
    }
}

#[test]
fn an_embedded_town_has_no_wasteland_and_watches_no_pull_request() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        const NONE: &str = "Town is not connected to a wasteland";
        refused(plugin.tool("gt_wasteland_browse", json!({})), 404, NONE);
        refused(plugin.tool("gt_wasteland_claim", json!({"item_id": "w-1"})), 404, NONE);
        refused(plugin.tool("gt_wasteland_post", json!({"title": "t", "description": "d", "priority": 1})), 404, NONE);
        refused(plugin.tool("gt_wasteland_done", json!({"item_id": "w-1", "evidence": "https://git.example/pr/1"})), 404, NONE);
        refused(plugin.send("GET", "wasteland/browse?limit=101", Value::Null), 400, "Invalid filter");
        invalid(plugin.tool("gt_wasteland_claim", json!({})), json!(["item_id"]));
        invalid(plugin.tool("gt_wasteland_done", json!({"item_id": "w-1"})), json!(["evidence"]));
        let pr = |rig: &str| plugin.tool("gt_babysit_pr", json!({"rig_id": rig, "pr_url": "https://git.example/pr/1"}));
        let (status, answer) = pr(world.web.id.as_str());
        assert_eq!(status, 501, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains("not supported by embedded towns"), "{answer}");
        refused(pr(NOTHING), 403, "Rig not found in this town");
        invalid(plugin.tool("gt_babysit_pr", json!({"rig_id": world.web.id})), json!(["pr_url"]));
    }
}
