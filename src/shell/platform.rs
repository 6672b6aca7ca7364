//! Clock, random source, signing keys and log.
//!
//! Owns reading them from the runtime as plain values.

use base::error::Fault;
use base::time::Timestamp;
use gastown_mcp::auth::Keys;
use gastown_mcp::auth::keys::{GASTOWN_JWT_SECRET, NEXTAUTH_SECRET};
use gastown_mcp::contract::ids::BeadId;
use gastown_mcp::edge::Settings;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use worker::Env;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = getRandomValues, catch)]
    fn get_random_values(buffer: &mut [u8]) -> Result<JsValue, JsValue>;
}

/// The variables of `wrangler.toml`, read once per isolate.
pub(super) struct Variables {
    pub(super) settings: Result<Settings, Fault>,
    /// Where objects are placed: one region for a town, its rigs and its sessions. Empty: nowhere in particular.
    pub(super) location_hint: String,
}

thread_local! {
    static VARIABLES: RefCell<Option<Rc<Variables>>> = const { RefCell::new(None) };
    static KEYS: RefCell<Option<Rc<Keys>>> = const { RefCell::new(None) };
}

/// The current time. It stands still while code runs, as the runtime wants it.
pub(super) fn now() -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit a 53-bit integer")]
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

/// Sixteen bytes from the platform's cryptographic source.
pub(super) fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    // The call fails only for buffers over 64 KiB.
    let _filled = get_random_values(&mut bytes);
    bytes
}

/// The signing keys, made once per isolate.
pub(super) fn keys(env: &Env) -> Result<Rc<Keys>, Fault> {
    if let Some(keys) = KEYS.with_borrow(Option::clone) {
        return Ok(keys);
    }
    let secret = |name: &str| env.secret(name).ok().map(|secret| secret.to_string());
    let keys = Rc::new(Keys::new(secret(NEXTAUTH_SECRET).as_deref(), secret(GASTOWN_JWT_SECRET).as_deref()).map_err(Fault::from)?);
    KEYS.set(Some(Rc::clone(&keys)));
    Ok(keys)
}

/// See `Variables`. One that is not set is empty.
pub(super) fn variables(env: &Env) -> Rc<Variables> {
    if let Some(variables) = VARIABLES.with_borrow(Option::clone) {
        return variables;
    }
    let read = |name: &str| env.var(name).map(|value| value.to_string()).unwrap_or_default();
    let variables = Rc::new(Variables { settings: Settings::read(read), location_hint: read("LOCATION_HINT") });
    VARIABLES.set(Some(Rc::clone(&variables)));
    variables
}

/// Logs a fault in full and returns the id to show instead. A fault that was logged before keeps its id.
pub(super) fn log_fault(fault: &Fault) -> String {
    if let Some(incident) = fault.incident() {
        return incident.to_owned();
    }
    let incident = BeadId::from_random(random()).prefix().to_owned();
    worker::console_error!("{{\"incident\":\"{incident}\",\"fault\":{}}}", serde_json::Value::from(fault.log_text()));
    incident
}
