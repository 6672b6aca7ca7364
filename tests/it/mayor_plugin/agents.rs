//! Agents that the Mayor writes to, reminds and puts back to the beginning.

use super::{Deployment, NOTHING, has, invalid, refused, send};
use crate::support::tokens;
use serde_json::{Value, json};

/// S1-15.
#[test]
fn mail_and_nudges_reach_an_agent_of_any_rig() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        for rig in [&world.web, &world.api] {
            let agent = plugin.ok("gt_sling", json!({"rig_id": rig.id, "title": "t"}))["agent"]["id"].clone();
            let mail = json!({"rig_id": rig.id, "to_agent_id": agent, "subject": "hold on", "body": "the API changes"});
            assert_eq!(plugin.ok("gt_mail_send", mail), json!({"sent": true}));
            let nudged = plugin.ok("gt_nudge", json!({"rig_id": rig.id, "target_agent_id": agent, "message": "look", "mode": "queue"}));
            let pending = plugin.read(&format!("rigs/{}/agents/{}/pending-nudges", rig.id, agent.as_str().unwrap()));
            has(&pending[0], &["nudge_id", "message", "mode", "priority", "source"]);
            assert_eq!((&pending[0]["nudge_id"], &pending[0]["message"]), (&nudged["nudge_id"], &json!("look")));
            // Looking takes nothing.
            assert_eq!(plugin.read(&format!("rigs/{}/agents/{}/pending-nudges", rig.id, agent.as_str().unwrap())), pending);
        }
    }
    let plugin = world.mayor();
    let mail = |rig: &str, to: &str| plugin.tool("gt_mail_send", json!({"rig_id": rig, "to_agent_id": to, "subject": "s", "body": "b"}));
    refused(mail(NOTHING, NOTHING), 403, "Rig not found in this town");
    assert_eq!(mail(world.web.id.as_str(), NOTHING).0, 404);
    invalid(mail("web", NOTHING), json!(["rig_id"]));
    invalid(
        plugin.send("POST", "mail", json!({"rig_id": world.web.id, "to_agent_id": NOTHING, "body": "b", "from_agent_id": "m"})),
        json!([]),
    );
    let nudge = json!({"rig_id": world.web.id, "target_agent_id": NOTHING, "message": "m", "mode": "loud"});
    invalid(plugin.tool("gt_nudge", nudge), json!(["mode"]));
    refused(plugin.send("GET", &format!("rigs/{NOTHING}/agents/{NOTHING}/pending-nudges"), Value::Null), 403, "Rig not found in this town");
}

#[test]
fn an_agent_is_reset_in_its_rig_only() {
    let world = Deployment::new();
    for plugin in [world.mayor(), world.container()] {
        let slung = plugin.ok("gt_sling", json!({"rig_id": world.web.id, "title": "t"}));
        let reset = |rig: &str, agent: &Value| plugin.tool("gt_agent_reset", json!({"rig_id": rig, "agent_id": agent}));
        let agent = &slung["agent"]["id"];
        refused(reset(world.api.id.as_str(), agent), 403, "Agent does not belong to this rig");
        refused(reset(world.web.id.as_str(), &json!(NOTHING)), 404, "Agent not found");
        refused(reset(world.web.id.as_str(), &json!("Toast")), 404, "Agent not found");
        refused(reset(NOTHING, agent), 403, "Rig not found in this town");
        assert_eq!(reset(world.web.id.as_str(), agent), (200, json!({"success": true, "data": {"reset": true}})));
        let bead = plugin.read(&format!("rigs/{}/beads/{}", world.web.id, slung["bead"]["bead_id"].as_str().unwrap()));
        assert_eq!(bead["bead"]["status"], "open");
        plugin.ok("gt_bead_delete", json!({"rig_id": world.web.id, "bead_id": slung["bead"]["bead_id"]}));
    }
}

/// Gastown contract 4.3, 6: a container's token that is refused is exchanged once; a Mayor's own cannot be.
#[test]
fn an_expired_container_token_is_exchanged_and_the_call_repeated() {
    let world = Deployment::new();
    let (mayor, container) = (world.mayor(), world.container());
    let old = container.token.borrow().jwt.clone();
    assert_eq!(container.ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 2);
    world.town.fleet.advance(9 * 60 * 60 * 1_000);
    assert_eq!(
        send(&world.at, &container.token.borrow(), "GET", &format!("/api/mayor/{}/tools/rigs", world.town.id), &Value::Null, &[]).0,
        401
    );
    assert_eq!(container.ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 2);
    assert_ne!(container.token.borrow().jwt, old);
    assert_eq!(mayor.tool("gt_list_rigs", json!({})).0, 401);
    assert_eq!(container.ok("gt_sling", json!({"rig_id": world.web.id, "title": "t"}))["bead"]["created_by"], json!(super::AGENT));
    // Whoever has no container's token finds its Mayor too.
    let plugin = world.mayor();
    let path = format!("/api/towns/{}/mayor-id", world.town.id);
    let ids = [&plugin, &container].map(|plugin| super::data(plugin.request("GET", &path, &Value::Null), "mayor-id")["agentId"].clone());
    assert!(ids[0].is_string() && ids[0] == ids[1], "{ids:?}");
    drop(plugin);
    let gone = super::Plugin::new(&world, tokens::context(old), Some(super::AGENT));
    world.town.fleet.advance(24 * 60 * 60 * 1_000);
    assert_eq!(gone.tool("gt_list_rigs", json!({})).0, 401, "a day later it is too old for that");
}
