//! One call's line to its client: what is sent before the answer, and how the call is stopped.
//!
//! Owns when an answer becomes a stream, and that everything on a legacy stream is kept before it is sent. A call that
//! sends nothing and is done soon is answered as plain JSON and costs none of this. What a call may send is `client_impl`'s.

use crate::client::{ClientCapability, LogLevel};
use crate::message::RequestId;
use crate::multi_round::Inputs;
use crate::problem::Problem;
use crate::reply::{JsonRpcResponse, error_json, error_response};
use crate::revision::Revision;
use crate::server::Server;
use crate::session::Session;
use crate::session_types::{Appended, InputResponses};
use base::http::body_sink::Outlet;
use base::http::{Headers, Relayed, Response, ResponseBody};
use base::sse;
use base64ct::{Base64UrlUnpadded, Encoding};
use futures::future::LocalBoxFuture;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::cell::{Cell, OnceCell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// How often a client that may have left is looked after. A stream whose client is gone is dropped with the next
/// comment, and the work with it.
const TICK_MILLIS: u32 = 500;

/// A stream is never silent for longer than this.
const SILENCE_TICKS_MAX: u32 = 15_000 / TICK_MILLIS;

/// A legacy call that lasts longer than this is answered as a stream, so that nothing on the way gives it up.
const PLAIN_TICKS_MAX: u32 = 10_000 / TICK_MILLIS;

/// How long one look for a cancellation lasts.
const HEAR_MILLIS: u32 = 20_000;

/// What differs between the eras.
pub enum Era<'a> {
    /// Everything is in the request.
    Modern {
        /// The `ClientCapabilities` object.
        capabilities: &'a RawValue,
    },
    /// The rest is in the session.
    Legacy {
        /// The session that the request names.
        session: &'a Session,
        /// JSON text of the request's id.
        request: &'a str,
    },
    /// There is no session yet.
    Beginning,
}

/// See the module.
pub struct Channel<'a> {
    pub(super) server: &'a dyn Server,
    pub(super) revision: Revision,
    pub(super) era: Era<'a>,
    /// `None` for a client that takes no streams.
    pub(super) outlet: Option<&'a Outlet>,
    pub(super) progress_token: Option<&'a RawValue>,
    pub(super) progress_done: Cell<Option<f64>>,
    /// What the client wants to hear; asked for once in the legacy era.
    pub(super) log_level: OnceCell<Option<LogLevel>>,
    pub(super) inputs: Inputs,
    /// What was asked in this run.
    pub(super) questions: RefCell<Map<String, Value>>,
    pub(super) is_task: bool,
    pub(super) is_cancellable: Cell<bool>,
    /// The call noticed by itself that its client cancelled it.
    pub(super) is_cancelled: Cell<bool>,
    /// Name of the legacy stream, once it is open.
    pub(super) stream: OnceCell<String>,
    is_open: Cell<bool>,
    /// The work is opening the stream just now.
    is_opening: Cell<bool>,
    /// The client is connected elsewhere, or not at all: messages are kept but not sent.
    pub(super) is_away: Cell<bool>,
}

enum Event<T> {
    Done(T),
    Cancelled,
    Tick,
}

/// Whether the client takes a stream. A client that says nothing gets JSON.
#[must_use]
pub fn takes_streams(headers: &dyn Headers) -> bool {
    headers.get("accept").is_some_and(|accept| accept.contains("text/event-stream") || accept.contains("*/*"))
}

/// The head of a streamed answer.
fn head() -> Response {
    unbuffered(Response::empty(200).header("content-type", "text/event-stream"))
}

/// A stream that another object writes, as an answer.
#[must_use]
pub fn relay(stream: Relayed) -> Response {
    unbuffered(Response { status: 200, headers: Vec::new(), body: ResponseBody::Relayed(stream) })
}

/// Nothing on the way may keep events back (2026-07-28, streamable HTTP, server-sent events).
fn unbuffered(response: Response) -> Response {
    response.header("cache-control", "no-cache").header("x-accel-buffering", "no")
}

impl<'a> Channel<'a> {
    /// A channel on which nothing has been sent.
    #[must_use]
    pub fn new(server: &'a dyn Server, revision: Revision, era: Era<'a>, outlet: Option<&'a Outlet>) -> Self {
        Self {
            server,
            revision,
            era,
            outlet,
            progress_token: None,
            progress_done: Cell::new(None),
            log_level: OnceCell::new(),
            inputs: Inputs::default(),
            questions: RefCell::default(),
            is_task: false,
            is_cancellable: Cell::new(false),
            is_cancelled: Cell::new(false),
            stream: OnceCell::new(),
            is_open: Cell::new(false),
            is_opening: Cell::new(false),
            is_away: Cell::new(false),
        }
    }

