//! `/api/mayor/{town}/tools/…` (Gastown contract 4.5): the contract's envelopes around what the tools ask for.
//!
//! Owns the routes, their statuses and the field names of their bodies. The answers are the objects' own, unrendered.

use crate::auth::principal::Role;
use crate::edge::rig_plane::filter;
use crate::edge::{Authenticated, envelope};
use crate::error::{Code, Failure, Fault, Refusal};
use crate::http::{Request, Response};
use crate::ids::{ConvoyId, RigId, TownId};
use crate::rpc::call::{Call, Instance};
use crate::rpc::model::{AgentFilter, BeadFilter, MailInput};
use crate::rpc::table::{GET_CONVOY_STATUS, LIST_AGENTS, LIST_BEADS, LIST_CONVOYS, LIST_RIGS, Method, SEND_MAIL, START_CONVOY};
use crate::tools::place::rigs_of;
use crate::tools::run::{Connection, ask};
use crate::tools::sling::Sling;
use crate::tools::sling_batch::SlingBatch;
use crate::tools::tool::{Answers, Tool, ToolDef};
use crate::tools::toolset::Toolset;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Body fields of `sling`; the first is called `rig` by the tool.
const SLING_FIELDS: &[&str] = &["title", "body", "metadata", "labels"];
/// Body fields of `sling-batch`.
const SLING_BATCH_FIELDS: &[&str] = &["convoy_title", "tasks", "merge_mode", "parallel", "staged", "metadata"];

#[derive(Deserialize)]
struct MailBody {
    rig_id: RigId,
    to_agent_id: String,
    subject: String,
    body: String,
    from_agent_id: String,
}

