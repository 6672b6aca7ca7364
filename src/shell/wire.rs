//! The message layer: calls as RPC over Durable Object stubs.
//!
//! Owns which binding leads to which instance. Streams are opened by a request to the object, because its answer can be
//! handed on to a client as it is.

use super::platform::{Variables, variables};
use super::sql::describe;
use super::timer;
use futures::future::LocalBoxFuture;
use gastown_mcp::error::Fault;
use gastown_mcp::http::Relayed;
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
            let response: web_sys::Response = peer.fetch("http://object/", &init).await.map_err(failed)?.unchecked_into();
            if response.ok() {
                return Ok(Ok(Relayed(Rc::new(response))));
            }
            let text = JsFuture::from(response.text().map_err(failed)?).await.map_err(failed)?;
            Ok(Err(text.as_string().unwrap_or_default()))
        })
    }

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        timer::sleep(millis)
    }
}
