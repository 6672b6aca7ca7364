//! `GET /api/towns/{town}/feed`: the events of a town, as server-sent events or as one page.
//!
//! Owns the loop between looking and waiting, and the id of each event: a cursor, so that a client that comes back misses
//! nothing and sees nothing twice, in any isolate. The town tells the
//! events.

use super::event_stream::{self, SILENCE_MILLIS_MAX, is_final};
use crate::contract::ids::TownId;
use crate::contract::shapes::{ActivityCursor, ActivityInput};
use crate::edge::Authenticated;
use crate::edge::rest::extract::filter;
use crate::edge::rest::{Responding, RouteRequest, envelope};
use crate::edge::streams::watched_town;
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::client::CALL_MILLIS_MAX;
use crate::rpc::table::{AWAIT_ACTIVITY, GET_ACTIVITY};
use base::error::Failure;
use base::http::Response;
use base::http::body_sink::Outlet;
use base::sse;
use base::time::Timestamp;
use serde_json::Value;

/// Between two looks there is at least this much.
const PACE_MILLIS: u32 = 1_000;
/// The same while a part of the town does not answer.
const PATIENT_PACE_MILLIS: u32 = 5_000;
/// A request may make so many calls only: after these many looks its client comes back.
const LOOKS_MAX: u32 = 450;

/// One client that follows one town.
struct Follower<'a> {
    caller: &'a Authenticated<'a>,
    outlet: &'a Outlet,
    town: TownId,
    ends_at: Timestamp,
}

/// Answers the route.
pub(in crate::edge) fn answer<'a>(request: &'a RouteRequest<'a>) -> Responding<'a> {
    Box::pin(begin(request))
}

async fn begin(route: &RouteRequest<'_>) -> Response {
    let (caller, request, outlet) = (route.caller, route.http, route.outlet);
    let town = match watched_town(caller, route.parameter("town")).await {
        Ok(town) => town,
        Err(failure) => return envelope::failed(caller, failure),
    };
    let mut input: ActivityInput = match filter(&request.query) {
        Ok(input) => input,
        Err(refusal) => return envelope::refused(&refusal),
    };
    let is_stream = event_stream::is_wanted(request);
    if is_stream {
        // A stream carries every event; a reader of some could not tell which it has missed.
        (input.actor, input.bead, input.rig_id) = (None, None, None);
        input.cursor = event_stream::last_event_id(request).or(input.cursor);
    }
    let follower = Follower { caller, outlet, town, ends_at: event_stream::ends_at(caller) };
    // The first look is answered as any other request would be, when it is refused.
    let first = match follower.look(&input).await {
        Ok(first) => first,
        Err(failure) => return envelope::failed(caller, failure),
    };
    if !is_stream {
        return envelope::success(200, &first);
    }
    event_stream::open(outlet);
    follower.follow(first).await;
    Response::empty(200)
}

impl Follower<'_> {
    fn now(&self) -> Timestamp {
        self.caller.edge.runtime.now()
    }

    async fn pause(&self, millis: u32) {
        self.caller.edge.runtime.sleep(millis).await;
    }

    /// An `Activity` as JSON text, which goes on as it is: only four of its fields are read here.
    async fn look(&self, input: &ActivityInput) -> Result<String, Failure> {
        let call = Call::new(Instance::Town(self.town.clone()), &GET_ACTIVITY, (input,))?;
        self.caller.client.call(&call, Some(&self.town), None).await
    }

    /// True when there is something behind the cursor, false when there was nothing for a while.
    async fn wait(&self, cursor: &str) -> Result<bool, Failure> {
        let until = self.now().plus_millis(SILENCE_MILLIS_MAX.into()).min(self.ends_at);
        let call = Call::new(Instance::Town(self.town.clone()), &AWAIT_ACTIVITY, (cursor, until))?;
        let within = CALL_MILLIS_MAX + SILENCE_MILLIS_MAX;
        decode(&AWAIT_ACTIVITY, &self.caller.client.call_internal_within(&call, Some(&self.town), within).await?)
    }

    /// Until the client leaves, the token ends or the hour is over.
    async fn follow(&self, first: String) {
        let mut page = Some(first);
        let mut cursor = String::new();
        let mut is_whole = true;
        for _ in 0..LOOKS_MAX {
            let mut more = true;
            if let Some(page) = page.and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
                self.show(&page);
                text(&page, "cursor").clone_into(&mut cursor);
                more = page.get("more").and_then(Value::as_bool).unwrap_or_default();
                is_whole = page.pointer("/coverage/missing/0").is_none();
            }
            if !more {
                // Before the wait: a change meanwhile is seen by the next look at once.
                let rest = if is_whole { PACE_MILLIS } else { PATIENT_PACE_MILLIS };
                if !self.wait_for_news(&cursor, rest).await {
                    return;
                }
            }
            let input = ActivityInput { cursor: Some(cursor.clone()), limit: Some(100), told: is_whole, ..ActivityInput::default() };
            page = match self.look(&input).await {
                Ok(page) => Some(page),
                Err(failure) if is_final(&failure) => return,
                Err(_) => {
                    self.pause(PATIENT_PACE_MILLIS).await;
                    None
                }
            };
        }
    }

    /// False when the stream is over.
    async fn wait_for_news(&self, cursor: &str, rest: u32) -> bool {
        self.pause(rest).await;
        while self.now() < self.ends_at {
            match self.wait(cursor).await {
                Ok(true) => return true,
                Ok(false) => self.outlet.write(sse::COMMENT),
                Err(failure) if is_final(&failure) => return false,
                Err(_) => {
                    self.outlet.write(sse::COMMENT);
                    self.pause(PATIENT_PACE_MILLIS).await;
                }
            }
        }
        false
    }

    /// Writes the entries, each with the cursor behind it.
    fn show(&self, page: &Value) {
        let Some(mut cursor) = ActivityCursor::read(text(page, "cursor")) else { return };
        let mut events = Vec::new();
        // From the last one back: before an entry its source stands one below it.
        for entry in list(page, "entries").iter().rev() {
            events.push(format!("event: {}\n{}", text(entry, "kind"), sse::event(Some(&cursor.write()), &entry.to_string())));
            let number = entry.get("number").and_then(Value::as_i64).unwrap_or_default();
            cursor.set(text(entry, "source"), number - 1);
        }
        for source in list(page, "gaps") {
            self.outlet.write(format!("event: gap\ndata: {{\"source\":{source}}}\n\n"));
        }
        for event in events.into_iter().rev() {
            self.outlet.write(event);
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
