//! `/api/towns/{town}/rigs/{rig}/…`: the plane of agents, and what observers read of a rig (Gastown contract 4.2).
//!
//! Owns how a request becomes a call. `table` has the routes, `beads`, `agents`, `own` and `desk` say what each
//! asks for. One route is one call to the rig, whose decision it is who may do what; here it is only checked that an agent uses
//! the routes of no other agent.

mod agent_self;
mod agents;
mod beads;
mod submissions;
mod table;

use super::envelope;
use crate::auth::principal::{Role, TokenKind};
use crate::auth::verify::MAYOR_RIG_PREFIX;
use crate::contract::ids::{AgentId, BeadId, RigId, TownId};
use crate::edge::Authenticated;
use crate::edge::rest::response::Shape;
use crate::edge::rest::router;
#[cfg(not(target_arch = "wasm32"))]
use crate::edge::rest::router::Address;
use crate::rpc::call::{Call, Instance};
use crate::rpc::client::Client;
use crate::rpc::table::Method;
use base::error::{Code, Failure, Fault, Refusal};
use base::http::{Request, RequestBody, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use table::{MAYOR, ROUTES, Route, Who};

/// A request whose path was read.
struct Asked<'a> {
    request: &'a Request<'a>,
    town: TownId,
    /// None: the Mayor's, which lives in no rig.
    rig: Option<RigId>,
    /// What stands in the path where the route has a variable, in order.
    variables: Vec<&'a str>,
}

/// What a route asks for, and how the answer is shown.
struct Planned {
    call: Call,
    shape: Shape,
    /// Must not answer null, or the route answers 404.
    first: Option<Call>,
}

/// Answers a route of the rig plane.
pub(in crate::edge) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rig: &str, rest: &[String]) -> Response {
    let refuse = |message: &str| envelope::refused(&Refusal::new(Code::NotFound, message));
    let Ok(town) = TownId::parse(town) else { return refuse("Town not found") };
    if let Err(refusal) = caller.principal().check_town(&town) {
        return envelope::refused(&refusal);
    }
    let is_mayors = rig.strip_prefix(MAYOR_RIG_PREFIX) == Some(town.as_str());
    let Some(rig) = RigId::parse(rig).ok().map(Some).or(is_mayors.then_some(None)) else { return refuse("Rig not found") };
    let rows = if rig.is_some() { ROUTES } else { MAYOR };
    let (route, variables) = match router::find(rows, |route| &route.at, &request.method, rest) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let asked = Asked { request, town, rig, variables };
    envelope::outcome(caller, route.at.status, carry_out(caller, route, &asked).await)
}

async fn carry_out(caller: &Authenticated<'_>, route: &Route, asked: &Asked<'_>) -> Result<String, Failure> {
    check_who(caller, route, asked)?;
    let Planned { call, shape, first } = (route.plan)(asked)?;
    let mut principal = caller.principal().clone();
    if route.who == Who::Own && principal.kind == TokenKind::Container && principal.agent_id.is_none() {
        // The path says which of the container's agents it is.
        principal.agent_id = asked.variables.first().map(|&agent| agent.to_owned());
    }
    let client = Client { principal: &principal, ..caller.client };
    let key = if call.method.is_read() { None } else { asked.request.headers.get("idempotency-key") };
    // Repeated with its key, a call has the answer of its first time, whatever is there by now.
    if let Some(first) = first.filter(|_| key.is_none()) {
        shape.show(&client.call(&first, Some(&asked.town), None).await?, first.method)?;
    }
    shape.show(&client.call(&call, Some(&asked.town), key.as_deref()).await?, call.method)
}

/// An agent's own routes take its token, and the container's; the Mayor's its own.
fn check_who(caller: &Authenticated<'_>, route: &Route, asked: &Asked<'_>) -> Result<(), Refusal> {
    let principal = caller.principal();
    let named = asked.variables.first().copied().unwrap_or_default();
    let (is_allowed, message) = match (route.who, principal.kind) {
        (Who::Anyone, _) => return Ok(()),
        (Who::Own, TokenKind::Agent) => {
            (principal.agent_id.as_deref() == Some(named) && principal.role.is_of_rig(), "Forbidden: an agent reports for itself only")
        }
        (Who::Own, TokenKind::Container) => {
            (principal.agent_id.as_deref().is_none_or(|own| own == named), "Forbidden: the header names another agent than the path")
        }
        (Who::Mayor, kind) => (kind == TokenKind::Container || principal.role == Role::Mayor, "Forbidden: this is the Mayor's"),
        (Who::Own, _) => (false, "Forbidden: this route takes the agent's own token, or its container's"),
    };
    if is_allowed {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, message).hint("Use the token of the agent that the path names."))
}

impl Asked<'_> {
    /// A call to the rig.
    fn call(&self, method: &'static Method, args: impl Serialize, shape: Shape) -> Result<Planned, Failure> {
        let rig = self.rig.clone().ok_or_else(|| Fault::new(method.name, "the Mayor lives in no rig"))?;
        Ok(Planned { call: Call::new(Instance::Rig(rig), method, args)?, shape, first: None })
    }

    /// A call to the town.
    fn call_town(&self, method: &'static Method, args: impl Serialize, shape: Shape) -> Result<Planned, Failure> {
        Ok(Planned { call: Call::new(Instance::Town(self.town.clone()), method, args)?, shape, first: None })
    }

    /// A variable of the path as it stands there.
    fn named(&self) -> &str {
        self.variables.first().copied().unwrap_or_default()
    }

    /// The agent that the path names.
    fn agent(&self) -> Result<AgentId, Refusal> {
        AgentId::parse(self.named()).map_err(|_| Refusal::new(Code::NotFound, agents::ABSENT))
    }

    /// The bead that the path names; `absent` are the words for none.
    fn bead(&self, absent: &str) -> Result<BeadId, Refusal> {
        BeadId::parse(self.named()).map_err(|_| Refusal::new(Code::NotFound, absent))
    }

    /// The body, which must be there.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        envelope::body(self.request)
    }

    /// The fields of the body; none when there is no body.
    fn fields(&self) -> Result<Map<String, Value>, Refusal> {
        if self.request.body == RequestBody::Bytes(Vec::new()) { Ok(Map::new()) } else { self.body() }
    }
}

/// Every route of a rig, for documents, and whether it is the agent's own.
#[cfg(not(target_arch = "wasm32"))]
pub fn routes() -> impl Iterator<Item = (&'static Address, bool)> {
    ROUTES.iter().map(|route| (&route.at, route.who == Who::Own))
}
