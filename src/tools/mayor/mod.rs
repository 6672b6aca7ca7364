//! Tools of a town's own Mayor.

pub mod desk;
