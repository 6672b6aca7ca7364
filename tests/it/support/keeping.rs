//! A session object, asked as the edge asks it.

use super::edge::Reading;
use super::tokens::internal;
use super::{Fleet, Town};
use base::error::Failure;
use gastown_mcp::contract::ids::TownId;
use gastown_mcp::rpc::call::{Call, Context, Instance, Wire as _};
use gastown_mcp::rpc::table::{CREATE_TASK, GET_TASK, Method, OPEN_STREAM};
use mcp::client::NotificationRoute;
use mcp::session_types::{OpenStream, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

pub struct Keeping {
    pub fleet: Fleet,
    pub at: Instance,
    town: Option<TownId>,
}

/// A notification of a change of a topic.
pub fn route(source: &Instance, topic: &str, town: &Town, method: &str) -> NotificationRoute {
    let params = Map::from_iter([("uri".to_owned(), json!(topic))]);
    NotificationRoute {
        source: source.to_string(),
        topic: topic.to_owned(),
        town: Some(town.id.to_string()),
        method: method.to_owned(),
        params,
        receipt: false,
    }
}

impl Keeping {
    /// The object of a principal.
    pub fn of(fleet: &Fleet, principal: &str) -> Self {
        Self { fleet: fleet.clone(), at: Instance::Session(format!("principal:{principal}")), town: None }
    }

    /// The object of a town.
    pub fn of_town(town: &Town) -> Self {
        Self { fleet: town.fleet.clone(), at: Instance::Session(format!("town:{}", town.id)), town: Some(town.id.clone()) }
    }

    pub fn context(&self, method: &'static Method) -> Context {
        internal(&self.fleet, &Instance::User("edge".to_owned()), self.town.as_ref(), method)
    }

    pub fn tell(&self, method: &'static Method, args: impl Serialize) {
        self.try_tell(method, args).unwrap();
    }

    pub fn try_tell(&self, method: &'static Method, args: impl Serialize) -> Result<(), Failure> {
        self.fleet.tell(&self.at, method, args, &self.context(method))
    }

    pub fn ask<T: DeserializeOwned>(&self, method: &'static Method, args: impl Serialize) -> T {
        self.fleet.ask(&self.at, method, args, &self.context(method)).unwrap()
    }

    /// Opens a stream as it is described.
    pub fn open(&self, stream: OpenStream) -> Reading {
        let call = Call::new(self.at.clone(), &OPEN_STREAM, (stream,)).unwrap();
        let relayed = self.fleet.block_on(self.fleet.open(&call, &self.context(&OPEN_STREAM))).unwrap().unwrap();
        Reading::relayed(&self.fleet, &relayed)
    }

    /// A subscription of this name to these, for an hour.
    pub fn listen(&self, name: &str, routes: Vec<NotificationRoute>) -> Reading {
        self.open(OpenStream { subscription_id: Some(json!(name)), first: Some("{\"first\":1}".to_owned()), ..self.stream(name, routes) })
    }

    /// A stream that is begun, for an hour.
    pub fn stream(&self, name: &str, routes: Vec<NotificationRoute>) -> OpenStream {
        OpenStream {
            stream: name.to_owned(),
            session: None,
            begins: true,
            after: None,
            is_primed: false,
            first: None,
            last: Some("{\"last\":1}".to_owned()),
            subscription_id: None,
            routes,
            closes_at: self.fleet.now().plus_millis(60 * 60_000),
        }
    }

    /// A task that has just begun.
    pub fn new_task(&self, id: &str, principal: &str) -> Task {
        let now = self.fleet.now();
        let task = json!({"id": id, "principal": principal, "tool": "sling", "arguments": "{}", "status": "working", "created_at": now,
            "updated_at": now, "ttl_ms": 24 * 60 * 60_000, "answers": {}, "questions": {}, "version": 1});
        serde_json::from_value(task).unwrap()
    }

    pub fn create(&self, task: &Task) {
        self.tell(&CREATE_TASK, (task,));
    }

    pub fn task(&self, id: &str, principal: &str) -> Option<Task> {
        self.ask(&GET_TASK, (id, principal))
    }

    /// The rows of every table that has any, `meta` apart.
    pub fn rows(&self) -> Vec<(String, i64)> {
        let sql = self.fleet.sql(&self.at);
        let tables: Vec<(String,)> = sql.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'meta' ORDER BY name");
        assert!(tables.len() > 8);
        let counted = tables.into_iter().map(|(table,)| {
            let rows = sql.value(&format!("SELECT COUNT(*) FROM {table}"));
            (table, rows)
        });
        counted.filter(|(_, rows)| *rows > 0).collect()
    }
}

/// What a notification is about.
pub fn uris(messages: &[(Option<String>, Value)]) -> Vec<&str> {
    messages.iter().filter_map(|(_, message)| message["params"]["uri"].as_str()).collect()
}
