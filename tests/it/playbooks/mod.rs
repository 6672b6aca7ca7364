//! Playbooks over scripted disasters: the clock is moved, and the answers are snapshots.

mod inbox;
mod performance;
mod pool;
