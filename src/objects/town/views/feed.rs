//! The feed of a town: its events in order, numbered from one without gaps.
//!
//! Owns the `feed` table. The town writes an entry in the transaction of the change; the newest are kept.

use super::activity;
use crate::contract::shapes::{FeedEntry, FeedKind};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::store::sql::{execute, query, query_one};
use crate::objects::town::state::TownState;
use crate::objects::town::topics;
use base::error::{Failure, Fault};
use serde_json::Value;

/// The most entries on a page.
pub const LIST_LIMIT_MAX: i64 = 200;
/// A page unless the caller says otherwise.
const LIST_LIMIT_DEFAULT: i64 = 100;
/// Entries that are kept; the number stands in the trigger below too.
pub const ENTRIES_MAX: i64 = 10_000;

/// Creates the table, and the trigger that drops the entry that is one too many.
pub const CREATE_FEED: [&str; 2] = [
    "-- feed
CREATE TABLE feed (
  number INTEGER PRIMARY KEY,               -- grows by one; the newest entry is never dropped, so none is used twice
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,                    -- id of what it happened to
  actor TEXT,                               -- who did it; null: the town saw it happen
  detail TEXT NOT NULL                      -- JSON object; titles in it were written by agents or users
) STRICT",
    "-- feed_trim
CREATE TRIGGER feed_trim AFTER INSERT ON feed BEGIN
  DELETE FROM feed WHERE number <= new.number - 10000;
END",
];

macro_rules! entry_columns {
    () => {
        "number, at, kind, subject, actor, detail"
    };
}

/// Writes an entry. `detail` holds no token and no body of a message.
pub(in crate::objects::town) fn write(
    cx: &Cx<'_>,
    town: &TownState,
    kind: FeedKind,
    subject: &str,
    actor: Option<&str>,
    detail: &Value,
) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- feed_write\nINSERT INTO feed (at, kind, subject, actor, detail) VALUES (?, ?, ?, ?, ?)",
        (cx.now.millis(), kind, subject, actor, detail.to_string()),
    )?;
    activity::woken(cx);
    topics::changed(cx, town, topics::FEED)
}

/// The newest entry.
pub(in crate::objects::town) fn newest(cx: &Cx<'_>) -> Result<Option<FeedEntry>, Fault> {
    query_one(cx.sql, concat!("-- feed_newest\nSELECT ", entry_columns!(), " FROM feed ORDER BY number DESC LIMIT 1"), ())
}

/// Entries behind `after`, or without it the newest; oldest first. `actor` and `subject`: only theirs.
pub(in crate::objects::town) fn page(
    cx: &Cx<'_>,
    after: Option<i64>,
    limit: i64,
    actor: Option<&str>,
    subject: Option<&str>,
) -> Result<Vec<FeedEntry>, Fault> {
    let mut conditions = vec!["number > ?"];
    let mut params = vec![Value::from(after.unwrap_or_default())];
    for (condition, value) in [("actor = ?", actor), ("subject = ?", subject)] {
        if let Some(value) = value {
            conditions.push(condition);
            params.push(Value::from(value));
        }
    }
    params.push(Value::from(limit));
    let order = if after.is_some() { "" } else { " DESC" };
    let statement = format!(
        concat!("-- feed_page\nSELECT ", entry_columns!(), " FROM feed WHERE {} ORDER BY number{} LIMIT ?"),
        conditions.join(" AND "),
        order
    );
    let mut entries: Vec<FeedEntry> = query(cx.sql, &statement, &params)?;
    if after.is_none() {
        entries.reverse();
    }
    Ok(entries)
}

/// `listFeed(after, limit)`: entries with a greater number than `after` (null: from the oldest that is kept), oldest
/// first. The number of the last one continues; a jump in front of the first one means that entries were dropped.
/// A negative limit asks for so many of the newest, whatever `after` is.
pub(crate) fn list_feed(cx: &Cx<'_>, _caller: &Caller, (after, limit): (Option<i64>, Option<i64>)) -> Result<Answer, Failure> {
    let (after, limit) = match limit {
        Some(wanted @ ..=-1) => (newest(cx)?.map_or(0, |last| last.number.saturating_add(wanted)), wanted.saturating_neg()),
        other => (after.unwrap_or_default(), other.unwrap_or(LIST_LIMIT_DEFAULT)),
    };
    let entries: Vec<FeedEntry> = query(
        cx.sql,
        concat!("-- feed_list\nSELECT ", entry_columns!(), " FROM feed WHERE number > ? ORDER BY number LIMIT ?"),
        (after.max(0), limit.clamp(1, LIST_LIMIT_MAX)),
    )?;
    json(&entries)
}
