//! Server-sent events as text (HTML, server-sent events; 2025-11-25, streamable HTTP, resumability).
//!
//! Owns the framing and the form of event ids. Writes nothing anywhere.

/// A comment: proves that the stream lives, and makes a client that left known.
pub const COMMENT: &str = ":\n\n";

/// How long a client waits before it connects again, in milliseconds.
pub const RETRY_MILLIS: u32 = 1_000;

/// An event. JSON text has no line breaks, so one data line is enough.
#[must_use]
pub fn event(id: Option<&str>, data: &str) -> String {
    match id {
        Some(id) => format!("id: {id}\ndata: {data}\n\n"),
        None => format!("data: {data}\n\n"),
    }
}

/// The event without data that a resumable stream begins with.
#[must_use]
pub fn priming(id: &str) -> String {
    format!("id: {id}\nretry: {RETRY_MILLIS}\ndata: \n\n")
}

/// The id of event `number` of a stream.
#[must_use]
pub fn event_id(stream: &str, number: i64) -> String {
    format!("{stream}_{number}")
}

/// No stream comes to this number. Above 2^53 the runtime's numbers are not exact.
const NUMBER_MAX: i64 = 1 << 52;

/// Reads an event id. What is none of ours is the name of a stream that does not exist.
#[must_use]
pub fn read_event_id(id: &str) -> (&str, i64) {
    match id.rsplit_once('_').and_then(|(stream, number)| Some((stream, number.parse::<i64>().ok()?))) {
        Some((stream, number)) if (0..NUMBER_MAX).contains(&number) => (stream, number),
        _ => (id, 0),
    }
}
