//! Letters of the rig: to its town, its numbers and the state of convoys' beads; to sessions, the topics they listen to.
//!
//! Owns when a rig writes which letter. A letter carries the state at the time of sending, not the change.

use super::state;
use super::{beads, convoys, topics};
use crate::contract::ids::BeadId;
use crate::contract::letters::RigToTown;
use crate::contract::letters::rig::RigState;
use crate::contract::letters::town::BeadGone;
use crate::contract::shapes::{AgentCounts, AgentStatus, BeadCounts, RigSummary};
use crate::objects::handler::{Cx, Flush};
use crate::objects::outbox;
use crate::objects::outbox::{Composed, Owed, RESEND_MILLIS, post};
use crate::objects::rig::assignment::dispatch;
use crate::objects::rig::beads::events;
use crate::objects::rig::messages::{escalations, mayor_mail, triage};
use crate::objects::rig::reviews::landing;
use crate::objects::rig::{counters, watchdog};
use crate::objects::store::sql::query;
use crate::objects::topics::compose as compose_news;
use crate::rpc::call::Instance;
use base::error::{Failure, Fault};

/// Agents or beads were added, moved or removed.
pub(super) fn summary_changed(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    topics::rig_changed(cx, rig)?;
    tell(cx, rig, RigToTown::Summary, rig.rig_id.as_str())
}

/// A bead was given to a polecat; if it belongs to a convoy, the town keeps a mirror of it.
pub(super) fn bead_given(cx: &Cx<'_>, rig: &RigState, given: &dispatch::Ready) -> Result<(), Failure> {
    topics::bead_changed(cx, rig, &given.bead_id)?;
    if given.convoy_id.is_some() {
        tell(cx, rig, RigToTown::Bead, given.bead_id.as_str())?;
    }
    Ok(())
}

/// A bead changed, and so did the rig's numbers.
pub(super) fn bead_changed(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    topics::bead_changed(cx, rig, bead)?;
    if beads::convoy_of(cx, bead)?.is_some() {
        tell(cx, rig, RigToTown::Bead, bead.as_str())?;
    }
    summary_changed(cx, rig)
}

/// A bead of a convoy is no more.
pub(super) fn member_deleted(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    tell(cx, rig, RigToTown::Bead, bead.as_str())
}

/// An event happened while the town has viewers.
pub(super) fn watched(cx: &Cx<'_>, rig: &RigState) -> Result<(), Fault> {
    owe(cx, rig, RigToTown::Frames, rig.rig_id.as_str())
}

/// Owes the town a letter about `subject`.
pub(super) fn tell(cx: &Cx<'_>, rig: &RigState, kind: RigToTown, subject: &str) -> Result<(), Failure> {
    Ok(owe(cx, rig, kind, subject)?)
}

fn owe(cx: &Cx<'_>, rig: &RigState, kind: RigToTown, subject: &str) -> Result<(), Fault> {
    post(cx.sql, kind, subject, &Instance::Town(rig.town_id.clone()).to_string(), cx.number()?, cx.now)?;
    cx.flush(Flush::AfterReply);
    cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    Ok(())
}

/// Writes the letter for an outbox row from the state as it is.
pub(super) fn compose(cx: &Cx<'_>, owed: &Owed) -> Composed {
    if let Some(Instance::Town(_)) = Instance::parse(&owed.target) {
        to_town(cx, owed.kind()?, &owed.subject)
    } else {
        compose_news(cx, owed, |topic| topics::news(cx, &*state::require(cx)?, topic))
    }
}

fn to_town(cx: &Cx<'_>, kind: RigToTown, subject: &str) -> Composed {
    match kind {
        RigToTown::Summary => Ok(state::load(cx)?.map(|rig| outbox::write(&summary(cx, &rig)?)).transpose()?),
        RigToTown::Bead => Ok(Some(match convoys::member(cx, subject)? {
            Some(bead) => outbox::write(&bead)?,
            None => outbox::write(&BeadGone {
                bead_id: BeadId::parse(subject).map_err(|error| Fault::new("write a bead letter", error))?,
                deleted: true,
            })?,
        })),
        RigToTown::Landing => Ok(landing::letter(cx, subject)?.map(|landing| outbox::write(&landing)).transpose()?),
        RigToTown::Escalation => escalations::letter(cx, subject),
        RigToTown::Message => mayor_mail::letter(cx, subject),
        RigToTown::Frames => Ok(Some(outbox::write(&events::frames(cx)?)?)),
    }
}

/// Counts as the contract's alarm status wants them.
fn summary(cx: &Cx<'_>, rig: &RigState) -> Result<RigSummary, Fault> {
    let agents: Vec<(AgentStatus, i64, i64)> =
        query(cx.sql, "-- report_agents\nSELECT status, COUNT(*), COUNT(current_hook_bead_id) FROM agents GROUP BY status", ())?;
    let mut counts = AgentCounts::default();
    for (status, count, hooked) in agents {
        match status {
            AgentStatus::Working => counts.working = count,
            AgentStatus::Waiting => counts.waiting = count,
            AgentStatus::Idle => counts.idle = count,
            AgentStatus::Stalled => counts.stalled = count,
            AgentStatus::Dead => counts.dead = count,
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
