//! A session that listens to objects, and what it hears.

use super::tokens::internal;
use super::{Fleet, Town};
use base::error::Failure;
use gastown_mcp::contract::ids::TownId;
use gastown_mcp::contract::letters::Letter;
use gastown_mcp::objects::listeners::LEASE_MILLIS_MAX;
use gastown_mcp::rpc::call::Instance;
use gastown_mcp::rpc::table::{LISTEN_TO_REGISTRY, LISTEN_TO_RIG, LISTEN_TO_TOWN, Method, Object};
use serde_json::{Value, json};

/// How long the leases of the tests last unless they say otherwise.
pub const LEASE_MILLIS: i64 = 5 * 60 * 1_000;

pub struct Listener {
    pub fleet: Fleet,
    pub at: Instance,
    town: Option<TownId>,
}

fn listen_to(to: &Instance) -> &'static Method {
    match to.object() {
        Object::Rig => &LISTEN_TO_RIG,
        Object::Town => &LISTEN_TO_TOWN,
        _ => &LISTEN_TO_REGISTRY,
    }
}

impl Listener {
    /// A session of one town.
    pub fn of(town: &Town, name: &str) -> Self {
        Self { fleet: town.fleet.clone(), at: Instance::Session(name.to_owned()), town: Some(town.id.clone()) }
    }

    /// A session of no town.
    pub fn of_fleet(fleet: &Fleet, name: &str) -> Self {
        Self { fleet: fleet.clone(), at: Instance::Session(name.to_owned()), town: None }
    }

    pub fn try_listen(&self, to: &Instance, topics: &[&str], millis: i64) -> Result<(), Failure> {
        let method = listen_to(to);
        let context = internal(&self.fleet, &self.at, self.town.as_ref(), method);
        self.fleet.tell(to, method, (topics, self.fleet.now().plus_millis(millis)), &context)
    }

    pub fn listen(&self, to: &Instance, topics: &[&str]) {
        self.try_listen(to, topics, LEASE_MILLIS).unwrap();
    }

    /// The same past the network, whose trouble it does not meet.
    pub fn renew(&self, to: &Instance, topics: &[&str]) {
        let method = listen_to(to);
        let context = serde_json::to_string(&internal(&self.fleet, &self.at, self.town.as_ref(), method)).unwrap();
        let args = json!([topics, self.fleet.now().plus_millis(LEASE_MILLIS_MAX)]).to_string();
        assert_eq!(self.fleet.raw(to, method.name, &args, &context), "");
    }

    /// Everything that has arrived by now, once all is quiet.
    pub fn letters(&self) -> Vec<Letter> {
        self.fleet.settle();
        self.fleet.take_letters(&self.at)
    }

    /// The topics of these letters, sorted, each as often as it came.
    pub fn heard(&self) -> Vec<String> {
        let mut topics: Vec<String> = self.letters().into_iter().map(|letter| letter.subject).collect();
        topics.sort();
        topics
    }

    /// What the last letter about a topic says.
    pub fn news(&self, topic: &str) -> Value {
        self.letters().into_iter().rfind(|letter| letter.subject == topic).expect("a letter").body
    }

    /// What the session object took: source, topic and generation.
    pub fn inbox(&self) -> Vec<(String, String, i64)> {
        self.fleet.sql(&self.at).rows("SELECT source, subject, generation FROM inbox WHERE kind = 'topic' ORDER BY source, subject")
    }
}
