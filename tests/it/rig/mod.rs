//! `RigDO`.

mod beads;
mod cost;
mod deletion;
mod events;
mod fields;
mod hooks;
mod landing;
mod lists;
mod mail;
mod names;
mod queue;
mod random;
mod retention;
mod size;
pub mod reviews;
mod sling;
