//! The message layer: calls as RPC over Durable Object stubs.
//!
//! Owns which binding leads to which instance. Streams are opened by a request to the object, because its answer can be
//! handed on to a client as it is.

use super::platform::{Variables, variables};
use super::sql::describe;
use super::timer;
use base::error::Fault;
use base::http::Relayed;
use futures::future::LocalBoxFuture;
use gastown_mcp::rpc::call::{Call, Context, Instance, Wire};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

#[wasm_bindgen]
extern "C" {
    type Peer;

    #[wasm_bindgen(method, catch)]
    async fn call(this: &Peer, method: &str, args: &str, context: &str) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(method, catch)]
    async fn fetch(this: &Peer, url: &str, init: &web_sys::RequestInit) -> Result<JsValue, JsValue>;
}

/// In a request for an upgrade: method, arguments and context, as the body of a request for a stream has them.
pub(super) const CALL_HEADER: &str = "x-gastown-call";

/// The response when its status is the one that was asked for, else its text.
async fn answered(
    response: Result<JsValue, JsValue>,
    failed: impl Fn(JsValue) -> Fault,
    wanted: u16,
) -> Result<Result<Relayed, String>, Fault> {
    let response: web_sys::Response = response.map_err(&failed)?.unchecked_into();
    if response.status() == wanted {
        return Ok(Ok(Relayed(Rc::new(response))));
    }
    let text = JsFuture::from(response.text().map_err(&failed)?).await.map_err(&failed)?;
    Ok(Err(text.as_string().unwrap_or_default()))
}

/// Stubs of the bindings in `wrangler.toml`.
pub(super) struct StubWire {
    env: Env,
    variables: Rc<Variables>,
}

impl StubWire {
    pub(super) fn new(env: Env) -> Self {
        let variables = variables(&env);
        Self { env, variables }
    }

    fn peer(&self, instance: &Instance) -> Result<Peer, worker::Error> {
        let binding = match instance {
            Instance::Rig(_) => "RIG",
            Instance::Town(_) => "TOWN",
            Instance::User(_) => "GASTOWN_USER",
            Instance::Org(_) => "GASTOWN_ORG",
            Instance::Session(_) => "SESSION",
        };
        let namespace = self.env.durable_object(binding)?;
        let stub = match self.variables.location_hint.as_str() {
            "" => namespace.get_by_name(instance.name())?,
            hint => namespace.get_by_name_with_location_hint(instance.name(), hint)?,
        };
        Ok(stub.into_rpc())
    }
}

impl Wire for StubWire {
    fn send(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<String, Fault>> {
        let peer = self.peer(&call.instance);
        let (method, args) = (call.method.name, call.args.clone());
        let context = serde_json::to_string(context);
        Box::pin(async move {
            let peer = peer.map_err(|error| Fault::new(method, error))?;
            let context = context.map_err(|error| Fault::new(method, error))?;
            let reply = peer.call(method, &args, &context).await.map_err(|error| Fault::new(method, describe(&error)))?;
            reply.as_string().ok_or_else(|| Fault::new(method, "the reply is no text"))
        })
    }

    fn open(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        let peer = self.peer(&call.instance);
        let method = call.method.name;
        let body = serde_json::to_string(&(method, &call.args, context));
        Box::pin(async move {
            let peer = peer.map_err(|error| Fault::new(method, error))?;
            let failed = |error: JsValue| Fault::new(method, describe(&error));
            let init = web_sys::RequestInit::new();
            init.set_method("POST");
            init.set_body(&JsValue::from(body.map_err(|error| Fault::new(method, error))?));
            answered(peer.fetch("http://object/", &init).await, failed, 200).await
        })
    }

    fn upgrade(&self, call: &Call, context: &Context) -> LocalBoxFuture<'static, Result<Result<Relayed, String>, Fault>> {
        let peer = self.peer(&call.instance);
        let method = call.method.name;
        let body = serde_json::to_string(&(method, &call.args, context));
        Box::pin(async move {
            let peer = peer.map_err(|error| Fault::new(method, error))?;
            let failed = |error: JsValue| Fault::new(method, describe(&error));
            // A request for an upgrade has no body.
            let headers = web_sys::Headers::new().map_err(failed)?;
            headers.set("upgrade", "websocket").map_err(failed)?;
            headers.set(CALL_HEADER, &body.map_err(|error| Fault::new(method, error))?).map_err(failed)?;
            let init = web_sys::RequestInit::new();
            init.set_headers(&headers);
            answered(peer.fetch("http://object/", &init).await, failed, 101).await
        })
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        timer::sleep(millis)
    }
}