    /// The same client, for a run of the call as a task: it is told nothing on the way, and has answered this much.
    #[must_use]
    pub fn of_task(&self, answers: InputResponses) -> Channel<'_> {
        let era = match &self.era {
            Era::Modern { capabilities } => Era::Modern { capabilities },
            Era::Legacy { .. } | Era::Beginning => Era::Beginning,
        };
        let inputs = Inputs { answers, round: None };
        Channel { inputs, is_task: true, ..Channel::new(self.server, self.revision, era, None) }
    }

    /// Whether the client declared it.
    #[must_use]
    pub fn declares(&self, capability: ClientCapability) -> bool {
        match &self.era {
            Era::Modern { capabilities } => declared(capabilities).contains(&capability),
            // The extension's methods are of the stateless era: who is in a session could not ask for a task.
            Era::Legacy { session, .. } => capability != ClientCapability::Tasks && session.capabilities.contains(&capability),
            Era::Beginning => false,
        }
    }

    /// Runs the work of the call to its end; `None` when the client cancelled it. Work that nobody waits for any more
    /// is dropped: in the modern era with its stream, in the legacy era when the client says so.
    pub async fn drive<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        let mut cancelled: Option<LocalBoxFuture<'_, ()>> = None;
        let mut ticks = 0;
        loop {
            // Most work is done at the first poll or soon after it: no timer is made before it has to wait.
            let mut tick: Option<LocalBoxFuture<'static, ()>> = None;
            let event = poll_fn(|cx| {
                if let Poll::Ready(done) = work.as_mut().poll(cx) {
                    return Poll::Ready(Event::Done(done));
                }
                if cancelled.as_mut().is_some_and(|cancelled| cancelled.as_mut().poll(cx).is_ready()) {
                    return Poll::Ready(Event::Cancelled);
                }
                tick.get_or_insert_with(|| self.server.sleep(TICK_MILLIS)).as_mut().poll(cx).map(|()| Event::Tick)
            });
            match event.await {
                Event::Done(done) => return Some(done).filter(|_| !self.is_cancelled.get()),
                Event::Cancelled => return None,
                Event::Tick => ticks += 1,
            }
            match &self.era {
                Era::Modern { .. } if self.is_cancellable.get() => self.comment().await,
                Era::Legacy { session, request } => {
                    if self.is_cancellable.get() && cancelled.is_none() {
                        cancelled = Some(Box::pin(self.cancelled(&session.key, request)));
                    }
                    let is_due = if self.is_open.get() { ticks % SILENCE_TICKS_MAX == 0 } else { ticks >= PLAIN_TICKS_MAX };
                    if is_due {
                        self.comment().await;
                    }
                }
                _ if ticks % SILENCE_TICKS_MAX == 0 && self.is_open.get() => self.comment().await,
                _ => {}
            }
        }
    }

    /// Resolves when the client cancels the call.
    async fn cancelled(&self, session: &str, request: &str) {
        loop {
            match self.server.session_store().await_replies(session, request, &[], HEAR_MILLIS).await {
                Ok(heard) if heard.is_cancelled => return,
                Ok(_) => {}
                Err(fault) => {
                    // The call goes on as if it could not be cancelled.
                    self.server.log_fault(&fault);
                    return std::future::pending().await;
                }
            }
        }
    }

    /// Shows that the call goes on: to its client, and to whoever may have resumed its stream.
    async fn comment(&self) {
        // The work waits to go on with that; a second stream would be opened beside it.
        if self.is_opening.get() {
            return;
        }
        if self.is_open.get() {
            self.append(Vec::new(), false).await;
        } else if !self.open().await {
            return;
        }
        if let Some(outlet) = self.outlet.filter(|_| !self.is_away.get()) {
            outlet.write(sse::COMMENT);
        }
    }

    /// Keeps messages on the stream of a legacy call before they are sent; `None` where nothing is kept. The client may
    /// have taken the stream over with another connection: then that one sends them, and this one ends.
    async fn append(&self, messages: Vec<String>, ends: bool) -> Option<Appended> {
        let (Era::Legacy { session, .. }, Some(stream)) = (&self.era, self.stream.get()) else { return None };
        match self.server.session_store().append(&session.key, stream, messages, ends).await {
            Ok(appended) => {
                if !appended.is_own {
                    self.close();
                }
                Some(appended)
            }
            Err(fault) => {
                self.server.log_fault(&fault);
                None
            }
        }
    }

    /// Makes the answer a stream. False when it cannot be one.
    pub(super) async fn open(&self) -> bool {
        let Some(outlet) = self.outlet else { return false };
        if self.is_open.get() {
            return true;
        }
        if let Era::Legacy { session, .. } = &self.era {
            let stream = Base64UrlUnpadded::encode_string(self.server.random().get(..9).unwrap_or_default()).replace('_', "~");
            self.is_opening.set(true);
            let begun = self.server.session_store().append(&session.key, &stream, Vec::new(), false).await;
            self.is_opening.set(false);
            if let Err(fault) = begun {
                self.server.log_fault(&fault);
                return false;
            }
            outlet.open(head(), true);
            if self.revision.has_primed_streams() {
                outlet.write(sse::priming(&sse::event_id(&stream, 0)));
            }
            // Nobody else sets it: a call sends one message at a time.
            let _unset = self.stream.set(stream);
        } else {
            outlet.open(head(), false);
        }
        self.is_open.set(true);
        true
    }

    /// Sends a message ahead of the answer. Nothing is sent to a client that takes no streams.
    pub async fn send(&self, message: String) {
        if self.open().await {
            self.write(message, false).await;
        }
    }

    /// Gives the answer: on the stream if there is one, and back to the caller if there is none.
    async fn finish(&self, answer: String) -> Option<String> {
        if !self.is_open.get() {
            return Some(answer);
        }
        self.write(answer, true).await;
        self.close();
        None
    }

    /// Ends the stream without an answer: a cancelled call gets none. Whoever resumes it finds that it has ended.
    async fn abandon(&self) {
        self.append(Vec::new(), true).await;
        self.close();
    }

    /// The HTTP response to a request: its answer, unless that went out on the stream. A call that was cancelled has no
    /// outcome.
    pub async fn respond(&self, id: RequestId<'_>, outcome: Option<Result<JsonRpcResponse, Problem>>) -> Response {
        let is_modern = self.revision.is_modern();
        let answered = match outcome {
            Some(Ok(JsonRpcResponse::Json(json) | JsonRpcResponse::Initialized(json, _))) => {
                self.finish(json).await.map(|json| Response::json(200, json))
            }
            Some(Ok(JsonRpcResponse::Stream(stream))) => Some(relay(stream)),
            Some(Err(problem)) if self.is_open.get() => {
                self.finish(error_json(is_modern, Some(id), &problem)).await;
                None
            }
            Some(Err(problem)) => Some(error_response(is_modern, Some(id), &problem)),
            None => {
                self.abandon().await;
                None
            }
        };
        answered.unwrap_or_else(|| Response::empty(202))
    }

    pub(super) fn close(&self) {
        self.is_away.set(true);
        if let Some(outlet) = self.outlet {
            outlet.close();
        }
    }

    async fn write(&self, message: String, ends: bool) {
        let Some(outlet) = self.outlet else { return };
        // What could not be kept is sent all the same: it cannot be resumed from, but it arrives.
        match (self.append(vec![message.clone()], ends).await, self.stream.get()) {
            (Some(appended), Some(stream)) => {
                if !self.is_away.get() {
                    outlet.write(sse::event(Some(&sse::event_id(stream, appended.number)), &message));
                }
            }
            _ => outlet.write(sse::event(None, &message)),
        }
    }
}

/// What `ClientCapabilities` declare. `elicitation: {}` means forms.
#[must_use]
pub fn declared(capabilities: &RawValue) -> Vec<ClientCapability> {
    let Ok(Value::Object(capabilities)) = serde_json::from_str(capabilities.get()) else { return Vec::new() };
    let has = |name: &str| capabilities.get(name).is_some_and(Value::is_object);
    let elicits = |mode: &str| capabilities.get("elicitation").and_then(|elicitation| elicitation.get(mode)).is_some();
    let extends = |name: &str| capabilities.get("extensions").and_then(|extensions| extensions.get(name)).is_some_and(Value::is_object);
    ClientCapability::ALL
        .into_iter()
        .filter(|capability| match capability {
            ClientCapability::Elicitation => has("elicitation") && (elicits("form") || !elicits("url")),
            ClientCapability::UrlElicitation => elicits("url"),
            ClientCapability::Sampling => has("sampling"),
            ClientCapability::Roots => has("roots"),
            ClientCapability::Tasks => extends("io.modelcontextprotocol/tasks"),
        })
        .collect()
}
