//! The fetch event: a runtime request in, a runtime response out, by the shortest way.
//!
//! Owns the conversion and the isolate's memory. Reads a header only when it is needed, and a body only up to the
//! limit.

use super::wire::StubWire;
use super::{platform, web};
use base::error::Fault;
use base::http::body_sink::{Outgoing, Outlet, begin, body as body_of};
use base::http::{BODY_BYTES_MAX, Headers, Relayed, Request, RequestBody, Response, ResponseBody};
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use futures::stream::{Stream, StreamExt as _};
use gastown_mcp::auth::{Algorithm, Keys};
use gastown_mcp::cache::Memory;
use gastown_mcp::edge::{Edge, handle};
use gastown_mcp::rpc::call::{Call, Context as CallContext, Wire};
use gastown_mcp::rpc::client::Runtime;
use js_sys::Reflect;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::{Context, Env, event};

/// The product alone, unless this is the build for the conformance suite.
#[cfg(not(feature = "conformance"))]
const ADDITIONS: gastown_mcp::edge::Additions = gastown_mcp::edge::Additions::NONE;
#[cfg(feature = "conformance")]
use conformance_fixture::ADDITIONS;

thread_local! {
    static MEMORY: Rc<Memory> = Rc::default();
}

/// The runtime of one request.
struct RequestRuntime {
    wire: StubWire,
    keys: Rc<Keys>,
}

impl Wire for RequestRuntime {
    fn send(&self, call: &Call, context: &CallContext) -> LocalBoxFuture<'static, Result<String, Fault>> {
        self.wire.send(call, context)
    }

    fn open(&self, call: &Call, context: &CallContext) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        self.wire.open(call, context)
    }

    fn upgrade(&self, call: &Call, context: &CallContext) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        self.wire.upgrade(call, context)
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        self.wire.sleep(millis)
    }
}

impl Runtime for RequestRuntime {
    fn now(&self) -> Timestamp {
        platform::now()
    }

    fn random(&self) -> [u8; 16] {
        platform::random()
    }

    fn keys(&self) -> &Keys {
        &self.keys
    }

    fn log_fault(&self, fault: &Fault) -> String {
        platform::log_fault(fault)
    }

    fn fetch_text(&self, url: &str, bytes_max: usize) -> LocalBoxFuture<'static, Result<String, Fault>> {
        Box::pin(web::fetch_text(url.to_owned(), bytes_max))
    }

    fn verify_signature(&self, algorithm: Algorithm, jwk: &str, message: &[u8], signature: &[u8]) -> LocalBoxFuture<'static, bool> {
        web::verify_signature(algorithm, jwk, message, signature)
    }
}

struct RequestHeaders(web_sys::Headers);

impl Headers for RequestHeaders {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).ok().flatten()
    }
}

#[event(fetch)]
async fn fetch(request: web_sys::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    console_error_panic_hook::set_once();
    let variables = platform::variables(&env);
    let keys = match platform::keys(&env) {
        Ok(keys) => keys,
        Err(fault) => return respond(not_configured(&fault)),
    };
    let runtime = RequestRuntime { wire: StubWire::new(env), keys };
    let memory = MEMORY.with(Rc::clone);
    let headers = RequestHeaders(request.headers());
    let body = read_body(&request, &headers).await?;
    let (outlet, opening) = Outlet::new();
    // The work owns all it needs: it may go on when this function has answered.
    let work = Box::pin(async move {
        let settings = match &variables.settings {
            Ok(settings) => settings,
            Err(fault) => return not_configured(fault),
        };
        let url = request.url();
        let (origin, path, query) = split(&url);
        let incoming = Request {
            method: request.method(),
            origin: origin.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: &headers,
            body,
        };
        let edge = Edge { runtime: &runtime, memory: &memory, settings, additions: &ADDITIONS };
        handle(edge, &incoming, &outlet).await
    });
    match begin(work, opening).await {
        Outgoing::Whole(response) => respond(response),
        Outgoing::Early(opened, work) if opened.is_detached => {
            context.wait_until(async move {
                work.await;
            });
            stream(&opened.head, opened.chunks)
        }
        Outgoing::Early(opened, work) => {
            let head = opened.head.clone();
            stream(&head, body_of(opened, work))
        }
    }
}

