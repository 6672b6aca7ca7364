//! Calls: the table, who may call, retries, letters between objects, and those who listen.

mod access;
mod idempotency;
mod outbox;
mod table;
mod topics;
mod twice;
mod unsupported;
