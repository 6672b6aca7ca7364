//! What edge, objects and back ends share: the vocabulary of a town.
//!
//! Owns ids, the contract's shapes, and how a bead, a convoy or a message stands in one word. Nothing here acts, and no other
//! room's type appears in it.

pub mod ids;
pub mod outcome;
pub mod shapes;
