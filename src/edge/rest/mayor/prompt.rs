//! `/api/mayor/{town}/prompt`: the Mayor's system prompt, for whoever starts one.
//!
//! Owns the route. What a Mayor is told is `prompts::mayor`'s.

use super::enter;
use crate::edge::Authenticated;
use crate::edge::rest::envelope;
use crate::prompts::mayor::{text, view};
use base::http::{Request, Response};
use serde_json::json;

/// `GET`: the prompt in the contract's envelope, as `prompt`.
pub(crate) async fn answer(caller: &Authenticated<'_>, request: &Request<'_>, town: &str) -> Response {
    if request.method != "GET" {
        return envelope::method_not_allowed("GET");
    }
    let town = match enter(caller, town) {
        Ok(town) => town,
        Err(refusal) => return envelope::refused(&refusal),
    };
    match text(&caller.client, &town, view(caller.principal().scope)).await {
        Ok(prompt) => envelope::success(200, &json!({"prompt": prompt}).to_string()),
        Err(failure) => envelope::failed(caller, failure),
    }
}
