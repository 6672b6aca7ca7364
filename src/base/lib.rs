//! Values that the protocol and the product share.
//!
//! Owns refusals and faults, HTTP messages and their streaming bodies, moments, server-sent events, signed texts, JSON and order in one copy. Knows no
//! protocol, no tool, no town and no runtime.

pub mod error;
pub mod http;
pub mod json;
pub mod order;
pub mod signed_text;
pub mod sse;
pub mod time;
