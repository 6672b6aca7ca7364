//! Calls: the table, who may call, retries, and letters between objects.

mod access;
mod idempotency;
mod outbox;
mod table;
