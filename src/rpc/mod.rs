//! Calls to objects, as the edge and the objects both know them.
//!
//! `methods` has one row for each method and `table` the type of a row; `call` is a call as it travels, `access` checks the
//! token, `deadline` limits the wait for an answer, `client` calls in the name of an authenticated caller. Knows no object's
//! inside: `objects` does.

pub mod access;
pub mod call;
pub mod client;
pub mod deadline;
pub(crate) mod methods;
pub mod table;
