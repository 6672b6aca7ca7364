//! Checkpoints: notes that an agent leaves for its next start. A released hook takes its checkpoint with it.
//!
//! Owns the size limit.

use crate::contract::checks::levels;
use crate::contract::ids::AgentId;
use crate::contract::limits::bead::METADATA_LEVELS_MAX;
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::agents;
use crate::objects::rig::assignment::orders;
use crate::objects::store::sql::execute;
use base::error::{Code, Failure, refuse};
use serde_json::Value;

/// Largest checkpoint, in bytes of JSON.
pub const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// `writeCheckpoint`.
pub(crate) fn write_checkpoint(cx: &Cx<'_>, caller: &Caller, (id, data): (AgentId, Value)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    agents::require(cx, &id)?;
    let text = check("data", &data, CHECKPOINT_BYTES_MAX)?;
    orders::heard(cx, caller, &id)?;
    execute(
        cx.sql,
        "-- checkpoints_write\nUPDATE agents SET checkpoint = ?, last_activity_at = ? WHERE id = ?",
        (text, cx.now.millis(), &id),
    )?;
    Ok(Answer::Void)
}

/// `readCheckpoint`: the checkpoint, or null.
pub(crate) fn read_checkpoint(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    json(&agents::require(cx, &id)?.checkpoint)
}

/// The JSON text of something that an agent wants kept.
///
/// # Errors
/// `InvalidArgument` when there is too much of it, or it goes too deep.
pub(in crate::objects::rig) fn check(field: &str, data: &Value, bytes_max: usize) -> Result<String, Failure> {
    if levels(data) > METADATA_LEVELS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("{field}: at most {METADATA_LEVELS_MAX} levels")));
    }
    let text = data.to_string();
    if text.len() > bytes_max {
        return Err(refuse(Code::InvalidArgument, format!("{field}: at most {bytes_max} bytes of JSON")));
    }
    Ok(text)
}
