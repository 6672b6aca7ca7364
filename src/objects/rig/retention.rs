//! How long a rig keeps its rows: beads and dependencies for ever, events for a while.
//!
//! Owns the limits of events and their pruning, which the alarm does in small batches, so that no call waits for it.
//! `messages` expire by their own rule.

use crate::objects::handler::Cx;
use crate::objects::rig::beads::events;
use crate::objects::store::sql::{execute, query_one};
use base::error::{Failure, Fault};
use base::time::Timestamp;

/// How long events are kept.
pub const KEEP_MILLIS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How long orders are kept that are over.
pub const ORDERS_KEEP_MILLIS: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Most events that are kept.
pub const EVENTS_MAX: i64 = 500_000;
/// Most rows of a table that one alarm deletes.
pub const BATCH: i64 = 2_000;
/// Pause before the next batch, so that calls come in between.
pub(super) const NEXT_BATCH_MILLIS: i64 = 1_000;
/// Shortest pause once nothing is past its time.
const PAUSE_MILLIS_MIN: i64 = 60 * 60 * 1_000;

/// Deletes a batch of expired rows, and asks for the alarm at the next expiry.
pub(super) fn prune(cx: &Cx<'_>) -> Result<(), Failure> {
    if let Some(next) = prune_events(cx)? {
        cx.wake_at(next);
    }
    prune_orders(cx)
}

/// Deletes ended orders but the newest, from whose number the next is counted.
fn prune_orders(cx: &Cx<'_>) -> Result<(), Failure> {
    Ok(execute(
        cx.sql,
        "-- retention_orders\nDELETE FROM orders WHERE id IN
           (SELECT id FROM orders INDEXED BY orders_ended WHERE ended_at < ? AND id < (SELECT max(id) FROM orders) ORDER BY ended_at LIMIT ?)",
        (cx.now.plus_millis(-ORDERS_KEEP_MILLIS).millis(), BATCH),
    )?)
}

/// Returns when to look again; `None` when no event is kept.
fn prune_events(cx: &Cx<'_>) -> Result<Option<Timestamp>, Fault> {
    let oldest: Option<(i64, i64)> = query_one(
        cx.sql,
        "-- retention_oldest_event\nSELECT sequence, created_at FROM bead_events WHERE sequence > 0 ORDER BY sequence LIMIT 1",
        (),
    )?;
    let Some((oldest, created_at)) = oldest else { return Ok(None) };
    let surplus = events::newest(cx)? - EVENTS_MAX;
    if oldest > surplus && created_at >= oldest_kept(cx) {
        return Ok(Some(due(cx, created_at)));
    }
    // Sequences have no gaps and grow with time: the oldest are always at the beginning.
    execute(
        cx.sql,
        "-- retention_events\nDELETE FROM bead_events WHERE sequence < ?1 AND (sequence <= ?2 OR created_at < ?3)",
        (oldest + BATCH, surplus, oldest_kept(cx)),
    )?;
    Ok(Some(cx.now.plus_millis(NEXT_BATCH_MILLIS)))
}

fn oldest_kept(cx: &Cx<'_>) -> i64 {
    cx.now.plus_millis(-KEEP_MILLIS).millis()
}

/// When something of that time is past it, but not at once again.
fn due(cx: &Cx<'_>, from: i64) -> Timestamp {
    Timestamp::from_millis(from).plus_millis(KEEP_MILLIS + 1).max(cx.now.plus_millis(PAUSE_MILLIS_MIN))
}
