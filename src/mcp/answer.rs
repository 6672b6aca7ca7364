//! A finished answer.
//!
//! Owns its forms. What is in it, `result` and `reply` write; how it travels, `response_stream` and the eras say.

use base::http::Relayed;

/// A finished answer to one request.
#[derive(Debug)]
pub enum Answer {
    /// The JSON-RPC response.
    Json(String),
    /// The same of `initialize`, with the id of the session that it began.
    Begun(String, String),
    /// A stream of another object, which answers.
    Stream(Relayed),
}
