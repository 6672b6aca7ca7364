//! The storage that all objects share: SQL as a trait, schema versions, the outbox between objects, and listeners.
//!
//! Owns no table of any one object. Knows no runtime: the Worker and the tests bring their own `Sql`.

pub mod listeners;
pub mod meta;
pub mod migrate;
pub mod outbox;
#[cfg(debug_assertions)]
mod row_fields;
pub mod sql;
pub mod tombstone;
