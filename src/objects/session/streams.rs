//! Streams: messages are kept before they are sent, and read by one connection at a time.
//!
//! Owns `streams` and `events`: their numbers, bounds, and what a connection reads. The edge
//! appends a call's own messages, `subscriptions` appends changes.

use super::{clean_up_later, delivery, subscriptions};
use crate::objects::handler::{Answer, Caller, Cx, Next, Position, json};
use crate::objects::store::sql::{execute, query, query_one, scalar};
use base::error::{Code, Failure, Refusal};
use base::sse;
use base::time::Timestamp;
use mcp::session_types::{Appended, OpenStream};

/// Events kept of one stream at most; older ones can no longer be resumed from.
const EVENTS_MAX: i64 = 64;
/// Bytes kept of one stream at most.
const BYTES_MAX: i64 = 2 * 1024 * 1024;
/// A message larger than this is sent but not kept.
const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// Streams of one object at most.
const STREAMS_MAX: i64 = 1_000;
/// Events read at once.
const READ_MAX: i64 = 32;
/// How long a stream of a session waits for its client to come back.
pub(super) const AWAY_MILLIS: i64 = 5 * 60 * 1000;
/// How long a stream without a session outlives its connection: it is renewed while it is read.
const UNREAD_MILLIS: i64 = 60 * 1000;

/// The stream's key in the tables.
pub(super) fn key(session: Option<&str>, stream: &str) -> String {
    session.map_or_else(|| stream.to_owned(), |session| format!("{session}/{stream}"))
}

/// `appendEvents`: messages of a call, in order. Says whether the connection that began the stream still sends them.
pub(crate) fn append_events(
    cx: &Cx<'_>,
    _caller: &Caller,
    (session, stream, messages, ends): (String, String, Vec<String>, bool),
) -> Result<Answer, Failure> {
    let key = key(Some(&session), &stream);
    check_room(cx, &key)?;
    let (generation, last): (i64, i64) = query_one(
        cx.sql,
        "-- streams_begin\nINSERT INTO streams (stream, kind, session, generation, last, sent, has_ended, closes_at, expires_at)
         VALUES (?1, 'call', ?2, 0, 0, 0, ?3, ?4, ?4)
         ON CONFLICT (stream) DO UPDATE SET has_ended = MAX(has_ended, ?3), expires_at = ?4 RETURNING generation, last",
        (&key, &session, i64::from(ends), cx.now.plus_millis(AWAY_MILLIS).millis()),
    )?
    .unwrap_or_default();
    let mut number = last;
    for message in &messages {
        number += 1;
        keep(cx, &key, number, message)?;
    }
    set_last(cx, &key, number)?;
    clean_up_later(cx);
    json(&Appended { number, is_own: generation == 0 })
}

/// Room for one more, unless it is there already.
fn check_room(cx: &Cx<'_>, key: &str) -> Result<(), Failure> {
    let statement = "-- streams_count\nSELECT COUNT(*) FROM streams WHERE NOT EXISTS (SELECT 1 FROM streams WHERE stream = ?)";
    let count = || scalar::<i64>(cx.sql, statement, (key,));
    if count()? < STREAMS_MAX {
        return Ok(());
    }
    // The alarm comes every few minutes only, and connections may come and go faster.
    forget_expired(cx)?;
    if count()? < STREAMS_MAX {
        return Ok(());
    }
    let refusal = Refusal::new(Code::Unavailable, format!("There are {STREAMS_MAX} open streams already"));
    Err(refusal.hint("Close some; those without a client are forgotten within minutes.").into())
}

/// Appends a message that belongs to no call; returns its number.
pub(super) fn append(cx: &Cx<'_>, stream: &str, message: &str) -> Result<i64, Failure> {
    let last: i64 = scalar(cx.sql, "-- streams_last\nSELECT last FROM streams WHERE stream = ?", (stream,))?;
    keep(cx, stream, last + 1, message)?;
    set_last(cx, stream, last + 1)?;
    Ok(last + 1)
}

