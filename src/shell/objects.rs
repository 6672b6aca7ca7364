//! The Durable Object classes.
//!
//! Owns the `Host` of an object and one class per binding. Each class answers `call(method, args, context)` with texts;
//! `entry.mjs` derives the contract's methods from the table that `methods()` prints.

use super::platform;
use super::sql::ObjectSql;
use super::wire::{CALL_HEADER, StubWire};
use base::error::Fault;
use base::time::Timestamp;
use futures::future::LocalBoxFuture;
use futures::stream::StreamExt as _;
use gastown_mcp::auth::Keys;
use gastown_mcp::contract::ids::{RigId, TownId};
use gastown_mcp::objects::host::{Hints, Host, Socket};
use gastown_mcp::objects::object;
use gastown_mcp::objects::socket;
use gastown_mcp::objects::store::sql::Sql;
use gastown_mcp::objects::stream;
use gastown_mcp::rpc::call::{Instance, Wire, incident_text};
use gastown_mcp::rpc::table::{METHODS, Object};
use serde_json::value::RawValue;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::{DurableObject, Env, Response, Result, State, WebSocket, WebSocketPair, WebSocketRequestResponsePair, durable_object};

/// The runtime of one object.
struct ObjectHost {
    state: State,
    instance: Option<Instance>,
    sql: ObjectSql,
    keys: Rc<Keys>,
    wire: StubWire,
    hints: Hints,
}

impl ObjectHost {
    fn new(state: State, env: Env, instance: impl Fn(String) -> Option<Instance>) -> Hosted {
        console_error_panic_hook::set_once();
        let keys = platform::keys(&env)?;
        let sql = ObjectSql::new(&state.storage());
        let instance = state.id().name().and_then(instance);
        Ok(Rc::new(Self { instance, sql, keys, wire: StubWire::new(env), hints: Hints::default(), state }))
    }
}

impl Host for ObjectHost {
    fn instance(&self) -> Option<&Instance> {
        self.instance.as_ref()
    }

    fn sql(&self) -> &dyn Sql {
        &self.sql
    }

    fn keys(&self) -> &Keys {
        &self.keys
    }

    fn now(&self) -> Timestamp {
        platform::now()
    }

    fn random(&self) -> [u8; 16] {
        platform::random()
    }

    fn wire(&self) -> &dyn Wire {
        &self.wire
    }

    fn alarm(&self) -> LocalBoxFuture<'_, std::result::Result<Option<Timestamp>, Fault>> {
        Box::pin(async {
            let at = self.state.storage().get_alarm().await.map_err(|error| Fault::new("get the alarm", error))?;
            Ok(at.map(Timestamp::from_millis))
        })
    }

    fn set_alarm(&self, at: Timestamp) -> LocalBoxFuture<'_, std::result::Result<(), Fault>> {
        Box::pin(async move {
            // The binding takes an offset for integers and a date for a point in time.
            #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a 53-bit integer")]
            let date = js_sys::Date::new(&JsValue::from_f64(at.millis() as f64));
            self.state.storage().set_alarm(worker::ScheduledTime::new(date)).await.map_err(|error| Fault::new("set the alarm", error))
        })
    }

    fn destroy(&self) -> LocalBoxFuture<'_, std::result::Result<(), Fault>> {
        Box::pin(async move {
            let storage = self.state.storage();
            storage.delete_alarm().await.map_err(|error| Fault::new("delete the alarm", error))?;
            storage.delete_all().await.map_err(|error| Fault::new("delete the storage", error))
        })
    }

    fn background(&self, work: LocalBoxFuture<'static, ()>) {
        self.state.wait_until(work);
    }

    fn sockets(&self) -> Vec<Box<dyn Socket>> {
        let open = self.state.as_raw().get_websockets().unwrap_or_default();
        open.into_iter().map(|socket| -> Box<dyn Socket> { Box::new(ObjectSocket(socket.into())) }).collect()
    }

    fn log_fault(&self, fault: &Fault) -> String {
        platform::log_fault(fault)
    }

    fn hints(&self) -> &Hints {
        &self.hints
    }
}

