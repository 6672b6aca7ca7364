//! Who is let in at the Mayor's routes, by which methods, and that a repeated change is one.

use super::{Deployment, NOTHING, Plugin, data, refused};
use crate::support::edge::{Sent, header};
use crate::support::tokens::{self, OWNER};
use gastown_mcp::contract::ids::AgentId;
use serde_json::{Value, json};

/// Every route with something in the place of its variables.
fn routes() -> impl Iterator<Item = (&'static str, String)> {
    let part = |part: &str| if part.starts_with(':') { NOTHING.to_owned() } else { part.to_owned() };
    let path = move |path: &str| path.split('/').map(part).collect::<Vec<_>>().join("/");
    gastown_mcp::edge::rest::mayor::TOOLS.routes.iter().map(move |route| (route.method, path(route.path)))
}

/// S1-08, S1-09, S1-16: refused, never answered with something empty.
#[test]
fn every_route_takes_the_towns_own_mayor_or_container_and_nobody_else() {
    let world = Deployment::new();
    let fleet = &world.town.fleet;
    let elsewhere = crate::support::Town::new(fleet, 7);
    let agent = AgentId::from_random([5; 16]);
    let strangers = [
        tokens::user(fleet, OWNER),
        tokens::observer(fleet, OWNER),
        tokens::polecat(fleet, &world.town.id, &world.web.id, &agent),
        tokens::refinery(fleet, &world.town.id, &world.web.id, &agent),
        tokens::mayor(fleet, &elsewhere.id),
        tokens::container(fleet, &elsewhere.id),
    ];
    assert!(routes().count() > 35);
    for (method, path) in routes() {
        for who in &strangers {
            let (status, answer) = Plugin::new(&world, who.clone(), None).send(method, &path, json!({}));
            assert_eq!((status, &answer["success"]), (403, &json!(false)), "{method} {path}: {answer}");
        }
        let nobody = Plugin::new(&world, tokens::context("x.y.z".to_owned()), None).send(method, &path, json!({}));
        assert_eq!(nobody.0, 401, "{method} {path}");
    }
    assert_eq!(world.mayor().ok("gt_list_rigs", json!({})).as_array().unwrap().len(), 2);
}

/// The table as a whole: a path of another rig is refused before anything else of it is looked at.
#[test]
fn every_route_of_a_rig_refuses_a_rig_that_is_not_the_towns() {
    let world = Deployment::new();
    let bodies = json!({"status": "open", "title": "t", "agent_id": NOTHING, "bead_ids": [NOTHING]});
    let body_of = |path: &str| match path.rsplit('/').next().unwrap() {
        "bulk-delete" => json!({"bead_ids": bodies["bead_ids"]}),
        "delete-by-status" => json!({"status": "open"}),
        "reassign" => json!({"agent_id": NOTHING}),
        _ => json!({"title": "t"}),
    };
    let mut seen = 0;
    for (method, path) in routes().filter(|(_, path)| path.starts_with("rigs/")) {
        refused(world.mayor().send(method, &path, body_of(&path)), 403, "Rig not found in this town");
        seen += 1;
    }
    assert!(seen >= 12, "{seen}");
}

#[test]
fn unknown_paths_and_methods_are_told_apart() {
    let world = Deployment::new();
    let response = |method: &str, path: &str| {
        let path = format!("/api/mayor/{}/tools/{path}", world.town.id);
        world.at.send(Sent::new(method, path).bearer(&world.mayor().token.borrow().jwt))
    };
    for path in ["castles", "convoys/x/land", "rigs/x/beads/y/z", "escalations/x", "wasteland"] {
        assert_eq!(response("GET", path).status, 404, "{path}");
    }
    for (method, path, allow) in [
        ("GET", "sling", "POST, OPTIONS"),
        ("DELETE", "rigs", "GET, HEAD, POST, OPTIONS"),
        ("PUT", "convoys/x", "GET, HEAD, PATCH, OPTIONS"),
        ("POST", "rigs/x/beads/y", "GET, HEAD, PATCH, DELETE, OPTIONS"),
        ("GET", "ui-action", "POST, OPTIONS"),
    ] {
        let refused = response(method, path);
        assert_eq!((refused.status, header(&refused, "allow").as_deref()), (405, Some(allow)), "{method} {path}");
    }
}

/// What a key stands for is done once, and answered alike.
#[test]
fn a_change_repeated_with_its_key_is_one() {
    let world = Deployment::new();
    let plugin = world.mayor();
    let keyed = |key: &str| world.mayor().with("idempotency-key", key);
    let sling = |key: &str, title: &str| keyed(key).tool("gt_sling", json!({"rig_id": world.web.id, "title": title}));
    let work = data(sling("s", "once"), "sling");
    assert_eq!(data(sling("s", "once"), "sling"), work);
    assert_eq!(sling("s", "other").0, 409);
    let bead = &work["bead"]["bead_id"];
    let at = json!({"rig_id": world.web.id, "bead_id": bead});
    let batch = json!({"rig_id": world.web.id, "convoy_title": "c", "tasks": [{"title": "a"}]});
    let convoy = data(keyed("b").tool("gt_sling_batch", batch.clone()), "batch");
    assert_eq!(data(keyed("b").tool("gt_sling_batch", batch), "batch"), convoy);
    let start = json!({"convoy_id": convoy["convoy"]["id"]});
    let started = data(keyed("c").tool("gt_convoy_start", start.clone()), "start");
    assert_eq!(data(keyed("c").tool("gt_convoy_start", start), "start"), started, "without the key it is refused");
    let nudge = json!({"rig_id": world.web.id, "target_agent_id": work["agent"]["id"], "message": "m"});
    assert_eq!(data(keyed("n").tool("gt_nudge", nudge.clone()), "nudge"), data(keyed("n").tool("gt_nudge", nudge), "nudge"));
    assert_eq!(data(keyed("d").tool("gt_bead_delete", at.clone()), "delete"), json!({"deleted": true}));
    assert_eq!(data(keyed("d").tool("gt_bead_delete", at.clone()), "delete"), json!({"deleted": true}));
    refused(plugin.tool("gt_bead_delete", at), 404, "Bead not found");
    let many = json!({"rig_id": world.web.id, "bead_id": [convoy["beads"][0]["bead"]["bead_id"]]});
    assert_eq!(data(keyed("m").tool("gt_bead_delete", many.clone()), "delete"), json!({"deleted": 1}));
    assert_eq!(data(keyed("m").tool("gt_bead_delete", many.clone()), "delete"), json!({"deleted": 1}));
    assert_eq!(plugin.ok("gt_bead_delete", many), json!({"deleted": 0}));
    assert_eq!(plugin.send("POST", "sling", Value::Null).0, 400, "no body");
}
