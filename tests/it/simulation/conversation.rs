//! What must be so of the conversation with the Mayor, after every step.
//!
//! Owns that one part of the invariants.

use super::ledger::Ledger;
use crate::support::HostSql;
use std::collections::{BTreeMap, BTreeSet};

/// A message to the Mayor only moves on and keeps its place; answered is what has a reply; counts are of rows that there are.
pub fn check(ledger: &mut Ledger, sql: &HostSql) -> Result<(), String> {
    const STEPS: [&str; 4] = ["queued", "delivered", "read", "answered"];
    type Row = (String, String, i64, i64, i64, i64, i64);
    let rows: Vec<Row> = sql.rows(
        "SELECT id, status, sequence, touched, read_at IS NOT NULL, answered_at IS NOT NULL,
           (SELECT COUNT(*) FROM mayor_replies WHERE message_id = mayor_messages.id AND mayor_replies.sequence > mayor_messages.sequence)
         FROM mayor_messages ORDER BY sequence",
    );
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    let mut now = BTreeMap::new();
    for (id, status, sequence, touched, is_read, is_answered, replies) in rows {
        let step = STEPS.iter().position(|step| *step == status).unwrap_or_default();
        let holds = (is_read == 1) == (step >= 2) && (is_answered == 1) == (step == 3) && (replies > 0) == (step == 3);
        if !holds || (step < 2 && touched != sequence) || touched < sequence {
            return Err(format!("a message to the Mayor contradicts itself: {id} is {status}, with {replies} replies"));
        }
        if let Some((before, place)) = ledger.before.messages.get(&id)
            && (step < *before || *place != sequence)
        {
            return Err(format!("a message to the Mayor went back: {id} is {status} at {sequence}, was at {place}"));
        }
        *counts.entry(status).or_default() += 1;
        now.insert(id, (step, sequence));
    }
    if let Some((id, _)) = ledger.before.messages.iter().find(|(id, _)| !now.contains_key(*id)) {
        return Err(format!("a message to the Mayor is gone: {id}"));
    }
    ledger.before.messages = now;
    let tally = sql.rows::<(String, i64)>("SELECT status, messages FROM message_tally WHERE messages <> 0");
    if tally.into_iter().collect::<BTreeMap<_, _>>() != counts {
        return Err(format!("messages to the Mayor are miscounted: there are {counts:?}"));
    }
    let replies: BTreeSet<String> = sql.rows::<(String,)>("SELECT text FROM mayor_replies").into_iter().map(|(text,)| text).collect();
    ledger.replies.iter().find(|text| !replies.contains(*text)).map_or(Ok(()), |text| Err(format!("a reply is lost: {text}")))
}
