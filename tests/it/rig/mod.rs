//! `RigDO`.

mod agents;
mod beads;
mod cost;
mod deletion;
mod events;
mod fields;
mod hooks;
mod judging;
mod landing;
mod lists;
mod mail;
mod messages;
mod names;
mod orders;
mod prime;
mod queue;
mod random;
mod retention;
pub mod reviews;
mod size;
mod sling;
mod triage;
pub mod watch;
mod watch_alerts;
mod watch_decision;
