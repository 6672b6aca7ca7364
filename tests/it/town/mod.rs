//! `TownDO`.

mod activity;
mod config;
mod convoys;
mod escalations;
mod feed;
mod mayor;
mod merge_queue;
mod pause;
mod provisioning;
mod random;
mod removal;
mod rig_config;
mod status;
mod topics;
mod watch;
