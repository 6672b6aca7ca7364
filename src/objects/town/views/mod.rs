//! Views of a town.
//!
//! `status` and `capacity` sum up, `merge_queue` lists pending reviews, `feed` has the town's events, `activity` those of
//! its rigs too, and `viewers` sends them to open connections. Nothing here changes the work.

pub mod activity;
pub mod capacity;
pub mod feed;
pub mod merge_queue;
pub mod status;
pub mod viewers;
