//! Values that the protocol and the product share.
//!
//! Owns refusals and faults, arguments that do not fit, HTTP messages and their streaming bodies, moments, server-sent events,
//! signed texts, JSON and order in one copy. Knows no protocol, no tool and no runtime, and of towns only the nouns that a
//! refusal can be about.

pub mod argument;
pub mod error;
pub mod hint;
pub mod http;
pub mod json;
pub mod order;
pub mod signed_text;
pub mod sse;
pub mod subject;
pub mod time;
