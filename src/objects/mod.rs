//! The Durable Objects: the embedded towns and the session object.
//!
//! A call comes in through `object` (one object's storage, messages and alarm; `host` is the runtime behind it), runs in
//! `execute` (checks, idempotency, one transaction) and ends in a core's function, which `handlers` binds to its method. `handler` is what a core sees of all
//! that. The cores are `rig`, `town`, `registry` and `session`; `store` is the SQL below them.
//! What one object owes another is kept by `outbox`, sent by `outbox_delivery` and taken by `inbox`. `topics` tells
//! sessions what changed, `listeners` knows which; `stream`, `socket` and `waiting` serve whoever stays connected.
// A variant that is added must be decided about wherever its enum is matched.
#![deny(clippy::wildcard_enum_match_arm)]

pub mod execute;
pub mod handler;
pub mod handlers;
pub mod host;
pub mod idempotency;
pub mod inbox;
pub mod listeners;
pub mod object;
pub mod outbox;
pub(crate) mod outbox_delivery;
pub mod registry;
pub mod rig;
pub mod session;
pub mod socket;
pub mod store;
pub mod stream;
pub mod topics;
pub mod town;
pub(crate) mod waiting;
