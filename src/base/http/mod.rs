//! HTTP as values: the request a handler reads and the response it answers, with no runtime type in sight.
//!
//! Owns the two types and their small conveniences; `outlet` is for answers that begin before their work is done. Knows
//! no route, no protocol and no Worker.

pub mod body_sink;

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

/// Largest request body accepted, in bytes.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Reads one request header at a time, so that a header nobody asks for costs nothing.
pub trait Headers {
    /// The value of `name` (lower case); repeated headers arrive joined by `, `.
    fn get(&self, name: &str) -> Option<String>;
}

/// What the client sent after its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestBody {
    /// The whole body, at most `BODY_BYTES_MAX` bytes; empty when there is none.
    Bytes(Vec<u8>),
    /// More than `BODY_BYTES_MAX` bytes; reading stopped.
    TooLarge,
}

/// One HTTP request.
pub struct Request<'a> {
    /// Upper-case method.
    pub method: String,
    /// Scheme and authority of this deployment as the client named it: `https://host[:port]`, no trailing slash.
    pub origin: String,
    /// Path, percent-encoded as received.
    pub path: String,
    /// Query without the question mark; empty when there is none.
    pub query: String,
    /// Header look-up.
    pub headers: &'a dyn Headers,
    /// The body.
    pub body: RequestBody,
}

/// One HTTP response. `headers` names are lower case.
#[derive(Debug, Clone)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Headers beyond those that the shell adds for the body's type.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: ResponseBody,
}

/// What goes back. The media type follows from the variant.
#[derive(Debug, Clone)]
pub enum ResponseBody {
    /// Nothing.
    Empty,
    /// `application/json`.
    Json(String),
    /// `application/json`, prepared once and shared by many answers.
    SharedJson(Rc<str>),
    /// `text/plain; charset=utf-8`.
    Text(Cow<'static, str>),
    /// `text/html; charset=utf-8`.
    Html(Cow<'static, str>),
    /// A stream that another object writes, handed on as it is.
    Relayed(Relayed),
    /// A WebSocket that another object has accepted, handed on as it is; the status is 101.
    Socket(Relayed),
}

/// A stream of another object. What is in it only the runtime knows that opened it.
#[derive(Clone)]
pub struct Relayed(pub Rc<dyn Any>);

impl fmt::Debug for Relayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relayed(..)")
    }
}

impl Response {
    /// A response with no body.
    #[must_use]
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: ResponseBody::Empty }
    }

    /// A JSON response from text that is already JSON.
    #[must_use]
    pub const fn json(status: u16, json: String) -> Self {
        Self { status, headers: Vec::new(), body: ResponseBody::Json(json) }
    }

    /// A plain text response.
    #[must_use]
    pub fn text(status: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, headers: Vec::new(), body: ResponseBody::Text(text.into()) }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
