//! The event stream of an agent: what it said and did while it worked, as it reports it, for people who follow.
//!
//! Owns the `agent_events` table. Numbers are an agent's own, from one without gaps; the newest are kept.

use super::checkpoints;
use crate::contract::columns::json_column;
use crate::contract::ids::AgentId;
use crate::objects::handler::{Answer, Caller, Cx, json as answer};
use crate::objects::rig::agents;
use crate::objects::rig::assignment::orders;
use crate::objects::store::sql::{execute, query, scalar};
use base::error::{Code, Failure, refuse};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Events kept per agent (Gastown contract 2.4).
pub const EVENTS_MAX: i64 = 10_000;
/// The most events on a page.
pub const LIST_LIMIT_MAX: i64 = 500;
/// Largest data of an event, in bytes of JSON.
pub const DATA_BYTES_MAX: usize = 64 * 1024;
/// Longest type, in bytes.
pub const TYPE_BYTES_MAX: usize = 100;
/// Data in one page at most, in characters, unless one event alone has more.
const PAGE_CHARS_MAX: i64 = 1_000_000;
/// Events that a conversation is put together from.
const CONVERSATION_EVENTS_MAX: i64 = 1_000;
/// Longest conversation, in bytes; the newest of it is kept.
pub const CONVERSATION_BYTES_MAX: usize = 64 * 1024;

/// An event (Gastown contract 2.4 `getAgentEvents`).
#[derive(Serialize, Deserialize)]
struct AgentEvent {
    id: i64,
    agent_id: AgentId,
    event_type: String,
    #[serde(deserialize_with = "json_column")]
    data: Value,
    created_at: Timestamp,
}

/// `appendAgentEvent`: answers the event's number.
pub(crate) fn append_event(cx: &Cx<'_>, caller: &Caller, (id, kind, data): (AgentId, String, Value)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    agents::require(cx, &id)?;
    if kind.is_empty() || kind.len() > TYPE_BYTES_MAX {
        return Err(refuse(Code::InvalidArgument, format!("eventType must have 1 to {TYPE_BYTES_MAX} bytes")));
    }
    let text = checkpoints::check("data", &data, DATA_BYTES_MAX)?;
    orders::heard(cx, caller, &id)?;
    let number: i64 = scalar(cx.sql, "-- agent_events_next\nSELECT coalesce(max(id), 0) + 1 FROM agent_events WHERE agent_id = ?", (&id,))?;
    execute(
        cx.sql,
        "-- agent_events_append\nINSERT INTO agent_events (agent_id, id, event_type, data, created_at) VALUES (?, ?, ?, ?, ?)",
        (&id, number, kind, text, cx.now.millis()),
    )?;
    execute(cx.sql, "-- agent_events_trim\nDELETE FROM agent_events WHERE agent_id = ? AND id <= ?", (&id, number - EVENTS_MAX))?;
    answer(&number)
}

/// `getAgentEvents(agentId, afterId, limit)`, oldest first; a page of much data ends early, and its last number continues.
pub(crate) fn get_events(cx: &Cx<'_>, caller: &Caller, (id, after, limit): (AgentId, Option<i64>, Option<i64>)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    let events: Vec<AgentEvent> = query(
        cx.sql,
        "-- agent_events_list\nSELECT id, agent_id, event_type, data, created_at FROM (
           SELECT id, agent_id, event_type, data, created_at, sum(length(data)) OVER (ORDER BY id) - length(data) AS before
           FROM (SELECT id, agent_id, event_type, data, created_at FROM agent_events WHERE agent_id = ? AND id > ? ORDER BY id LIMIT ?)
         ) WHERE before < ? ORDER BY id",
        (&id, after.unwrap_or_default().max(0), limit.unwrap_or(LIST_LIMIT_MAX).clamp(1, LIST_LIMIT_MAX), PAGE_CHARS_MAX),
    )?;
    answer(&events)
}

/// `reconstructConversation`: the texts of the newest events, a paragraph each; empty when there are none.
pub(crate) fn reconstruct_conversation(cx: &Cx<'_>, caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    // Newest first, and only as many as can be shown.
    let events: Vec<(String, Value)> = query(
        cx.sql,
        "-- agent_events_newest\nSELECT event_type, data FROM (
           SELECT id, event_type, data, sum(length(data)) OVER (ORDER BY id DESC) - length(data) AS before
           FROM (SELECT id, event_type, data FROM agent_events WHERE agent_id = ? ORDER BY id DESC LIMIT ?)
         ) WHERE before < ? ORDER BY id DESC",
        (&id, CONVERSATION_EVENTS_MAX, PAGE_CHARS_MAX),
    )?;
    let mut parts = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut bytes = 0;
    for (kind, data) in events {
        let data: Value = data.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let Some(said) = said(&data) else { continue };
        // A part that grew while it was written is there many times; the newest is whole.
        if let Some(part) = data.pointer("/part/id").and_then(Value::as_str) {
            if seen.iter().any(|known| known == part) {
                continue;
            }
            seen.push(part.to_owned());
        }
        let who = data.get("role").or_else(|| data.pointer("/part/role")).and_then(Value::as_str).unwrap_or(&kind);
        let paragraph = format!("{who}: {said}");
        bytes += paragraph.len() + 2;
        if bytes > CONVERSATION_BYTES_MAX {
            break;
        }
        parts.push(paragraph);
    }
    parts.reverse();
    answer(&parts.join("\n\n"))
}

/// The words of an event, if it has any.
fn said(data: &Value) -> Option<&str> {
    let places = ["/part/text", "/text", "/content", "/message", "/summary"];
    let words = data.as_str().or_else(|| places.iter().find_map(|place| data.pointer(place).and_then(Value::as_str)));
    words.map(str::trim).filter(|words| !words.is_empty())
}
