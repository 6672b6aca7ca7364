//! Rules that the edge's event streams share: when one is wanted, how it begins, and when it is over.
//!
//! Owns these rules. `feed` and `dispatch` own content and loop; MCP's streams belong to `mcp`.

use crate::edge::Authenticated;
use base::error::{Code, Failure};
use base::http::body_sink::Outlet;
use base::http::{Request, Response};
use base::sse;
use base::time::Timestamp;

/// A stream is never silent for longer.
pub(in crate::edge) const SILENCE_MILLIS_MAX: u32 = 15_000;
/// A stream ends after this; its client comes back.
const LIFE_MILLIS: i64 = 60 * 60 * 1_000;

/// Whether the client asks for events; others get one page.
pub(in crate::edge) fn is_wanted(request: &Request<'_>) -> bool {
    request.headers.get("accept").is_some_and(|accept| accept.contains("text/event-stream"))
}

/// The id of the last event that the client has, if it says.
pub(in crate::edge) fn last_event_id(request: &Request<'_>) -> Option<String> {
    request.headers.get("last-event-id").filter(|id| !id.is_empty())
}

/// Begins a stream.
pub(in crate::edge) fn open(outlet: &Outlet) {
    let head = Response::empty(200).header("content-type", "text/event-stream");
    outlet.open(head.header("cache-control", "no-cache").header("x-accel-buffering", "no"), false);
    outlet.write(format!("retry: {}\n\n", sse::RETRY_MILLIS));
}

/// When a stream that begins now is over: with its token, or after an hour.
pub(in crate::edge) fn ends_at(caller: &Authenticated<'_>) -> Timestamp {
    let life = caller.edge.runtime.now().plus_millis(LIFE_MILLIS);
    caller.principal().expires_at.map_or(life, |expires| expires.min(life))
}

/// Asking again would be answered the same.
pub(in crate::edge) fn is_final(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code != Code::Unavailable)
}
