//! One process for an agent at a time: an agent that has reported its work may be given other work while its process still ends.
//!
//! Owns: which order has an agent's slot. Does not: end one.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How long a process whose work is done may keep its agent from other work.
pub const LINGER: Duration = Duration::from_secs(30);

/// The agents whose processes live, by their ids.
#[derive(Debug, Default)]
pub struct AgentSlots {
    taken: Mutex<HashMap<String, Slot>>,
}

#[derive(Debug)]
struct Slot {
    order: u64,
    wanted: Option<Instant>,
}

impl AgentSlots {
    /// Takes the agent's slot for an order. False: another order's process has it, and is told that it is wanted.
    pub fn take(&self, agent: &str, order: u64) -> bool {
        let Ok(mut taken) = self.taken.lock() else { return false };
        match taken.get_mut(agent) {
            Some(slot) if slot.order != order => {
                slot.wanted.get_or_insert_with(Instant::now);
                false
            }
            _ => {
                taken.insert(agent.to_owned(), Slot { order, wanted: None });
                true
            }
        }
    }

    /// Gives the slot up, if this order has it.
    pub fn leave(&self, agent: &str, order: u64) {
        if let Ok(mut taken) = self.taken.lock()
            && taken.get(agent).is_some_and(|slot| slot.order == order)
        {
            taken.remove(agent);
        }
    }

    /// Whether another order has waited too long for this one's slot.
    pub fn is_overdue(&self, agent: &str, order: u64) -> bool {
        let Ok(taken) = self.taken.lock() else { return false };
        taken.get(agent).is_some_and(|slot| slot.order == order && slot.wanted.is_some_and(|since| since.elapsed() >= LINGER))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_has_one_slot() {
        let slots = AgentSlots::default();
        assert!(slots.take("toast", 1) && slots.take("toast", 1) && slots.take("maple", 2));
        assert!(!slots.take("toast", 3));
        slots.leave("toast", 3);
        assert!(!slots.take("toast", 3), "only who has it gives it up");
        slots.leave("toast", 1);
        assert!(slots.take("toast", 3) && !slots.is_overdue("toast", 3));
    }
}
