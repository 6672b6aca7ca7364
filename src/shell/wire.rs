//! The message layer: calls as RPC over Durable Object stubs.
//!
//! Owns which binding leads to which instance.

use super::platform::{Variables, variables};
use super::sql::describe;
use crate::error::Fault;
use crate::rpc::call::{Call, Context, Instance, Wire};
use futures::future::LocalBoxFuture;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use worker::{Delay, Env};

#[wasm_bindgen]
extern "C" {
    type Peer;

    #[wasm_bindgen(method, catch)]
    async fn call(this: &Peer, method: &str, args: &str, context: &str) -> Result<JsValue, JsValue>;
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

    fn sleep(&self, millis: u32) -> LocalBoxFuture<'static, ()> {
        Box::pin(Delay::from(Duration::from_millis(millis.into())))
    }
}
