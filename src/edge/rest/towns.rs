//! `/api/towns/{town}/…`, but for the rigs: configuration, the Mayor and drains (Gastown contract 4.3), and what observers see
//! as it happens.
//!
//! Owns the routes. Which caller may do what is the town's decision; a secret never leaves in clear. What is streamed is
//! `feed_stream`'s, who is let in on the status `status_socket`'s.

use super::envelope;
use crate::auth::principal::Scope;
use crate::contract::ids::TownId;
use crate::contract::masking::masked;
use crate::contract::shapes::TownConfig;
use crate::edge::Authenticated;
use crate::edge::streams::{feed, status_socket};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::{
    ACKNOWLEDGE_READY, GET_DRAIN_NONCE, GET_DRAIN_STARTED_AT, GET_MAYOR_AGENT_ID, GET_MAYOR_STATUS, GET_TOWN_CONFIG, Method,
    RECORD_EVICTION, SEND_MAYOR_MESSAGE, UPDATE_TOWN_CONFIG,
};
use base::error::{Code, Failure, Fault, Refusal};
use base::http::body_sink::Outlet;
use base::http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct MayorBody {
    message: String,
    model: Option<String>,
    #[serde(rename = "uiContext")]
    ui_context: Option<String>,
}

#[derive(Deserialize)]
struct ReadyBody {
    nonce: String,
}

/// A request to one town.
struct Asked<'a> {
    caller: &'a Authenticated<'a>,
    request: &'a Request<'a>,
    town: TownId,
}

/// Answers a route of the town plane.
pub(in crate::edge) async fn answer(
    caller: &Authenticated<'_>,
    request: &Request<'_>,
    outlet: &Outlet,
    town: &str,
    rest: &[String],
) -> Response {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["feed"]) => return feed::answer(caller, request, outlet, town).await,
        ("GET", ["status", "ws"]) => return status_socket::answer(caller, request, town).await,
        _ => {}
    }
    let Ok(town) = TownId::parse(town) else {
        return envelope::refused(&Refusal::new(Code::NotFound, "Town not found"));
    };
    let asked = Asked { caller, request, town };
    let outcome = match (request.method.as_str(), rest.as_slice()) {
        ("GET", ["config"]) => asked.config(&GET_TOWN_CONFIG, ()).await,
        ("PATCH", ["config"]) => {
            if let Err(response) = caller.check_scope(UPDATE_TOWN_CONFIG.access.scope()) {
                return response;
            }
            asked.update_config().await
        }
        ("POST", ["mayor", "message"]) => asked.message_mayor().await,
        ("GET", ["mayor", "status"]) => asked.ask(&GET_MAYOR_STATUS, ()).await,
        ("POST", ["container-eviction"]) => asked.ask(&RECORD_EVICTION, ()).await.map(|nonce| format!("{{\"nonce\":{nonce}}}")),
        ("POST", ["container-ready"]) => asked.ready().await,
        ("GET", ["drain-status"]) => asked.drain_status().await,
        ("GET", ["mayor-id"]) => asked.ask(&GET_MAYOR_AGENT_ID, ()).await.map(|id| format!("{{\"agentId\":{id}}}")),
        (_, ["config"]) => return envelope::method_not_allowed("GET, PATCH"),
        (_, ["mayor", "message"] | ["container-eviction" | "container-ready"]) => return envelope::method_not_allowed("POST"),
        (_, ["mayor", "status"] | ["drain-status" | "feed" | "mayor-id"] | ["status", "ws"]) => return envelope::method_not_allowed("GET"),
        _ => return envelope::not_found(),
    };
    envelope::outcome(caller, 200, outcome)
}

/// The town, for a caller who may watch all of it.
///
/// # Errors
/// The refusal as an answer.
pub(in crate::edge) async fn watched_town(caller: &Authenticated<'_>, named: &str) -> Result<TownId, Response> {
    caller.check_scope(Scope::Read)?;
    if caller.principal().role.is_of_rig() {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: an agent sees its own rig only");
        return Err(envelope::refused(&refusal.hint("Read /api/towns/{town}/rigs/{rig}/beads.")));
    }
    caller.enter_town(named).await.map_err(|failure: Failure| envelope::failed(caller, failure))
}

impl Asked<'_> {
    async fn ask(&self, method: &'static Method, args: impl Serialize) -> Result<String, Failure> {
        self.caller.principal().check_town(&self.town)?;
        let key = if method.is_read() { None } else { self.request.headers.get("idempotency-key") };
        self.caller.client.call(&Call::new(Instance::Town(self.town.clone()), method, args)?, Some(&self.town), key.as_deref()).await
    }

    /// The configuration that a method answers, with its secrets masked.
    async fn config(&self, method: &'static Method, args: impl Serialize) -> Result<String, Failure> {
        let config: TownConfig = decode(method, &self.ask(method, args).await?)?;
        Ok(serde_json::to_string(&masked(&config)).map_err(|error| Fault::new("write a configuration", error))?)
    }

    async fn update_config(&self) -> Result<String, Failure> {
        let update: TownConfig = envelope::body(self.request)?;
        self.config(&UPDATE_TOWN_CONFIG, (update,)).await
    }

    async fn message_mayor(&self) -> Result<String, Failure> {
        let body: MayorBody = envelope::body(self.request)?;
        self.ask(&SEND_MAYOR_MESSAGE, (body.message, body.model, body.ui_context, &self.caller.principal().user_id)).await
    }

    async fn ready(&self) -> Result<String, Failure> {
        let body: ReadyBody = envelope::body(self.request)?;
        self.ask(&ACKNOWLEDGE_READY, (body.nonce,)).await.map(|cleared| format!("{{\"cleared\":{cleared}}}"))
    }

    async fn drain_status(&self) -> Result<String, Failure> {
        let nonce: Value = decode(&GET_DRAIN_NONCE, &self.ask(&GET_DRAIN_NONCE, ()).await?)?;
        let started: Value = decode(&GET_DRAIN_STARTED_AT, &self.ask(&GET_DRAIN_STARTED_AT, ()).await?)?;
        Ok(json!({"draining": !nonce.is_null(), "drainNonce": nonce, "drainStartedAt": started}).to_string())
    }
}
