//! Connections as the edge makes them, to what is offered beside tools, in a fleet whose towns are registered.
//!
//! Owns the client of such a connection, and towns and rigs made over REST.

use super::edge::{Isolate, Sent, text};
use super::tokens::{self, OWNER};
use super::town::Rig;
use super::{Fleet, Town};
use futures::future::LocalBoxFuture;
use gastown_mcp::auth::principal::Role;
use gastown_mcp::auth::{Accept, verify};
use gastown_mcp::cache::Memory;
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::edge::Additions;
use gastown_mcp::prompts::completion;
use gastown_mcp::resources::Offering;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::client::{Client, Token};
use gastown_mcp::tools::profile::Profile;
use gastown_mcp::{prompts, resources};
use mcp::client::{ClientHandle, NotificationRoute};
use mcp::types::{CallError, Change, ListSchema, Listing, PromptReply, Reference};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// A connection.
#[derive(Clone)]
pub struct At {
    pub fleet: Fleet,
    pub token: String,
    pub pinned: Option<TownId>,
    pub mcp_client: Option<Rc<dyn ClientHandle>>,
    pub additions: &'static Additions,
}

impl At {
    /// The owner's connection to all towns.
    pub fn fleet(fleet: &Fleet) -> Self {
        Self { fleet: fleet.clone(), token: tokens::user(fleet, OWNER).jwt, pinned: None, mcp_client: None, additions: &Additions::NONE }
    }

    /// The owner's connection to one town.
    pub fn town(town: &Town) -> Self {
        Self { pinned: Some(town.id.clone()), ..Self::fleet(&town.fleet) }
    }

    /// The same connection to a build with the fixture of the conformance suite.
    pub fn with_fixture(self) -> Self {
        Self { additions: &conformance_fixture::ADDITIONS, ..self }
    }

    /// Does something with the connection.
    pub fn run<T: 'static>(&self, work: impl for<'a> FnOnce(&'a Offering<'a>) -> LocalBoxFuture<'a, T> + 'static) -> T {
        let At { fleet, token, pinned, mcp_client, additions } = self.clone();
        self.fleet.block_on(async move {
            let memory = Memory::default();
            let principal = verify(fleet.keys(), &token, fleet.now(), Accept::External).unwrap();
            let client = Client { runtime: &fleet, principal: &principal, token: Token::Own(&token), request_id: "test" };
            let profile = if principal.role == Role::Mayor { Profile::Mayor } else { Profile::Coordinator };
            let at = Offering {
                client: &client,
                memory: &memory,
                pinned: pinned.as_ref(),
                profile,
                mcp_client: mcp_client.as_deref(),
                additions: additions.resources,
            };
            work(&at).await
        })
    }

    pub fn list(&self, cursor: Option<&str>) -> Result<Listing, CallError> {
        let cursor = cursor.map(str::to_owned);
        self.run(move |at| Box::pin(async move { resources::list(at, ListSchema::Full, cursor.as_deref()).await }))
    }

    /// The single content of a resource.
    pub fn read(&self, uri: &str) -> Result<Value, CallError> {
        let owned = uri.to_owned();
        let contents = self.run(move |at| Box::pin(async move { resources::read(at, &owned).await }))?;
        let contents: Vec<Value> = serde_json::from_str(&contents.json).unwrap();
        assert_eq!(contents.len(), 1, "{uri}");
        assert_eq!(contents[0]["uri"], uri);
        Ok(contents[0].clone())
    }

    /// The JSON in a resource.
    pub fn json(&self, uri: &str) -> Value {
        let content = self.read(uri).unwrap_or_else(|error| panic!("{uri}: {error:?}"));
        assert_eq!(content["mimeType"], "application/json");
        serde_json::from_str(content["text"].as_str().unwrap()).unwrap()
    }

    /// Who tells of a resource's changes: source, topic, town.
    pub fn watch(&self, uri: &str) -> Result<Vec<NotificationRoute>, CallError> {
        let uri = uri.to_owned();
        self.run(move |at| Box::pin(async move { resources::routes(at, Change::Resource(&uri)).await }))
    }

    pub fn prompt(&self, name: &str, arguments: &Value) -> Result<PromptReply, CallError> {
        let (name, arguments, more) = (name.to_owned(), object(arguments), self.additions.prompts);
        self.run(move |at| Box::pin(async move { prompts::get(at, more, &name, &arguments).await }))
    }

    /// The text of a prompt that is one message.
    pub fn prompt_text(&self, name: &str, arguments: &Value) -> String {
        let reply = self.prompt(name, arguments).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let messages: Value = serde_json::from_str(&reply.messages).unwrap();
        assert_eq!(messages[0]["role"], "user");
        assert_eq!(messages[0]["content"]["type"], "text");
        messages[0]["content"]["text"].as_str().unwrap().to_owned()
    }

    pub fn complete(
        &self,
        of: Reference<'static>,
        argument: &str,
        value: &str,
        context: &Value,
    ) -> Result<(Vec<String>, usize), CallError> {
        let (argument, value, context, more) = (argument.to_owned(), value.to_owned(), object(context), self.additions.prompts);
        self.run(move |at| Box::pin(async move { completion::complete(at, more, of, &argument, &value, &context).await }))
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// A registered town of the owner.
pub fn town(fleet: &Fleet, name: &str) -> Town {
    let id = post(fleet, &format!("/api/users/{OWNER}/towns"), &json!({"name": name}));
    let id = TownId::parse(&id).unwrap();
    Town { fleet: fleet.clone(), at: Instance::Town(id.clone()), id }
}

/// A registered rig of a town.
pub fn rig(town: &Town, name: &str) -> Rig {
    let body = json!({"town_id": town.id, "name": name, "git_url": format!("https://git.example/{name}.git")});
    let id = RigId::parse(&post(&town.fleet, &format!("/api/users/{OWNER}/rigs"), &body)).unwrap();
    Rig { at: Instance::Rig(id.clone()), id }
}

fn post(fleet: &Fleet, path: &str, body: &Value) -> String {
    let mut sent = Sent { method: "POST".to_owned(), path: path.to_owned(), body: body.to_string(), ..Sent::default() };
    sent.headers.insert("authorization".to_owned(), format!("Bearer {}", tokens::user(fleet, OWNER).jwt));
    let answer: Value = serde_json::from_str(&text(&Isolate::new(fleet).send(sent))).unwrap();
    answer["data"]["id"].as_str().unwrap_or_else(|| panic!("{path}: {answer}")).to_owned()
}
