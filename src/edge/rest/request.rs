//! A request whose route was found.
//!
//! Owns the reading of path parameters, body and key for the functions of routes. `extract` reads the fields of bodies and
//! queries, `call` plans and makes calls.

use super::envelope;
use super::route::{Route, RoutePlace};
use super::router::PathParameters;
use crate::contract::ids::{RigId, TownId};
use crate::edge::Authenticated;
use crate::rpc::call::Instance;
use base::error::{Code, Fault, Refusal};
use base::http::body_sink::Outlet;
use base::http::{Request, RequestBody};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A request at its route.
pub struct RouteRequest<'a> {
    /// The authenticated caller.
    pub caller: &'a Authenticated<'a>,
    /// The request as it came.
    pub http: &'a Request<'a>,
    /// The sink of a response that begins before its work is done.
    pub outlet: &'a Outlet,
    /// The row.
    pub route: &'static Route,
    /// The things that the group's prefix names.
    pub place: RoutePlace,
    /// All parameters of the path.
    pub parameters: PathParameters,
}

impl RouteRequest<'_> {
    /// The town that the path names by id.
    ///
    /// # Errors
    /// `NotFound` when it does not.
    pub fn town(&self) -> Result<&TownId, Refusal> {
        self.place.town.as_ref().ok_or_else(|| Refusal::new(Code::NotFound, "Town not found"))
    }

    /// The rig of the group's prefix.
    ///
    /// # Errors
    /// `NotFound` when the prefix names none.
    pub fn rig(&self) -> Result<&RigId, Refusal> {
        self.place.rig.as_ref().ok_or_else(|| Refusal::new(Code::NotFound, "Rig not found"))
    }

    /// The registry of the group's prefix.
    ///
    /// # Errors
    /// A fault in a group without one.
    pub fn owner(&self) -> Result<&Instance, Fault> {
        self.place.owner.as_ref().ok_or_else(|| Fault::new(self.route.path, "the path names no owner"))
    }

    /// The text of a path parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name)
    }

    /// An id that is a parameter of the path. `absent` says that there is no such thing, as of an id that is well formed.
    ///
    /// # Errors
    /// `NotFound` for text that is no id.
    pub fn id<T: TryFrom<String>>(&self, name: &str, absent: &str) -> Result<T, Refusal> {
        T::try_from(self.parameter(name).to_owned()).map_err(|_| Refusal::new(Code::NotFound, absent))
    }

    /// The body, which must be there.
    ///
    /// # Errors
    /// `InvalidArgument`; the hint says what is wrong.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        envelope::body(self.http)
    }

    /// The fields of the body; none when there is no body.
    ///
    /// # Errors
    /// As `body`.
    pub fn fields(&self) -> Result<Map<String, Value>, Refusal> {
        if self.http.body == RequestBody::Bytes(Vec::new()) { Ok(Map::new()) } else { self.body() }
    }

    /// The key by which a repeated request is recognized.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        self.http.headers.get("idempotency-key")
    }

    /// The agent that speaks: an agent's token names it, and a request with a container's token does.
    #[must_use]
    pub fn speaker(&self) -> Option<&str> {
        self.caller.principal().agent_id.as_deref()
    }
}
