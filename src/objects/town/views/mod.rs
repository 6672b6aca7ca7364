//! What is seen of a town.
//!
//! `status` and `capacity` sum up, `merge_queue` lists what waits for review, `feed` is what happened in the town, `activity`
//! in its rigs too, and `viewers` sends it to whoever is connected. Nothing here changes the work.

pub mod activity;
pub mod capacity;
pub mod feed;
pub mod merge_queue;
pub mod status;
pub mod viewers;
