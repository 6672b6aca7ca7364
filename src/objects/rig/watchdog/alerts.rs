//! Open alerts of the watchdog: one escalation for each condition, however often it is seen.
//!
//! Owns the `alerts` table, the texts of alerts, and their end. `decide` finds the conditions; the town raises unacknowledged
//! escalations again.

use crate::contract::alerts::{AUTHOR, AlertKind};
use crate::contract::columns::flag_column;
use crate::contract::ids::BeadId;
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{BeadEventType, BeadStatus};
use crate::contract::watch::WatchSettings;
use crate::objects::handler::Cx;
use crate::objects::rig::beads;
use crate::objects::rig::beads::Move;
use crate::objects::rig::beads::events;
use crate::objects::rig::beads::events::Happened;
use crate::objects::rig::messages::escalations;
use crate::objects::rig::messages::escalations::NewEscalation;
use crate::objects::rig::{agents, counters};
use crate::objects::store::sql::{execute, query, query_one};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde::Deserialize;

/// Something that was raised.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Alert {
    /// The condition.
    pub kind: AlertKind,
    /// The id that it is about; empty for the rig as a whole.
    pub subject: String,
    /// When the condition was first seen to be over; `None` while it lasts.
    pub over_at: Option<Timestamp>,
    /// The subject is a bead that has not ended.
    #[serde(deserialize_with = "flag_column")]
    pub is_open_bead: bool,
}

/// All that is not over; a rig has few.
pub(super) fn load(cx: &Cx<'_>) -> Result<Vec<Alert>, Fault> {
    query(
        cx.sql,
        "-- alerts_load\nSELECT kind, subject, over_at,
           EXISTS (SELECT 1 FROM beads WHERE bead_id = alerts.subject AND beads.status NOT IN ('closed', 'failed')) AS is_open_bead
         FROM alerts WHERE kind >= '' ORDER BY kind, subject",
        (),
    )
}

/// Tells people, once.
pub(super) fn raise(cx: &Cx<'_>, rig: &RigState, settings: &WatchSettings, kind: AlertKind, subject: &str) -> Result<(), Failure> {
    let agent = agents::find_named(cx, Some(subject))?;
    let bead = match &agent {
        Some(agent) => agent.current_hook_bead_id.clone(),
        None => BeadId::parse(subject).ok(),
    };
    let who = agent.as_ref().map_or_else(|| format!("bead {subject}"), |agent| format!("{} (agent {})", agent.name, agent.id));
    let message = match kind {
        AlertKind::StalledAgent => format!(
            "{who} has made no progress for {}, and did not answer a nudge. It is stopped after {}, and its bead is given to another polecat.",
            span(settings.escalate_after_seconds),
            span(settings.stop_after_seconds)
        ),
        AlertKind::RestartLoop => format!(
            "{who}: {} orders ended without a report within {}. Whatever ends them may end the next one too.",
            settings.restart_loop_exits,
            span(settings.restart_loop_seconds)
        ),
        AlertKind::StuckReview => format!(
            "The review of merge request {subject} made no progress for {}. It was stopped, and is given out again.",
            span(settings.review_stuck_seconds)
        ),
        AlertKind::QueueDepth => format!(
            "{} beads of rig {} are ready and wait for a polecat, {} may work at once. Raise max_polecats_per_rig, or give out less.",
            counters::queue_depth(cx)?,
            rig.name,
            rig.capacity
        ),
        AlertKind::NoRunner => format!(
            "Rig {} has work on hooks that no runner and no agent has taken up for {}. Start a runner for it; the hooks stay.",
            rig.name,
            span(settings.unclaimed_order_seconds)
        ),
    };
    let new = NewEscalation {
        severity: kind.severity(),
        category: kind.category(),
        message: &message,
        agent: agent.as_ref().map(|agent| agent.id.as_str()),
        bead: bead.as_ref(),
    };
    let escalation =
        if kind == AlertKind::StalledAgent { escalations::raise_request(cx, rig, &new) } else { escalations::raise(cx, rig, &new) }?;
    if kind == AlertKind::RestartLoop {
        let happened = Happened {
            kind: BeadEventType::AgentRestartLoop,
            bead: subject,
            agent: None,
            old: None,
            new: None,
            metadata: serde_json::Value::Null,
        };
        events::write(cx, &happened)?;
    }
    execute(
        cx.sql,
        "-- alerts_raise\nINSERT INTO alerts (kind, subject, since, escalation_id) VALUES (?, ?, ?, ?)",
        (kind, subject, cx.now.millis(), escalation),
    )?;
    Ok(())
}

/// Remembers since when it is over, or that it is not.
pub(super) fn set_over(cx: &Cx<'_>, kind: AlertKind, subject: &str, over_at: Option<Timestamp>) -> Result<(), Failure> {
    Ok(execute(
        cx.sql,
        "-- alerts_set_over\nUPDATE alerts SET over_at = ? WHERE kind = ? AND subject = ?",
        (over_at.map(Timestamp::millis), kind, subject),
    )?)
}

/// The condition is over: the recipients of the escalation are told, unless it was acknowledged.
pub(super) fn resolve(cx: &Cx<'_>, rig: &RigState, kind: AlertKind, subject: &str) -> Result<(), Failure> {
    let raised: Option<(Option<BeadId>,)> =
        query_one(cx.sql, "-- alerts_resolve\nDELETE FROM alerts WHERE kind = ? AND subject = ? RETURNING escalation_id", (kind, subject))?;
    let Some((Some(escalation),)) = raised else { return Ok(()) };
    let Some(bead) = beads::find(cx, &escalation)?.filter(|bead| !bead.status.is_terminal()) else { return Ok(()) };
    execute(
        cx.sql,
        "-- alerts_resolved\nUPDATE beads SET metadata = json_set(metadata, '$.resolved_by', ?) WHERE bead_id = ?",
        (AUTHOR, &escalation),
    )?;
    beads::move_to(cx, rig, &bead, BeadStatus::Closed, &Move::default())
}

/// So many seconds in words.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        3_600.. if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        60.. if seconds % 60 == 0 => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
