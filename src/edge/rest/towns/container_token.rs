//! `POST /api/towns/{town}/refresh-container-token`: a new token for a container whose own has expired, or soon will
//! (Gastown contract 4.3).
//!
//! Owns the exchange. It comes before authentication, because an expired token is good here and nowhere else; how old it may be
//! is `auth::verify`'s rule.

use crate::auth::principal::Principal;
use crate::auth::verify::{AGENT_LIFE_SECONDS, verify_for_refresh};
use crate::auth::{bearer, mint};
use crate::contract::ids::TownId;
use crate::edge::Edge;
use crate::edge::rest::router::PathParameters;
use crate::rpc::call::{Call, Instance};
use crate::rpc::client::{Client, Token};
use crate::rpc::table::GET_IDENTITY_STATE;
use base::error::{Code, Failure, Refusal};
use base::http::Request;
use futures::future::LocalBoxFuture;
use serde_json::json;

/// Names these requests in logs.
const REQUEST_ID: &str = "refresh-container-token";

pub(super) fn refresh<'a>(
    edge: Edge<'a>,
    request: &'a Request<'a>,
    path: &'a PathParameters,
) -> LocalBoxFuture<'a, Result<String, Failure>> {
    Box::pin(async move {
        let now = edge.runtime.now();
        let header = request.headers.get("authorization");
        let principal = bearer(header.as_deref())
            .and_then(|token| verify_for_refresh(edge.runtime.keys(), token, now))
            .map_err(|error| Refusal::from(error).hint("A container's own token is exchanged until a day after it was made."))?;
        let town = TownId::parse(path.get("town")).map_err(|_| Refusal::new(Code::NotFound, "Town not found"))?;
        principal.check_town(&town)?;
        let token = mint::mint_container(edge.runtime.keys(), &town, &principal.user_id, AGENT_LIFE_SECONDS, now)?;
        check_lives(edge, &principal, &town, &token).await?;
        Ok(json!({"token": token}).to_string())
    })
}

/// A town that is gone gets no new token.
async fn check_lives(edge: Edge<'_>, principal: &Principal, town: &TownId, token: &str) -> Result<(), Failure> {
    let client = Client { runtime: edge.runtime, principal, token: Token::Own(token), request_id: REQUEST_ID };
    let call = Call::new(Instance::Town(town.clone()), &GET_IDENTITY_STATE, ())?;
    client.call(&call, Some(town), None).await.map(drop)
}
