//! A town with an owner, made as the edge makes one, and the calls that most tests make.

use super::tokens::{self, OWNER, internal};
use super::{Fleet, HostSql};
use base::error::Failure;
use gastown_mcp::contract::ids::{AgentId, BeadId, ConvoyId, RigId, TownId};
use gastown_mcp::contract::shapes::{
    Agent, AlarmStatus, Bead, BeadStatus, ConvoyDetail, OwnerType, RuntimeMode, SlingConvoyResult, SlingResult, TownIdentity,
};
use gastown_mcp::contract::watch::THRESHOLDS;
use gastown_mcp::rpc::call::{Context, Instance};
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::rc::Rc;

pub struct Town {
    pub fleet: Fleet,
    pub id: TownId,
    pub at: Instance,
}

/// A rig of a town.
#[derive(Clone)]
pub struct Rig {
    pub id: RigId,
    pub at: Instance,
}

/// An id that is the same in every run.
pub fn bytes(seed: u8) -> [u8; 16] {
    [seed; 16]
}

impl Town {
    pub fn new(fleet: &Fleet, seed: u8) -> Self {
        let id = TownId::from_random(bytes(seed));
        let town = Self { fleet: fleet.clone(), at: Instance::Town(id.clone()), id };
        town.tell_internal(&rpc::SET_TOWN_ID, (&town.id,)).unwrap();
        let identity = TownIdentity {
            owner_type: OwnerType::User,
            owner_user_id: OWNER.to_owned(),
            organization_id: None,
            created_by_user_id: OWNER.to_owned(),
            runtime_mode: RuntimeMode::Legacy,
            town_name: Some(format!("town-{seed}")),
        };
        town.tell_internal(&rpc::INITIALIZE_IDENTITY, (identity,)).unwrap();
        town
    }

    /// A new fleet with one town and one rig.
    pub fn with_rig() -> (Self, Rig) {
        let town = Self::new(&Fleet::new(), 1);
        let rig = town.add_rig("frontend", 2);
        (town, rig)
    }

    pub fn tell_internal(&self, method: &'static rpc::Method, args: impl serde::Serialize) -> Result<(), Failure> {
        self.fleet.tell(&self.at, method, args, &internal(&self.fleet, &self.at, Some(&self.id), method))
    }

    pub fn owner(&self) -> Context {
        tokens::user(&self.fleet, OWNER)
    }

    pub fn polecat(&self, rig: &Rig, id: &AgentId) -> Context {
        tokens::polecat(&self.fleet, &self.id, &rig.id, id)
    }

    pub fn add_rig(&self, name: &str, seed: u8) -> Rig {
        let id = RigId::from_random(bytes(seed));
        self.try_add_rig(name, &id).unwrap();
        Rig { at: Instance::Rig(id.clone()), id }
    }

    pub fn try_add_rig(&self, name: &str, id: &RigId) -> Result<(), Failure> {
        let input = json!({"rigId": id, "name": name, "gitUrl": "https://example.test/x.git", "defaultBranch": "main"});
        self.fleet.tell(&self.at, &rpc::ADD_RIG, (input,), &self.owner())
    }

    pub fn configure(&self, update: Value) -> Result<Value, Failure> {
        self.fleet.ask(&self.at, &rpc::UPDATE_TOWN_CONFIG, (update,), &self.owner())
    }

    /// The watch keeps out of what a test is about: its thresholds are as far away as they may be.
    pub fn unwatched(&self) {
        let most: BTreeMap<&str, i64> = THRESHOLDS.iter().map(|threshold| (threshold.name, threshold.most)).collect();
        self.configure(json!({"watch": most})).unwrap();
    }

    pub fn sling(&self, rig: &Rig, title: &str) -> SlingResult {
        self.sling_as(rig, json!({"rigId": rig.id, "title": title}), &self.owner()).unwrap()
    }

    pub fn sling_as(&self, rig: &Rig, input: Value, caller: &Context) -> Result<SlingResult, Failure> {
        self.fleet.ask(&rig.at, &rpc::SLING_BEAD, (input,), caller)
    }

