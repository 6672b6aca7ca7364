//! The tools of coordinators, a type each. `tools::TOOLS` lists them.

pub mod agents;
pub mod bead;
pub mod bead_changes;
pub mod bead_deletion;
pub mod bead_events;
pub mod beads;
pub mod convoy_changes;
pub mod convoys;
pub mod escalations;
pub mod feed;
pub mod mailbox;
pub mod mayor_messages;
pub mod merge_queue;
pub mod messages;
pub mod polecats;
pub mod rigs;
pub mod roster;
pub mod sling;
pub mod sling_batch;
pub mod town_check;
pub mod towns;
pub mod triage;
pub mod wait;
