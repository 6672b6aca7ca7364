//! Viewers: connections on the town's status, and readers of its activity as it happens.
//!
//! Owns the pushed messages, their time, and how long the rigs tell of every event. Without viewers a change costs nothing.
//! The connections are the host's (`rpc::socket`).

use super::{activity, status};
use crate::contract::ids::{AgentId, BeadId, ConvoyId, RigId};
use crate::contract::letters::Letter;
use crate::contract::shapes::{BeadEventType, BeadStatus, RigFrame};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::meta;
use crate::objects::store::sql::{execute, scalar};
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::{convoys, outbox_letters, rigs};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use base::json::object;
use base::time::Timestamp;
use serde_json::{Map, Value, json as value};

/// Connections of one town at most.
pub const SOCKETS_MAX: usize = 50;
/// How long the rigs tell of every event; renewed while there are viewers.
pub const WATCH_MILLIS: i64 = 10 * 60 * 1000;
/// The remainder of that at renewal, and the interval in which connections are checked.
const RENEW_MILLIS: i64 = WATCH_MILLIS / 2;
/// The whole status is shown no more often.
pub const SNAPSHOT_MILLIS: i64 = 1_000;
/// A change waits so long for others before it is shown.
const LINGER_MILLIS: i64 = 50;

/// `meta`: connections are open, or were, until then.
const SOCKETS_UNTIL: &str = "sockets_until";
/// `meta`: when the whole status was last shown.
const SHOWN_AT: &str = "status_shown_at";
/// `meta`: 1: it has changed since.
const OWED: &str = "status_owed";

/// Pages that a client may be led to (Gastown contract 3.11).
const PAGES: [&str; 5] = ["town-overview", "beads", "agents", "rigs", "settings"];

/// `openStatus(expiresAt, open)`: a connection is let in beside the `open` others, until `expiresAt`. Returns the
/// first message.
pub(crate) fn open_status(cx: &Cx<'_>, _caller: &Caller, (expires_at, open): (Timestamp, usize)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    if open >= SOCKETS_MAX {
        let refusal = Refusal::new(Code::Unavailable, format!("{SOCKETS_MAX} connections watch this town already"));
        return Err(refusal.hint("Close one, or read GET /api/towns/{town}/feed as an event stream.").into());
    }
    keep(cx, &town)?;
    note_sockets(cx)?;
    cx.wake_at(expires_at.min(cx.now.plus_millis(RENEW_MILLIS)));
    json(&(expires_at, snapshot(cx)?))
}

/// A viewer is there: the rigs tell of every event for a while. Costs nothing while they do already.
pub(in crate::objects::town) fn keep(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    if town.watched_until.since(cx.now) > RENEW_MILLIS {
        return Ok(());
    }
    execute(cx.sql, "-- watch_keep\nUPDATE town SET watched_until = ?", (cx.now.plus_millis(WATCH_MILLIS).millis(),))?;
    cx.forget();
    outbox_letters::rigs_changed_unawaited(cx)
}

fn note_sockets(cx: &Cx<'_>) -> Result<(), Fault> {
    meta::set(cx.sql, SOCKETS_UNTIL, cx.now.plus_millis(WATCH_MILLIS).millis())
}

/// Whether there are connections to push to.
fn has_sockets(cx: &Cx<'_>, town: &TownState) -> Result<bool, Fault> {
    Ok(cx.now < town.watched_until && cx.now.millis() < meta::get(cx.sql, SOCKETS_UNTIL)?)
}

/// The alarm of a town: connections that are open keep the rigs telling, and a status that has changed is shown.
pub(in crate::objects::town) fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let Some(town) = state::load(cx)? else { return Ok(()) };
    if let Some(first_end) = cx.watched_until() {
        keep(cx, &town)?;
        note_sockets(cx)?;
        cx.wake_at(first_end.min(cx.now.plus_millis(RENEW_MILLIS)));
    }
    let town = state::require(cx)?;
    if !has_sockets(cx, &town)? || meta::get(cx.sql, OWED)? == 0 {
        return Ok(());
    }
    let due = due(cx)?;
    if cx.now < due {
        // It rang for something else.
        cx.wake_at(due);
        return Ok(());
    }
    meta::set(cx.sql, OWED, 0)?;
    meta::set(cx.sql, SHOWN_AT, cx.now.millis())?;
    cx.push(snapshot(cx)?);
    Ok(())
}

/// The whole status, as every connection gets it.
fn snapshot(cx: &Cx<'_>) -> Result<String, Failure> {
    Ok(serde_json::to_string(&status::alarm_status(cx)?).map_err(|error| Fault::new("show the status", error))?)
}

/// Something that the status shows has changed. It is shown by the alarm, once everything that belongs to the change has
/// happened.
pub(in crate::objects::town) fn status_changed(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    if !has_sockets(cx, town)? {
        return Ok(());
    }
    meta::set(cx.sql, OWED, 1)?;
    cx.wake_at(due(cx)?.max(cx.now.plus_millis(LINGER_MILLIS)));
    Ok(())
}

/// When the whole status may be shown again.
fn due(cx: &Cx<'_>) -> Result<Timestamp, Fault> {
    Ok(Timestamp::from_millis(meta::get(cx.sql, SHOWN_AT)?).plus_millis(SNAPSHOT_MILLIS))
}

/// How a convoy stands has changed.
pub(in crate::objects::town) fn convoy_changed(cx: &Cx<'_>, town: &TownState, id: &ConvoyId) -> Result<(), Failure> {
    if !has_sockets(cx, town)? {
        return Ok(());
    }
    if let Some(convoy) = convoys::find(cx, id)? {
        let frame = value!({
            "channel": "convoy", "convoyId": id, "totalBeads": convoy.total_beads, "closedBeads": convoy.closed_beads, "ts": cx.now
        });
        cx.push(frame.to_string());
    }
    Ok(())
}

