//! `TownDO`.

mod config;
mod convoys;
mod escalations;
mod feed;
mod mayor;
mod provisioning;
mod random;
mod status;
mod topics;
