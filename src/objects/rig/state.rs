//! The rig's own record: one row, copied from the town that owns it.
//!
//! Owns the `rig` table. The town is the truth; this copy lets the rig check callers and capacity by itself.

use super::topics;
use crate::contract::letters::Letter;
use crate::contract::letters::rig::RigState;
use crate::objects::handler::Cx;
use crate::objects::rig::assignment::hooks::ACTIVE_TICK_MILLIS;
use crate::objects::store::sql::{execute, query_one};
use crate::objects::store::tombstone;
use crate::rpc::call::Instance;
use base::error::{Code, Failure, Fault, refuse};
use serde_json::{Value, json};
use std::rc::Rc;

/// The row, once the town has sent it.
pub fn load(cx: &Cx<'_>) -> Result<Option<Rc<RigState>>, Fault> {
    if let Some(known) = cx.recall() {
        return Ok(Some(known));
    }
    let row: Option<RigState> = query_one(
        cx.sql,
        "-- rig_load\nSELECT rig_id, town_id, name, git_url, default_branch, owner_user_id, owner_org_id, capacity,
           mayor_agent_id, parked, draining, drain_nonce, watched_until, listened_until, attempts_max, breaker_open, resumed_at FROM rig",
        (),
    )?;
    Ok(row.map(|row| cx.remember(row)))
}

/// The row; a rig that never heard from its town does not exist.
pub fn require(cx: &Cx<'_>) -> Result<Rc<RigState>, Failure> {
    load(cx)?.ok_or_else(|| refuse(Code::NotFound, format!("Rig {} not found", cx.instance.name())))
}

/// Takes over the record that the town sent. A rig never changes its id or its town, and takes its record from its town
/// only.
pub fn apply(cx: &Cx<'_>, source: &str, letter: &Letter) -> Result<(), Failure> {
    let told: RigState = letter.read("read a rig letter")?;
    let known = load(cx)?;
    if known.is_none()
        && let Some(ended) = tombstone::generation(cx.sql)?
    {
        if letter.generation <= ended {
            return Err(refuse(Code::NotFound, format!("Rig {} was removed", told.rig_id)));
        }
        tombstone::remove(cx.sql)?;
    }
    let moved = known.as_ref().is_some_and(|known| known.rig_id != told.rig_id || known.town_id != told.town_id);
    if source != Instance::Town(told.town_id.clone()).to_string() {
        return Err(refuse(Code::Forbidden, "Forbidden: letters come from the rig's own town"));
    }
    if moved || told.rig_id.as_str() != cx.instance.name() {
        return Err(refuse(Code::Conflict, "A rig keeps its id and its town"));
    }
    execute(
        cx.sql,
        "-- rig_apply\nINSERT INTO rig (one, rig_id, town_id, name, git_url, default_branch, owner_user_id, owner_org_id, capacity,
           mayor_agent_id, parked, draining, watched_until, formulas, drain_nonce, attempts_max, breaker_open, watch, gates)
         VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?19)
         ON CONFLICT (one) DO UPDATE SET name = ?3, git_url = ?4, default_branch = ?5, owner_user_id = ?6, owner_org_id = ?7, capacity = ?8,
           mayor_agent_id = ?9, parked = ?10, draining = ?11, watched_until = ?12, formulas = ?13, drain_nonce = ?14,
           attempts_max = ?15, breaker_open = ?16, watch = ?17, gates = ?19, resumed_at = CASE WHEN parked + draining > 0 AND ?10 + ?11 = 0 THEN ?18 ELSE resumed_at END",
        json!([
            told.rig_id,
            told.town_id,
            told.name,
            told.git_url,
            told.default_branch,
            told.owner_user_id,
            told.owner_org_id,
            told.capacity,
            told.mayor_agent_id,
            i64::from(told.parked),
            i64::from(told.draining),
            told.watched_until.millis(),
            if told.formulas.is_object() { told.formulas.to_string() } else { "{}".to_owned() },
            told.drain_nonce,
            told.attempts_max,
            i64::from(told.breaker_open),
            if told.watch.is_object() { told.watch.to_string() } else { "{}".to_owned() },
            cx.now.millis(),
            if told.gates.is_array() { told.gates.to_string() } else { "[]".to_owned() },
        ]),
    )?;
    cx.forget();
    if known.is_some() {
        // Silence is measured otherwise now, or again.
        cx.wake_at(cx.now.plus_millis(ACTIVE_TICK_MILLIS));
    }
    if told.gives_out() {
        // A pause may be over.
        cx.wake(crate::objects::rig::assignment::orders::NEWS.to_owned());
    }
    match known {
        // A viewer of the town is no change of the rig.
        Some(known)
            if (RigState {
                watched_until: known.watched_until,
                listened_until: known.listened_until,
                resumed_at: known.resumed_at,
                gates: Value::Null,
                ..told
            }) != *known =>
        {
            topics::rig_changed(cx, &known)
        }
        _ => Ok(()),
    }
}

/// The leases changed: remembers when the last of them ends.
pub(super) fn note_listeners(cx: &Cx<'_>) -> Result<(), Fault> {
    cx.forget();
    execute(cx.sql, "-- rig_listened\nUPDATE rig SET listened_until = (SELECT coalesce(max(expires_at), 0) FROM listeners)", ())
}
