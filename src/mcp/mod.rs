//! The Model Context Protocol over streamable HTTP, by hand.

pub mod server;
