//! `GET /api/towns/{town}/rigs/{rig}/dispatch`: the orders of a rig for one runner, as server-sent events or as one page.
//!
//! Owns the loop between taking and waiting, and the token that comes with each order. The rig chooses the
//! orders; the id of each event is the order's number, so that a reconnecting runner misses none.

use super::event_stream::{self, SILENCE_MILLIS_MAX, is_final};
use crate::auth::mint::{AgentClaims, AgentPlace, mint_agent};
use crate::auth::verify::AGENT_LIFE_SECONDS;
use crate::contract::ids::{RigId, TownId};
use crate::contract::shapes::{AgentRole, DispatchOrder, TakeOrdersInput};
use crate::edge::Authenticated;
use crate::edge::rest::extract::filter;
use crate::edge::rest::{Responding, RouteRequest, envelope};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::CALL_MILLIS_MAX;
use crate::rpc::table::{AWAIT_ORDERS, TAKE_ORDERS};
use base::error::{Code, Failure, Refusal};
use base::http::Response;
use base::http::body_sink::Outlet;
use base::sse;
use base::time::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// After a rig that did not answer.
const PATIENT_PACE_MILLIS: u32 = 2_000;
/// A request may make so many calls only: after these many rounds its runner comes back.
const ROUNDS_MAX: u32 = 400;

/// The query: a runner's description of itself.
#[derive(Deserialize)]
struct Query {
    runner: String,
    #[serde(default)]
    max: Option<String>,
    #[serde(default)]
    last_event_id: Option<String>,
    #[serde(default)]
    role: Option<AgentRole>,
}

/// One runner that follows one rig.
struct Follower<'a> {
    caller: &'a Authenticated<'a>,
    town: TownId,
    rig: RigId,
    input: TakeOrdersInput,
}

/// Answers the route.
pub(in crate::edge) fn answer<'a>(request: &'a RouteRequest<'a>) -> Responding<'a> {
    Box::pin(begin(request))
}

async fn begin(route: &RouteRequest<'_>) -> Response {
    let (caller, request, outlet) = (route.caller, route.http, route.outlet);
    let mut follower = match follower(route) {
        Ok(follower) => follower,
        Err(failure) => return envelope::failed(caller, failure),
    };
    // The first orders are taken as by any other request: a refusal is an answer, no stream.
    let first = match follower.take().await {
        Ok(first) => first,
        Err(failure) => return envelope::failed(caller, failure),
    };
    if !event_stream::is_wanted(request) {
        let last = first.last().map(|order| order.order).or(follower.input.after).map(|id| id.to_string());
        return match first.iter().map(|order| follower.show(order)).collect::<Result<Vec<Value>, Failure>>() {
            Ok(orders) => envelope::success(200, &json!({"orders": orders, "last_event_id": last}).to_string()),
            Err(failure) => envelope::failed(caller, failure),
        };
    }
    event_stream::open(outlet);
    follower.follow(outlet, first).await;
    Response::empty(200)
}

fn follower<'a>(route: &RouteRequest<'a>) -> Result<Follower<'a>, Failure> {
    let (caller, request) = (route.caller, route.http);
    if caller.principal().role.is_of_rig() {
        let refusal = Refusal::new(Code::Forbidden, "Forbidden: an agent takes no orders for others");
        return Err(refusal.hint("Work on your own hook; a runner comes with a container token.").into());
    }
    let (town, rig) = (route.town()?.clone(), route.rig()?.clone());
    let query: Query = filter(&request.query).map_err(|refusal| {
        refusal.hint("Say who runs: ?runner=NAME, and &max=N orders at once, &role=polecat or refinery for those only.")
    })?;
    let last = event_stream::last_event_id(request).or(query.last_event_id);
    let input =
        TakeOrdersInput { runner: query.runner, after: number("Last-Event-ID", last)?, max: number("max", query.max)?, role: query.role };
    Ok(Follower { caller, town, rig, input })
}

fn number(name: &str, text: Option<String>) -> Result<Option<i64>, Refusal> {
    let not_one = || Refusal::new(Code::InvalidArgument, format!("{name} must be a whole number"));
    text.map(|text| text.parse().ok().filter(|number| *number >= 0).ok_or_else(not_one)).transpose()
}

impl Follower<'_> {
    fn now(&self) -> Timestamp {
        self.caller.edge.runtime.now()
    }

    async fn take(&self) -> Result<Vec<DispatchOrder>, Failure> {
        let call = Call::new(Instance::Rig(self.rig.clone()), &TAKE_ORDERS, (&self.input,))?;
        decode(&TAKE_ORDERS, &self.caller.client.call(&call, Some(&self.town), None).await?)
    }

    /// True when there is something to take, false when there was nothing for a while.
    async fn wait(&self, until: Timestamp) -> Result<bool, Failure> {
        let call = Call::new(Instance::Rig(self.rig.clone()), &AWAIT_ORDERS, (&self.input, until))?;
        let within = CALL_MILLIS_MAX + SILENCE_MILLIS_MAX;
        decode(&AWAIT_ORDERS, &self.caller.client.call_internal_within(&call, Some(&self.town), within).await?)
    }

    /// An order as its runner sees it: with a token that is good for this order only.
    fn show(&self, order: &DispatchOrder) -> Result<Value, Failure> {
        let place = if order.agent.role == AgentRole::Refinery { AgentPlace::Refinery(&self.rig) } else { AgentPlace::Polecat(&self.rig) };
        let claims = AgentClaims {
            agent_id: order.agent.id.as_str(),
            place,
            town: &self.town,
            user_id: &self.caller.principal().user_id,
            fence: Some(order.order),
        };
        let token = mint_agent(self.caller.edge.runtime.keys(), &claims, AGENT_LIFE_SECONDS, self.now())?;
        let mut shown = json!(order);
        if let Some(fields) = shown.as_object_mut() {
            let api = json!({
                "mcp_path": format!("/towns/{}/mcp", self.town),
                "agent_path": format!("/api/towns/{}/rigs/{}/agents/{}", self.town, self.rig, order.agent.id),
            });
            fields.insert("token".to_owned(), Value::from(token));
            fields.insert("api".to_owned(), api);
        }
        Ok(shown)
    }

    /// Until the runner leaves, the token ends or the hour is over.
    async fn follow(&mut self, outlet: &Outlet, first: Vec<DispatchOrder>) {
        let ends_at = event_stream::ends_at(self.caller);
        let mut orders = first;
        for _ in 0..ROUNDS_MAX {
            for order in &orders {
                let Ok(shown) = self.show(order) else { return };
                outlet.write(format!("event: order\n{}", sse::event(Some(&order.order.to_string()), &shown.to_string())));
                self.input.after = Some(order.order.max(self.input.after.unwrap_or_default()));
            }
            if self.now() >= ends_at {
                return;
            }
            let until = self.now().plus_millis(SILENCE_MILLIS_MAX.into()).min(ends_at);
            let outcome = match self.wait(until).await {
                Ok(true) => self.take().await,
                Ok(false) => Ok(Vec::new()),
                Err(failure) => Err(failure),
            };
            orders = match outcome {
                Ok(taken) => taken,
                Err(failure) if is_final(&failure) => return,
                Err(_) => {
                    self.caller.edge.runtime.sleep(PATIENT_PACE_MILLIS).await;
                    Vec::new()
                }
            };
            if orders.is_empty() {
                outlet.write(sse::COMMENT);
            }
        }
    }
}
