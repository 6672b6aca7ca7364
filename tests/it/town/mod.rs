//! `TownDO`.

mod activity;
mod breaker;
pub mod check;
mod config;
mod convoy_changes;
mod convoys;
mod cost;
mod escalations;
mod feed;
mod landing;
mod mayor;
mod mayor_mail;
mod mayor_talk;
mod merge_queue;
mod pause;
mod provisioning;
mod random;
mod random_convoys;
mod removal;
mod rig_config;
mod status;
mod topics;
mod watch;
mod whole;
