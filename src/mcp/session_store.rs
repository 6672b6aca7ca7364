//! What the protocol keeps beyond a request, asked of whoever keeps it.
//!
//! Owns the trait. The product implements it over one object per town or principal; nothing here is reached by a call
//! that neither streams, subscribes, asks back, nor became a task.

use crate::client::{LogLevel, NotificationRoute};
use crate::session_types::{Appended, ClientReplies, OpenStream, SessionState, Task};
use base::error::Fault;
use base::http::Relayed;
use base::time::Timestamp;
use futures::future::LocalBoxFuture;

/// A future of an answer that may fail.
pub type StoreFuture<'a, T> = LocalBoxFuture<'a, Result<T, Fault>>;

/// See the module. `session` is the random part of a session id, 22 base64url characters, throughout.
pub trait SessionStore {
    /// A session was begun just now. Nothing need be kept but that it has not ended yet.
    fn begun(&self, session: &str);

    /// What is known of a session. Knowledge may be up to 30 s old.
    fn session<'a>(&'a self, session: &'a str) -> StoreFuture<'a, SessionState>;

    /// Ends a session for good, with its streams and subscriptions. Idempotent. Once `expires` has passed the id is
    /// worthless by itself.
    fn end<'a>(&'a self, session: &'a str, expires: Timestamp) -> StoreFuture<'a, ()>;

    /// Remembers from which level on a session wants log messages.
    fn set_log_level<'a>(&'a self, session: &'a str, level: LogLevel, expires: Timestamp) -> StoreFuture<'a, ()>;

    /// Appends messages to a stream of a session, making the stream with the first call. `ends`: nothing follows.
    fn append<'a>(&'a self, session: &'a str, stream: &'a str, messages: Vec<String>, ends: bool) -> StoreFuture<'a, Appended>;

    /// Opens a stream. Events that happen after this returns are on it. A stream that is not there any more is empty.
    fn open(&self, stream: OpenStream) -> StoreFuture<'_, Relayed>;

    /// Adds what a session hears of on its stream `stream`, under a name of its own.
    fn subscribe<'a>(&'a self, session: &'a str, name: &'a str, routes: Vec<NotificationRoute>) -> StoreFuture<'a, ()>;

    /// Takes it away again.
    fn unsubscribe<'a>(&'a self, session: &'a str, name: &'a str) -> StoreFuture<'a, ()>;

    /// A client has answered a request of ours.
    fn answered<'a>(&'a self, session: &'a str, id: &'a str, answer: String) -> StoreFuture<'a, ()>;

    /// A client has cancelled a call; `request` is the JSON text of its id.
    fn cancelled<'a>(&'a self, session: &'a str, request: &'a str) -> StoreFuture<'a, ()>;

    /// Waits at most `millis` until one of `ids` is answered or the call `request` is cancelled.
    fn await_replies<'a>(&'a self, session: &'a str, request: &'a str, ids: &'a [String], millis: u32) -> StoreFuture<'a, ClientReplies>;

    /// Uses something up; false when it was before. `expires`: nobody can use it after this.
    fn spend<'a>(&'a self, what: &'a str, expires: Timestamp) -> StoreFuture<'a, bool>;

    /// Keeps a task. What it waits for is heard from when this returns.
    fn create_task<'a>(&'a self, task: &'a Task) -> StoreFuture<'a, ()>;

    /// A task of this principal.
    fn task<'a>(&'a self, id: &'a str) -> StoreFuture<'a, Option<Task>>;

    /// Keeps a task as it is now; false when it has changed since `task.version`.
    fn save_task<'a>(&'a self, task: &'a Task) -> StoreFuture<'a, bool>;
}
