//! `/api/mayor/{town}/prompt`: the Mayor's system prompt, for programs that start one.
//!
//! Owns the route. The prompt's text is `prompts::mayor`'s.

use crate::edge::rest::call::Running;
use crate::edge::rest::request::RouteRequest;
use crate::prompts::mayor::{text, view};
use serde_json::json;

pub(super) fn get<'a>(request: &'a RouteRequest<'a>) -> Running<'a> {
    Box::pin(async move {
        let client = &request.caller.client;
        let prompt = text(client, request.town()?, view(client.principal.scope)).await?;
        Ok(json!({"prompt": prompt}).to_string().into())
    })
}
