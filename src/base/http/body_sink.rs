//! Answering before the work is done: a response whose body is written piece by piece.
//!
//! Owns the hand-over between whoever does the work and whoever sends the bytes. Work that never opens the outlet
//! answers with an ordinary `Response`. Knows no format of what is written.

use super::Response;
use futures::channel::{mpsc, oneshot};
use futures::future::{Either, LocalBoxFuture, select};
use futures::stream::{Stream, StreamExt as _, poll_fn};
use std::borrow::Cow;
use std::cell::RefCell;
use std::task::Poll;

/// The end that the work writes to. One per request.
#[derive(Debug)]
pub struct Outlet {
    opening: RefCell<Option<oneshot::Sender<Opened>>>,
    chunks: RefCell<Option<mpsc::UnboundedSender<String>>>,
    headers: RefCell<Vec<(&'static str, Cow<'static, str>)>>,
}

/// A response that has begun.
#[derive(Debug)]
pub struct Opened {
    /// Status and headers; its body is empty.
    pub head: Response,
    /// Whether the work goes on when the client leaves.
    pub is_detached: bool,
    /// What is written, until the outlet is closed or dropped.
    pub chunks: mpsc::UnboundedReceiver<String>,
}

/// Waits for the outlet to be opened.
pub type Opening = oneshot::Receiver<Opened>;

/// What goes out.
pub enum Outgoing {
    /// All at once.
    Whole(Response),
    /// Piece by piece, while the work goes on.
    Early(Opened, LocalBoxFuture<'static, Response>),
}

impl Outlet {
    /// An outlet, and the end that hears of its opening.
    pub fn new() -> (Self, Opening) {
        let (sender, receiver) = oneshot::channel();
        (Self { opening: RefCell::new(Some(sender)), chunks: RefCell::default(), headers: RefCell::default() }, receiver)
    }

    /// Adds headers to the response, should it begin here.
    pub fn add_headers(&self, headers: Vec<(&'static str, Cow<'static, str>)>) {
        self.headers.borrow_mut().extend(headers);
    }

    /// Begins the response. Once only; later calls do nothing.
    pub fn open(&self, mut head: Response, is_detached: bool) {
        let Some(opening) = self.opening.take() else { return };
        let (sender, chunks) = mpsc::unbounded();
        self.chunks.replace(Some(sender));
        head.headers.extend(self.headers.take());
        // A receiver that is gone belongs to a client that is gone; then nothing written arrives either.
        let _unheard = opening.send(Opened { head, is_detached, chunks });
    }

    /// Writes a piece of the body. Nothing happens unless the outlet is open.
    pub fn write(&self, chunk: impl Into<String>) {
        if let Some(chunks) = self.chunks.borrow().as_ref() {
            let _gone = chunks.unbounded_send(chunk.into());
        }
    }

    /// Ends the body.
    pub fn close(&self) {
        self.chunks.take();
    }
}

/// Runs the work until it has answered or has begun to.
pub async fn begin(work: LocalBoxFuture<'static, Response>, opening: Opening) -> Outgoing {
    match select(work, opening).await {
        Either::Left((response, mut opening)) => match opening.try_recv() {
            // Opened and done in one go: the body is complete already.
            Ok(Some(opened)) => Outgoing::Early(opened, Box::pin(async { response })),
            _ => Outgoing::Whole(response),
        },
        Either::Right((Ok(opened), work)) => Outgoing::Early(opened, work),
        // The outlet was dropped unopened.
        Either::Right((Err(_), work)) => Outgoing::Whole(work.await),
    }
}

/// The body as a stream that also does the work: whoever drops it stops the work.
pub fn body(opened: Opened, work: LocalBoxFuture<'static, Response>) -> impl Stream<Item = String> {
    let mut chunks = opened.chunks;
    let mut work = Some(work);
    poll_fn(move |cx| {
        if let Some(running) = work.as_mut()
            && running.as_mut().poll(cx).is_ready()
        {
            work = None;
        }
        match chunks.poll_next_unpin(cx) {
            Poll::Pending if work.is_none() => Poll::Ready(None),
            polled => polled,
        }
    })
}