fn keep(cx: &Cx<'_>, stream: &str, number: i64, message: &str) -> Result<(), Failure> {
    if message.len() > EVENT_BYTES_MAX {
        return Ok(());
    }
    let bytes = i64::try_from(message.len()).unwrap_or(i64::MAX);
    execute(
        cx.sql,
        "-- events_keep\nINSERT INTO events (stream, number, bytes, data) VALUES (?, ?, ?, ?)",
        (stream, number, bytes, message),
    )?;
    execute(
        cx.sql,
        "-- events_bound\nDELETE FROM events WHERE stream = ?1 AND number <= (
           SELECT MAX(number) FROM (
             SELECT number, ROW_NUMBER() OVER (ORDER BY number DESC) AS place, SUM(bytes) OVER (ORDER BY number DESC) AS total
             FROM events WHERE stream = ?1
           ) WHERE place > ?2 OR total > ?3
         )",
        (stream, EVENTS_MAX, BYTES_MAX),
    )?;
    Ok(())
}

fn set_last(cx: &Cx<'_>, stream: &str, last: i64) -> Result<(), Failure> {
    execute(cx.sql, "-- streams_set_last\nUPDATE streams SET last = ? WHERE stream = ?", (last, stream))?;
    cx.wake(stream.to_owned());
    Ok(())
}

/// `openStream`: the newest connection reads the stream, an older one ends. A call's stream that is not there any more
/// is over at once.
pub(crate) fn open_stream(cx: &Cx<'_>, _caller: &Caller, (open,): (OpenStream,)) -> Result<Answer, Failure> {
    let key = key(open.session.as_deref(), &open.stream);
    let known: Option<(i64, i64, i64)> =
        query_one(cx.sql, "-- streams_find\nSELECT generation, sent, last FROM streams WHERE stream = ?", (&key,))?;
    let is_lost = known.is_none() && !open.begins;
    // Without a row the reader finds that the stream is over. An event that this stream does
    // not have yet is of an earlier one of the same name, of which nothing on this one was sent.
    let (generation, after) = match known {
        Some((generation, sent, last)) => (generation + 1, open.after.filter(|after| *after <= last).unwrap_or(sent)),
        None => (1, open.after.unwrap_or_default()),
    };
    if !is_lost {
        check_room(cx, &key)?;
        let kind = if open.session.is_some() { "session" } else { "subscription" };
        let life = if open.session.is_some() { AWAY_MILLIS } else { UNREAD_MILLIS };
        execute(
            cx.sql,
            "-- streams_open\nINSERT INTO streams
               (stream, kind, session, generation, last, sent, has_ended, subscription_id, farewell, closes_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, ?6, ?7, ?8, ?9)
             ON CONFLICT (stream) DO UPDATE SET generation = ?4, closes_at = ?8, expires_at = MAX(expires_at, ?9)",
            (
                &key,
                kind,
                &open.session,
                generation,
                after,
                open.subscription_id.as_ref().map(ToString::to_string),
                &open.last,
                open.closes_at.millis(),
                cx.now.plus_millis(life).millis(),
            ),
        )?;
        if !open.routes.is_empty() {
            subscriptions::set_routes(cx, &key, "", &open.routes)?;
        }
        clean_up_later(cx);
    }
    cx.wake(key.clone());
    let mut prelude = String::new();
    if open.is_primed && !is_lost {
        prelude.push_str(&sse::priming(&sse::event_id(&open.stream, after)));
    }
    if let Some(first) = &open.first {
        prelude.push_str(&sse::event(None, first));
    }
    Ok(Answer::Stream(Position { stream: key, generation, after, prelude }))
}

/// A stream as its reader needs it.
type Row = (String, i64, i64, i64, i64, Option<String>, Option<String>, i64, i64);