/// A connection that the runtime keeps while the object is out of memory; its end is attached to it.
struct ObjectSocket(WebSocket);

#[wasm_bindgen]
extern "C" {
    /// The attachment that the runtime keeps with a connection. A binding of its own: the binding's way through serde can also show numbers as text,
    /// and that alone is five kilobytes.
    type Attached;

    #[wasm_bindgen(method, catch, js_name = serializeAttachment)]
    fn attach(this: &Attached, value: f64) -> std::result::Result<(), JsValue>;

    #[wasm_bindgen(method, catch, js_name = deserializeAttachment)]
    fn attached(this: &Attached) -> std::result::Result<JsValue, JsValue>;
}

impl ObjectSocket {
    fn attachment(&self) -> &Attached {
        let socket: &web_sys::WebSocket = self.0.as_ref();
        socket.unchecked_ref()
    }
}

impl Socket for ObjectSocket {
    fn expires_at(&self) -> Timestamp {
        let millis = self.attachment().attached().ok().and_then(|millis| millis.as_f64());
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit a 53-bit integer")]
        Timestamp::from_millis(millis.unwrap_or_default() as i64)
    }

    fn send(&self, text: &str) {
        let _gone = self.0.send_with_str(text);
    }

    fn close(&self, code: u16, reason: &str) {
        let _gone = self.0.close(Some(code), Some(reason));
    }
}

/// The table rows of an object as JSON text `[[name, number of parameters], …]`.
fn methods_of(object: Object) -> String {
    let rows: Vec<(&str, usize)> =
        METHODS.iter().filter(|method| method.object == object).map(|method| (method.name, method.params.len())).collect();
    serde_json::to_string(&rows).unwrap_or_default()
}

/// An object's host, or the fault that prevents it.
type Hosted = std::result::Result<Rc<ObjectHost>, Fault>;

/// Answers a call. Boxed, so that five classes share one future.
fn answer(host: Hosted, method: String, args: String, context: String) -> LocalBoxFuture<'static, String> {
    Box::pin(async move {
        match host {
            Ok(host) => object::call(host, &method, &args, &context).await,
            Err(fault) => incident_text(&platform::log_fault(&fault)),
        }
    })
}

/// Answers a request, which opens a stream: method, arguments and context are the texts of its body. A refusal is a
/// reply text, as `call` gives it, with a status that is not 200.
fn open(host: Hosted, mut request: worker::Request) -> LocalBoxFuture<'static, Result<Response>> {
    Box::pin(async move {
        if let Some(call) = request.headers().get(CALL_HEADER)? {
            return accept(host, &call).await;
        }
        let body = request.text().await?;
        let Ok((method, args, context)) = serde_json::from_str::<(String, String, &RawValue)>(&body) else {
            return Response::error("Not found", 404);
        };
        let opened = match host {
            Ok(host) => stream::open(host, &method, &args, context.get()).await,
            Err(fault) => Err(incident_text(&platform::log_fault(&fault))),
        };
        match opened {
            Ok(stream) => Response::from_stream(stream.map(|text| Ok::<_, worker::Error>(text.into_bytes()))),
            Err(reply) => Response::error(reply, 409),
        }
    })
}

