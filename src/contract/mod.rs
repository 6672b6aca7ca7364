//! What edge, objects and back ends share: the vocabulary of a town.
//!
//! Owns ids, the contract's shapes, how a bead, a convoy or a message stands in one word, and the keys of tools that texts
//! name. Nothing here acts, and no other room's type appears in it but `base`'s.

pub mod ids;
pub mod outcome;
pub mod shapes;
pub mod tool_keys;
