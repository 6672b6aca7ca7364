//! An MCP endpoint: the product behind the protocol, for one authenticated caller.
//!
//! Owns which tools a connection sees and where its sessions are kept. The protocol itself is `mcp`'s.

use super::{Authenticated, envelope};
use crate::error::{Code, Failure, Fault, Refusal};
use crate::http::{Request, Response};
use crate::ids::TownId;
use crate::mcp;
use crate::mcp::server::{HeaderParameter, Implementation, Server, ToolCall, ToolCallError, ToolReply, ToolShape};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{END_SESSION, SESSION_ENDED};
use crate::time::Timestamp;
use crate::tools::run::{View, run};
use crate::tools::{find, list};
use futures::future::LocalBoxFuture;
use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::rc::Rc;

static IMPLEMENTATION: Implementation = Implementation { name: "gastown-mcp", title: "Gastown", version: env!("CARGO_PKG_VERSION") };

/// One endpoint for one caller.
struct Endpoint<'a> {
    caller: &'a Authenticated<'a>,
    view: View,
    pinned: Option<TownId>,
    /// Who may use a session of this endpoint.
    session_owner: String,
}

/// Serves a request to `/mcp` or `/towns/{town}/mcp`.
pub(super) async fn serve(caller: &Authenticated<'_>, request: &Request<'_>, town: Option<&str>, read_only: bool) -> Response {
    let read_only = read_only || request.headers.get("x-mcp-readonly").is_some_and(|value| is_truthy(&value));
    let pinned = match town {
        None => None,
        Some(named) => match caller.enter_town(named).await {
            Ok(town) => Some(town),
            Err(failure) => return envelope::failed(caller, failure),
        },
    };
    let fits_door = pinned.is_some() || caller.principal().town.is_none();
    let view = View::of(caller.principal(), pinned.is_some(), read_only).filter(|_| fits_door);
    let Some(view) = view else {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: this token has no MCP profile here");
        return envelope::refused(&refusal.hint("A Mayor connects to /towns/{town}/mcp; polecats and containers use the REST routes."));
    };
    let session_owner = format!("{}@{}", caller.principal().key(), pinned.as_ref().map_or("fleet", TownId::as_str));
    mcp::handle(request, &Endpoint { caller, view, pinned, session_owner }).await
}

/// Header values that mean no: as GitHub's server reads them.
fn is_truthy(value: &str) -> bool {
    !matches!(value.trim().to_ascii_lowercase().as_str(), "" | "false" | "f" | "no" | "n" | "0" | "off")
}

impl Endpoint<'_> {
    /// The object that keeps this endpoint's sessions.
    fn sessions(&self) -> Instance {
        Instance::Session(match &self.pinned {
            Some(town) => format!("town:{town}"),
            None => format!("principal:{}", self.caller.principal().key()),
        })
    }

    async fn call(&self, call: ToolCall<'_>) -> Result<ToolReply, ToolCallError> {
        let tool = find(call.name).filter(|tool| self.view.has(tool)).ok_or(ToolCallError::Unknown)?;
        if !self.view.shows(tool) {
            return Err(ToolCallError::InsufficientScope(self.caller.resource.insufficient_scope(tool.scope())));
        }
        let arguments = match read_arguments(call.arguments.get()) {
            Ok(arguments) => arguments,
            Err(refusal) => return Ok(ToolReply::Refused(refusal)),
        };
        match run(&self.caller.client, self.caller.edge.memory, tool, self.pinned.as_ref(), arguments).await {
            Ok(output) => Ok(ToolReply::Structured(output)),
            Err(Failure::Refused(refusal)) => Ok(ToolReply::Refused(refusal)),
            Err(Failure::Broke(fault)) => Err(ToolCallError::Broke(fault)),
        }
    }

    async fn ended(&self, session: &str) -> Result<bool, Fault> {
        let memory = &self.caller.edge.memory.sessions;
        if let Some(ended) = memory.get(&session.to_owned(), self.now()) {
            return Ok(ended);
        }
        let call = Call::new(self.sessions(), &SESSION_ENDED, (session,))?;
        let ended = self.ask(&call).await.and_then(|reply| decode(&SESSION_ENDED, &reply)).map_err(broken)?;
        memory.put(session.to_owned(), ended, self.now());
        Ok(ended)
    }

    async fn end(&self, session: &str, expires: Timestamp) -> Result<(), Fault> {
        let call = Call::new(self.sessions(), &END_SESSION, (session, expires.millis()))?;
        self.ask(&call).await.map_err(broken)?;
        self.caller.edge.memory.sessions.put(session.to_owned(), true, self.now());
        Ok(())
    }

    async fn ask(&self, call: &Call) -> Result<String, Failure> {
        self.caller.client.call_internal(call, self.pinned.as_ref()).await
    }
}

/// The arguments as a map. A name that comes twice is refused: which of the two was meant nobody knows.
fn read_arguments(text: &str) -> Result<Map<String, Value>, Refusal> {
    struct Arguments;

    impl<'de> Visitor<'de> for Arguments {
        type Value = Map<String, Value>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut arguments = Map::new();
            while let Some((name, value)) = entries.next_entry::<String, Value>()? {
                if arguments.contains_key(&name) {
                    return Err(A::Error::custom(format!("`{name}` comes twice")));
                }
                arguments.insert(name, value);
            }
            Ok(arguments)
        }
    }

    serde_json::Deserializer::from_str(text)
        .deserialize_map(Arguments)
        .map_err(|error| Refusal::new(Code::InvalidArgument, format!("arguments: {error}")))
}

/// The session object refuses nothing that we ask; if it does, that is a fault of ours.
fn broken(failure: Failure) -> Fault {
    match failure {
        Failure::Broke(fault) => fault,
        Failure::Refused(refusal) => Fault::new("ask the session object", refusal.message),
    }
}

impl Server for Endpoint<'_> {
    fn implementation(&self) -> &Implementation {
        &IMPLEMENTATION
    }

    fn instructions(&self) -> &str {
        if self.pinned.is_some() { include_str!("instructions_town.txt") } else { include_str!("instructions_fleet.txt") }
    }

    fn principal(&self) -> &str {
        &self.session_owner
    }

    fn tools(&self, shape: ToolShape) -> Rc<str> {
        list::text(self.view, shape == ToolShape::Full)
    }

    fn header_parameters(&self, _tool: &str) -> &'static [HeaderParameter] {
        &[]
    }

    fn call_tool<'a>(&'a self, call: ToolCall<'a>) -> LocalBoxFuture<'a, Result<ToolReply, ToolCallError>> {
        Box::pin(self.call(call))
    }

    fn session_begun(&self, session: &str) {
        self.caller.edge.memory.sessions.put(session.to_owned(), false, self.now());
    }

    fn session_ended<'a>(&'a self, session: &'a str) -> LocalBoxFuture<'a, Result<bool, Fault>> {
        Box::pin(self.ended(session))
    }

    fn end_session<'a>(&'a self, session: &'a str, expires: Timestamp) -> LocalBoxFuture<'a, Result<(), Fault>> {
        Box::pin(self.end(session, expires))
    }

    fn seal_key(&self) -> &[u8] {
        self.caller.edge.runtime.keys().seal_key()
    }

    fn now(&self) -> Timestamp {
        self.caller.edge.runtime.now()
    }

    fn random(&self) -> [u8; 16] {
        self.caller.edge.runtime.random()
    }

    fn log_fault(&self, fault: &Fault) -> String {
        self.caller.edge.runtime.log_fault(fault)
    }
}
