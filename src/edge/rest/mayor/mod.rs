//! `/api/mayor/{town}/tools/…` (Gastown contract 4.5, 6): what the Mayor's plugin calls.
//!
//! Owns who is let in, how a request finds its route, and what is said of rigs, beads and agents that are not where a path
//! has them. `table` has the routes; `sling`, `lists`, `beads`, `convoys`, `agents`, `rigs`, `town` and `elsewhere` say what
//! each asks for; `prompt` is the route beside them. The answers are the objects' own, unrendered.

mod agents;
mod beads;
mod convoys;
mod lists;
pub(crate) mod prompt;
mod rigs;
mod sling;
mod table;
mod town;
mod unsupported;
mod wrong_rig;

use crate::auth::principal::Role;
use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId, TownId};
use crate::edge::Authenticated;
use crate::edge::rest::mayor::wrong_rig::Thing;
use crate::edge::rest::response::Shape;
use crate::edge::rest::{envelope, router};
use crate::rpc::call::{Call, Instance};
use crate::rpc::table::Method;
use base::error::{Code, Failure, Refusal, Subject};
use base::http::{Request, Response};
use futures::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use table::{Does, ROUTES};

/// What the contract says of a rig that is none of the town's, whether or not there is one.
const NO_RIG: &str = "Rig not found in this town";

/// A request whose path was read.
struct Asked<'a> {
    caller: &'a Authenticated<'a>,
    request: &'a Request<'a>,
    town: TownId,
    /// What stands in the path where the route has a variable, in order.
    variables: Vec<&'a str>,
}

/// What a route asks for, how the answer is shown, and what may turn out to be elsewhere.
struct Planned {
    call: Call,
    shape: Shape,
    about: Vec<Thing>,
}

/// What a route answers.
struct Reply {
    data: String,
    /// Rigs that did not answer, and why.
    missing: Vec<Value>,
}

/// Work under way.
type Running<'a> = LocalBoxFuture<'a, Result<Reply, Failure>>;

/// Answers a Mayor route.
pub async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rest: &[String]) -> Response {
    let town = match enter(caller, town) {
        Ok(town) => town,
        Err(refusal) => return envelope::refused(&refusal),
    };
    let (route, variables) = match router::find(ROUTES, |route| &route.at, &request.method, rest) {
        Ok(found) => found,
        Err(response) => return *response,
    };
    let asked = Asked { caller, request, town, variables };
    let outcome = match route.does {
        Does::Asks(plan) => asked.carry_out(plan(&asked)).await,
        Does::Runs(run) => run(&asked).await,
    };
    match outcome {
        Ok(Reply { data, missing }) if missing.is_empty() => envelope::success(route.at.status, &data),
        Ok(Reply { data, missing }) => {
            Response::json(route.at.status, format!("{{\"success\":true,\"data\":{data},\"missing\":{}}}", json!(missing)))
        }
        Err(failure) => envelope::failed(caller, in_words(failure)),
    }
}

/// Mayors and containers of this town; nobody else.
fn enter(caller: &Authenticated<'_>, town: &str) -> Result<TownId, Refusal> {
    let principal = caller.principal();
    if !matches!(principal.role, Role::Mayor | Role::Container) {
        return Err(Refusal::new(Code::Forbidden, "Forbidden: these routes take a Mayor's or a container's token"));
    }
    let town = TownId::parse(town).map_err(|_| Refusal::new(Code::Forbidden, "Forbidden"))?;
    principal.check_town(&town)?;
    caller.admit()?;
    Ok(town)
}

/// Whether it is said of a rig that it is none of the town's.
fn is_about_rig(refusal: &Refusal) -> bool {
    matches!(refusal.about, Some(Subject::Rig(_))) && matches!(refusal.code, Code::NotFound | Code::Forbidden)
}

/// The contract's words: a rig that does not exist and a rig of another town are one answer, 403.
fn in_words(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if is_about_rig(&refusal) => Refusal::new(Code::Forbidden, NO_RIG).into(),
        Failure::Refused(Refusal { code: Code::NotFound, about: Some(Subject::Convoy(_)), .. }) => {
            Refusal::new(Code::NotFound, convoys::ABSENT).into()
        }
        other => other,
    }
}

impl From<String> for Reply {
    fn from(data: String) -> Self {
        Self { data, missing: Vec::new() }
    }
}

impl Asked<'_> {
    /// Makes a planned call; a change with the key of the request. Boxed: every route is shaped by this one future.
    fn carry_out(&self, planned: Result<Planned, Failure>) -> Running<'_> {
        Box::pin(async move {
            let Planned { call, shape, about } = planned?;
            let key = self.key().filter(|_| !call.method.is_read());
            let answer = self.caller.client.call(&call, Some(&self.town), key.as_deref()).await;
            match answer.and_then(|answer| shape.show(&answer, call.method)) {
                Ok(data) => Ok(data.into()),
                Err(failure) => Err(self.explain(&call.instance, &about, failure).await),
            }
        })
    }

    /// The key by which a repeated request is recognized.
    fn key(&self) -> Option<String> {
        self.request.headers.get("idempotency-key")
    }

    /// A call to the town.
    fn of_town(&self, method: &'static Method, args: impl Serialize, shape: Shape) -> Result<Planned, Failure> {
        Ok(Planned { call: Call::new(Instance::Town(self.town.clone()), method, args)?, shape, about: Vec::new() })
    }

    /// A variable of the path as it stands there.
    fn named(&self, index: usize) -> &str {
        self.variables.get(index).copied().unwrap_or_default()
    }

    /// The rig that the path names first.
    fn rig(&self) -> Result<RigId, Refusal> {
        RigId::parse(self.named(0)).map_err(|_| Refusal::new(Code::Forbidden, NO_RIG))
    }

    /// The bead that the path names after its rig.
    fn bead(&self) -> Result<BeadId, Refusal> {
        BeadId::parse(self.named(1)).map_err(|_| Refusal::new(Code::NotFound, wrong_rig::NO_BEAD))
    }

    /// The agent that the path names after its rig.
    fn agent(&self) -> Result<AgentId, Refusal> {
        AgentId::parse(self.named(1)).map_err(|_| Refusal::new(Code::NotFound, wrong_rig::NO_AGENT))
    }

    /// The convoy that the path names.
    fn convoy(&self, absent: &str) -> Result<ConvoyId, Refusal> {
        ConvoyId::parse(self.named(0)).map_err(|_| Refusal::new(Code::NotFound, absent))
    }

    /// The agent that speaks: the Mayor's token names it, and a request with a container's token does.
    fn speaker(&self) -> Option<&str> {
        self.caller.principal().agent_id.as_deref()
    }

    /// The body, which must be there.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        envelope::body(self.request)
    }
}

impl Planned {
    /// A call to a rig, which says itself whether it is the town's.
    fn of_rig(rig: RigId, method: &'static Method, args: impl Serialize, shape: Shape) -> Result<Planned, Failure> {
        Ok(Self { call: Call::new(Instance::Rig(rig), method, args)?, shape, about: Vec::new() })
    }

    /// What may turn out to be in another rig, or nowhere, in the order in which it is looked for.
    fn about(mut self, things: impl IntoIterator<Item = Thing>) -> Self {
        self.about.extend(things);
        self
    }
}

/// Every route, for documents, with the status that embedded towns answer who have no such thing.
#[cfg(not(target_arch = "wasm32"))]
pub fn routes() -> impl Iterator<Item = (&'static router::Address, Option<u16>)> {
    ROUTES.iter().map(|route| (&route.at, route.absent))
}
