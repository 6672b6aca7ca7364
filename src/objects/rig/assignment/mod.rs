//! Who works on what: from a bead that is ready to the agent that holds it.
//!
//! `sling` takes work in; `dispatch` decides what is given out next, `free_polecats` to whom, `hooks` puts the bead on the
//! agent's hook, and `orders` tells a runner. `reassign` moves a bead; `capacity` says who could work and what waits.

pub mod capacity;
pub mod dispatch;
pub(super) mod free_polecats;
pub mod hooks;
pub mod orders;
pub mod reassign;
pub mod sling;
