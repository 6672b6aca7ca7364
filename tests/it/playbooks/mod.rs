//! Playbooks over scripted disasters: the clock is moved, and the answers are fixtures.

mod inbox;
mod performance;
mod pool;
