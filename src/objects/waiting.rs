//! Who waits for what inside one object: calls that have no answer yet, and readers of streams.
//!
//! Owns the waiters. Nothing of it outlives the object's time in memory; whoever waits looks again by the clock too.

use futures::channel::oneshot;
use std::cell::RefCell;
use std::collections::HashMap;

/// So many keys are waited for before those that nobody waits for any more are thrown away.
const WAITED_FOR_MAX: usize = 2_048;

/// See the module.
#[derive(Default)]
pub struct Waiting(RefCell<HashMap<String, Vec<oneshot::Sender<()>>>>);

impl Waiting {
    /// Begins to wait. Whoever begins before looking misses nothing.
    pub fn begin(&self, key: &str) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.0.borrow_mut();
        if waiting.len() >= WAITED_FOR_MAX {
            waiting.retain(|_, waiters| waiters.iter().any(|waiter| !waiter.is_canceled()));
        }
        let waiters = waiting.entry(key.to_owned()).or_default();
        waiters.retain(|waiter| !waiter.is_canceled());
        waiters.push(sender);
        receiver
    }

    /// Wakes everyone.
    pub fn wake_all(&self) {
        let keys = self.0.borrow().keys().cloned().collect();
        self.wake(keys);
    }

    /// Wakes whoever waits for one of these.
    pub fn wake(&self, keys: Vec<String>) {
        for key in keys {
            for waiter in self.0.borrow_mut().remove(&key).unwrap_or_default() {
                // Nobody waits any more.
                let _gone = waiter.send(());
            }
        }
    }
}
