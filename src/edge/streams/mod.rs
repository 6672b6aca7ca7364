//! Responses that go on: dispatch orders and a town's feed as server-sent events, its status over a WebSocket.

pub(super) mod dispatch;
pub(super) mod event_stream;
pub(super) mod feed;
pub(super) mod status_socket;
