//! The tombstone of a deleted object, kept as long as an old letter could still bring the object back.
//!
//! Owns one table with one number: the generation of the letter that ended the object. It is the only row left.

use super::meta;
use super::sql::{Sql, execute, query_one};
use base::error::Fault;

/// How long it stays, in milliseconds: longer than a letter's token is believed, with different clocks too.
pub const KEPT_MILLIS: i64 = 2 * 60 * 1_000;

/// Puts it up in a database that was just emptied.
///
/// # Errors
/// `Fault` with the database's message.
pub fn put(sql: &dyn Sql, generation: i64) -> Result<(), Fault> {
    execute(sql, "-- tombstone\nCREATE TABLE IF NOT EXISTS tombstone (generation INTEGER NOT NULL) STRICT", ())?;
    execute(sql, "-- tombstone_put\nINSERT INTO tombstone (generation) VALUES (?)", (generation,))
}

/// The generation of the letter that ended the object; `None` without a tombstone.
///
/// # Errors
/// `Fault` with the database's message.
pub fn generation(sql: &dyn Sql) -> Result<Option<i64>, Fault> {
    let found: Option<(i64,)> =
        query_one(sql, "-- tombstone_exists\nSELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'tombstone'", ())?;
    if found.is_none() {
        return Ok(None);
    }
    let newest: Option<(Option<i64>,)> = query_one(sql, "-- tombstone_read\nSELECT max(generation) FROM tombstone", ())?;
    Ok(newest.and_then(|(generation,)| generation))
}

/// Whether it is all that there is.
///
/// # Errors
/// `Fault` with the database's message.
pub fn is_all(sql: &dyn Sql) -> Result<bool, Fault> {
    Ok(!meta::exists(sql)? && generation(sql)?.is_some())
}

/// Takes it away: the object lives again, by a later letter.
///
/// # Errors
/// `Fault` with the database's message.
pub fn remove(sql: &dyn Sql) -> Result<(), Fault> {
    execute(sql, "-- tombstone_remove\nDROP TABLE IF EXISTS tombstone", ())
}
