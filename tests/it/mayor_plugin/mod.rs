//! Kilo's Mayor plugin (Gastown contract 6) against our routes: the calls it makes, with its paths and field names.
//!
//! Owns the plugin as a client: `tool` makes of a tool's arguments the request that the plugin makes, and knows its one rule
//! about tokens. The files test by subject.

mod agents;
mod beads;
mod convoys;
mod doors;
mod rigs;
mod town;
mod work;

use crate::support::edge::{Isolate, Sent};
use crate::support::tokens::{self, OWNER};
use crate::support::town::Rig;
use crate::support::{Fleet, Town};
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::rpc::call::{Context, Instance};
use serde_json::{Map, Value, json};
use std::cell::RefCell;

/// A town with two rigs, registered as its owner's.
struct Deployment {
    at: Isolate,
    town: Town,
    web: Rig,
    api: Rig,
}

impl Deployment {
    fn new() -> Self {
        Self::of(&format!("users/{OWNER}"), |fleet| tokens::user(fleet, OWNER))
    }

    /// The same of the owner whose registry is at `path`.
    fn of(path: &str, owner: impl Fn(&Fleet) -> Context) -> Self {
        let at = Isolate::new(&Fleet::new());
        let who = owner(&at.fleet);
        let make = |what: &str, body: Value| {
            let (status, answer) = send(&at, &who, "POST", &format!("/api/{path}/{what}"), &body, &[]);
            assert_eq!(status, 201, "{answer}");
            answer["data"]["id"].as_str().unwrap().to_owned()
        };
        let id = TownId::parse(&make("towns", json!({"name": "backend"}))).unwrap();
        let rig = |name: &str| {
            let id = make("rigs", json!({"town_id": id, "name": name, "git_url": format!("https://git.example/{name}.git")}));
            let id = RigId::parse(&id).unwrap();
            Rig { at: Instance::Rig(id.clone()), id }
        };
        let (web, api) = (rig("web"), rig("api"));
        Self { town: Town { fleet: at.fleet.clone(), at: Instance::Town(id.clone()), id }, at, web, api }
    }

    /// The plugin with the Mayor's session token.
    fn mayor(&self) -> Plugin<'_> {
        Plugin::new(self, tokens::mayor(&self.town.fleet, &self.town.id), None)
    }

    /// The same with the container's token, and the agent's id in a header.
    fn container(&self) -> Plugin<'_> {
        Plugin::new(self, tokens::container(&self.town.fleet, &self.town.id), Some(AGENT))
    }
}

/// `GASTOWN_AGENT_ID`.
const AGENT: &str = "11111111-1111-4111-8111-111111111111";

