//! `RigDO`.

mod beads;
mod cost;
mod hooks;
mod landing;
mod lists;
mod mail;
mod names;
mod queue;
pub mod reviews;
mod sling;
