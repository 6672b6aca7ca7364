//! `/api/towns/{town}/rigs/{rig}/…`: what agents and observers read of a rig (Gastown contract 4.2).
//!
//! Owns the routes. Which caller may read is the rig's decision.

use super::{Authenticated, envelope};
use crate::error::{Code, Failure, Refusal};
use crate::http::{Request, Response};
use crate::ids::{BeadId, RigId, TownId};
use crate::rpc::call::{Call, Instance};
use crate::rpc::model::{AgentFilter, BeadFilter};
use crate::rpc::table::{GET_BEAD, LIST_AGENTS, LIST_BEADS, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Answers a route of the rig plane.
pub(super) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rig: &str, rest: &[String]) -> Response {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let outcome = match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["beads"]) => beads(caller, request, town, rig).await,
        ("GET", ["beads", bead]) => bead_by_id(caller, town, rig, bead).await,
        ("GET", ["agents"]) => agents(caller, request, town, rig).await,
        (_, ["beads" | "agents"]) => return envelope::method_not_allowed("GET"),
        _ => return envelope::not_found(),
    };
    envelope::outcome(caller, 200, outcome)
}

async fn beads(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rig: &str) -> Result<String, Failure> {
    let filter: BeadFilter = filter(&request.query)?;
    ask(caller, town, rig, &LIST_BEADS, (filter,)).await
}

async fn agents(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rig: &str) -> Result<String, Failure> {
    let filter: AgentFilter = filter(&request.query)?;
    ask(caller, town, rig, &LIST_AGENTS, (filter,)).await
}

async fn bead_by_id(caller: &Authenticated<'_>, town: &str, rig: &str, bead: &str) -> Result<String, Failure> {
    const ABSENT: &str = "Bead not found";
    let bead = BeadId::parse(bead).map_err(|_| Refusal::new(Code::NotFound, ABSENT))?;
    envelope::found(ask(caller, town, rig, &GET_BEAD, (bead,)).await?, ABSENT)
}

async fn ask(caller: &Authenticated<'_>, town: &str, rig: &str, method: &'static Method, args: impl Serialize) -> Result<String, Failure> {
    let town = TownId::parse(town).map_err(|_| Refusal::new(Code::NotFound, "Town not found"))?;
    caller.principal().check_town(&town)?;
    let rig = RigId::parse(rig).map_err(|_| Refusal::new(Code::NotFound, "Rig not found"))?;
    caller.client.call(&Call::new(Instance::Rig(rig), method, args)?, Some(&town), None).await
}

/// A filter from a query string: numbers for `limit` and `offset`, text for the rest.
///
/// # Errors
/// `InvalidArgument` that names the parameter.
pub fn filter<T: DeserializeOwned>(query: &str) -> Result<T, Refusal> {
    let mut fields = Map::new();
    for (name, text) in form_urlencoded::parse(query.as_bytes()) {
        let value = match name.as_ref() {
            "limit" | "offset" => text.parse::<i64>().map_or_else(|_| Value::from(text.as_ref()), Value::from),
            _ => Value::from(text.as_ref()),
        };
        fields.insert(name.into_owned(), value);
    }
    serde_json::from_str(&Value::Object(fields).to_string())
        .map_err(|error| Refusal::new(Code::InvalidArgument, "Invalid filter").hint(error.to_string()))
}
