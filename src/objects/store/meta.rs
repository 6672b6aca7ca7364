//! The `meta` table that every object has: small named integers that belong to the object itself.
//!
//! Owns the schema version and the generation counter. Owns no domain data.

use super::sql::{Sql, query_one, scalar};
use base::error::Fault;

/// Creates the table; part of the first migration of every object.
pub const CREATE_META: &str = "-- meta
CREATE TABLE meta (
  name TEXT PRIMARY KEY,      -- what
  value INTEGER NOT NULL      -- how much
) STRICT, WITHOUT ROWID";

/// Whether this object has ever been given tables.
pub fn exists(sql: &dyn Sql) -> Result<bool, Fault> {
    let found: Option<(i64,)> = query_one(sql, "-- meta_exists\nSELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'", ())?;
    Ok(found.is_some())
}

/// A named integer; zero when it was never set.
pub fn get(sql: &dyn Sql, name: &str) -> Result<i64, Fault> {
    let found: Option<(i64,)> = query_one(sql, "-- meta_get\nSELECT value FROM meta WHERE name = ?", (name,))?;
    Ok(found.map_or(0, |(value,)| value))
}

/// Sets a named integer.
pub fn set(sql: &dyn Sql, name: &str, value: i64) -> Result<(), Fault> {
    super::sql::execute(
        sql,
        "-- meta_set\nINSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
}

/// The next number of a counter that never repeats, not even after a restart: generations, fences, sequences.
pub fn next(sql: &dyn Sql, name: &str) -> Result<i64, Fault> {
    scalar(
        sql,
        "-- meta_next\nINSERT INTO meta (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        (name,),
    )
}
