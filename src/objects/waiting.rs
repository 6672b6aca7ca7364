//! Waiting calls and readers of streams inside one object.
//!
//! Owns the waiters. They live only in the object's memory; a waiting call looks again by the clock too.

use futures::channel::oneshot;
use std::cell::RefCell;
use std::collections::HashMap;

/// Keys kept before abandoned ones are thrown away.
const WAITED_FOR_MAX: usize = 2_048;

/// See the module.
#[derive(Default)]
pub struct Waiting(RefCell<HashMap<String, Vec<oneshot::Sender<()>>>>);

impl Waiting {
    /// Begins to wait. Begin before looking, and no wake-up is missed.
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

    /// Wakes all that wait for one of these keys.
    pub fn wake(&self, keys: Vec<String>) {
        for key in keys {
            for waiter in self.0.borrow_mut().remove(&key).unwrap_or_default() {
                // The waiter is gone.
                let _gone = waiter.send(());
            }
        }
    }
}
