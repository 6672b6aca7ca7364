//! `TownDO`.

mod config;
mod convoys;
mod feed;
mod pause;
mod provisioning;
mod random;
mod removal;
mod rig_config;
mod status;
mod topics;
