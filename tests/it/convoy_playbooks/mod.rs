//! The playbooks of convoys over scripted disasters, with a moved clock.

mod audit;
mod chain;
mod ladder;
mod partial;
mod twice;
mod unstick;

use crate::support::caller::Caller;
use crate::support::playbook::{call_as_given, expect_named, structured};
use crate::support::town::Rig;
use crate::support::{Town, tokens};
use base::error::Refusal;
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::contract::shapes::{Agent, EscalationEntry, Message};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};
use std::rc::Rc;

/// The patience of these tests, in seconds.
const PATIENCE: i64 = 300;

/// The rig's one convoy, and who asks about it.
struct Given {
    caller: Rc<Caller>,
    convoy: ConvoyId,
    beads: Vec<BeadId>,
}

type World = crate::support::World<Given>;

impl World {
    /// A started convoy, and a watch that keeps out of it.
    fn new(depends_on: &[&[i64]]) -> Self {
        Self::with(&json!({}), Some(false), depends_on)
    }

    fn with(config: &Value, staged: Option<bool>, depends_on: &[&[i64]]) -> Self {
        Self::holding(|town, rig| {
            town.unwatched();
            town.configure(config.clone()).unwrap();
            convoy(town, rig, staged, depends_on)
        })
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        self.try_call(tool, arguments).unwrap_or_else(|refusal| panic!("{tool}: {}", refusal.message))
    }

    fn try_call(&self, tool: &str, mut arguments: Value) -> Result<Value, Refusal> {
        arguments["town"] = json!(self.town.id);
        arguments["convoy"] = json!(self.convoy);
        call_as_given(&self.town, tool, &arguments)
    }

    /// Looks.
    fn look(&self) -> Value {
        self.call("convoy_unstick", json!({"patience_seconds": PATIENCE}))
    }

    /// Takes a step.
    fn step(&self) -> Value {
        self.call("convoy_unstick", json!({"dry_run": false, "patience_seconds": PATIENCE}))
    }

    fn seconds(&self, seconds: i64) {
        self.town.fleet.advance(seconds * 1_000);
    }

    fn holder(&self, bead: usize) -> Option<Agent> {
        self.town.agents(&self.rig).into_iter().find(|agent| agent.current_hook_bead_id.as_ref() == self.beads.get(bead))
    }

    /// The holder begins.
    fn begins(&self, bead: usize) -> Agent {
        let agent = self.holder(bead).unwrap();
        self.town
            .fleet
            .tell(&self.rig.at, &rpc::UPDATE_AGENT_STATUS, (&agent.id, "working"), &self.town.polecat(&self.rig, &agent.id))
            .unwrap();
        agent
    }

    /// The holder says something.
    fn says(&self, agent: &Agent) {
        let who = self.town.polecat(&self.rig, &agent.id);
        self.town.fleet.tell(&self.rig.at, &rpc::UPDATE_AGENT_STATUS_MESSAGE, (&agent.id, "reading the logs"), &who).unwrap();
    }

    fn nudges(&self) -> Vec<Message> {
        self.town.fleet.ask(&self.rig.at, &rpc::LIST_MESSAGES, (json!({"channel": "nudge"}),), &self.town.owner()).unwrap()
    }

    fn escalations(&self) -> Vec<EscalationEntry> {
        self.town.fleet.settle();
        self.town.fleet.ask(&self.town.at, &rpc::LIST_ESCALATIONS, (Value::Null,), &self.town.owner()).unwrap()
    }

    /// The snapshot of this name is what was answered, ids replaced by what they stand for.
    fn expect(&self, name: &str, answer: &Value) {
        let mut names = vec![
            (self.town.id.to_string(), "town".to_owned()),
            (self.rig.id.to_string(), "rig".to_owned()),
            (self.convoy.to_string(), "convoy".to_owned()),
        ];
        names.extend(self.beads.iter().enumerate().map(|(index, bead)| (bead.to_string(), format!("bead {index}"))));
        self.town.fleet.trouble(&self.rig.at, None);
        names.extend(self.town.agents(&self.rig).into_iter().map(|agent| (agent.id.to_string(), format!("agent {}", agent.name))));
        expect_named(name, answer, &names);
    }
}

fn convoy(town: &Town, rig: &Rig, staged: Option<bool>, depends_on: &[&[i64]]) -> Given {
    let made = town.convoy(rig, staged, depends_on);
    town.fleet.settle();
    let beads = made.beads.iter().map(|part| part.bead.bead_id.clone()).collect();
    Given { caller: Caller::new(&town.fleet, &town.owner(), &[]), convoy: made.convoy.id, beads }
}

/// The step and cause of a bead.
fn verdict(world: &World, answer: &Value, bead: usize) -> (String, String) {
    let steps = answer["next_steps"].as_array().unwrap();
    let found = steps.iter().find(|step| step["bead"] == json!(world.beads[bead])).unwrap_or_else(|| panic!("bead {bead}: {answer}"));
    (found["cause"].as_str().unwrap().to_owned(), found["step"].as_str().unwrap().to_owned())
}

fn pair(cause: &str, step: &str) -> (String, String) {
    (cause.to_owned(), step.to_owned())
}

/// A Mayor's context.
fn mayor(world: &World) -> gastown_mcp::rpc::call::Context {
    tokens::mayor(&world.town.fleet, &world.town.id)
}
