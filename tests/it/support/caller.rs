//! The client behind a tool call: what it can do, what it answers, and what it was told.
//!
//! Owns the protocol's part of a call on the host: a question whose answer is not there suspends the call, and a call
//! that becomes a task is run again.

use super::Fleet;
use base::error::{Code, Refusal};
use conformance_fixture::ADDITIONS;
use futures::future::{LocalBoxFuture, ready};
use gastown_mcp::auth::{Accept, verify};
use gastown_mcp::cache::Memory;
use gastown_mcp::contract::ids::TownId;
use gastown_mcp::rpc::call::{Context, Instance, Wire};
use gastown_mcp::rpc::client::{Client, Token};
use gastown_mcp::tools::find;
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::tools::run::{Connection, run};
use mcp::client::{ClientCapability, ClientHandle, InputRequest, Interruption, LogLevel};
use mcp::types::ToolReply;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A client for as long as one call lasts, however often that is run.
pub struct Caller {
    fleet: Fleet,
    jwt: String,
    pinned: Option<TownId>,
    capabilities: Vec<ClientCapability>,
    answers: RefCell<BTreeMap<&'static str, Value>>,
    told: RefCell<Vec<Value>>,
    is_task: Cell<bool>,
    is_spent: Cell<bool>,
}

impl Caller {
    /// A client of the fleet connection.
    pub fn new(fleet: &Fleet, who: &Context, capabilities: &[ClientCapability]) -> Rc<Self> {
        Self::at(fleet, who, capabilities, None)
    }

    /// A client of a town's connection, or of the fleet's.
    pub fn at(fleet: &Fleet, who: &Context, capabilities: &[ClientCapability], pinned: Option<&TownId>) -> Rc<Self> {
        Rc::new(Self {
            fleet: fleet.clone(),
            jwt: who.jwt.clone(),
            pinned: pinned.cloned(),
            capabilities: capabilities.to_vec(),
            answers: RefCell::default(),
            told: RefCell::default(),
            is_task: Cell::new(false),
            is_spent: Cell::new(false),
        })
    }

    /// What it answers when the call is run the next time.
    pub fn answer(&self, question: &'static str, answer: Value) {
        self.answers.borrow_mut().insert(question, answer);
    }

    /// What it was told and asked since the last look, each as an object of one field.
    pub fn told(&self) -> Vec<Value> {
        self.told.take()
    }

    /// Calls a tool, or runs the call again.
    pub fn call(self: &Rc<Self>, tool: &str, arguments: Value) -> Result<ToolReply, Interruption> {
        self.fleet.block_on(self.start(tool, arguments))
    }

    /// The same without waiting for it: several of them run side by side.
    pub fn start(self: &Rc<Self>, tool: &str, arguments: Value) -> LocalBoxFuture<'static, Result<ToolReply, Interruption>> {
        let additional = || ADDITIONS.tools.find(Profile::Coordinator, tool);
        let (caller, fleet) = (Rc::clone(self), self.fleet.clone());
        let tool = find(Profile::Coordinator, tool).or_else(additional).unwrap();
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        Box::pin(async move {
            let principal = verify(fleet.keys(), &caller.jwt, fleet.now(), Accept::External).unwrap();
            let client = Client { runtime: &fleet, principal: &principal, token: Token::Own(&caller.jwt), request_id: "test" };
            let sessions = Instance::Session(match &caller.pinned {
                Some(town) => format!("town:{town}"),
                None => format!("principal:{}", principal.key()),
            });
            let connection = Connection { client: &client, memory: &Memory::default(), pinned: caller.pinned.as_ref(), speaker: None };
            run(connection, &sessions, tool, arguments, &*caller).await
        })
    }

    fn tell(&self, what: &str, value: Value) -> LocalBoxFuture<'static, ()> {
        self.told.borrow_mut().push(json!({what: value}));
        Box::pin(ready(()))
    }
}

impl ClientHandle for Caller {
    fn can(&self, capability: ClientCapability) -> bool {
        self.capabilities.contains(&capability)
    }

    fn progress<'a>(&'a self, done: f64, total: Option<f64>, _message: &'a str) -> LocalBoxFuture<'a, ()> {
        self.tell("progress", json!([done, total]))
    }

    fn log<'a>(&'a self, level: LogLevel, _logger: &'a str, data: Value) -> LocalBoxFuture<'a, ()> {
        self.tell("log", json!([level, data]))
    }

    fn ask<'a>(&'a self, questions: Vec<(&'static str, InputRequest)>) -> LocalBoxFuture<'a, Result<Vec<Value>, Interruption>> {
        let mut answers = Vec::new();
        for (name, question) in &questions {
            if !self.can(question.capability) {
                return Box::pin(ready(Err(Interruption::MissingCapability(question.capability))));
            }
            let answer = self.answers.borrow().get(name).cloned();
            match answer {
                Some(answer) => {
                    assert!(question.accepts(&answer), "{name} is not answered by {answer}");
                    answers.push(answer);
                }
                None => drop(self.tell(name, serde_json::to_value(question).unwrap())),
            }
        }
        let outcome = if answers.len() == questions.len() { Ok(answers) } else { Err(Interruption::InputRequired) };
        Box::pin(ready(outcome))
    }

    fn spend(&self) -> LocalBoxFuture<'_, Result<(), Interruption>> {
        let used = || Refusal::new(Code::Conflict, "these answers were used before").into();
        let outcome = if self.is_spent.replace(true) { Err(used()) } else { Ok(()) };
        Box::pin(ready(outcome))
    }

    fn become_task(&self) -> Result<(), Interruption> {
        if !self.can(ClientCapability::Tasks) {
            return Err(Interruption::MissingCapability(ClientCapability::Tasks));
        }
        if self.is_task.replace(true) { Ok(()) } else { Err(Interruption::BecameTask) }
    }

    fn cancellable(&self) {}

    fn hang_up(&self) -> LocalBoxFuture<'_, ()> {
        self.tell("hang_up", Value::Null)
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        Wire::sleep(&self.fleet, millis)
    }
}
