//! Playbooks: what to do when things go wrong, and how it went so far.
//!
//! Each is one tool that can be called again and again: what it has done it reads from the objects, so it keeps nothing, and
//! an interrupted one goes on where it was. It only looks unless `dry_run` is false, and then takes the next safe step.
//! Owns nothing itself: what each does is its own file's, and a call that an answer offers is `names::NextCall`.

pub mod audit;
pub mod decisions;
pub mod distribution;
pub mod escalations;
pub mod findings;
pub mod inspect;
pub mod partial;
pub mod pool;
pub mod report;
pub mod unstick;
