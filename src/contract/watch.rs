//! The thresholds of the watchdog: what may be set, within which limits, and what holds where nothing is set (Gastown contract,
//! sections 8 and 10).
//!
//! Owns the table of thresholds, from which the guide's is printed, and their check. A town sets them as `watch`; its rigs
//! get them with their `rig` letter.

use base::error::{Code, Refusal};
use serde_json::Value;

/// The nudge for an agent that makes no progress.
pub const NUDGE: &str = "Progress check: are you blocked?";
/// A week: no threshold in seconds is longer.
const SECONDS_MAX: i64 = 7 * 24 * 60 * 60;
/// Most failures or queued beads that a threshold may name.
const COUNT_MAX: i64 = 200;

/// A threshold as users see it.
#[derive(Debug, Clone, Copy)]
pub struct Threshold {
    /// Its key below `watch`.
    pub name: &'static str,
    /// The value where the town sets none: seconds, or a number.
    pub default: i64,
    /// Greatest value; the least is one.
    pub most: i64,
    /// The effect of reaching it.
    pub about: &'static str,
}

macro_rules! thresholds {
    ($($name:ident = $default:literal, $most:ident, $about:literal;)*) => {
        /// The thresholds as one value: seconds, or numbers of things.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct WatchSettings {
            $(#[doc = $about] pub $name: i64,)*
        }

        impl Default for WatchSettings {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }

        impl WatchSettings {
            /// The thresholds that a configuration sets, the others as they are by default.
            #[must_use]
            pub fn of(set: Option<&Value>) -> Self {
                let mut settings = Self::default();
                $(if let Some(value) = set.and_then(|set| set.get(stringify!($name))).and_then(Value::as_i64) {
                    settings.$name = value;
                })*
                settings
            }
        }

        /// Every threshold.
        pub const THRESHOLDS: &[Threshold] =
            &[$(Threshold { name: stringify!($name), default: $default, most: $most, about: $about },)*];
    };
}

thresholds! {
    heartbeat_seconds = 90, SECONDS_MAX, "no heartbeat of a process that sends them: it is lost, its bead goes back to the queue";
    start_seconds = 90, SECONDS_MAX, "no sign of life of an order that a runner took: the same";
    nudge_after_seconds = 1_800, SECONDS_MAX, "no progress: the agent is nudged";
    escalate_after_seconds = 3_600, SECONDS_MAX, "no progress: the agent is `stalled`, which is escalated and waits for triage";
    stop_after_seconds = 7_200, SECONDS_MAX, "no progress: the order is stopped, the polecat is dead, another one gets its bead";
    orphan_bead_seconds = 300, SECONDS_MAX, "a bead is in progress and on nobody's hook: it is open again";
    unclaimed_order_seconds = 600, SECONDS_MAX, "neither runner nor agent takes up a hook: it is escalated, and stays";
    review_stuck_seconds = 1_800, SECONDS_MAX, "a merge request on the refinery's hook makes no progress: it is open again, and escalated";
    review_abandoned_seconds = 120, SECONDS_MAX, "a merge request is in progress, on nobody's hook, without a pull request: it is open again";
    restart_loop_exits = 3, COUNT_MAX, "so many orders of one bead, or of one agent on several, ended without a report …";
    restart_loop_seconds = 1_800, SECONDS_MAX, "… within so long: a restart loop, which is escalated";
    queue_depth_alert = 20, COUNT_MAX, "more beads are ready and wait: it is escalated, and over at four fifths of it";
    backoff_seconds = 30, SECONDS_MAX, "first rest of a bead whose order ended without a report; then 2, 4, 10 and 20 times as long";
    breaker_failures = 20, COUNT_MAX, "so many orders of the whole town ended without a report …";
    breaker_seconds = 1_800, SECONDS_MAX, "… within so long: no rig gives out work until fewer than half of that is left";
    re_escalate_seconds = 14_400, SECONDS_MAX, "an escalation that nobody has acknowledged is raised again";
    agent_keep_seconds = 86_400, SECONDS_MAX, "an idle or dead polecat without hook and unread messages is removed";
    alert_calm_seconds = 300, SECONDS_MAX, "what was escalated has been over for so long: the escalation is resolved";
}

impl WatchSettings {
    /// Whether the thresholds fit each other.
    ///
    /// # Errors
    /// `InvalidArgument` when an agent would be stopped before it was escalated, or escalated before it was nudged.
    pub fn check(&self) -> Result<(), Refusal> {
        if self.nudge_after_seconds <= self.escalate_after_seconds && self.escalate_after_seconds <= self.stop_after_seconds {
            return Ok(());
        }
        let refusal = Refusal::new(
            Code::InvalidArgument,
            format!(
                "watch: nudge_after_seconds ({}) must not exceed escalate_after_seconds ({}), nor that stop_after_seconds ({})",
                self.nudge_after_seconds, self.escalate_after_seconds, self.stop_after_seconds
            ),
        );
        Err(refusal.hint("Set the three of them in one call."))
    }
}

/// Checks the `watch` setting: an object of some of the thresholds.
///
/// # Errors
/// `InvalidArgument` that names the allowed range.
pub fn check(set: &Value) -> Result<(), Refusal> {
    let Some(set) = set.as_object() else { return Err(Refusal::new(Code::InvalidArgument, "watch must be an object")) };
    for (name, value) in set {
        let Some(threshold) = THRESHOLDS.iter().find(|threshold| threshold.name == name) else {
            let known: Vec<&str> = THRESHOLDS.iter().map(|threshold| threshold.name).collect();
            let refusal = Refusal::new(Code::InvalidArgument, format!("watch.{name} is not a setting of a town"));
            return Err(refusal.hint(format!("Settings: {}.", known.join(", "))));
        };
        if !value.as_i64().is_some_and(|value| (1..=threshold.most).contains(&value)) {
            return Err(Refusal::new(Code::InvalidArgument, format!("watch.{name} must be a whole number from 1 to {}", threshold.most)));
        }
    }
    Ok(())
}
