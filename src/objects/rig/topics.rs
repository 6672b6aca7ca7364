//! The topics of a rig that sessions can listen to: `rig` (its numbers and its own record), `bead:<id>` and `agent:<id>`.
//!
//! Owns these topics and the letter of each. While no session listens, a change asks the database nothing.

use super::beads;
use super::state;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::letters::session::News;
use crate::contract::outcome::Outcome;
use crate::objects::handler::{Answer, Caller, Cx};
use crate::objects::topics;
use base::error::Failure;
use base::time::Timestamp;

/// `listen`.
pub(crate) fn listen(cx: &Cx<'_>, caller: &Caller, (topics, expires_at): (Vec<String>, Timestamp)) -> Result<Answer, Failure> {
    topics::listen(cx, caller, &topics, expires_at)?;
    state::note_listeners(cx)?;
    Ok(Answer::Void)
}

/// Agents or beads were added, moved or removed, or the rig's own record changed.
pub(super) fn rig_changed(cx: &Cx<'_>, rig: &RigState) -> Result<(), Failure> {
    if is_quiet(cx, rig) { Ok(()) } else { topics::notify(cx, "rig") }
}

/// A bead was made, changed or removed.
pub(super) fn bead_changed(cx: &Cx<'_>, rig: &RigState, bead: &BeadId) -> Result<(), Failure> {
    if is_quiet(cx, rig) { Ok(()) } else { topics::notify(cx, &format!("bead:{bead}")) }
}

/// An agent was made or removed, or its status or hook changed.
pub(super) fn agent_changed(cx: &Cx<'_>, rig: &RigState, agent: &AgentId) -> Result<(), Failure> {
    if is_quiet(cx, rig) { Ok(()) } else { topics::notify(cx, &format!("agent:{agent}")) }
}

fn is_quiet(cx: &Cx<'_>, rig: &RigState) -> bool {
    cx.now >= rig.listened_until
}

/// The state of the topic, as its letter carries it.
pub(super) fn news(cx: &Cx<'_>, rig: &RigState, topic: &str) -> Result<News, Failure> {
    let Some(id) = topic.strip_prefix("bead:") else { return Ok(News::default()) };
    Ok(Outcome::of_bead(id, &rig.rig_id, beads::standing(cx, id)?).into())
}
