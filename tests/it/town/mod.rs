//! `TownDO`.

mod config;
mod convoys;
mod feed;
mod merge_queue;
mod provisioning;
mod random;
mod status;
mod topics;
