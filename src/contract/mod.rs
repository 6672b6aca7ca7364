//! What edge, objects and back ends share: the vocabulary of a town.
//!
//! - What travels: `ids`, `shapes` (arguments and answers), `letters` (between objects), `outcome` (how a thing stands, in one
//!   word), `topics`, `columns` (how fields are read that databases keep as text).
//! - What must agree: `limits`, `checks`, `labels`, `names`, `alerts`, `watch` (thresholds), `formulas`, `masking`.
//!
//! Nothing here acts, and no other room's type appears in it.
// A variant that is added must be decided about wherever its enum is matched.
#![deny(clippy::wildcard_enum_match_arm)]

#[macro_use]
mod text_enum;

pub mod alerts;
pub mod checks;
pub mod columns;
pub mod formulas;
pub mod ids;
pub mod labels;
pub mod letters;
pub mod limits;
pub mod masking;
pub mod names;
pub mod outcome;
pub mod shapes;
pub mod topics;
pub mod watch;
