//! The Model Context Protocol over streamable HTTP, by hand.
//!
//! Owns one endpoint: HTTP rules, JSON-RPC, both eras, legacy sessions as values. Knows no tool, no town and no
//! runtime; what it needs of them is the trait `Server`. Authentication comes before it.
//!
//! Reading order: this file routes; `message` reads; `modern` and `legacy` check; `request` is a request on its way to its
//! handler, `methods` has the table and the handlers; `result` and `reply` write, `problem` lists what can be wrong;
//! `response_stream` is what a call sends before its answer, `client_impl` in which messages, and `multi_round` what a client
//! answers by calling again. `server` and `session_store` are what the product must bring; `client`, `types` and
//! `session_types` are the values between the two. `origin` and `cors` are for every path, and so are called from outside.
//!
//! Its tests and its fuzzer bring a product of their own: `tests/fixture`, a package for development.

pub mod client;
mod client_impl;
pub mod cors;
mod headers;
mod legacy;
mod message;
mod methods;
mod modern;
mod multi_round;
pub mod origin;
mod problem;
mod reply;
mod request;
mod response_stream;
mod result;
pub mod revision;
pub mod server;
mod session;
pub mod session_store;
pub mod session_types;
pub mod types;

pub use legacy::GET_STREAM;
pub use methods::methods;
pub use session::SESSION_LIFE_MS;

use base::http::body_sink::Outlet;
use base::http::{Request, RequestBody, Response};
use message::Body;
use problem::Problem;
use reply::error_response;
use revision::Revision;
use server::Server;

/// Answers one HTTP request to an MCP endpoint, for an authenticated caller. If the call streamed into the outlet, the
/// returned response is ignored.
pub async fn handle<S: Server>(request: &Request<'_>, server: &S, outlet: &Outlet) -> Response {
    let version = headers::value(request.headers, headers::PROTOCOL_VERSION);
    let is_modern = version.as_deref().and_then(Revision::parse).is_some_and(Revision::is_modern);
    match request.method.as_str() {
        "POST" => {
            let outlet = Some(outlet).filter(|_| response_stream::takes_streams(request.headers));
            answer_post(request, server, outlet, version.as_deref(), is_modern).await
        }
        "DELETE" if !is_modern => legacy::end_session(request, server).await,
        "GET" if !is_modern => legacy::open_stream(request, server).await,
        _ => Response::empty(405).header("allow", if is_modern { "POST" } else { "GET, POST, DELETE" }),
    }
}

/// A client that forgot to list JSON in `Accept` reads it all the same; only streams must be asked for.
async fn answer_post(
    request: &Request<'_>,
    server: &dyn Server,
    outlet: Option<&Outlet>,
    version: Option<&str>,
    is_modern: bool,
) -> Response {
    let refuse = |problem: &Problem| error_response(is_modern, None, problem);
    if !headers::is_json(request.headers) {
        return refuse(&Problem::UnsupportedMediaType);
    }
    let bytes = match &request.body {
        RequestBody::Bytes(bytes) => bytes,
        RequestBody::TooLarge => return refuse(&Problem::TooLarge),
    };
    match message::read_body(bytes) {
        Err(malformed) => error_response(is_modern, malformed.id, &malformed.problem),
        Ok(Body::Batch(_)) if is_modern => refuse(&Problem::InvalidRequest("the body must be one message".into())),
        Ok(Body::Batch(batch)) => legacy::answer(request, server, None, Body::Batch(batch)).await,
        Ok(Body::Single(message)) => {
            let meta = modern::read_meta(&message);
            if modern::is_claimed(meta.as_ref(), version) {
                modern::answer(request, server, outlet, message, meta).await
            } else {
                legacy::answer(request, server, outlet, Body::Single(message)).await
            }
        }
    }
}
