//! What every object's storage shares: SQL as a trait, schema versions, numbers, and what stays of an object that ended.
//!
//! Owns no table of any one object. Knows no runtime: the Worker and the tests bring their own `Sql`.

pub mod meta;
pub mod migrate;
#[cfg(debug_assertions)]
mod row_fields;
pub mod sql;
pub mod tombstone;
