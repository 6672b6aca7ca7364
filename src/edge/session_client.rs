//! The client of an endpoint's session object, which keeps protocol state beyond a request.
//!
//! Owns the choice of the object, and how long the isolate believes a session's state. The object owns the state and its
//! lifetime.

use super::Authenticated;
use crate::contract::ids::TownId;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::CALL_MILLIS_MAX;
use crate::rpc::table::{
    ANSWERED, APPEND_EVENTS, CANCELLED, CREATE_TASK, END_SESSION, GET_TASK, HEAR, Method, OPEN_STREAM, SAVE_TASK, SESSION_STATE,
    SET_LOG_LEVEL, SPEND_ONCE, SUBSCRIBE, UNSUBSCRIBE,
};
use base::error::{Failure, Fault};
use base::http::Relayed;
use base::time::Timestamp;
use mcp::GET_STREAM;
use mcp::client::{LogLevel, NotificationRoute};
use mcp::session_store::{SessionStore, StoreFuture};
use mcp::session_types::{Appended, ClientReplies, OpenStream, SessionState, Task};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// See the module.
pub(super) struct SessionClient<'a> {
    caller: &'a Authenticated<'a>,
    town: Option<TownId>,
    /// The principal whose tasks this endpoint shows.
    owner: String,
    at: Instance,
}

impl<'a> SessionClient<'a> {
    pub(super) fn new(caller: &'a Authenticated<'a>, town: Option<TownId>, owner: String) -> Self {
        let at = Instance::Session(match &town {
            Some(town) => format!("town:{town}"),
            None => format!("principal:{}", caller.principal().key()),
        });
        Self { caller, town, owner, at }
    }

    /// The session object.
    pub(super) const fn at(&self) -> &Instance {
        &self.at
    }

    fn now(&self) -> Timestamp {
        self.caller.edge.runtime.now()
    }

    /// Calls the object, which takes `patience` milliseconds by itself. The call is made at once, and one future serves
    /// all of them.
    fn ask_within<'b>(&'b self, method: &'static Method, args: impl Serialize, patience: u32) -> StoreFuture<'b, String> {
        let call = Call::new(self.at.clone(), method, args);
        let within = CALL_MILLIS_MAX + patience;
        Box::pin(async move { self.caller.client.call_internal_within(&call?, self.town.as_ref(), within).await.map_err(broken) })
    }

    fn tell<'b>(&'b self, method: &'static Method, args: impl Serialize) -> StoreFuture<'b, ()> {
        let asked = self.ask_within(method, args, 0);
        Box::pin(async move { asked.await.map(drop) })
    }

    fn ask<'b, T: DeserializeOwned + 'b>(&'b self, method: &'static Method, args: impl Serialize) -> StoreFuture<'b, T> {
        let asked = self.ask_within(method, args, 0);
        Box::pin(async move { decode(method, &asked.await?).map_err(broken) })
    }

    async fn find_session(&self, session: &str) -> Result<SessionState, Fault> {
        let memory = &self.caller.edge.memory.sessions;
        if let Some(known) = memory.get(&session.to_owned(), self.now()) {
            return Ok(known);
        }
        let state: SessionState = self.ask(&SESSION_STATE, (session,)).await?;
        self.learn(session, state.clone());
        Ok(state)
    }

    fn learn(&self, session: &str, state: SessionState) {
        self.caller.edge.memory.sessions.put(session.to_owned(), state, self.now());
    }

    async fn relay(&self, stream: OpenStream) -> Result<Relayed, Fault> {
        let call = Call::new(self.at.clone(), &OPEN_STREAM, (stream,))?;
        self.caller.client.open_internal(&call, self.town.as_ref()).await.map_err(broken)
    }
}

/// The object refuses nothing that we ask, unless it is full; that is for the log.
fn broken(failure: Failure) -> Fault {
    match failure {
        Failure::Broke(fault) => fault,
        Failure::Refused(refusal) => Fault::new("ask the session object", refusal.message),
    }
}

impl SessionStore for SessionClient<'_> {
    fn begun(&self, session: &str) {
        self.learn(session, SessionState::default());
    }

    fn session<'a>(&'a self, session: &'a str) -> StoreFuture<'a, SessionState> {
        Box::pin(self.find_session(session))
    }

    fn end<'a>(&'a self, session: &'a str, expires: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.tell(&END_SESSION, (session, expires.millis())).await?;
            self.learn(session, SessionState { has_ended: true, log_level: None });
            Ok(())
        })
    }

    fn set_log_level<'a>(&'a self, session: &'a str, level: LogLevel, expires: Timestamp) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.tell(&SET_LOG_LEVEL, (session, level, expires.millis())).await?;
            self.learn(session, SessionState { has_ended: false, log_level: Some(level) });
            Ok(())
        })
    }

    fn append<'a>(&'a self, session: &'a str, stream: &'a str, messages: Vec<String>, ends: bool) -> StoreFuture<'a, Appended> {
        self.ask(&APPEND_EVENTS, (session, stream, messages, ends))
    }

    fn open(&self, stream: OpenStream) -> StoreFuture<'_, Relayed> {
        Box::pin(self.relay(stream))
    }

    fn subscribe<'a>(&'a self, session: &'a str, name: &'a str, routes: Vec<NotificationRoute>) -> StoreFuture<'a, ()> {
        self.tell(&SUBSCRIBE, (session, GET_STREAM, name, routes))
    }

    fn unsubscribe<'a>(&'a self, session: &'a str, name: &'a str) -> StoreFuture<'a, ()> {
        self.tell(&UNSUBSCRIBE, (session, GET_STREAM, name))
    }

    fn answered<'a>(&'a self, session: &'a str, id: &'a str, answer: String) -> StoreFuture<'a, ()> {
        self.tell(&ANSWERED, (session, id, answer))
    }

    fn cancelled<'a>(&'a self, session: &'a str, request: &'a str) -> StoreFuture<'a, ()> {
        self.tell(&CANCELLED, (session, request))
    }

    fn await_replies<'a>(&'a self, session: &'a str, request: &'a str, ids: &'a [String], millis: u32) -> StoreFuture<'a, ClientReplies> {
        Box::pin(async move {
            let until = self.now().plus_millis(millis.into()).millis();
            let heard = self.ask_within(&HEAR, (session, request, ids, until), millis).await?;
            decode(&HEAR, &heard).map_err(broken)
        })
    }

    fn spend<'a>(&'a self, what: &'a str, expires: Timestamp) -> StoreFuture<'a, bool> {
        self.ask(&SPEND_ONCE, (what, expires.millis()))
    }

    fn create_task<'a>(&'a self, task: &'a Task) -> StoreFuture<'a, ()> {
        self.tell(&CREATE_TASK, (task,))
    }

    fn task<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Task>> {
        self.ask(&GET_TASK, (id, &self.owner))
    }

    fn save_task<'a>(&'a self, task: &'a Task) -> StoreFuture<'a, bool> {
        self.ask(&SAVE_TASK, (task,))
    }
}
