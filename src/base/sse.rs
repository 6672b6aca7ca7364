//! Server-sent events as text (HTML, server-sent events; 2025-11-25, streamable HTTP, resumability).
//!
//! Owns the framing and the form of event ids. Writes nothing anywhere.

/// A comment: proves that the stream lives, and makes a client that left known.
pub const COMMENT: &str = ":\n\n";

/// How long a client waits before it connects again, in milliseconds.
pub const RETRY_MILLIS: u32 = 1_000;

/// An event. A line break between JSON tokens, as a client may have written them, begins a data line of its own: the
/// reader joins them again.
#[must_use]
pub fn event(id: Option<&str>, data: &str) -> String {
    let lines = data.replace("\r\n", "\n").replace(['\n', '\r'], "\ndata: ");
    match id {
        Some(id) => format!("id: {id}\ndata: {lines}\n\n"),
        None => format!("data: {lines}\n\n"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_block_whatever_is_in_it() {
        assert_eq!(event(None, "{}"), "data: {}\n\n");
        assert_eq!(event(Some("get_7"), "{}"), "id: get_7\ndata: {}\n\n");
        assert_eq!(event(None, "{\n\r\n \"a\":\r1}"), "data: {\ndata: \ndata:  \"a\":\ndata: 1}\n\n");
        assert_eq!(priming("get_0"), "id: get_0\nretry: 1000\ndata: \n\n");
    }

    #[test]
    fn event_ids_name_stream_and_place() {
        assert_eq!(read_event_id(&event_id("get", 7)), ("get", 7));
        assert_eq!(read_event_id("a_b_12"), ("a_b", 12));
        for strange in ["", "7", "get", "get_", "get_x", "get_99999999999999999999", "_"] {
            assert_eq!(read_event_id(strange).1, 0, "{strange}");
        }
    }
}
