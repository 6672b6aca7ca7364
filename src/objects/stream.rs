//! Drives a stream of one object: reads from its core, piece by piece.
//!
//! Owns when a reader looks again and that no stream is silent for long. The core owns the content.

use crate::objects::handler::{Answer, Cx, Next, Position};
use crate::objects::handlers::core;
use crate::objects::host::{Host, broke};
use crate::objects::object::{answer, follow_up};
use crate::objects::store::sql::transaction;
use crate::rpc::call::refusal_text;
use base::error::{Code, Failure, Fault, refuse};
use base::sse;
use futures::future::{Either, select};
use futures::stream::{LocalBoxStream, Stream, StreamExt as _, unfold};
use std::rc::Rc;

/// A stream is never silent for longer.
const SILENCE_MILLIS_MAX: u32 = 15_000;

/// Opens a stream; the error is a reply text, as of `call`.
pub async fn open<H: Host>(host: Rc<H>, method: &str, args: &str, context: &str) -> Result<LocalBoxStream<'static, String>, String> {
    match answer(&host, method, args, context).await {
        Ok(Answer::Stream(position)) => Ok(read(host, position).boxed_local()),
        Ok(_) => Err(broke(&*host, &Fault::new(method, "no stream"))),
        Err(Failure::Refused(refusal)) => Err(refusal_text(&refusal)),
        Err(Failure::Broke(fault)) => Err(broke(&*host, &fault)),
    }
}

/// The text of a stream, piece by piece. A comment goes out whenever there was nothing to send for a while.
fn read<H: Host>(host: Rc<H>, position: Position) -> impl Stream<Item = String> {
    unfold(Some((host, position)), async |reading| {
        let (host, mut position) = reading?;
        loop {
            let waiting = host.hints().waiting.begin(&position.stream);
            let next = match read_on(&host, &position).await {
                Ok(next) => next,
                Err(failure) => {
                    crate::objects::outbox_delivery::log(&*host, "read a stream", &failure);
                    return None;
                }
            };
            position.after = next.after;
            let text = std::mem::take(&mut position.prelude) + &next.text;
            if next.ends {
                return (!text.is_empty()).then_some((text, None));
            }
            if !text.is_empty() {
                return Some((text, Some((host, position))));
            }
            let silence = u32::try_from(next.until.since(host.now())).unwrap_or(SILENCE_MILLIS_MAX).min(SILENCE_MILLIS_MAX);
            if let Either::Right(_) = select(waiting, host.wire().sleep(silence)).await
                && silence == SILENCE_MILLIS_MAX
            {
                return Some((sse::COMMENT.to_owned(), Some((host, position))));
            }
        }
    })
}

async fn read_on<H: Host>(host: &Rc<H>, position: &Position) -> Result<Next, Failure> {
    let instance = host.instance().ok_or_else(|| refuse(Code::NotFound, "Not found"))?;
    if !host.hints().has_tables() {
        // The object ended, and with it everything that was on the stream.
        return Ok(Next { text: String::new(), after: position.after, ends: true, until: host.now() });
    }
    let read = core(instance.object()).read_stream.ok_or_else(|| Fault::new("read a stream", "this object has none"))?;
    let random = || host.random();
    let cx = Cx::new(host.sql(), host.now(), instance, &random);
    let next = transaction(cx.sql, || read(&cx, position))?;
    follow_up(host, &cx).await?;
    Ok(next)
}
