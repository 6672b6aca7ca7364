//! Dispatch orders: one process to run for each hook. The number of an order is the fence of its hook.
//!
//! Owns the `orders` table. `writer` says who may report, `handout` which runner gets which order; the watchdog
//! knows how long an order may be silent.

pub mod handout;
pub mod writer;

use crate::contract::ids::{AgentId, BeadId};
use crate::objects::handler::{Caller, Cx};
use crate::objects::rig::{agents, outbox_letters, state, topics};
use crate::objects::store::sql::{execute, query_one, scalar};
use base::error::{Failure, Fault};
use base::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Wakes runners that wait for work.
pub(in crate::objects::rig) const NEWS: &str = "orders";
/// Longest path of a worktree, in bytes.
const WORKTREE_BYTES_MAX: usize = 1_024;

/// How an order ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::objects::rig) enum OrderOutcome {
    /// Its agent reported the work.
    Done,
    /// The bead was taken off the hook.
    Released,
    /// The process ended without a report.
    Failed,
    /// Nothing was heard of the process any more.
    Lost,
    /// The watch stopped it: it got nowhere.
    Stopped,
}

impl OrderOutcome {
    const fn in_words(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Released => "taken back",
            Self::Failed => "failed",
            Self::Lost => "lost: nothing was heard of its process for too long",
            Self::Stopped => "stopped: it got nowhere for too long",
        }
    }
}

/// An order.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::objects::rig) struct Order {
    pub(in crate::objects::rig) id: i64,
    pub(in crate::objects::rig) bead_id: BeadId,
    pub(in crate::objects::rig) runner: Option<String>,
    pub(in crate::objects::rig) process: Option<String>,
    pub(in crate::objects::rig) ended_at: Option<Timestamp>,
    pub(in crate::objects::rig) outcome: Option<OrderOutcome>,
}

impl Order {
    pub(in crate::objects::rig) fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }
}

/// An order of an agent.
fn find(cx: &Cx<'_>, agent: &str, id: i64) -> Result<Option<Order>, Fault> {
    query_one(
        cx.sql,
        "-- orders_find\nSELECT id, bead_id, runner, process, ended_at, outcome FROM orders WHERE id = ? AND agent_id = ?",
        (id, agent),
    )
}

/// The newest order of an agent: the one of its hook if it has one.
pub(in crate::objects::rig) fn newest(cx: &Cx<'_>, agent: &str) -> Result<Option<Order>, Fault> {
    query_one(
        cx.sql,
        "-- orders_newest\nSELECT id, bead_id, runner, process, ended_at, outcome FROM orders INDEXED BY orders_agent
         WHERE agent_id = ? ORDER BY id DESC LIMIT 1",
        (agent,),
    )
}

/// A bead comes onto a hook: the order for it. Answers its number.
pub(in crate::objects::rig) fn give(cx: &Cx<'_>, agent: &AgentId, bead: &BeadId) -> Result<i64, Fault> {
    // The newest order is never pruned, so a number is never used again.
    let id: i64 = scalar(
        cx.sql,
        "-- orders_give\nINSERT INTO orders (agent_id, bead_id, created_at, progress_at) VALUES (?1, ?2, ?3, ?3) RETURNING id",
        (agent, bead, cx.now.millis()),
    )?;
    cx.wake(NEWS.to_owned());
    Ok(id)
}

/// A hook that has lost its order gets a new one.
pub(in crate::objects::rig) fn renew(cx: &Cx<'_>, agent: &AgentId, bead: &BeadId) -> Result<(), Fault> {
    let id = give(cx, agent, bead)?;
    execute(cx.sql, "-- orders_renew\nUPDATE agents SET fence = ? WHERE id = ?", (id, agent))
}

/// The order under way of an agent is over. The first word about how it ended counts.
pub(in crate::objects::rig) fn end(cx: &Cx<'_>, agent: &AgentId, outcome: OrderOutcome) -> Result<(), Fault> {
    close(cx, agent.as_str(), None, outcome)
}

/// An agent reported its work on a bead; nothing happens when that is not what it holds.
pub(in crate::objects::rig) fn reported(cx: &Cx<'_>, agent: &str, bead: &BeadId) -> Result<(), Fault> {
    close(cx, agent, Some(bead), OrderOutcome::Done)
}

