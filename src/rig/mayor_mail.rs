//! What the rig tells the Mayor: a message that the town keeps for him.
//!
//! Owns the row of such a message until the town has it.

use super::report;
use super::state::RigState;
use crate::error::Failure;
use crate::ids::BeadId;
use crate::rpc::serve::Cx;
use crate::store::sql::execute;

/// Tells the Mayor something.
pub(super) fn tell(cx: &Cx<'_>, rig: &RigState, subject: &str, body: &str) -> Result<(), Failure> {
    let id = BeadId::from_random(cx.random());
    let sender = cx.actor().unwrap_or_else(|| rig.rig_id.to_string());
    let sequence = cx.next_number()?;
    execute(
        cx.sql,
        "-- mayor_mail_tell\nINSERT INTO messages (id, channel, sender, recipient, subject, body, created_at, sequence) VALUES (?, 'mail', ?, 'mayor', ?, ?, ?, ?)",
        (&id, sender, subject, body, cx.now.millis(), sequence),
    )?;
    report::tell(cx, rig, "message", id.as_str())
}
