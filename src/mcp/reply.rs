//! Responses on the wire: the response to a request as a value, and errors as JSON text and as HTTP responses.
//!
//! Owns the envelope of errors; which errors there are is `problem`'s, results are written by `result`.

use crate::message::RequestId;
use crate::problem::{Data, Problem};
use crate::server::Server;
use base::error::Fault;
use base::http::{Relayed, Response};
use serde::Serialize;
use std::borrow::Cow;

/// The response to one JSON-RPC request.
#[derive(Debug)]
pub enum JsonRpcResponse {
    /// The message.
    Json(String),
    /// The message that answers `initialize`, with the id of the session that it begins.
    Initialized(String, String),
    /// A stream of another object, which answers.
    Stream(Relayed),
}

#[derive(Serialize)]
struct ErrorResponse<'a> {
    jsonrpc: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<RequestId<'a>>,
    error: ErrorObject<'a>,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    code: i32,
    message: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Data<'a>>,
}

/// The error as JSON text.
///
/// Without a readable id there is no `id` at all, in both eras. The modern schema has no null id. Legacy transports
/// speak of "a JSON-RPC error response that has no `id`", and no legacy schema admits null either; JSON-RPC's own
/// `"id": null` would therefore be legal nowhere.
#[must_use]
pub fn error_json(is_modern: bool, id: Option<RequestId<'_>>, problem: &Problem) -> String {
    let error = ErrorObject { code: problem.code(is_modern), message: problem.message(), data: problem.data() };
    serde_json::to_string(&ErrorResponse { jsonrpc: "2.0", id, error })
        .unwrap_or_else(|_| r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"}}"#.to_owned())
}

/// The error as the whole answer to one HTTP request.
#[must_use]
pub fn error_response(is_modern: bool, id: Option<RequestId<'_>>, problem: &Problem) -> Response {
    let response = Response::json(problem.status(is_modern, id.is_some()), error_json(is_modern, id, problem));
    match problem {
        Problem::InsufficientScope(challenge) => response.header("www-authenticate", challenge.clone()),
        _ => response,
    }
}

/// Logs what broke and gives what the client may know of it.
#[must_use]
pub fn internal(server: &dyn Server, fault: &Fault) -> Problem {
    Problem::Internal(server.log_fault(fault))
}