/// The events that a connection has yet to send.
pub(super) fn read(cx: &Cx<'_>, position: &Position) -> Result<Next, Failure> {
    let stream = &position.stream;
    let over = |text: String, after: i64| Next { text, after, ends: true, until: cx.now };
    let row: Option<Row> = query_one(
        cx.sql,
        "-- streams_read\nSELECT kind, generation, last, sent, has_ended, session, farewell, closes_at, expires_at FROM streams WHERE stream = ?",
        (stream,),
    )?;
    let Some((kind, generation, last, sent, has_ended, session, farewell, closes_at, expires_at)) = row else {
        return Ok(over(String::new(), position.after));
    };
    if generation != position.generation {
        return Ok(over(String::new(), position.after));
    }
    let proof = delivery::come_back(cx, position)?;
    let events: Vec<(i64, String)> = query(
        cx.sql,
        "-- events_read\nSELECT number, data FROM events WHERE stream = ? AND number > ? ORDER BY number LIMIT ?",
        (stream, position.after, READ_MAX),
    )?;
    let name = session.as_ref().and_then(|session| stream.strip_prefix(session.as_str())?.strip_prefix('/'));
    let mut text = String::new();
    let mut after = position.after;
    for (number, data) in &events {
        text.push_str(&sse::event(name.map(|name| sse::event_id(name, *number)).as_deref(), data));
        after = *number;
    }
    if let (Some((first, _)), Some((last, _))) = (events.first(), events.last()) {
        delivery::hand_out(cx, position, (*first, *last))?;
    }
    if proof.is_due && text.is_empty() {
        text.push_str(sse::COMMENT);
    }
    if after > sent {
        execute(cx.sql, "-- streams_sent\nUPDATE streams SET sent = ? WHERE stream = ?", (after, stream))?;
        if session.is_none() {
            // The stream cannot be resumed.
            execute(cx.sql, "-- events_forget\nDELETE FROM events WHERE stream = ? AND number <= ?", (stream, after))?;
        }
    }
    let is_read_out = i64::try_from(events.len()).unwrap_or_default() < READ_MAX;
    if is_read_out && has_ended != 0 {
        return Ok(over(text, last));
    }
    if is_read_out && cx.now.millis() >= closes_at {
        if let Some(farewell) = &farewell {
            text.push_str(&sse::event(None, farewell));
        }
        if session.is_none() {
            forget(cx, stream)?;
        }
        return Ok(over(text, after));
    }
    // A call's stream lives as long as its call: a reader of an orphaned stream must not wait for ever.
    let is_a_calls = kind == "call";
    if is_a_calls && cx.now.millis() >= expires_at {
        return Ok(over(text, after));
    }
    let life = if session.is_some() { AWAY_MILLIS } else { UNREAD_MILLIS };
    if !is_a_calls && expires_at < cx.now.plus_millis(life / 2).millis() {
        let expires_at = cx.now.plus_millis(life).millis();
        execute(cx.sql, "-- streams_renew\nUPDATE streams SET expires_at = ? WHERE stream = ?", (expires_at, stream))?;
    }
    let until = Timestamp::from_millis(if is_a_calls { closes_at.min(expires_at) } else { closes_at });
    let until = proof.at.map_or(until, |at| until.min(at));
    Ok(Next { text, after, ends: false, until })
}

/// A stream is gone, with all that belongs to it.
pub(super) fn forget(cx: &Cx<'_>, stream: &str) -> Result<(), Failure> {
    execute(cx.sql, "-- streams_forget_events\nDELETE FROM events WHERE stream = ?", (stream,))?;
    execute(cx.sql, "-- streams_forget_routes\nDELETE FROM routes WHERE stream = ?", (stream,))?;
    delivery::forget(cx, stream)?;
    execute(cx.sql, "-- streams_forget\nDELETE FROM streams WHERE stream = ?", (stream,))?;
    cx.wake(stream.to_owned());
    Ok(())
}

/// All streams of a session are gone.
pub(super) fn forget_session(cx: &Cx<'_>, session: &str) -> Result<(), Failure> {
    let streams: Vec<(String,)> = query(cx.sql, "-- streams_of_session\nSELECT stream FROM streams WHERE session = ?", (session,))?;
    streams.iter().try_for_each(|(stream,)| forget(cx, stream))
}

/// Deletes streams without a reader. `tasks` deletes its own.
pub(super) fn forget_expired(cx: &Cx<'_>) -> Result<(), Failure> {
    let streams: Vec<(String,)> =
        query(cx.sql, "-- streams_expired\nSELECT stream FROM streams WHERE expires_at < ? AND kind <> 'task'", (cx.now.millis(),))?;
    streams.iter().try_for_each(|(stream,)| forget(cx, stream))
}

/// A stream is there, whether or not anybody reads it, until `expires_at` at least.
pub(super) fn begin(cx: &Cx<'_>, stream: &str, kind: &str, session: Option<&str>, expires_at: Timestamp) -> Result<(), Failure> {
    check_room(cx, stream)?;
    execute(
        cx.sql,
        "-- streams_begin_unread\nINSERT INTO streams (stream, kind, session, generation, last, sent, has_ended, closes_at, expires_at)
         VALUES (?1, ?2, ?3, 0, 0, 0, 0, ?4, ?4) ON CONFLICT (stream) DO UPDATE SET expires_at = MAX(expires_at, ?4)",
        (stream, kind, session, expires_at.millis()),
    )?;
    Ok(())
}
