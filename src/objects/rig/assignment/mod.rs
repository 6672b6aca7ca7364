//! Who works on what: from a bead that is ready to the agent that holds it.
//!
//! `sling` takes work in; `dispatch` chooses the next bead, `free_polecats` the polecat, `hooks` puts the bead on the
//! agent's hook, and `orders` tells a runner. `reassign` moves a bead; `capacity` counts free polecats and waiting beads.

pub mod capacity;
pub mod dispatch;
pub(super) mod free_polecats;
pub mod hooks;
pub mod orders;
pub mod reassign;
pub mod sling;
