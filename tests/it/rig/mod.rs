//! `RigDO`.

mod agents;
mod beads;
mod cost;
mod hooks;
mod lists;
mod mail;
mod messages;
mod names;
mod prime;
mod queue;
mod triage;
