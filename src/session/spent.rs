//! What may be used once: confirmation tokens and the like.
//!
//! Owns the names of what was used, for as long as it would have been good. What a name stands for is its user's.

use crate::error::Failure;
use crate::rpc::serve::{Answer, Caller, Cx, json};
use crate::store::migrate::Migration;
use crate::store::sql::{execute, query_one};
use crate::time::Timestamp;

/// The table, and the index by which what has expired is found.
pub(super) const MIGRATION: Migration = &[
    "-- spent
CREATE TABLE spent (
  what TEXT PRIMARY KEY,                    -- as its user names it
  expires_at INTEGER NOT NULL               -- ms; worthless from then on, and so is this row
) STRICT, WITHOUT ROWID",
    "-- spent_expiry
CREATE INDEX spent_expiry ON spent (expires_at)",
];

/// `spendOnce`: whether this was the first time. It is remembered until `expires_at`, so it must be worthless then.
pub(crate) fn spend_once(cx: &Cx<'_>, _caller: &Caller, (what, expires_at): (String, Timestamp)) -> Result<Answer, Failure> {
    execute(cx.sql, "-- spent_forget\nDELETE FROM spent WHERE expires_at < ?", (cx.now.millis(),))?;
    let known: Option<(i64,)> = query_one(cx.sql, "-- spent_find\nSELECT 1 FROM spent WHERE what = ?", (&what,))?;
    if known.is_none() {
        execute(cx.sql, "-- spent_add\nINSERT INTO spent (what, expires_at) VALUES (?, ?)", (&what, expires_at.millis()))?;
    }
    json(&known.is_none())
}
