//! Calls to objects, seen from outside of them: what both the edge and the objects know of a call.
//!
//! `methods` has one row for each method and `table` what a row says; `call` is what travels, `access` who may call,
//! `deadline` how long an answer is waited for, `client` calls in the name of an authenticated caller. Knows no object's
//! inside: what a method does is in `objects`.

pub mod access;
pub mod call;
pub mod client;
pub mod deadline;
pub(crate) mod methods;
pub mod table;