fn close(cx: &Cx<'_>, agent: &str, bead: Option<&BeadId>, outcome: OrderOutcome) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- orders_end\nUPDATE orders SET ended_at = ?, outcome = ? WHERE agent_id = ? AND bead_id = coalesce(?, bead_id) AND ended_at IS NULL",
        (cx.now.millis(), outcome, agent, bead),
    )?;
    // Its runner has room for another one.
    cx.wake(NEWS.to_owned());
    Ok(())
}

/// An agent was active: its order makes progress, and the caller is its process.
///
/// # Errors
/// `Conflict` when the caller's order is not the agent's any more.
pub(in crate::objects::rig) fn heard(cx: &Cx<'_>, caller: &Caller, agent: &AgentId) -> Result<(), Failure> {
    writer::check_newest(cx, caller, agent.as_str())?;
    let recovered: Option<(i64,)> = query_one(
        cx.sql,
        "-- orders_recovered\nUPDATE agents SET status = 'working' WHERE id = ? AND status = 'stalled' AND current_hook_bead_id IS NOT NULL RETURNING 1",
        (agent,),
    )?;
    if recovered.is_some() {
        let rig = state::require(cx)?;
        topics::agent_changed(cx, &rig, agent)?;
        outbox_letters::summary_changed(cx, &rig)?;
    }
    let news: Option<(Timestamp, Option<Timestamp>)> = query_one(
        cx.sql,
        "-- orders_heard\nUPDATE orders SET progress_at = ?1, started_at = coalesce(started_at, ?1), process = coalesce(process, ?2)
         WHERE agent_id = ?3 AND ended_at IS NULL RETURNING started_at, escalated_at",
        (cx.now.millis(), writer::process(caller), agent),
    )?;
    if news.is_some_and(|(started_at, escalated_at)| started_at == cx.now || escalated_at.is_some()) {
        // The watch looks: the order is taken up, or its agent is not stalled any more.
        cx.wake_at(cx.now);
    }
    Ok(())
}

/// The optional part of a heartbeat.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Watermark {
    /// The newest sign of work; a process can be there and do nothing.
    last_event_at: Option<Timestamp>,
    /// Where it works.
    worktree: Option<String>,
}

/// The process of an agent is alive. A watermark without a known field counts as no watermark.
pub(in crate::objects::rig) fn beat(cx: &Cx<'_>, caller: &Caller, agent: &AgentId, watermark: &Value) -> Result<(), Fault> {
    let told: Watermark = serde_json::from_str(&watermark.to_string()).unwrap_or_default();
    let progress = told.last_event_at.map(|at| at.min(cx.now).millis());
    let worktree = told.worktree.filter(|path| !path.is_empty() && path.len() <= WORKTREE_BYTES_MAX);
    execute(
        cx.sql,
        "-- orders_beat\nUPDATE orders SET heartbeat_at = ?1, started_at = coalesce(started_at, ?1), process = coalesce(process, ?2),
           progress_at = max(progress_at, coalesce(?3, 0)), worktree = coalesce(?4, worktree)
         WHERE agent_id = ?5 AND ended_at IS NULL",
        (cx.now.millis(), writer::process(caller), progress, worktree, agent),
    )
}

/// Whether the caller reports on an order that has ended as done; its agent may hold other work.
pub(in crate::objects::rig) fn is_of_done_work(cx: &Cx<'_>, caller: &Caller, agent: &AgentId) -> Result<bool, Fault> {
    let Some(fence) = caller.principal.fence else { return Ok(false) };
    Ok(find(cx, agent.as_str(), fence)?.is_some_and(|order| !order.is_open()))
}

/// The holder of a bead in words, for a caller that has lost it.
fn now_held(cx: &Cx<'_>, bead: &BeadId) -> Result<String, Fault> {
    Ok(match super::hooks::holder(cx, bead)? {
        Some((holder, name)) => format!("bead {bead} is held by {name} (agent {holder}) now"),
        None => format!("bead {bead} is on nobody's hook now"),
    })
}

/// An agent in words, for a refusal.
fn named(cx: &Cx<'_>, agent: &str) -> Result<String, Fault> {
    Ok(agents::find_named(cx, Some(agent))?
        .map_or_else(|| format!("agent {agent}"), |agent| format!("{} (agent {})", agent.name, agent.id)))
}
