//! `TownDO`.

mod activity;
mod config;
mod convoys;
mod feed;
mod provisioning;
mod random;
mod status;
mod topics;
mod watch;
