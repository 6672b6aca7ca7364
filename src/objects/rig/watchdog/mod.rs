//! The watchdog: what the rig does by itself when reports fail to come. It runs in the rig's alarm, which rings soon after every
//! change and at the next threshold.
//!
//! Owns no process: it ends orders, moves beads, and tells people. `contract::watch` has the thresholds, `load` reads, `decide` is
//! the one decision, `act` carries out, `alerts` keeps open alerts.

mod act;
pub mod alerts;
pub mod decide;
mod load;

pub(super) use act::stop;
pub(super) use load::{settings as thresholds, told};

use crate::contract::alerts::ATTEMPTS_SPENT;
use crate::contract::ids::AgentId;
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{Bead, Severity};
use crate::objects::handler::Cx;
use crate::objects::rig::messages::escalations;
use crate::objects::rig::messages::escalations::NewEscalation;
use crate::objects::store::meta;
use crate::objects::store::sql::execute;
use base::error::Failure;
use base::time::Timestamp;

/// After it did something the watch looks again this soon, in milliseconds.
const AGAIN_MILLIS: i64 = 1_000;
/// And this soon after something was refused, which the next look may meet again.
const REFUSED_MILLIS: i64 = 60_000;

/// A look that comes so much later than it was asked for says that the rig itself was away meanwhile, in milliseconds.
const AWAY_MILLIS: i64 = 15_000;
/// When the next look is due, among the rig's own numbers.
const DUE: &str = "watch_due";

/// Looks once, acts, and asks for the alarm at the next threshold. Gives out no work; the alarm does.
pub(super) fn run(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    if rig.is_paused() {
        return Ok(());
    }
    let settings = load::settings(cx)?;
    let due = meta::get(cx.sql, DUE)?;
    let was_away = due > 0 && cx.now.since(Timestamp::from_millis(due)) > AWAY_MILLIS;
    if was_away {
        // Reports were impossible meanwhile: silence is counted from now.
        execute(cx.sql, "-- watch_was_away\nUPDATE rig SET resumed_at = ?", (cx.now.millis(),))?;
        cx.forget();
    }
    let mut seen = load::load(cx, rig, &settings)?;
    if was_away {
        seen.resumed_at = cx.now;
    }
    let decision = decide::decide(&seen, &settings, cx.now);
    let mut again = AGAIN_MILLIS;
    for action in &decision.actions {
        match cx.attempt(|| act::carry_out(cx, rig, &settings, action)) {
            Ok(()) => {}
            // It is decided anew from how things stand then; the rest of the alarm goes on.
            Err(Failure::Refused(_)) => again = REFUSED_MILLIS,
            Err(fault) => return Err(fault),
        }
    }
    if !decision.actions.is_empty() {
        cx.wake_at(cx.now.plus_millis(again));
    }
    if let Some(next) = decision.next {
        cx.wake_at(next);
    }
    let next = decision.next.map_or(0, Timestamp::millis);
    if next != due {
        meta::set(cx.sql, DUE, next)?;
    }
    Ok(())
}

/// The attempts of a bead are spent: it has failed, and people must know.
pub(super) fn attempts_spent(cx: &Cx<'_>, rig: &RigState, bead: &Bead, attempts: i64) -> Result<(), Failure> {
    let message = format!("Bead {} has failed: {attempts} attempts ended without a report.", bead.bead_id);
    let new = NewEscalation {
        severity: Severity::High,
        category: ATTEMPTS_SPENT,
        message: &message,
        agent: bead.assignee_agent_bead_id.as_ref().map(AgentId::as_str),
        bead: Some(&bead.bead_id),
    };
    escalations::raise(cx, rig, &new).map(drop)
}
