//! Handing orders to runners: each to one runner, and once.
//!
//! Owns which runner gets which order, and when one is sent again: to the same runner, when its connection broke before the
//! order arrived. Starts nothing and makes no token.

use super::NEWS;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{AgentRole, DispatchOrder, OrderedAgent, OrderedBead, OrderedRig, OrderedTown, TakeOrdersInput};
use crate::objects::handler::{Answer, Caller, Cx, Wait, json};
use crate::objects::rig::assignment::hooks::ACTIVE_TICK_MILLIS;
use crate::objects::rig::state;
use crate::objects::rig::{beads, reviews, watchdog};
use crate::objects::store::sql::{execute, json_list, query, scalar};
use base::error::{Code, Failure, Fault, refuse};
use base::time::Timestamp;
use serde::Deserialize;

/// Longest name of a runner, in bytes.
pub const RUNNER_BYTES_MAX: usize = 100;
/// Most orders that one runner works on at once.
pub const ORDERS_MAX: i64 = 100;
/// Orders of a runner that has not said how many it takes.
pub const ORDERS_DEFAULT: i64 = 5;

#[derive(Deserialize)]
struct Row {
    id: i64,
    agent_id: AgentId,
    name: String,
    role: AgentRole,
    identity: String,
    branch: Option<String>,
    bead_id: BeadId,
}

/// `takeOrders`: the orders for this runner, oldest first.
pub(crate) fn take_orders(cx: &Cx<'_>, _caller: &Caller, (input,): (TakeOrdersInput,)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    check(&input)?;
    let mut rows = again(cx, &input)?;
    rows.extend(fresh(cx, &rig, &input)?);
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    if !ids.is_empty() {
        execute(
            cx.sql,
            "-- orders_hand_out\nUPDATE orders SET runner = ?, handed_at = ? WHERE id IN (SELECT value FROM json_each(?))",
            (&input.runner, cx.now.millis(), json_list(&ids)?),
        )?;
        // The watch waits for a sign of life of each.
        cx.wake_at(cx.now.plus_millis(ACTIVE_TICK_MILLIS));
    }
    // Neither the first sign of life nor a heartbeat may come later.
    let thresholds = watchdog::thresholds(cx)?;
    let lease = thresholds.start_seconds.min(thresholds.heartbeat_seconds);
    json(&rows.into_iter().map(|row| show(cx, &rig, lease, row)).collect::<Result<Vec<_>, _>>()?)
}

/// `awaitOrders(input, until)`: true as soon as there is something to take, false at `until`.
pub(crate) fn await_orders(cx: &Cx<'_>, _caller: &Caller, (input, until): (TakeOrdersInput, Timestamp)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let is_new = !fresh(cx, &rig, &input)?.is_empty();
    if is_new || cx.now >= until {
        return json(&is_new);
    }
    Ok(Answer::Wait(Wait { key: NEWS.to_owned(), until }))
}

fn check(input: &TakeOrdersInput) -> Result<(), Failure> {
    if input.runner.trim().is_empty() || input.runner.len() > RUNNER_BYTES_MAX || input.runner.contains(char::is_control) {
        return Err(refuse(Code::InvalidArgument, format!("runner must have 1 to {RUNNER_BYTES_MAX} bytes")));
    }
    if input.max.is_some_and(|max| !(0..=ORDERS_MAX).contains(&max)) {
        return Err(refuse(Code::InvalidArgument, format!("max must be 0 to {ORDERS_MAX}")));
    }
    Ok(())
}

/// Orders that this runner took and may not have heard of.
fn again(cx: &Cx<'_>, input: &TakeOrdersInput) -> Result<Vec<Row>, Fault> {
    query(
        cx.sql,
        "-- orders_again\nSELECT orders.id, agents.id AS agent_id, name, role, identity, branch, orders.bead_id
         FROM orders INDEXED BY orders_waiting JOIN agents ON agents.id = orders.agent_id
         WHERE ended_at IS NULL AND runner = ?1 AND started_at IS NULL AND orders.id > ?2 AND role = coalesce(?3, role) ORDER BY orders.id",
        (&input.runner, input.after.unwrap_or_default(), input.role),
    )
}

/// Orders that no runner has taken and no process works on, as many as this runner has room for. None in a pause.
fn fresh(cx: &Cx<'_>, rig: &RigState, input: &TakeOrdersInput) -> Result<Vec<Row>, Fault> {
    if !rig.gives_out() {
        return Ok(Vec::new());
    }
    let busy: i64 = scalar(
        cx.sql,
        "-- orders_busy\nSELECT COUNT(*) FROM orders INDEXED BY orders_waiting WHERE ended_at IS NULL AND runner = ?",
        (&input.runner,),
    )?;
    query(
        cx.sql,
        "-- orders_fresh\nSELECT orders.id, agents.id AS agent_id, name, role, identity, branch, orders.bead_id
         FROM orders INDEXED BY orders_waiting JOIN agents ON agents.id = orders.agent_id
         WHERE ended_at IS NULL AND runner IS NULL AND started_at IS NULL AND role = coalesce(?1, role) ORDER BY orders.id LIMIT ?2",
        (input.role, (input.max.unwrap_or(ORDERS_DEFAULT) - busy).max(0)),
    )
}

fn show(cx: &Cx<'_>, rig: &RigState, lease_seconds: i64, row: Row) -> Result<DispatchOrder, Failure> {
    let bead = beads::require(cx, &row.bead_id)?;
    let base_branch = reviews::base_of(cx, rig, &bead)?;
    Ok(DispatchOrder {
        order: row.id,
        agent: OrderedAgent { id: row.agent_id, name: row.name, role: row.role, identity: row.identity },
        branch: row.branch.unwrap_or_default(),
        base_branch,
        attempt: bead.dispatch_attempts + 1,
        bead: OrderedBead { bead_id: bead.bead_id, kind: bead.kind, title: bead.title },
        git_url: rig.git_url.clone(),
        default_branch: rig.default_branch.clone(),
        rig: OrderedRig { id: rig.rig_id.clone(), name: rig.name.clone() },
        town: OrderedTown { id: rig.town_id.clone() },
        lease_seconds,
    })
}
