//! `RigDO`.

mod beads;
mod cost;
mod hooks;
mod lists;
mod mail;
mod names;
mod queue;
