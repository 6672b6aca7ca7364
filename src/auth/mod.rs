//! Authentication: tokens in, `Principal` out.

pub mod principal;
