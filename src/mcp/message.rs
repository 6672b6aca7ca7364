//! JSON-RPC 2.0 as the client writes it: bytes in, borrowed messages out.
//!
//! Owns what a well-formed envelope is. Knows no method, no era and no HTTP; responses are written by
//! `reply` and `result`.

use crate::problem::Problem;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Most messages in one batch.
pub const BATCH_MESSAGES_MAX: usize = 50;

/// A request's id, kept as the text the client wrote, because it is echoed verbatim. Always a string or a number of
/// integer value: `1.0` is an integer, `1.5` is not (2026-07-28, schema, `RequestId`).
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct RequestId<'a>(&'a RawValue);

/// One message.
#[derive(Debug, Clone)]
pub enum Message<'a> {
    /// Wants an answer.
    Request {
        /// Echoed in the answer.
        id: RequestId<'a>,
        /// Which method.
        method: Cow<'a, str>,
        /// Not looked at yet.
        params: Option<&'a RawValue>,
    },
    /// Wants none.
    Notification {
        /// Which method.
        method: Cow<'a, str>,
        /// Not looked at yet.
        params: Option<&'a RawValue>,
    },
    /// Answers a request of ours.
    Response {
        /// The id that we gave.
        id: RequestId<'a>,
        /// `result` or `error`.
        kind: &'static str,
        /// Its value.
        payload: &'a RawValue,
    },
}

/// Something that is not a message, with its id if that much could be read.
#[derive(Debug)]
pub struct Malformed<'a> {
    /// The id, when it is there and legal.
    pub id: Option<RequestId<'a>>,
    /// −32700 or −32600.
    pub problem: Problem,
}

/// What a body holds.
#[derive(Debug)]
pub enum Body<'a> {
    /// One message.
    Single(Message<'a>),
    /// An array. Its elements are read one by one, for each is answered on its own.
    Batch(Batch<'a>),
}

/// The elements of a batch, never more than `BATCH_MESSAGES_MAX` of them.
#[derive(Debug)]
pub struct Batch<'a> {
    /// The first elements.
    pub elements: Vec<&'a RawValue>,
    /// Whether there were more.
    pub is_too_long: bool,
}

/// The keys of an envelope, in any combination. A repeated key is an error here, since readers of JSON disagree on
/// which of the two counts.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    jsonrpc: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    method: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    params: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    error: Option<&'a RawValue>,
}

/// Reads a request body.
///
/// # Errors
/// −32700 for what is not JSON in UTF-8, −32600 for JSON that is not a message.
pub fn read_body(bytes: &[u8]) -> Result<Body<'_>, Malformed<'_>> {
    let text = std::str::from_utf8(bytes).map_err(|_| without_id(Problem::Parse("the body is not UTF-8")))?;
    if text.trim_start().starts_with('[') {
        let mut reader = serde_json::Deserializer::from_str(text);
        let batch = BatchSeed.deserialize(&mut reader).and_then(|batch| reader.end().map(|()| batch));
        return batch.map(Body::Batch).map_err(|_| without_id(Problem::Parse("the body is not JSON")));
    }
    read_message(text).map(Body::Single)
}

/// Reads one message.
///
/// # Errors
/// As `read_body`.
pub fn read_message(text: &str) -> Result<Message<'_>, Malformed<'_>> {
    let Some(envelope) = read_object::<Envelope<'_>>(text) else {
        // A second look, taken only on the way to an error, tells broken JSON from JSON of the wrong form.
        let problem = match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Problem::InvalidRequest("the body must be one JSON-RPC message, with no key repeated".into()),
            Err(_) => Problem::Parse("the body is not JSON"),
        };
        return Err(without_id(problem));
    };
    let id = envelope.id.map(RequestId::read);
    let legal_id = id.flatten();
    let malformed = |why: &'static str| Malformed { id: legal_id, problem: Problem::InvalidRequest(why.into()) };
    if envelope.jsonrpc.and_then(read_string).as_deref() != Some("2.0") {
        return Err(malformed("jsonrpc must be \"2.0\""));
    }
    if matches!(id, Some(None)) {
        return Err(malformed("id must be a string or an integer"));
    }
    match (envelope.method, legal_id, envelope.result, envelope.error) {
        (Some(method), id, None, None) => {
            let method = read_string(method).ok_or_else(|| malformed("method must be a string"))?;
            let params = envelope.params;
            Ok(match id {
                Some(id) => Message::Request { id, method, params },
                None => Message::Notification { method, params },
            })
        }
        (None, Some(id), Some(payload), None) => Ok(Message::Response { id, kind: "result", payload }),
        (None, Some(id), None, Some(payload)) => Ok(Message::Response { id, kind: "error", payload }),
        _ => Err(malformed("a message has a method, or an id with either result or error")),
    }
}

/// Reads an object into a struct; `None` for whatever else it is.
#[must_use]
pub fn read_object<'a, T: Deserialize<'a>>(text: &'a str) -> Option<T> {
    base::json::read_object(text).ok()
}

/// Reads a string, borrowed where it has no escapes.
#[must_use]
pub fn read_string(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(raw.get()).ok().map(|text| text.0)
}

/// Reads a number, by the rules of JSON; `None` when it is none, or too large to be one.
#[must_use]
pub fn read_number(text: &str) -> Option<f64> {
    // Not `str::parse`: serde_json reads numbers anyway, and the tables of a second reader are ten kilobytes of the Worker.
    serde_json::from_str(text).ok()
}

/// For a key whose presence counts: `null` is a value, not an absence.
///
/// # Errors
/// None of its own.
pub fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

const fn without_id<'a>(problem: Problem) -> Malformed<'a> {
    Malformed { id: None, problem }
}

impl<'a> RequestId<'a> {
    /// Reads an id; `None` for what is none.
    #[must_use]
    pub fn read(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        let is_legal = match text.as_bytes().first() {
            // Read, not only looked at: an escape that names no character must not be echoed.
            Some(b'"') => read_string(raw).is_some(),
            Some(b'-' | b'0'..=b'9') => read_number(text).is_some_and(|number| number.fract() == 0.0),
            _ => false,
        };
        is_legal.then_some(Self(raw))
    }

    /// The JSON text of the id.
    #[must_use]
    pub fn as_json(self) -> &'a str {
        self.0.get()
    }
}

/// Collects the elements of an array up to the limit and only counts the rest, so that a body full of commas costs
/// no memory.
struct BatchSeed;

impl<'de> DeserializeSeed<'de> for BatchSeed {
    type Value = Batch<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for BatchSeed {
    type Value = Batch<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a batch of messages")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Self::Value, A::Error> {
        let mut batch = Batch { elements: Vec::new(), is_too_long: false };
        while batch.elements.len() < BATCH_MESSAGES_MAX {
            match sequence.next_element()? {
                Some(element) => batch.elements.push(element),
                None => return Ok(batch),
            }
        }
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            batch.is_too_long = true;
        }
        Ok(batch)
    }
}
