//! `TownDO`.

mod config;
mod convoys;
mod provisioning;
mod random;
mod status;