/// Answers a Mayor route.
pub async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, town: &str, rest: &[String]) -> Response {
    let town = match enter(caller, town) {
        Ok(town) => town,
        Err(refusal) => return envelope::refused(&refusal),
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let (status, outcome) = match (request.method.as_str(), rest.as_slice()) {
        ("POST", ["sling"]) => (201, sling::<Sling>(caller, request, &town, SLING_FIELDS).await),
        ("POST", ["sling-batch"]) => (201, sling::<SlingBatch>(caller, request, &town, SLING_BATCH_FIELDS).await),
        ("GET", ["rigs"]) => (200, ask_town(caller, &town, &LIST_RIGS, ()).await),
        ("GET", ["beads"]) => return list(caller, &town, None, &LIST_BEADS, filtered::<BeadFilter>(request)).await,
        ("GET", ["agents"]) => return list(caller, &town, None, &LIST_AGENTS, filtered::<AgentFilter>(request)).await,
        ("GET", ["rigs", rig, "beads"]) => return list(caller, &town, Some(rig), &LIST_BEADS, filtered::<BeadFilter>(request)).await,
        ("GET", ["rigs", rig, "agents"]) => return list(caller, &town, Some(rig), &LIST_AGENTS, filtered::<AgentFilter>(request)).await,
        ("POST", ["mail"]) => (200, mail(caller, request, &town).await),
        ("GET", ["convoys"]) => (200, ask_town(caller, &town, &LIST_CONVOYS, ()).await),
        ("GET", ["convoys", convoy]) => (200, convoy_status(caller, &town, convoy).await),
        ("POST", ["convoys", convoy, "start"]) => (200, start_convoy(caller, request, &town, convoy).await),
        (_, ["sling" | "sling-batch" | "mail"]) => return envelope::method_not_allowed("POST"),
        (_, ["rigs" | "beads" | "agents" | "convoys"]) => return envelope::method_not_allowed("GET"),
        _ => return envelope::not_found(),
    };
    envelope::outcome(caller, status, outcome.map_err(rig_not_found))
}

/// Mayors and containers of this town; nobody else.
pub(super) fn enter(caller: &Authenticated<'_>, town: &str) -> Result<TownId, Refusal> {
    let principal = caller.principal();
    if !matches!(principal.role, Role::Mayor | Role::Container) {
        return Err(Refusal::new(Code::Forbidden, "Forbidden: these routes take a Mayor's or a container's token"));
    }
    let town = TownId::parse(town).map_err(|_| Refusal::new(Code::Forbidden, "Forbidden"))?;
    principal.check_town(&town)?;
    caller.admit()?;
    Ok(town)
}

/// A rig that does not exist and a rig of another town are one answer: 403 (Gastown contract 4.5).
fn rig_not_found(failure: Failure) -> Failure {
    match failure {
        Failure::Refused(refusal) if refusal.message.starts_with("Rig ") && matches!(refusal.code, Code::NotFound | Code::Forbidden) => {
            Refusal::new(Code::Forbidden, "Rig not found in this town").into()
        }
        other => other,
    }
}

async fn sling<T: Tool>(caller: &Authenticated<'_>, request: &Request<'_>, town: &TownId, fields: &[&str]) -> Result<String, Failure> {
    let mut body: Map<String, Value> = envelope::body(request)?;
    let mut arguments = Map::new();
    let rig = body.get("rig_id").and_then(Value::as_str).and_then(|rig| RigId::parse(rig).ok());
    let Some(rig) = rig else {
        return Err(Refusal::new(Code::InvalidArgument, "Invalid request body").hint("rig_id: expected the id of a rig").into());
    };
    arguments.insert("rig".to_owned(), Value::from(rig.as_str()));
    for field in fields {
        if let Some(value) = body.remove(*field).filter(|value| !value.is_null()) {
            arguments.insert((*field).to_owned(), value);
        }
    }
    if let Some(key) = request.headers.get("idempotency-key") {
        arguments.insert("idempotency_key".to_owned(), Value::from(key));
    }
    let answered = ask(
        Connection { client: &caller.client, memory: caller.edge.memory, pinned: Some(town), speaker: None },
        &ToolDef::of::<T>(Toolset::Work),
        arguments,
    )
    .await?;
    match answered.answers {
        Answers::One(data) => Ok(data),
        Answers::Many(_) => Err(Fault::new(T::NAME, "one answer was expected").into()),
    }
}

/// The arguments of a list: the filter that the query names.
fn filtered<F: DeserializeOwned + Serialize>(request: &Request<'_>) -> Result<String, Failure> {
    let filter: F = filter(&request.query)?;
    Ok(serde_json::to_string(&[filter]).map_err(|error| Fault::new("write a filter", error))?)
}

/// A list over one rig or, concurrently, over all. Rigs that did not answer are named beside the data.
async fn list(
    caller: &Authenticated<'_>,
    town: &TownId,
    rig: Option<&str>,
    method: &'static Method,
    args: Result<String, Failure>,
) -> Response {
    match listed(caller, town, rig, method, args).await {
        Ok((data, missing)) if missing.is_empty() => envelope::success(200, &data),
        Ok((data, missing)) => Response::json(200, format!("{{\"success\":true,\"data\":{data},\"missing\":{}}}", json!(missing))),
        Err(failure) => envelope::failed(caller, rig_not_found(failure)),
    }
}

async fn listed(
    caller: &Authenticated<'_>,
    town: &TownId,
    rig: Option<&str>,
    method: &'static Method,
    args: Result<String, Failure>,
) -> Result<(String, Vec<Value>), Failure> {
    let args = args?;
    if let Some(rig) = rig {
        let rig = RigId::parse(rig).map_err(|_| Refusal::new(Code::Forbidden, "Rig not found in this town"))?;
        let data = caller.client.call(&Call { instance: Instance::Rig(rig), method, args }, Some(town), None).await?;
        return Ok((data, Vec::new()));
    }
    let rigs = rigs_of(&caller.client, town).await?;
    let calls: Vec<Call> = rigs.iter().map(|rig| Call { instance: Instance::Rig(rig.id.clone()), method, args: args.clone() }).collect();
    let mut data: Vec<Value> = Vec::new();
    let mut missing = Vec::new();
    for (rig, outcome) in rigs.into_iter().zip(caller.client.call_each(&calls, Some(town)).await) {
        match outcome.map(|text| serde_json::from_str::<Vec<Value>>(&text)) {
            Ok(Ok(part)) => data.extend(part),
            Ok(Err(error)) => return Err(Fault::new(method.name, error).into()),
            Err(failure) => missing.push(json!({"rig_id": rig.id, "reason": caller.explain(failure).message})),
        }
    }
    Ok((Value::Array(data).to_string(), missing))
}

async fn mail(caller: &Authenticated<'_>, request: &Request<'_>, town: &TownId) -> Result<String, Failure> {
    let body: MailBody = envelope::body(request)?;
    let input = MailInput { from_agent_id: body.from_agent_id, to_agent_id: body.to_agent_id, subject: body.subject, body: body.body };
    let key = request.headers.get("idempotency-key");
    caller.client.call(&Call::new(Instance::Rig(body.rig_id), &SEND_MAIL, (input,))?, Some(town), key.as_deref()).await?;
    Ok(json!({"sent": true}).to_string())
}

async fn ask_town(caller: &Authenticated<'_>, town: &TownId, method: &'static Method, args: impl Serialize) -> Result<String, Failure> {
    caller.client.call(&Call::new(Instance::Town(town.clone()), method, args)?, Some(town), None).await
}

async fn convoy_status(caller: &Authenticated<'_>, town: &TownId, convoy: &str) -> Result<String, Failure> {
    const ABSENT: &str = "Convoy not found";
    let id = ConvoyId::parse(convoy).map_err(|_| Refusal::new(Code::NotFound, ABSENT))?;
    envelope::found(ask_town(caller, town, &GET_CONVOY_STATUS, (id,)).await?, ABSENT)
}

async fn start_convoy(caller: &Authenticated<'_>, request: &Request<'_>, town: &TownId, convoy: &str) -> Result<String, Failure> {
    let absent = || Refusal::new(Code::NotFound, "Convoy not found or not staged");
    let id = ConvoyId::parse(convoy).map_err(|_| absent())?;
    let key = request.headers.get("idempotency-key");
    let call = Call::new(Instance::Town(town.clone()), &START_CONVOY, (id,))?;
    match caller.client.call(&call, Some(town), key.as_deref()).await {
        Err(Failure::Refused(refusal)) if matches!(refusal.code, Code::NotFound | Code::Conflict) => Err(absent().into()),
        other => other,
    }
}
