//! Calls between the edge and the objects, and between objects.
//!
//! `table` names every method once; `call` is what travels; `model` the contract's shapes; `serve` answers a call
//! inside an object; `host` drives an object's storage and alarm, `stream` its streams, `socket` its connections, `waiting` who waits, `flush` sends what its outbox holds and `receive`
//! applies what arrives; `topics` tells sessions what changed and `outcome` how it stands; `idempotency` makes retries safe.

pub mod call;
pub mod client;
mod flush;
pub mod host;
pub mod idempotency;
pub mod model;
pub mod outcome;
pub mod receive;
pub mod serve;
pub mod socket;
pub mod stream;
pub mod table;
pub mod topics;
mod waiting;