/// Without its secrets and with a variable that makes no sense the Worker serves nothing.
fn not_configured(fault: &Fault) -> Response {
    Response::text(500, format!("Not configured (incident {})", platform::log_fault(fault)))
}

/// An answer that has begun.
fn stream(head: &Response, chunks: impl Stream<Item = String> + 'static) -> worker::Result<web_sys::Response> {
    let bytes = chunks.map(|chunk| Ok(JsValue::from(js_sys::Uint8Array::from(chunk.as_bytes()))));
    let body = wasm_streams::ReadableStream::from_stream(bytes).into_raw();
    Ok(web_sys::Response::new_with_opt_readable_stream_and_init(Some(&body), &init(head)?)?)
}

/// Origin, path and query of an absolute URL; the runtime has normalized it.
fn split(url: &str) -> (&str, &str, &str) {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let path_at = url.get(after_scheme..).and_then(|rest| rest.find('/')).map_or(url.len(), |at| after_scheme + at);
    let (origin, rest) = url.split_at(path_at);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    (origin, path, query)
}

/// Reads the body chunk by chunk, so that one without a stated length cannot fill the memory.
async fn read_body(request: &web_sys::Request, headers: &RequestHeaders) -> Result<RequestBody, worker::Error> {
    let Some(stream) = request.body() else {
        return Ok(RequestBody::Bytes(Vec::new()));
    };
    match headers.get("content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) if length > BODY_BYTES_MAX => return Ok(RequestBody::TooLarge),
        // The runtime enforces a stated length, so the whole body can be taken at once.
        Some(_) => {
            let buffer = JsFuture::from(request.array_buffer()?).await?;
            return Ok(RequestBody::Bytes(js_sys::Uint8Array::new(&buffer).to_vec()));
        }
        None => {}
    }
    Ok(web::read_stream(&stream, BODY_BYTES_MAX).await?.map_or(RequestBody::TooLarge, RequestBody::Bytes))
}

fn respond(response: Response) -> worker::Result<web_sys::Response> {
    let init = init(&response)?;
    let text = match &response.body {
        ResponseBody::Empty => None,
        ResponseBody::Json(text) => Some(text.as_str()),
        ResponseBody::SharedJson(text) => Some(text.as_ref()),
        ResponseBody::Text(text) | ResponseBody::Html(text) => Some(text.as_ref()),
        ResponseBody::Socket(upgraded) => {
            if let Some(upgraded) = upgraded.0.downcast_ref::<web_sys::Response>() {
                let name = JsValue::from_str("webSocket");
                Reflect::set(&init, &name, &Reflect::get(upgraded, &name)?)?;
            }
            None
        }
        ResponseBody::Relayed(stream) => {
            let relayed = stream.0.downcast_ref::<web_sys::Response>().and_then(web_sys::Response::body);
            return Ok(web_sys::Response::new_with_opt_readable_stream_and_init(relayed.as_ref(), &init)?);
        }
    };
    Ok(web_sys::Response::new_with_opt_str_and_init(text, &init)?)
}

/// Status and headers.
fn init(response: &Response) -> worker::Result<web_sys::ResponseInit> {
    let init = web_sys::ResponseInit::new();
    init.set_status(response.status);
    let headers = web_sys::Headers::new()?;
    let media_type = match &response.body {
        ResponseBody::Empty | ResponseBody::Socket(_) => None,
        ResponseBody::Json(_) | ResponseBody::SharedJson(_) => Some("application/json"),
        ResponseBody::Text(_) => Some("text/plain; charset=utf-8"),
        ResponseBody::Html(_) => Some("text/html; charset=utf-8"),
        ResponseBody::Relayed(_) => Some("text/event-stream"),
    };
    if let Some(media_type) = media_type {
        headers.set("content-type", media_type)?;
    }
    for (name, value) in &response.headers {
        headers.set(name, value)?;
    }
    init.set_headers(&headers);
    Ok(init)
}
