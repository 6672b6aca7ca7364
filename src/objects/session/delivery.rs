//! Delivery: the proof that a notification went out, sent to its source as a receipt.
//!
//! Owns the `receipts` table. Clients acknowledge no notification, so the proof is this: a connection took it, came back
//! for more, and after a while took another message and came back again. By then a client that has left is noticed: its next
//! message gets no further. When a connection ends before, or another takes over, no receipt is sent.

use crate::contract::letters::FromSession;
use crate::objects::handler::{Cx, Flush, Position};
use crate::objects::outbox;
use crate::objects::outbox::{Composed, Owed};
use crate::objects::store::sql::{execute, query, scalar};
use base::error::Failure;
use base::time::Timestamp;

/// After this long a connection that took a notification is sent something else.
const PROOF_MILLIS: i64 = 2_000;
/// If the letter is not acknowledged before this, the alarm sends it again.
const RESEND_MILLIS: i64 = 2_000;

/// A message that a connection gets besides its events.
pub(super) struct Proof {
    /// Send something now.
    pub is_due: bool,
    /// Look again then.
    pub at: Option<Timestamp>,
}

/// An event of this number is on the stream, and `source` wants to know when it has gone out.
pub(super) fn expect(cx: &Cx<'_>, stream: &str, number: i64, (source, topic, receipt): (&str, &str, i64)) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- receipts_expect\nINSERT INTO receipts (stream, number, source, topic, receipt) VALUES (?, ?, ?, ?, ?)",
        (stream, number, source, topic, receipt),
    )?;
    Ok(())
}

/// Records that these events, and all between, are handed to the connection.
pub(super) fn hand_out(cx: &Cx<'_>, position: &Position, (first, last): (i64, i64)) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- receipts_hand_out\nUPDATE receipts SET generation = ?, handed_at = ? WHERE stream = ? AND number BETWEEN ? AND ?",
        (position.generation, cx.now.millis(), &position.stream, first, last),
    )?;
    Ok(())
}

/// The connection is back: it has taken all it was handed. Sends the receipts that this proves, and returns the next proof.
pub(super) fn come_back(cx: &Cx<'_>, position: &Position) -> Result<Proof, Failure> {
    type Row = (i64, i64, i64, String, String, i64);
    let handed: Vec<Row> = query(
        cx.sql,
        "-- receipts_handed\nSELECT number, handed_at, is_proving, source, topic, receipt FROM receipts WHERE stream = ? AND generation = ?",
        (&position.stream, position.generation),
    )?;
    let mut proof = Proof { is_due: false, at: None };
    for (number, handed_at, is_proving, source, topic, receipt) in handed {
        let proves_at = Timestamp::from_millis(handed_at).plus_millis(PROOF_MILLIS);
        if is_proving == 1 {
            execute(cx.sql, "-- receipts_proved\nDELETE FROM receipts WHERE stream = ? AND number = ?", (&position.stream, number))?;
            tell(cx, &source, &topic, receipt)?;
        } else if cx.now >= proves_at {
            execute(
                cx.sql,
                "-- receipts_prove\nUPDATE receipts SET is_proving = 1 WHERE stream = ? AND number = ?",
                (&position.stream, number),
            )?;
            proof.is_due = true;
        } else {
            proof.at = Some(proof.at.map_or(proves_at, |known| known.min(proves_at)));
        }
    }
    Ok(proof)
}

/// Tells the source by a letter whose generation is the receipt: an older one that arrives later is dropped.
fn tell(cx: &Cx<'_>, source: &str, topic: &str, receipt: i64) -> Result<(), Failure> {
    let owed: i64 = scalar(
        cx.sql,
        "-- receipts_owed\nSELECT coalesce(max(generation), 0) FROM outbox WHERE kind = ? AND subject = ? AND target = ?",
        (FromSession::Taken.as_str(), topic, source),
    )?;
    if owed < receipt {
        outbox::post(cx.sql, FromSession::Taken, topic, source, receipt, cx.now)?;
        cx.flush(Flush::AfterReply);
        cx.wake_at(cx.now.plus_millis(RESEND_MILLIS));
    }
    Ok(())
}

pub(super) fn compose(owed: &Owed) -> Composed {
    Ok(Some(outbox::write(&owed.generation)?))
}

/// The stream is gone.
pub(super) fn forget(cx: &Cx<'_>, stream: &str) -> Result<(), Failure> {
    execute(cx.sql, "-- receipts_forget\nDELETE FROM receipts WHERE stream = ?", (stream,))?;
    Ok(())
}