/// Answers a request for a WebSocket, which the runtime keeps from then on: method, arguments and context are in a header.
async fn accept(host: Hosted, call: &str) -> Result<Response> {
    let Ok((method, args, context)) = serde_json::from_str::<(String, String, &RawValue)>(call) else {
        return Response::error("Not found", 404);
    };
    let opened = match &host {
        Ok(host) => object::connect(Rc::clone(host), &method, &args, context.get()).await,
        Err(fault) => Err(incident_text(&platform::log_fault(fault))),
    };
    let (expires_at, first) = match opened {
        Ok(opened) => opened,
        Err(reply) => return Response::error(reply, 409),
    };
    let pair = WebSocketPair::new()?;
    if let Ok(host) = &host {
        let state = host.state.as_raw();
        state.accept_websocket(pair.server.as_ref())?;
        state.set_websocket_auto_response(&WebSocketRequestResponsePair::new(socket::PING, socket::PONG)?)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit a 53-bit integer")]
    ObjectSocket(pair.server.clone()).attachment().attach(expires_at.millis() as f64)?;
    pair.server.send_with_str(first)?;
    Response::from_websocket(pair.client)
}

/// The alarm rang. An error makes the runtime ring again.
fn ring(host: Hosted) -> LocalBoxFuture<'static, Result<Response>> {
    Box::pin(async move {
        let incident = |fault: Fault| worker::Error::RustError(format!("incident {}", platform::log_fault(&fault)));
        object::alarm(host.map_err(incident)?).await.map_err(incident)?;
        Response::empty()
    })
}

macro_rules! class {
    ($(#[$doc:meta])* $name:ident, $object:expr, $instance:expr) => {
        $(#[$doc])*
        #[durable_object(alarm)]
        pub struct $name {
            host: Hosted,
        }

        impl DurableObject for $name {
            fn new(state: State, env: Env) -> Self {
                Self { host: ObjectHost::new(state, env, $instance) }
            }

            async fn fetch(&self, request: worker::Request) -> Result<Response> {
                open(self.host.clone(), request).await
            }

            async fn alarm(&self) -> Result<Response> {
                ring(self.host.clone()).await
            }
        }

        #[wasm_bindgen]
        impl $name {
            /// Calls a method of the table: texts in, text out.
            #[wasm_bindgen(js_name = call)]
            pub async fn call(&self, method: String, args: String, context: String) -> String {
                answer(self.host.clone(), method, args, context).await
            }

            /// The methods of this class, for `entry.mjs`.
            #[wasm_bindgen(js_name = methods)]
            #[must_use]
            pub fn methods() -> String {
                methods_of($object)
            }
        }
    };
}

class!(
    /// The Durable Object class of a rig.
    RigDO,
    Object::Rig,
    |name| RigId::parse(&name).ok().map(Instance::Rig)
);
class!(
    /// The Durable Object class of a town.
    TownDO,
    Object::Town,
    |name| TownId::parse(&name).ok().map(Instance::Town)
);
#[expect(clippy::unused_self, reason = "the runtime calls them as methods")]
#[wasm_bindgen]
impl TownDO {
    /// A client wrote: a text, or bytes.
    #[wasm_bindgen(js_name = webSocketMessage)]
    pub fn web_socket_message(&self, socket: web_sys::WebSocket, message: &JsValue) {
        let units = message.dyn_ref::<js_sys::JsString>().map(js_sys::JsString::length);
        let bytes = units.or_else(|| message.dyn_ref::<js_sys::ArrayBuffer>().map(js_sys::ArrayBuffer::byte_length));
        socket::received(&ObjectSocket(socket.into()), bytes.map_or(usize::MAX, |bytes| bytes as usize));
    }

    /// A client is leaving: its goodbye is answered.
    #[wasm_bindgen(js_name = webSocketClose)]
    pub fn web_socket_close(&self, socket: web_sys::WebSocket) {
        ObjectSocket(socket.into()).close(1000, "");
    }

    /// A client is gone.
    #[wasm_bindgen(js_name = webSocketError)]
    pub fn web_socket_error(&self) {}
}

class!(
    /// One user's registry.
    GastownUserDO,
    Object::Registry,
    |name| Some(Instance::User(name))
);
class!(
    /// One organization's registry.
    GastownOrgDO,
    Object::Registry,
    |name| Some(Instance::Org(name))
);
class!(
    /// Protocol state of a town's or a principal's sessions.
    SessionDO,
    Object::Session,
    |name| Some(Instance::Session(name))
);
