//! The playbooks of convoys over scripted disasters, with a moved clock. What they answer is kept in fixtures, ids replaced by
//! what they stand for.

mod audit;
mod chain;
mod ladder;
mod partial;
mod twice;
mod unstick;

use crate::support::caller::Caller;
use crate::support::town::Rig;
use crate::support::{Town, expect, tokens};
use base::error::{Code, Failure, Refusal};
use gastown_mcp::contract::ids::{BeadId, ConvoyId};
use gastown_mcp::contract::shapes::{Agent, EscalationEntry, Message};
use gastown_mcp::rpc::table as rpc;
use mcp::client::Interruption;
use mcp::types::ToolReply;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

/// What a typical answer may cost the model that reads it, in bytes: about 1,200 tokens.
const BYTES_MAX: usize = 4_000;
/// The patience of these tests, in seconds.
const PATIENCE: i64 = 300;

/// A town with one rig and one convoy.
struct World {
    town: Town,
    rig: Rig,
    caller: Rc<Caller>,
    convoy: ConvoyId,
    beads: Vec<BeadId>,
}

impl World {
    /// A started convoy, and a watch that keeps out of it.
    fn new(depends_on: &[&[i64]]) -> Self {
        Self::with(&json!({}), Some(false), depends_on)
    }

    fn with(config: &Value, staged: Option<bool>, depends_on: &[&[i64]]) -> Self {
        let (town, rig) = Town::with_rig();
        town.unwatched();
        town.configure(config.clone()).unwrap();
        let made = town.convoy(&rig, staged, depends_on);
        town.fleet.settle();
        let caller = Caller::new(&town.fleet, &town.owner(), &[]);
        let beads = made.beads.iter().map(|part| part.bead.bead_id.clone()).collect();
        Self { convoy: made.convoy.id, caller, beads, town, rig }
    }

    fn call(&self, tool: &str, arguments: Value) -> Value {
        self.try_call(tool, arguments).unwrap_or_else(|refusal| panic!("{tool}: {}", refusal.message))
    }

    fn try_call(&self, tool: &str, mut arguments: Value) -> Result<Value, Refusal> {
        arguments["town"] = json!(self.town.id);
        arguments["convoy"] = json!(self.convoy);
        // Tokens live for an hour, disasters longer.
        let caller = Caller::new(&self.town.fleet, &self.town.owner(), &[]);
        let answer = structured(caller.call(tool, arguments));
        assert_eq!(
            self.town
                .fleet
                .take_faults()
                .into_iter()
                .filter(|fault| !["lost", "died", "went away"].iter().any(|known| fault.contains(known)))
                .collect::<Vec<_>>(),
            Vec::<String>::new()
        );
        if let Ok(answer) = &answer {
            let tool = gastown_mcp::tools::find(gastown_mcp::tools::profile::Profile::Coordinator, tool).unwrap();
            fits(&gastown_mcp::tools::describe(tool)["outputSchema"], answer);
        }
        answer
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

    /// The fixture of this name is what was answered, and small.
    fn expect(&self, name: &str, answer: &Value) {
        let text = answer.to_string();
        assert!(text.len() <= BYTES_MAX, "{name}: {} bytes", text.len());
        expect::file(&format!("tests/fixtures/playbooks/{name}.json"), &format!("{:#}\n", self.readable(answer)));
    }

    /// Ids replaced by what they stand for, others by a number in the order in which they come.
    fn readable(&self, answer: &Value) -> Value {
        let mut names = BTreeMap::from([
            (self.town.id.to_string(), "town".to_owned()),
            (self.rig.id.to_string(), "rig".to_owned()),
            (self.convoy.to_string(), "convoy".to_owned()),
        ]);
        names.extend(self.beads.iter().enumerate().map(|(index, bead)| (bead.to_string(), format!("bead {index}"))));
        self.town.fleet.trouble(&self.rig.at, None);
        names.extend(self.town.agents(&self.rig).into_iter().map(|agent| (agent.id.to_string(), format!("agent {}", agent.name))));
        let mut text = answer.to_string();
        for (id, name) in &names {
            text = text.replace(id.as_str(), &format!("<{name}>"));
        }
        let mut others = Vec::new();
        let mut readable = String::new();
        let mut rest = text.as_str();
        while let Some(start) = rest.char_indices().map(|(at, _)| at).find(|at| rest.get(*at..at + 36).is_some_and(is_id)) {
            let id = &rest[start..start + 36];
            let number = others.iter().position(|known| *known == id).unwrap_or_else(|| {
                others.push(id);
                others.len() - 1
            });
            readable.push_str(&rest[..start]);
            write!(readable, "<id {number}>").unwrap();
            rest = &rest[start + 36..];
        }
        readable.push_str(rest);
        serde_json::from_str(&readable).unwrap()
    }
}

/// Everything is there that the schema requires: clients refuse an answer that lacks it.
fn fits(schema: &Value, value: &Value) {
    for name in schema["required"].as_array().into_iter().flatten() {
        assert!(value.get(name.as_str().unwrap()).is_some(), "{name} is missing in {value}");
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        value.get(name).into_iter().for_each(|value| fits(property, value));
    }
    value.as_array().into_iter().flatten().for_each(|item| fits(&schema["items"], item));
}

fn is_id(text: &str) -> bool {
    BeadId::parse(text).is_ok()
}

fn structured(outcome: Result<ToolReply, Interruption>) -> Result<Value, Refusal> {
    match outcome {
        Ok(ToolReply::Structured(text)) => Ok(serde_json::from_str(&text).unwrap()),
        Err(Interruption::Failed(Failure::Refused(refusal))) => Err(refusal),
        Err(Interruption::Failed(Failure::Broke(fault))) => Err(Refusal::new(Code::Unavailable, fault.log_text())),
        other => panic!("neither an answer nor a refusal: {other:?}"),
    }
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
