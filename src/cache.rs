//! The memory of one isolate between requests: plain values with an expiry, nothing live.
//!
//! Owns the caches of the edge. Losing them costs a look-up and never an answer; a token is verified on every request all
//! the same, and the objects check for themselves.

use base::time::Timestamp;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;

/// How long a resolved name, an access check or a session's standing is believed.
pub const BELIEVED_MILLIS: i64 = 30_000;
/// Entries per cache; a full cache starts anew.
const ENTRIES_MAX: usize = 4_096;

/// Values that are believed for a while.
pub struct Believed<K, V> {
    entries: RefCell<HashMap<K, (V, Timestamp)>>,
}

impl<K, V> Default for Believed<K, V> {
    fn default() -> Self {
        Self { entries: RefCell::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Believed<K, V> {
    /// The value, if it is young enough.
    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let entries = self.entries.borrow();
        let (value, learned) = entries.get(key)?;
        (now.since(*learned) < BELIEVED_MILLIS).then(|| value.clone())
    }

    /// Learns a value.
    pub fn put(&self, key: K, value: V, now: Timestamp) {
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key, (value, now));
    }
}

/// How often each principal has called in the current minute.
#[derive(Default)]
pub struct Rates {
    counts: RefCell<(i64, HashMap<String, u32>)>,
}

/// A minute, in milliseconds.
const WINDOW_MILLIS: i64 = 60_000;

impl Rates {
    /// Counts a call.
    ///
    /// # Errors
    /// Seconds to wait, when it is one more than `limit`.
    pub fn count(&self, principal: String, limit: u32, now: Timestamp) -> Result<(), i64> {
        let mut counts = self.counts.borrow_mut();
        let window = now.millis().div_euclid(WINDOW_MILLIS);
        if counts.0 != window {
            *counts = (window, HashMap::new());
        }
        let count = counts.1.entry(principal).or_default();
        if *count >= limit {
            return Err((WINDOW_MILLIS - now.millis().rem_euclid(WINDOW_MILLIS) + 999) / 1_000);
        }
        *count += 1;
        Ok(())
    }
}

/// All caches of an isolate.
#[derive(Default)]
pub struct Memory {
    /// See `Rates`.
    pub rates: Rates,
    /// (principal, town name) → town id.
    pub towns: Believed<(String, String), crate::contract::ids::TownId>,
    /// (principal, town, rig name) → rig id.
    pub rigs: Believed<(String, crate::contract::ids::TownId, String), crate::contract::ids::RigId>,
    /// (principal, town) → may use it.
    pub access: Believed<(String, crate::contract::ids::TownId), ()>,
    /// (town, rig of the token, agent) → the agent's role and rig.
    pub agents: Believed<
        (crate::contract::ids::TownId, Option<crate::contract::ids::RigId>, crate::contract::ids::AgentId),
        (crate::contract::shapes::AgentRole, crate::contract::ids::RigId),
    >,
    /// Session id → its record.
    pub sessions: Believed<String, mcp::session_types::SessionState>,
    /// The keys of the authorization server.
    pub issuer_keys: crate::auth::jwks::KeyCache,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_too_often_waits_for_the_next_minute_and_nobody_else_does() {
        let rates = Rates::default();
        let start = Timestamp::from_millis(600_000);
        for _ in 0..3 {
            assert_eq!(rates.count("a".to_owned(), 3, start), Ok(()));
        }
        assert_eq!(rates.count("a".to_owned(), 3, start.plus_millis(500)), Err(60));
        assert_eq!(rates.count("a".to_owned(), 3, start.plus_millis(59_999)), Err(1));
        assert_eq!(rates.count("b".to_owned(), 3, start), Ok(()));
        assert_eq!(rates.count("a".to_owned(), 3, start.plus_millis(60_000)), Ok(()));
    }

    #[test]
    fn a_value_is_believed_for_thirty_seconds_and_a_full_cache_starts_anew() {
        let cache = Believed::default();
        let start = Timestamp::from_millis(1_000_000);
        cache.put("a".to_owned(), 1, start);
        assert_eq!(cache.get(&"a".to_owned(), start.plus_millis(BELIEVED_MILLIS - 1)), Some(1));
        assert_eq!(cache.get(&"a".to_owned(), start.plus_millis(BELIEVED_MILLIS)), None);
        for index in 0..ENTRIES_MAX {
            cache.put(index.to_string(), 2, start);
        }
        assert_eq!(cache.get(&"a".to_owned(), start), None);
    }
}
