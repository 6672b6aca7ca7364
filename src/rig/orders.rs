//! Stand-in until the owner of orders arrives.
use crate::error::Fault;
use crate::ids::{AgentId, BeadId};
use crate::rpc::serve::Cx;
use crate::store::sql::execute;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ending {
    Released,
    Failed,
    Lost,
    Stopped,
}

pub(super) fn give(cx: &Cx<'_>, agent: &AgentId, bead: &BeadId) -> Result<i64, Fault> {
    let id = cx.next_number()?;
    execute(
        cx.sql,
        "-- orders_give\nINSERT INTO orders (id, agent_id, bead_id, created_at, progress_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        (id, agent, bead, cx.now.millis()),
    )?;
    Ok(id)
}

pub(super) fn end(cx: &Cx<'_>, agent: &AgentId, outcome: Ending) -> Result<(), Fault> {
    execute(
        cx.sql,
        "-- orders_end\nUPDATE orders SET ended_at = ?, outcome = ? WHERE agent_id = ? AND ended_at IS NULL",
        (cx.now.millis(), outcome, agent),
    )
}
