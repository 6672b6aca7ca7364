//! `/api/towns/{town}/rigs/{rig}/…`: the plane of agents, and what observers read of a rig (Gastown contract 4.2).
//!
//! Owns how a request finds its route and becomes a call. `table` has the routes, `beads`, `agents`, `own` and `desk` say what each
//! asks for. One route is one call to the rig, whose decision it is who may do what; here it is only checked that an agent uses
//! the routes of no other agent.

mod agents;
mod beads;
mod desk;
mod own;
mod table;

use super::{Authenticated, envelope};
use crate::auth::principal::{Role, TokenKind};
use crate::auth::verify::MAYOR_RIG_PREFIX;
use crate::error::{Code, Failure, Fault, Refusal};
use crate::http::{Request, RequestBody, Response};
use crate::ids::{AgentId, BeadId, RigId, TownId};
use crate::rpc::call::{Call, Instance};
use crate::rpc::client::Client;
use crate::rpc::table::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use table::{MAYOR, ROUTES, Route, Who};

/// What is said of a query that is none.
const BAD_FILTER: &str = "Invalid filter";

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

/// How an answer is shown.
enum Shape {
    /// As it is.
    Whole,
    /// As it is; null is 404 with these words.
    Found(&'static str),
    /// As the field of this name.
    Field(&'static str),
    /// A flag of this name: the call answers nothing.
    Flag(&'static str),
    /// The same; an answer of false is 404 with these words.
    Gone(&'static str),
}

/// Answers a route of the rig plane.
pub(super) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rig: &str, rest: &[String]) -> Response {
    let refuse = |message: &str| envelope::refused(&Refusal::new(Code::NotFound, message));
    let Ok(town) = TownId::parse(town) else { return refuse("Town not found") };
    if let Err(refusal) = caller.principal().check_town(&town) {
        return envelope::refused(&refusal);
    }
    let is_mayors = rig.strip_prefix(MAYOR_RIG_PREFIX) == Some(town.as_str());
    let Some(rig) = RigId::parse(rig).ok().map(Some).or(is_mayors.then_some(None)) else { return refuse("Rig not found") };
    let matching: Vec<(&Route, Vec<&str>)> =
        (if rig.is_some() { ROUTES } else { MAYOR }).iter().filter_map(|route| Some((route, route.variables(rest)?))).collect();
    let allowed: Vec<&str> = matching.iter().map(|(route, _)| route.method).collect();
    let Some((route, variables)) = matching.into_iter().find(|(route, _)| route.method == request.method) else {
        return if allowed.is_empty() { envelope::not_found() } else { envelope::method_not_allowed(allowed.join(", ")) };
    };
    let asked = Asked { request, town, rig, variables };
    envelope::outcome(caller, route.status, carry_out(caller, route, &asked).await)
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

impl Shape {
    /// The data of the answer.
    fn show(&self, answer: &str, method: &Method) -> Result<String, Failure> {
        let absent = |words: &str| Refusal::new(Code::NotFound, words).into();
        Ok(match self {
            Self::Found(words) if answer == "null" => return Err(absent(words)),
            Self::Gone(words) if matches!(answer, "false" | "null") => return Err(absent(words)),
            Self::Whole | Self::Found(_) => answer.to_owned(),
            Self::Field(_) if answer.is_empty() => return Err(Fault::new(method.name, "it answers nothing").into()),
            Self::Field(name) => format!("{{\"{name}\":{answer}}}"),
            Self::Flag(name) => json!({*name: true}).to_string(),
            Self::Gone(_) => json!({"deleted": true}).to_string(),
        })
    }
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

/// A field that must be there, taken out of its body. Few bodies are a shape of the contract, and a type for each of the
/// others would be a decoder for each.
fn take<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<T, Refusal> {
    given(fields, name)?.ok_or_else(|| invalid(format!("missing field `{name}`")))
}

/// The same of a field that may be left out, or null.
fn given<T: DeserializeOwned>(fields: &mut Map<String, Value>, name: &str) -> Result<Option<T>, Refusal> {
    match fields.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_str(&value.to_string()).map(Some).map_err(|error| invalid(format!("{name}: {error}"))),
    }
}

fn invalid(hint: String) -> Refusal {
    Refusal::new(Code::InvalidArgument, "Invalid request body").hint(hint)
}

/// Fields as a shape of the contract.
fn shaped<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_str(&Value::Object(fields).to_string()).map_err(|error| invalid(error.to_string()))
}

/// What the contract has and embedded towns do not.
fn unsupported(why: &str, instead: &str) -> Failure {
    Refusal::new(Code::Unsupported, format!("Not supported by embedded towns: {why}")).hint(instead).into()
}

/// The fields of a query: numbers for those that are counted, text for the rest.
fn query(query: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "limit" | "offset" | "after_id" => text.parse::<i64>().map_or_else(|_| Value::from(text.as_ref()), Value::from),
            _ => Value::from(text.as_ref()),
        };
        fields.insert(name.into_owned(), value);
    }
    fields
}

/// Every route of a rig, for documents: method, path with `:variables`, whether it is the agent's own, status of success.
#[cfg(not(target_arch = "wasm32"))]
pub fn routes() -> impl Iterator<Item = (&'static str, &'static str, bool, u16)> {
    ROUTES.iter().map(|route| (route.method, route.path, route.who == Who::Own, route.status))
}

/// A filter from a query string: numbers for `limit` and `offset`, text for the rest.
///
/// # Errors
/// `InvalidArgument` that names the parameter.
pub fn filter<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    filtered(query(text))
}

fn filtered<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Refusal> {
    serde_json::from_str(&Value::Object(fields).to_string())
        .map_err(|error| Refusal::new(Code::InvalidArgument, BAD_FILTER).hint(error.to_string()))
}