/// A watched rig told of its newest events. Those that were shown before are not shown again.
pub(in crate::objects::town) fn apply_frames(cx: &Cx<'_>, rig: &RigId, letter: &Letter) -> Result<(), Failure> {
    let told: Vec<RigFrame> = letter.read("read a frames letter")?;
    let seen: i64 = scalar(cx.sql, "-- watch_seen\nSELECT frames_seen FROM rigs WHERE id = ?", (rig,))?;
    let newest = told.last().map_or(0, |(event, _)| event.sequence);
    if newest <= seen {
        return Ok(());
    }
    execute(cx.sql, "-- watch_see\nUPDATE rigs SET frames_seen = ? WHERE id = ?", (newest, rig))?;
    activity::woken(cx);
    if has_sockets(cx, &*state::require(cx)?)? {
        for frame in told.iter().filter(|(event, _)| event.sequence > seen) {
            if let Some(shown) = shown(rig, frame) {
                cx.push(shown.to_string());
            }
        }
    }
    Ok(())
}

/// The contract's frame for an event (Gastown contract 3.8); most events have none.
fn shown(rig: &RigId, (event, title): &RigFrame) -> Option<Value> {
    let new = event.new_value.as_deref();
    let kind = match event.event_type {
        BeadEventType::AgentStatus => {
            // One without words is about the agent's own status, which the alarm status counts.
            let message = event.metadata.get("message").and_then(Value::as_str)?;
            let agent = event.agent_id.as_ref().unwrap_or(&event.bead_id);
            return Some(value!({"type": "agent_status", "agentId": agent, "message": message, "timestamp": event.created_at}));
        }
        BeadEventType::Created => "bead.created",
        BeadEventType::Closed => "bead.closed",
        BeadEventType::StatusChanged if new == Some(BeadStatus::Failed.as_str()) => "bead.failed",
        BeadEventType::StatusChanged if new == Some(BeadStatus::Closed.as_str()) => "bead.closed",
        BeadEventType::StatusChanged => "bead.status_changed",
        BeadEventType::Assigned
        | BeadEventType::Hooked
        | BeadEventType::Unhooked
        | BeadEventType::Escalated
        | BeadEventType::NotificationFailed
        | BeadEventType::MailSent
        | BeadEventType::ReviewSubmitted
        | BeadEventType::ReviewCompleted
        | BeadEventType::AgentSpawned
        | BeadEventType::AgentExited
        | BeadEventType::PrCreated
        | BeadEventType::PrCreationFailed
        | BeadEventType::TriageResolved
        | BeadEventType::FieldsUpdated
        | BeadEventType::ReviewQueueDepthAlert
        | BeadEventType::EscalationRateSpike
        | BeadEventType::AgentRestartLoop
        | BeadEventType::ReworkRequested
        | BeadEventType::Deleted => return None,
    };
    let mut shown = value!({"channel": "bead", "type": kind, "beadId": event.bead_id, "rigId": rig, "ts": event.created_at});
    let status = if kind == "bead.created" { Some(BeadStatus::Open.as_str()) } else { new };
    for (name, value) in [("title", title.as_deref()), ("status", status)] {
        if let (Some(value), Some(fields)) = (value, shown.as_object_mut()) {
            fields.insert(name.to_owned(), Value::from(value));
        }
    }
    Some(shown)
}

/// `broadcastUiAction(action)`: every open client does this, if there are any (Gastown contract 3.11).
pub(crate) fn broadcast_ui_action(cx: &Cx<'_>, _caller: &Caller, (action,): (Map<String, Value>,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let action = check_ui_action(cx, &town, &action)?;
    cx.push(value!({"channel": "ui_action", "action": action, "ts": cx.now}).to_string());
    Ok(Answer::Void)
}

/// The action with the fields that it has, and the town's own id where it has one.
fn check_ui_action(cx: &Cx<'_>, town: &TownState, action: &Map<String, Value>) -> Result<Value, Failure> {
    let text = |name: &str| action.get(name).and_then(Value::as_str);
    let kind = text("type").unwrap_or_default();
    let fields: &[&str] = match kind {
        "open_bead_drawer" | "highlight_bead" => &["beadId", "rigId"],
        "open_convoy_drawer" => &["convoyId", "townId"],
        "open_agent_drawer" => &["agentId", "rigId", "townId"],
        "navigate" => &["page"],
        _ => {
            let known = "type must be open_bead_drawer, open_convoy_drawer, open_agent_drawer, navigate or highlight_bead";
            return Err(refuse(Code::InvalidArgument, known));
        }
    };
    let mut checked = object([("type", Value::from(kind))]);
    for name in fields {
        let given = text(name).unwrap_or_default();
        let is_good = match *name {
            "townId" => true,
            "beadId" => BeadId::parse(given).is_ok(),
            "convoyId" => ConvoyId::parse(given).is_ok(),
            "agentId" => AgentId::parse(given).is_ok(),
            "rigId" => RigId::parse(given).is_ok(),
            _ => PAGES.contains(&given),
        };
        if !is_good {
            let allowed = if *name == "page" { format!("one of {}", PAGES.join(", ")) } else { "an id".to_owned() };
            return Err(refuse(Code::InvalidArgument, format!("{kind}: {name} must be {allowed}")));
        }
        checked.insert((*name).to_owned(), Value::from(if *name == "townId" { town.town_id.as_str() } else { given }));
    }
    if let Some(Ok(rig)) = checked.get("rigId").and_then(Value::as_str).map(RigId::parse) {
        rigs::require(cx, &rig)?;
    }
    Ok(Value::Object(checked))
}
