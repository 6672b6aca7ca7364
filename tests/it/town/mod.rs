//! `TownDO`.

mod config;
mod convoys;
mod escalations;
mod feed;
mod mayor;
mod merge_queue;
mod provisioning;
mod random;
mod status;
mod topics;
