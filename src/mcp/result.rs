//! Writing a result: one JSON text, once, field by field.
//!
//! Owns the envelope of an answer and what every modern result carries (`resultType`, `_meta`, caching). Text that is
//! JSON already, such as the tool list, is copied in and never parsed. Errors are `reply`'s.

use super::methods::Call;
use super::reply::{self, Problem};
use super::server::Implementation;
use crate::error::Fault;
use serde::Serialize;

/// How long and by whom a result may be kept (2026-07-28, caching). Legacy results do not say.
#[derive(Debug, Clone, Copy)]
pub struct Caching {
    /// `ttlMs`.
    pub ttl_ms: u32,
    /// `cacheScope`: `public` or `private`.
    pub scope: &'static str,
}

/// A finished answer to one request.
#[derive(Debug)]
pub struct Answer {
    /// The JSON-RPC response.
    pub json: String,
    /// The session that `initialize` began.
    pub session_id: Option<String>,
}

/// A result under way.
pub struct ResultWriter<'a> {
    call: &'a Call<'a>,
    json: Vec<u8>,
    has_fields: bool,
    fault: Option<Fault>,
}

#[derive(Serialize)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/serverInfo")]
    server_info: &'a Implementation,
}

impl<'a> ResultWriter<'a> {
    /// Begins the answer to `call`. `bytes` is a guess at the size of the result.
    #[must_use]
    pub fn open(call: &'a Call<'a>, bytes: usize) -> Self {
        let mut json = Vec::with_capacity(bytes + 320);
        json.extend_from_slice(br#"{"jsonrpc":"2.0","id":"#);
        json.extend_from_slice(call.id.as_json().as_bytes());
        json.extend_from_slice(br#","result":{"#);
        let writer = Self { call, json, has_fields: false, fault: None };
        if call.revision.is_modern() { writer.json_field("resultType", r#""complete""#) } else { writer }
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

    /// Completes the answer.
    ///
    /// # Errors
    /// −32603 when a field could not be written.
    pub fn close(mut self) -> Result<Answer, Problem> {
        let server = self.call.server;
        if self.call.revision.is_modern() {
            self = self.field("_meta", &Meta { server_info: server.implementation() });
        }
        self.json.extend_from_slice(b"}}");
        if let Some(fault) = self.fault {
            return Err(reply::internal(server, &fault));
        }
        match String::from_utf8(self.json) {
            Ok(json) => Ok(Answer { json, session_id: None }),
            Err(error) => Err(reply::internal(server, &Fault::new("writing a result", error))),
        }
    }

    fn name(&mut self, name: &'static str) {
        if self.has_fields {
            self.json.push(b',');
        }
        self.has_fields = true;
        self.json.push(b'"');
        self.json.extend_from_slice(name.as_bytes());
        self.json.extend_from_slice(b"\":");
    }
}
