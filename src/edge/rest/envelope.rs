//! Answers of the REST routes: `{"success":true,"data":…}` or `{"success":false,"error":"…"}` (Gastown contract, section 4).
//!
//! Owns the envelope and the status of a refusal.

use crate::edge::rest::extract;
use crate::edge::{Authenticated, Edge};
use base::error::{Code, Failure, Refusal, Subject};
use base::http::{Request, RequestBody, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::borrow::Cow;

/// What is said of a body that cannot be read as what the route takes.
pub const INVALID_BODY: &str = "Invalid request body";

/// Success, from data that is JSON text already.
#[must_use]
pub fn success(status: u16, data: &str) -> Response {
    let data = if data.is_empty() { "null" } else { data };
    Response::json(status, format!("{{\"success\":true,\"data\":{data}}}"))
}

/// A refusal with its status.
#[must_use]
pub fn refused(refusal: &Refusal) -> Response {
    let status = match refusal.code {
        Code::Unauthenticated => 401,
        Code::Forbidden => 403,
        Code::NotFound => 404,
        Code::InvalidArgument => 400,
        Code::Conflict | Code::IdempotencyConflict => 409,
        Code::Unsupported => 501,
        Code::Unavailable => 503,
    };
    let mut body = json!({"success": false, "error": refusal.message});
    if let (Some(hint), Some(object)) = (&refusal.hint, body.as_object_mut()) {
        object.insert("hint".to_owned(), Value::from(hint.as_str()));
        if let Some(Subject::Body(path)) = &refusal.about {
            object.insert("issues".to_owned(), json!([issue(path, hint)]));
        }
    }
    Response::json(status, body.to_string())
}

/// What is wrong with a body at `path`, where the hint begins, as the contract lists it.
fn issue(path: &str, hint: &str) -> Value {
    let lead = if path.is_empty() { 0 } else { path.len() + ": ".len() };
    let message = hint.get(lead..).unwrap_or(hint);
    let step = |part: &str| part.parse::<u64>().map_or_else(|_| Value::from(part), Value::from);
    let path: Vec<Value> = path.split(['.', '[', ']']).filter(|part| !part.is_empty()).map(step).collect();
    json!({"code": "custom", "path": path, "message": message})
}

/// A failure: refusals as above, faults as 500 with an incident id.
#[must_use]
pub fn failed(caller: &Authenticated<'_>, failure: Failure) -> Response {
    broke(caller.edge, failure)
}

/// The same before anybody is known.
#[must_use]
pub fn broke(edge: Edge<'_>, failure: Failure) -> Response {
    match failure {
        Failure::Refused(refusal) => refused(&refusal),
        Failure::Broke(fault) => {
            let incident = edge.runtime.log_fault(&fault);
            Response::json(500, json!({"success": false, "error": "Internal server error", "incident": incident}).to_string())
        }
    }
}

/// The outcome of a call as a response.
#[must_use]
pub fn outcome(caller: &Authenticated<'_>, status: u16, outcome: Result<String, Failure>) -> Response {
    match outcome {
        Ok(data) => success(status, &data),
        Err(failure) => failed(caller, failure),
    }
}

/// The body was larger than is read.
#[must_use]
pub fn too_large() -> Response {
    Response::json(413, json!({"success": false, "error": "Request body too large"}).to_string())
}

/// The contract answers null for what does not exist; a route answers 404 with `absent`.
///
/// # Errors
/// `NotFound`.
pub fn found(answer: String, absent: &str) -> Result<String, Failure> {
    if answer == "null" { Err(Refusal::new(Code::NotFound, absent).into()) } else { Ok(answer) }
}

/// No such route.
#[must_use]
pub fn not_found() -> Response {
    refused(&Refusal::new(Code::NotFound, "Not found"))
}

/// The route exists, but not with this method.
#[must_use]
pub fn method_not_allowed(allow: impl Into<Cow<'static, str>>) -> Response {
    Response::json(405, json!({"success": false, "error": "Method not allowed"}).to_string()).header("allow", allow)
}

/// Reads a JSON body.
///
/// # Errors
/// `InvalidArgument`; the hint says what is wrong.
pub fn body<T: DeserializeOwned>(request: &Request<'_>) -> Result<T, Refusal> {
    extract::read(text_of(request)?)
}

fn text_of<'a>(request: &'a Request<'_>) -> Result<&'a str, Refusal> {
    let RequestBody::Bytes(bytes) = &request.body else {
        return Err(Refusal::new(Code::InvalidArgument, INVALID_BODY));
    };
    std::str::from_utf8(bytes).map_err(|error| extract::invalid("", error))
}
