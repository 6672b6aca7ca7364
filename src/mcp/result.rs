//! Writing a result: one JSON text, once, field by field.
//!
//! Owns the envelope of an answer and what every modern result carries (`resultType`, `_meta`, caching). Text that is
//! JSON already, such as the tool list, is copied in and never parsed. Errors are `reply`'s.

use crate::problem::Problem;
use crate::reply::{self, JsonRpcResponse};
use crate::request::RequestContext;
use crate::server::Implementation;
use crate::types::Caching;
use base::error::Fault;
use serde::Serialize;
use serde_json::{Map, Value};

/// A result under way.
pub struct ResultWriter<'a> {
    call: &'a RequestContext<'a>,
    json: Vec<u8>,
    has_fields: bool,
    fault: Option<Fault>,
    /// An entry of `_meta`: its key, and its value as JSON text.
    tag: Option<(&'static str, String)>,
}

impl<'a> ResultWriter<'a> {
    /// Begins the answer to `call`. `bytes` is a guess at the size of the result.
    #[must_use]
    pub fn open(call: &'a RequestContext<'a>, bytes: usize) -> Self {
        Self::begin(call, bytes).kind("complete")
    }

    /// The same for an answer that is not the last one: `input_required`, `task`.
    #[must_use]
    pub fn open_as(call: &'a RequestContext<'a>, kind: &'static str) -> Self {
        Self::begin(call, 512).kind(kind)
    }

    fn begin(call: &'a RequestContext<'a>, bytes: usize) -> Self {
        let mut json = Vec::with_capacity(bytes + 320);
        json.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        json.extend_from_slice(call.id.as_json().as_bytes());
        json.extend_from_slice(br#","result":{"#);
        Self { call, json, has_fields: false, fault: None, tag: None }
    }

    /// Says what kind of result this is, to clients that know of kinds.
    fn kind(self, kind: &'static str) -> Self {
        if self.call.revision.is_modern() { self.field("resultType", &kind) } else { self }
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: &impl Serialize) -> Self {
        self.name(name);
        if let Err(error) = serde_json::to_writer(&mut self.json, value) {
            self.fault.get_or_insert_with(|| Fault::new("writing a result", error));
        }
        self
    }

    /// Adds every field of an object.
    #[must_use]
    pub fn fields(mut self, object: &Map<String, Value>) -> Self {
        for (name, value) in object {
            self.name(name);
            self.json.extend_from_slice(value.to_string().as_bytes());
        }
        self
    }

    /// Adds a field whose value is JSON text already.
    #[must_use]
    pub fn json_field(mut self, name: &'static str, json: &str) -> Self {
        debug_assert!(serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok(), "not JSON: {json}");
        self.name(name);
        self.json.extend_from_slice(json.as_bytes());
        self
    }

    /// Says how the result may be cached, to clients that know of it.
    #[must_use]
    pub fn caching(self, caching: Caching) -> Self {
        if self.call.revision.is_modern() { self.field("ttlMs", &caching.ttl_ms).field("cacheScope", &caching.scope) } else { self }
    }

    /// Adds an entry to `_meta`.
    #[must_use]
    pub fn tagged(mut self, key: &'static str, value: &Value) -> Self {
        self.tag = Some((key, value.to_string()));
        self
    }

    /// Completes the answer.
    ///
    /// # Errors
    /// −32603 when a field could not be written.
    pub fn close(mut self) -> Result<JsonRpcResponse, Problem> {
        let server = self.call.server;
        if self.call.revision.is_modern() {
            let tag = self.tag.take().map(|(key, value)| format!("\"{key}\":{value},")).unwrap_or_default();
            self.name("_meta");
            self.json.push(b'{');
            self.json.extend_from_slice(tag.as_bytes());
            self = self.write_server_info(server.implementation());
        }
        self.json.extend_from_slice(b"}}");
        if let Some(fault) = self.fault {
            return Err(reply::internal(server, &fault));
        }
        match String::from_utf8(self.json) {
            Ok(json) => Ok(JsonRpcResponse::Json(json)),
            Err(error) => Err(reply::internal(server, &Fault::new("writing a result", error))),
        }
    }

    fn write_server_info(mut self, implementation: &Implementation) -> Self {
        self.json.extend_from_slice(br#""io.modelcontextprotocol/serverInfo":"#);
        if let Err(error) = serde_json::to_writer(&mut self.json, implementation) {
            self.fault.get_or_insert_with(|| Fault::new("writing a result", error));
        }
        self.json.push(b'}');
        self
    }

    fn name(&mut self, name: &str) {
        if self.has_fields {
            self.json.push(b',');
        }
        self.has_fields = true;
        self.json.push(b'"');
        self.json.extend_from_slice(name.as_bytes());
        self.json.extend_from_slice(b"\":");
    }
}
