//! The example of every tool, called where what it names exists: it succeeds.
//!
//! An example names rigs, agents and convoys by name, which the fleet here has. Its ids are invented, so each is replaced by that
//! of a bead, a convoy, an escalation or a message that the tool can act on.

use crate::support::client::Client;
use crate::support::edge::{Isolate, Sent};
use crate::support::tokens::{self, OWNER};
use crate::support::town::Rig;
use crate::support::{Fleet, Town};
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::contract::shapes::{Agent, Bead, BeadStatus};
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table as rpc;
use gastown_mcp::tools::profile::Audience;
use gastown_mcp::tools::{TOOLS, agent, mayor};
use serde_json::{Map, Value, json};

/// A town with the rigs `web` and `api`. In each: Toast at work, Maple idle, a refinery with a merge request on its hook.
struct Seeded {
    town: Town,
    web: Staffed,
    ids: Map<String, Value>,
}

struct Staffed {
    rig: Rig,
    toast: Agent,
    refinery: Agent,
}

fn staff(town: &Town, rig: Rig) -> Staffed {
    let ask = |role: &str| town.fleet.ask::<Agent>(&rig.at, &rpc::GET_OR_CREATE_AGENT, (role, Value::Null), &town.owner()).unwrap();
    let refinery = ask("refinery");
    let toast = town.sling(&rig, "work").agent.unwrap();
    let author = town.sling(&rig, "reviewed").agent.unwrap();
    assert_eq!((toast.name.as_str(), author.name.as_str()), ("Toast", "Maple"));
    town.fleet.tell(&rig.at, &rpc::AGENT_DONE, (&author.id, json!({"branch": author.branch})), &town.polecat(&rig, &author.id)).unwrap();
    town.fleet.settle();
    let request = town.beads(&rig, json!({"type": "merge_request"})).remove(0);
    if request.status == BeadStatus::Open {
        town.hook(&rig, &refinery.id, &request.bead_id).unwrap();
    }
    Staffed { rig, toast, refinery }
}

impl Seeded {
    fn new() -> Self {
        let at = Isolate::new(&Fleet::new());
        let made = |path: &str, body: Value| {
            let sent = Sent::new("POST", format!("/api/users/{OWNER}/{path}")).bearer(&tokens::user(&at.fleet, OWNER).jwt);
            let (_, answer) = at.ask(sent.json(&body));
            answer["data"]["id"].as_str().unwrap_or_else(|| panic!("{path}: {answer}")).to_owned()
        };
        let id = TownId::parse(&made("towns", json!({"name": "backend"}))).unwrap();
        let town = Town { fleet: at.fleet.clone(), at: Instance::Town(id.clone()), id };
        let [web, api] = ["web", "api"].map(|name| {
            let input = json!({"town_id": town.id, "name": name, "git_url": format!("https://git.example/{name}.git")});
            let id = RigId::parse(&made("rigs", input)).unwrap();
            staff(&town, Rig { at: Instance::Rig(id.clone()), id })
        });
        let held = |title: &str| town.create_bead(&web.rig, json!({"type": "issue", "title": title, "held": true})).unwrap().bead_id;
        let convoy = town.convoy(&api.rig, Some(true), &[&[], &[0]]);
        let escalation = |Staffed { rig, toast, .. }: &Staffed| {
            let input = json!({"source_rig_id": rig.id, "source_agent_id": toast.id, "severity": "high", "message": "It hangs"});
            town.fleet.ask::<Value>(&town.at, &rpc::ROUTE_ESCALATION, (input,), &town.owner()).unwrap()["id"].clone()
        };
        let (raised, raised_in_web) = (escalation(&api), escalation(&web));
        town.fleet.tell(&town.at, &rpc::SEND_MAYOR_MESSAGE, ("Hold off", (), (), ()), &town.owner()).unwrap();
        town.fleet.settle();
        let message = town.sql(&town.at).value::<String>("SELECT id FROM mayor_messages");
        let members: Vec<Bead> = town.beads(&api.rig, json!({"convoy_id": convoy.convoy.id}));
        let own = &web.toast.current_hook_bead_id;
        let mut ids = Map::new();
        for name in ["bead", "beads", "bead_id", "bead_ids", "add_beads"] {
            ids.insert(name.to_owned(), json!(held("Add a health check endpoint")));
        }
        for name in ["convoy", "convoy_id"] {
            ids.insert(name.to_owned(), json!(convoy.convoy.id));
        }
        for name in ["escalation", "escalation_id"] {
            ids.insert(name.to_owned(), raised.clone());
        }
        ids.insert("request".to_owned(), raised);
        ids.insert("triage_request_bead_id".to_owned(), raised_in_web);
        ids.insert("message_id".to_owned(), json!(message));
        ids.insert("agent_id".to_owned(), json!(web.toast.id));
        ids.insert("member".to_owned(), json!(members[0].bead_id));
        ids.insert("hooked".to_owned(), json!(own));
        Self { town, web, ids }
    }

    /// The example with ids that exist.
    fn arguments(&self, tool: &str, example: &str) -> Value {
        let mut arguments: Map<String, Value> = serde_json::from_str(example).unwrap();
        for (name, value) in &mut arguments {
            let known = match (tool, name.as_str()) {
                ("gt_convoy_remove_bead", "bead_id") => "member",
                ("reassign_bead" | "gt_bead_reassign", "bead" | "bead_id") => "hooked",
                (_, name) => name,
            };
            let texts: Vec<&mut Value> = match value {
                Value::Array(items) => items.iter_mut().collect(),
                one => vec![one],
            };
            for text in texts.into_iter().filter(|text| text.as_str().is_some_and(|text| text.len() == 36 && text.contains("-4"))) {
                *text = self.ids[known].clone();
            }
        }
        Value::Object(arguments)
    }
}

#[test]
fn the_example_of_every_tool_succeeds_where_what_it_names_exists() {
    let rows = TOOLS.iter().map(|tool| (tool, "owner")).chain(mayor::TOOLS.iter().map(|tool| (tool, "mayor")));
    let own = |tool: &gastown_mcp::tools::tool::ToolDef| if tool.audience == Audience::Refineries { "refinery" } else { "polecat" };
    let mut wrong = Vec::new();
    // One that only looks leaves the town as it is.
    let looked_at = Seeded::new();
    for (tool, who) in rows.chain(agent::TOOLS.iter().map(|tool| (tool, own(tool)))) {
        let own = (!tool.hints.read_only).then(Seeded::new);
        let seeded = own.as_ref().unwrap_or(&looked_at);
        let Seeded { town, web, .. } = seeded;
        let token = match who {
            "owner" => town.owner(),
            "mayor" => tokens::mayor(&town.fleet, &town.id),
            "polecat" => tokens::ordered(&town.fleet, &town.id, &web.rig.id, &web.toast.id, web.toast.fence),
            _ => tokens::refinery(&town.fleet, &town.id, &web.rig.id, &web.refinery.id),
        };
        let client = Client::of(town, &token).with("x-mcp-toolsets", "all");
        let answer = client.call(tool.name, &seeded.arguments(tool.name, tool.example));
        if !answer["structuredContent"].is_object() || answer["isError"] == true {
            wrong.push(format!("{who} {}: {answer}", tool.name));
        }
        wrong.extend(town.fleet.take_faults());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