/// The plugin.
struct Plugin<'a> {
    world: &'a Deployment,
    token: RefCell<Context>,
    agent: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Plugin<'a> {
    fn new(world: &'a Deployment, token: Context, agent: Option<&'static str>) -> Self {
        let headers = agent.map(|agent| ("x-gastown-agent-id", agent.to_owned())).into_iter().collect();
        Self { world, token: RefCell::new(token), agent, headers }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// One request. A container's token that is refused is exchanged once, and the request repeated.
    fn request(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let once = || send(&self.world.at, &self.token.borrow(), method, path, body, &self.headers);
        let first = once();
        if first.0 != 401 || self.agent.is_none() {
            return first;
        }
        let refresh = format!("/api/towns/{}/refresh-container-token", self.world.town.id);
        let (status, answer) = send(&self.world.at, &self.token.borrow(), "POST", &refresh, &Value::Null, &[]);
        if status != 200 {
            return first;
        }
        self.token.replace(tokens::context(answer["data"]["token"].as_str().unwrap().to_owned()));
        once()
    }

    /// A request to one of the Mayor's routes.
    fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.request(method, &format!("/api/mayor/{}/tools/{path}", self.world.town.id), &body)
    }

    /// A tool, by the name and with the arguments that the plugin gives it.
    fn tool(&self, name: &str, args: Value) -> (u16, Value) {
        let Value::Object(args) = args else { panic!("arguments") };
        let at = |name: &str| args[name].as_str().unwrap();
        let but = |names: &[&str]| Value::Object(args.clone().into_iter().filter(|(name, _)| !names.contains(&name.as_str())).collect());
        let rig = || format!("rigs/{}", at("rig_id"));
        let bead = || format!("{}/beads/{}", rig(), at("bead_id"));
        let convoy = || format!("convoys/{}", at("convoy_id"));
        match name {
            "gt_sling" => self.send("POST", "sling", but(&[])),
            "gt_sling_batch" => self.send("POST", "sling-batch", but(&[])),
            "gt_list_rigs" => self.send("GET", "rigs", Value::Null),
            "gt_list_beads" => {
                let asked = args.iter().filter(|(name, _)| *name != "rig_id");
                let query: Vec<String> = asked.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
                self.send("GET", &format!("{}/beads?{}", rig(), query.join("&")), Value::Null)
            }
            "gt_list_agents" => self.send("GET", &format!("{}/agents", rig()), Value::Null),
            "gt_list_convoys" => self.send("GET", "convoys", Value::Null),
            "gt_convoy_status" => self.send("GET", &convoy(), Value::Null),
            "gt_convoy_start" => self.send("POST", &format!("{}/start", convoy()), Value::Null),
            "gt_convoy_close" => self.send("POST", &format!("{}/close", convoy()), Value::Null),
            "gt_convoy_update" => self.send("PATCH", &convoy(), but(&["convoy_id"])),
            "gt_convoy_add_bead" => self.send("POST", &format!("{}/add-bead", convoy()), but(&["convoy_id"])),
            "gt_convoy_remove_bead" => self.send("POST", &format!("{}/remove-bead", convoy()), but(&["convoy_id"])),
            "gt_mail_send" => {
                let mut body = but(&[]);
                body["from_agent_id"] = json!(self.agent.unwrap_or("mayor-of-the-tests"));
                self.send("POST", "mail", body)
            }
            "gt_nudge" => {
                let path = format!("/api/towns/{}/rigs/{}/nudge", self.world.town.id, at("rig_id"));
                self.request("POST", &path, &but(&["rig_id"]))
            }
            "gt_bead_update" => self.send("PATCH", &bead(), but(&["rig_id", "bead_id"])),
            "gt_bead_reassign" => self.send("POST", &format!("{}/reassign", bead()), but(&["rig_id", "bead_id"])),
            "gt_bead_delete" if args["bead_id"].is_array() => {
                self.send("POST", &format!("{}/beads/bulk-delete", rig()), json!({"bead_ids": args["bead_id"]}))
            }
            "gt_bead_delete" => self.send("DELETE", &bead(), Value::Null),
            "gt_agent_reset" => self.send("POST", &format!("{}/agents/{}/reset", rig(), at("agent_id")), Value::Null),
            "gt_escalation_acknowledge" => self.send("POST", &format!("escalations/{}/acknowledge", at("escalation_id")), Value::Null),
            "gt_ui_action" => self.send("POST", "ui-action", json!({"action": serde_json::from_str::<Value>(at("action_json")).unwrap()})),
            "gt_wasteland_browse" => self.send("GET", "wasteland/browse?status=open&limit=20", Value::Null),
            "gt_wasteland_claim" => self.send("POST", "wasteland/claim", but(&[])),
            "gt_wasteland_post" => self.send("POST", "wasteland/post", but(&[])),
            "gt_wasteland_done" => self.send("POST", "wasteland/done", but(&[])),
            "gt_babysit_pr" => self.send("POST", "babysit-pr", but(&[])),
            other => panic!("the plugin has no {other}"),
        }
    }

    /// The data of a tool's answer.
    fn ok(&self, name: &str, args: Value) -> Value {
        data(self.tool(name, args), name)
    }

    /// The data of a route's answer.
    fn read(&self, path: &str) -> Value {
        data(self.send("GET", path, Value::Null), path)
    }

    /// A bead that waits for somebody, in a rig.
    fn held(&self, rig: &Rig, title: &str) -> String {
        let slung = self.ok("gt_sling", json!({"rig_id": rig.id, "title": title, "labels": ["gt:held"]}));
        slung["bead"]["bead_id"].as_str().unwrap().to_owned()
    }
}

fn send(at: &Isolate, who: &Context, method: &str, path: &str, body: &Value, headers: &[(&'static str, String)]) -> (u16, Value) {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
    at.ask(Sent::new(method, path).bearer(&who.jwt).with_all(headers).json(body))
}

/// The data of an answer that must be a success.
fn data((status, answer): (u16, Value), what: &str) -> Value {
    assert!((200..300).contains(&status) && answer["success"] == true, "{what} answered {status}: {answer}");
    answer["data"].clone()
}

/// Fails unless an answer is this refusal.
fn refused((status, answer): (u16, Value), wanted: u16, error: &str) {
    assert_eq!((status, &answer["success"], answer["error"].as_str()), (wanted, &json!(false), Some(error)), "{answer}");
}

/// Fails unless an answer is 400 with issues, of which the first is about `path`.
fn invalid((status, answer): (u16, Value), path: Value) {
    assert_eq!((status, answer["error"].as_str()), (400, Some("Invalid request body")), "{answer}");
    assert_eq!(answer["issues"][0]["path"], path, "{answer}");
    assert!(answer["issues"][0]["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
}

/// Fails unless an object has these fields.
fn has(object: &Value, fields: &[&str]) {
    let object: &Map<String, Value> = object.as_object().unwrap_or_else(|| panic!("no object: {object}"));
    for field in fields {
        assert!(object.contains_key(*field), "no {field} in {object:?}");
    }
}

/// Gastown contract 3.1.
const BEAD: &[&str] = &[
    "bead_id",
    "type",
    "status",
    "title",
    "body",
    "rig_id",
    "parent_bead_id",
    "assignee_agent_bead_id",
    "priority",
    "labels",
    "metadata",
    "created_by",
    "created_at",
    "updated_at",
    "closed_at",
];
/// Gastown contract 3.2.
const AGENT_FIELDS: &[&str] = &[
    "id",
    "rig_id",
    "role",
    "name",
    "identity",
    "status",
    "current_hook_bead_id",
    "dispatch_attempts",
    "last_activity_at",
    "checkpoint",
    "created_at",
    "agent_status_message",
    "agent_status_updated_at",
];
/// Gastown contract 3.3.
const CONVOY: &[&str] = &[
    "id",
    "title",
    "status",
    "staged",
    "total_beads",
    "closed_beads",
    "created_by",
    "created_at",
    "landed_at",
    "feature_branch",
    "merge_mode",
];

/// An id that nothing has.
const NOTHING: &str = "99999999-9999-4999-8999-999999999999";