    pub fn create_bead(&self, rig: &Rig, input: Value) -> Result<Bead, Failure> {
        self.fleet.ask(&rig.at, &rpc::CREATE_BEAD, (input,), &self.owner())
    }

    /// A convoy of tasks that wait for each other as `depends_on` says.
    pub fn convoy(&self, rig: &Rig, staged: Option<bool>, depends_on: &[&[i64]]) -> SlingConvoyResult {
        let tasks: Vec<Value> =
            depends_on.iter().enumerate().map(|(index, on)| json!({"title": format!("task {index}"), "depends_on": on})).collect();
        self.try_convoy(json!({"rigId": rig.id, "convoyTitle": "Payments API", "tasks": tasks, "staged": staged})).unwrap()
    }

    pub fn try_convoy(&self, input: Value) -> Result<SlingConvoyResult, Failure> {
        self.fleet.ask(&self.at, &rpc::SLING_CONVOY, (input,), &self.owner())
    }

    pub fn start(&self, convoy: &ConvoyId) -> Result<SlingConvoyResult, Failure> {
        self.fleet.ask(&self.at, &rpc::START_CONVOY, (convoy,), &self.owner())
    }

    pub fn convoy_status(&self, convoy: &ConvoyId) -> ConvoyDetail {
        self.fleet.ask(&self.at, &rpc::GET_CONVOY_STATUS, (convoy,), &self.owner()).unwrap()
    }

    pub fn alarm_status(&self) -> AlarmStatus {
        self.fleet.ask(&self.at, &rpc::GET_ALARM_STATUS, (Value::Null,), &self.owner()).unwrap()
    }

    pub fn set_status(&self, rig: &Rig, bead: &BeadId, status: BeadStatus) -> Bead {
        self.fleet.ask(&rig.at, &rpc::UPDATE_BEAD_STATUS, (bead, status, "tester", Value::Null), &self.owner()).unwrap()
    }

    pub fn close(&self, rig: &Rig, bead: &BeadId) -> Bead {
        self.fleet.ask(&rig.at, &rpc::CLOSE_BEAD, (bead, "tester"), &self.owner()).unwrap()
    }

    pub fn fail(&self, rig: &Rig, bead: &BeadId) -> Bead {
        self.set_status(rig, bead, BeadStatus::Failed)
    }

    pub fn bead(&self, rig: &Rig, bead: &BeadId) -> Bead {
        self.fleet.ask(&rig.at, &rpc::GET_BEAD, (bead,), &self.owner()).unwrap()
    }

    pub fn beads(&self, rig: &Rig, filter: Value) -> Vec<Bead> {
        self.fleet.ask(&rig.at, &rpc::LIST_BEADS, (filter,), &self.owner()).unwrap()
    }

    pub fn agents(&self, rig: &Rig) -> Vec<Agent> {
        self.fleet.ask(&rig.at, &rpc::LIST_AGENTS, (Value::Null,), &self.owner()).unwrap()
    }

    pub fn agent(&self, rig: &Rig) -> Result<Agent, Failure> {
        self.fleet.ask(&rig.at, &rpc::GET_OR_CREATE_AGENT, ("polecat", Value::Null), &self.owner())
    }

    pub fn delete_agent(&self, rig: &Rig, agent: &AgentId) {
        self.fleet.tell(&rig.at, &rpc::DELETE_AGENT, (agent,), &self.owner()).unwrap();
    }

    pub fn hook(&self, rig: &Rig, agent: &AgentId, bead: &BeadId) -> Result<(), Failure> {
        self.fleet.tell(&rig.at, &rpc::HOOK_BEAD, (agent, bead), &self.owner())
    }

    pub fn unhook(&self, rig: &Rig, agent: &AgentId) -> Result<(), Failure> {
        self.fleet.tell(&rig.at, &rpc::UNHOOK_BEAD, (agent,), &self.owner())
    }

    pub fn sql(&self, instance: &Instance) -> Rc<HostSql> {
        self.fleet.sql(instance)
    }
}
