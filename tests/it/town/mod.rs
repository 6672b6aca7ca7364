//! `TownDO`.

mod check;
mod config;
mod convoy_changes;
mod convoys;
mod cost;
mod feed;
mod landing;
mod provisioning;
mod random;
mod random_convoys;
mod status;
mod topics;
