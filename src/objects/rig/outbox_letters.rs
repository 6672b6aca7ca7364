//! Letters of the rig: to its town, its numbers and the state of convoys' beads; to sessions, the topics they listen to.
//!
//! Owns when a rig writes which letter. A letter carries the state at the time of sending, not the change.

use super::state::{self, RigState};
use super::{beads, convoys, topics};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{AgentCounts, BeadCounts, RigSummary};
use crate::objects::handler::{Cx, Flush};
use crate::objects::rig::assignment::dispatch;
use crate::objects::rig::beads::events;
use crate::objects::rig::messages::{escalations, mayor_mail, triage};
use crate::objects::rig::reviews::landing;
use crate::objects::rig::{counters, watchdog};
use crate::objects::store::outbox;
use crate::objects::store::outbox::{Composed, Owed, RESEND_MILLIS, TOPIC, post};
use crate::objects::store::sql::query;
use crate::objects::topics::compose as compose_news;
use crate::rpc::call::Instance;
use base::error::{Failure, Fault};
use serde_json::json;

/// Agents or beads were added, moved or removed.
pub(super) fn summary_changed(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    topics::rig_changed(cx, rig)?;
    tell(cx, rig, "summary", rig.rig_id.as_str())
}

/// A bead was given to a polecat; if it belongs to a convoy, the town keeps a mirror of it.
pub(super) fn bead_given(cx: &Cx<'_>, rig: &RigState, given: &dispatch::Ready) -> Result<(), Failure> {
    topics::bead_changed(cx, rig, &given.bead_id)?;
    if given.convoy_id.is_some() {
        tell(cx, rig, "bead", given.bead_id.as_str())?;
    }
    Ok(())
}

/// A bead changed, and so did the rig's numbers.
pub(super) fn bead_changed(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    topics::bead_changed(cx, rig, bead)?;
    if beads::convoy_of(cx, bead)?.is_some() {
        tell(cx, rig, "bead", bead.as_str())?;
    }
    summary_changed(cx, rig)
}

/// A bead of a convoy is no more.
pub(super) fn member_deleted(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    tell(cx, rig, "bead", bead.as_str())
}

/// An event happened while the town has viewers.
pub(super) fn watched(cx: &Cx<'_>, rig: &RigState) -> Result<(), Fault> {
    owe(cx, rig, "frames", rig.rig_id.as_str())
}

/// Owes the town a letter about `subject`.
pub(super) fn tell(cx: &Cx<'_>, rig: &RigState, kind: &str, subject: &str) -> Result<(), Failure> {
    Ok(owe(cx, rig, kind, subject)?)
}

fn owe(cx: &Cx<'_>, rig: &RigState, kind: &str, subject: &str) -> Result<(), Fault> {
    post(cx.sql, kind, subject, &Instance::Town(rig.town_id.clone()).to_string(), cx.number()?, cx.now)?;
    cx.flush(Flush::AfterReply);
    cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    Ok(())
}

/// Writes the letter for an outbox row from the state as it is.
pub(super) fn compose(cx: &Cx<'_>, owed: &Owed) -> Composed {
    match owed.kind.as_str() {
        "summary" => Ok(state::load(cx)?.map(|rig| outbox::write(&summary(cx, &rig)?)).transpose()?),
        "bead" => Ok(match (convoys::member(cx, &owed.subject)?, BeadId::parse(&owed.subject)) {
            (Some(bead), _) => Some(outbox::write(&bead)?),
            (None, Ok(bead)) => Some(outbox::write(&json!({"bead_id": bead, "deleted": true}))?),
            (None, Err(_)) => None,
        }),
        "landing" => Ok(landing::letter(cx, &owed.subject)?.map(|landing| outbox::write(&landing)).transpose()?),
        "escalation" => escalations::letter(cx, &owed.subject),
        "message" => mayor_mail::letter(cx, &owed.subject),
        "frames" => Ok(Some(outbox::write(&events::frames(cx)?)?)),
        TOPIC => compose_news(cx, owed, |topic| topics::news(cx, &*state::require(cx)?, topic)),
        _ => Ok(None),
    }
}

/// Counts as the contract's alarm status wants them.
fn summary(cx: &Cx<'_>, rig: &RigState) -> Result<RigSummary, Fault> {
    let agents: Vec<(String, i64, i64)> =
        query(cx.sql, "-- report_agents\nSELECT status, COUNT(*), COUNT(current_hook_bead_id) FROM agents GROUP BY status", ())?;
    let mut counts = AgentCounts::default();
    for (status, count, hooked) in agents {
        match status.as_str() {
            "working" => counts.working = count,
            "waiting" => counts.waiting = count,
            "idle" => counts.idle = count,
            "stalled" => counts.stalled = count,
            _ => counts.dead = count,
        }
        counts.total += count;
        counts.hooked += hooked;
    }
    let (patrol, failed_at) = watchdog::told(cx)?;
    Ok(RigSummary {
        rig_id: rig.rig_id.clone(),
        name: rig.name.clone(),
        agents: counts,
        beads: BeadCounts { triage_requests: triage::open(cx)?, ..counters::bead_counts(cx)? },
        queue_depth: counters::queue_depth(cx)?,
        capacity: rig.capacity,
        as_of: cx.now,
        quality: counters::qualities(cx)?,
        parked: rig.parked,
        last_event: events::newest(cx)?,
        patrol,
        failed_at,
    })
}
