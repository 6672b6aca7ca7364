//! What a REST route is: one row of a table, and the group of routes that share the front of their paths.
//!
//! Owns the types of rows and groups. The rows are in the tables of `agents`, `mayor`, `towns` and `owners`; `router` finds the
//! row of a request.

use super::call::{PlannedCall, Responding, Running};
use super::docs::{GroupDocs, RouteDocs};
use super::request::RouteRequest;
use super::response::ResponseShape;
use super::router::PathParameters;
use crate::auth::principal::{Role, Scope};
use crate::contract::ids::{RigId, TownId};
use crate::edge::{Authenticated, Edge};
use crate::rpc::call::Instance;
use crate::rpc::table::{Access, Method};
use base::error::{Failure, Refusal};
use base::http::Request;
use futures::future::LocalBoxFuture;
use std::fmt;

/// One route: a row of a table.
pub struct Route {
    /// The HTTP method, upper case.
    pub method: &'static str,
    /// Segments after the group's prefix; one that begins with a colon is a parameter.
    pub path: &'static str,
    /// The work of the route.
    pub action: Action,
    /// Status of success.
    pub status: u16,
    /// How the answer of the row's own object method becomes data.
    pub shape: ResponseShape,
    /// The callers, beside the rule of the object method.
    pub caller: RouteCaller,
    /// The place of the token.
    pub credentials: Credentials,
    /// The contract has this route and embedded towns do not: the status that they answer.
    pub unsupported: Option<u16>,
    /// Text for documents. Empty in the Worker.
    pub docs: RouteDocs,
}

/// The work of a route. Its object method decides the scope that a caller needs, whether an idempotency key counts and
/// whether `HEAD` is safe.
pub enum Action {
    /// One call to an object; the function plans it and sends nothing.
    Call(&'static Method, fn(&RouteRequest<'_>) -> Result<PlannedCall, Failure>),
    /// Several calls that belong together. The method named is the one that decides who may call.
    Run(&'static Method, for<'a> fn(&'a RouteRequest<'a>) -> Running<'a>),
    /// A response that goes on after its head: events or a WebSocket.
    Stream(&'static Method, for<'a> fn(&'a RouteRequest<'a>) -> Responding<'a>),
    /// Comes before authentication: the function verifies the token by rules of its own.
    Unauthenticated(for<'a> fn(Edge<'a>, &'a Request<'a>, &'a PathParameters) -> LocalBoxFuture<'a, Result<String, Failure>>),
    /// Embedded towns answer 501, with the reason and the alternative.
    Unsupported(&'static str, &'static str),
}

/// The callers of a route, beside the rule of its object method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteCaller {
    /// Every caller that the object accepts.
    Any,
    /// The agent that the path names, or its container.
    AgentItself,
    /// The town's Mayor, or its container.
    Mayor,
}

/// The place of a request's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credentials {
    /// In `Authorization`.
    Header,
    /// In `Authorization`, or among the WebSocket's subprotocols.
    HeaderOrSubprotocol,
}

/// Routes with the same prefix and the same rule of admission.
pub struct RouteGroup {
    /// Segments in front of every row's path, with a slash first.
    pub prefix: &'static str,
    /// The rows. Of two that fit a path the first counts.
    pub routes: &'static [Route],
    /// Admits a caller, and reads what the prefix names.
    pub enter: fn(&Authenticated<'_>, &PathParameters) -> Result<RoutePlace, Refusal>,
    /// Rewords a failure in this group's terms.
    pub explain: fn(Failure) -> Failure,
    /// Text for documents. Empty in the Worker.
    pub docs: GroupDocs,
}

/// The things that a group's prefix names.
#[derive(Debug, Default)]
pub struct RoutePlace {
    /// The town; none outside of towns, and where a route takes a town's name.
    pub town: Option<TownId>,
    /// The rig.
    pub rig: Option<RigId>,
    /// The registry.
    pub owner: Option<Instance>,
}

impl Route {
    const fn new(method: &'static str, path: &'static str, action: Action) -> Self {
        let unsupported = if matches!(action, Action::Unsupported(..)) { Some(501) } else { None };
        Self {
            method,
            path,
            action,
            status: 200,
            shape: ResponseShape::Whole,
            caller: RouteCaller::Any,
            credentials: Credentials::Header,
            unsupported,
            docs: RouteDocs::new(),
        }
    }

    pub(super) const fn get(path: &'static str, action: Action) -> Self {
        Self::new("GET", path, action)
    }

    pub(super) const fn post(path: &'static str, action: Action) -> Self {
        Self::new("POST", path, action)
    }

    pub(super) const fn patch(path: &'static str, action: Action) -> Self {
        Self::new("PATCH", path, action)
    }

    pub(super) const fn delete(path: &'static str, action: Action) -> Self {
        Self::new("DELETE", path, action)
    }

    /// Success is 201.
    pub(super) const fn creates(mut self) -> Self {
        self.status = 201;
        self
    }

    /// Shows the answer in this shape.
    pub(super) const fn shown(mut self, shape: ResponseShape) -> Self {
        self.shape = shape;
        self
    }

    /// For the agent that the path names.
    pub(super) const fn for_agent_itself(mut self) -> Self {
        self.caller = RouteCaller::AgentItself;
        self
    }

    /// For the town's Mayor.
    pub(super) const fn for_mayor(mut self) -> Self {
        self.caller = RouteCaller::Mayor;
        self
    }

    /// A browser's WebSocket may send its token as a subprotocol.
    pub(super) const fn token_in_subprotocol(mut self) -> Self {
        self.credentials = Credentials::HeaderOrSubprotocol;
        self
    }

    /// The contract has this route, embedded towns answer `status`.
    pub(super) const fn unsupported(mut self, status: u16) -> Self {
        self.unsupported = Some(status);
        self
    }

    /// Describes the route for documents.
    pub(super) const fn docs(mut self, docs: RouteDocs) -> Self {
        self.docs = docs;
        self
    }

    /// The object method that does the route's work.
    #[must_use]
    pub const fn object_method(&self) -> Option<&'static Method> {
        match self.action {
            Action::Call(method, _) | Action::Run(method, _) | Action::Stream(method, _) => Some(method),
            Action::Unauthenticated(_) | Action::Unsupported(..) => None,
        }
    }

    /// The scope that a caller in this role needs.
    #[must_use]
    pub fn scope(&self, role: Role) -> Scope {
        self.object_method().map_or(Access::Read, |method| method.access).scope_of(role)
    }

    /// Whether the route changes something that an idempotency key makes safe to repeat.
    #[must_use]
    pub fn takes_idempotency_key(&self) -> bool {
        self.object_method().is_some_and(|method| !method.is_read())
    }

    /// Whether `HEAD` is answered where this `GET` is. A `GET` that takes mail or orders would lose them.
    #[must_use]
    pub fn answers_head(&self) -> bool {
        self.method == "GET" && !self.takes_idempotency_key() && !matches!(self.action, Action::Stream(..))
    }

    /// Whether the route verifies the token itself.
    #[must_use]
    pub const fn is_unauthenticated(&self) -> bool {
        matches!(self.action, Action::Unauthenticated(_))
    }
}

impl fmt::Debug for RouteGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)
    }
}

impl PartialEq for RouteGroup {
    fn eq(&self, other: &Self) -> bool {
        self.prefix == other.prefix
    }
}

impl Eq for RouteGroup {}
