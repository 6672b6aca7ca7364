//! The watchdog's decisions: one pure function over the loaded state of a rig.
//!
//! Owns every decision of the watchdog, and when it must look next. Touches no database; `act` carries out, `load` reads.

use super::alerts::Alert;
use crate::contract::alerts::AlertKind;
use crate::contract::columns::flag_column;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::watch::WatchSettings;
use base::order::sort;
use base::time::Timestamp;
use serde::Deserialize;

/// The state that the watchdog decides on.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// The rig is parked, or its town drains: on purpose.
    pub paused: bool,
    /// The circuit breaker is open: hooked work is not handed out.
    pub is_broken: bool,
    /// When the last such pause ended; silence is counted from then at the earliest.
    pub resumed_at: Timestamp,
    /// Orders under way, one per hook.
    pub orders: Vec<Running>,
    /// Beads in progress without a holder.
    pub orphans: Vec<Left>,
    /// Merge requests in progress without a holder and without a pull request.
    pub abandoned: Vec<Left>,
    /// Orders that ended without a report, in any order.
    pub exits: Vec<Exit>,
    /// Beads that are ready and wait.
    pub waiting: i64,
    /// The open alerts.
    pub alerts: Vec<Alert>,
    /// Agents without a hook that may be removed unless mail waits for them.
    pub unused: Vec<Unused>,
}

/// An order under way.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Running {
    /// Which.
    pub id: i64,
    /// Whose.
    pub agent: AgentId,
    /// What it is about.
    pub bead: BeadId,
    /// The bead is a merge request.
    #[serde(deserialize_with = "flag_column")]
    pub is_review: bool,
    /// The agent has begun, whether or not a runner took the order.
    #[serde(deserialize_with = "flag_column")]
    pub is_begun: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a runner took it.
    pub handed_at: Option<Timestamp>,
    /// First sign of life.
    pub started_at: Option<Timestamp>,
    /// Newest heartbeat; an order without any is not expected to send them.
    pub heartbeat_at: Option<Timestamp>,
    /// Newest thing that was done.
    pub progress_at: Timestamp,
    /// When the watch nudged.
    pub nudged_at: Option<Timestamp>,
    /// When the watch escalated.
    pub escalated_at: Option<Timestamp>,
}

/// A bead that was left behind.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Left {
    /// Which.
    pub bead: BeadId,
    /// When it last changed.
    pub since: Timestamp,
}

/// An order that ended without a report.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Exit {
    /// Whose.
    pub agent: AgentId,
    /// What it was about.
    pub bead: BeadId,
    /// When.
    pub at: Timestamp,
}

/// An agent without work for a long time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Unused {
    /// Which.
    pub agent: AgentId,
    /// When it was last heard of.
    pub since: Timestamp,
    /// Mail waits for it.
    #[serde(deserialize_with = "flag_column")]
    pub has_mail: bool,
}

/// One action; they are carried out in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The process is gone: the order ends, and its bead is given out again.
    Lose(Running),
    /// The agent is asked whether it is stuck.
    Nudge(Running),
    /// The agent counts as stalled from now on.
    Stall(Running),
    /// An agent that counted as stalled gets on.
    Revive(Running),
    /// The order ends because it gets nowhere; its polecat is dead then, a refinery is idle.
    Stop(Running),
    /// A bead or merge request that was left behind is open again.
    Reopen(BeadId),
    /// The agent is deregistered.
    Remove(AgentId),
    /// Something to tell people.
    Raise(AlertKind, String),
    /// An alert that seemed over is not: it goes on.
    Resume(AlertKind, String),
    /// The condition of an alert is not seen; it may be over.
    Ease(AlertKind, String),
    /// It has been over for long enough.
    Resolve(AlertKind, String),
}

/// The actions due, and when to look again if nothing changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// The actions due.
    pub actions: Vec<Action>,
    /// When the next threshold is reached if nothing changes; `None`: there is none.
    pub next: Option<Timestamp>,
}

/// Counts silences, and remembers which of them ends first.
struct Clock {
    now: Timestamp,
    resumed_at: Timestamp,
    next: Option<Timestamp>,
}

impl Clock {
    /// Whether so many seconds have gone by since `from`, a pause not counted.
    fn is_over(&mut self, from: Timestamp, seconds: i64) -> bool {
        let at = from.max(self.resumed_at).plus_millis(seconds.saturating_mul(1_000));
        if at > self.now {
            self.look_at(at);
        }
        at <= self.now
    }

    fn look_at(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |known| known.min(at)));
    }
}

/// Decides. A second decision right after the actions gives none. A pause is no outage: no action is due in it.
#[must_use]
pub fn decide(seen: &Watched, settings: &WatchSettings, now: Timestamp) -> Decision {
    if seen.paused {
        return Decision::default();
    }
    let mut clock = Clock { now, resumed_at: seen.resumed_at, next: None };
    let mut actions = Vec::new();
    let mut holding = Vec::new();
    for order in &seen.orders {
        if is_taken_up(order) {
            look_at_order(order, settings, &mut clock, &mut actions, &mut holding);
        } else if !seen.is_broken && clock.is_over(order.created_at, settings.unclaimed_order_seconds) {
            holding.push((AlertKind::NoRunner, String::new()));
        }
    }
    for (left, seconds) in [(&seen.orphans, settings.orphan_bead_seconds), (&seen.abandoned, settings.review_abandoned_seconds)] {
        actions.extend(left.iter().filter(|left| clock.is_over(left.since, seconds)).map(|left| Action::Reopen(left.bead.clone())));
    }
    for unused in &seen.unused {
        match (clock.is_over(unused.since, settings.agent_keep_seconds), unused.has_mail) {
            (true, false) => actions.push(Action::Remove(unused.agent.clone())),
            // The time of reading is unknown.
            (true, true) => clock.look_at(now.plus_millis(settings.agent_keep_seconds.saturating_mul(1_000))),
            (false, _) => {}
        }
    }
    let mut exits = seen.exits.clone();
    exits.extend(actions.iter().filter_map(|action| {
        let Action::Lose(order) = action else { return None };
        Some(Exit { agent: order.agent.clone(), bead: order.bead.clone(), at: now })
    }));
    holding.extend(restart_loops(&exits, settings, now).into_iter().map(|subject| (AlertKind::RestartLoop, subject.to_owned())));
    let was_deep = seen.alerts.iter().any(|alert| alert.kind == AlertKind::QueueDepth);
    if seen.waiting > if was_deep { settings.queue_depth_alert * 4 / 5 } else { settings.queue_depth_alert } {
        holding.push((AlertKind::QueueDepth, String::new()));
    }
    look_at_alerts(&seen.alerts, holding, settings, &mut clock, &mut actions);
    Decision { actions, next: clock.next }
}

/// Whether anybody works on it.
const fn is_taken_up(order: &Running) -> bool {
    order.handed_at.is_some() || order.started_at.is_some() || order.is_begun
}

/// The conditions that hold: a kind, and a subject, which is empty for the rig as a whole.
type Holding = Vec<(AlertKind, String)>;

fn look_at_order(order: &Running, settings: &WatchSettings, clock: &mut Clock, actions: &mut Vec<Action>, holding: &mut Holding) {
    let is_gone = match (order.heartbeat_at, order.started_at, order.handed_at) {
        (Some(beat), ..) => clock.is_over(beat, settings.heartbeat_seconds),
        (None, None, Some(handed)) => clock.is_over(handed, settings.start_seconds),
        _ => false,
    };
    if is_gone {
        actions.push(Action::Lose(order.clone()));
        return;
    }
    let progress =
        [order.handed_at, order.started_at, Some(clock.resumed_at)].into_iter().flatten().fold(order.progress_at, Timestamp::max);
    if order.is_review {
        if clock.is_over(progress, settings.review_stuck_seconds) {
            actions.push(Action::Stop(order.clone()));
            holding.push((AlertKind::StuckReview, order.bead.to_string()));
        }
        return;
    }
    let stalled = order.escalated_at.is_some_and(|at| at >= progress);
    let Some(nudged) = order.nudged_at.filter(|at| *at >= progress) else {
        if order.escalated_at.is_some() {
            actions.push(Action::Revive(order.clone()));
        }
        if clock.is_over(progress, settings.nudge_after_seconds) {
            actions.push(Action::Nudge(order.clone()));
        }
        return;
    };
    // A nudge that came late leaves as much time to answer it as one that came in time.
    let late = nudged.since(progress.plus_millis(settings.nudge_after_seconds.saturating_mul(1_000)));
    let silent_since = progress.plus_millis(late);
    if clock.is_over(silent_since, settings.stop_after_seconds) {
        actions.push(Action::Stop(order.clone()));
    } else if stalled || clock.is_over(silent_since, settings.escalate_after_seconds) {
        if !stalled {
            actions.push(Action::Stall(order.clone()));
        }
        holding.push((AlertKind::StalledAgent, order.agent.to_string()));
    }
}

/// The beads whose orders ended without a report again and again, and the agents that did so with several beads.
fn restart_loops<'a>(exits: &'a [Exit], settings: &WatchSettings, now: Timestamp) -> Vec<&'a str> {
    let window = settings.restart_loop_seconds.saturating_mul(1_000);
    let recent: Vec<&Exit> = exits.iter().filter(|exit| now.since(exit.at) < window).collect();
    let is_many = |count: usize| i64::try_from(count).unwrap_or(i64::MAX) >= settings.restart_loop_exits;
    let mut looping = Vec::new();
    for exit in &recent {
        if is_many(recent.iter().filter(|other| other.bead == exit.bead).count()) {
            looping.push(exit.bead.as_str());
        }
        let with_others = recent.iter().any(|other| other.agent == exit.agent && other.bead != exit.bead);
        if with_others && is_many(recent.iter().filter(|other| other.agent == exit.agent).count()) {
            looping.push(exit.agent.as_str());
        }
    }
    looping
}

/// An alert is raised once, goes on while it is so, and is resolved when it has been over for a while.
fn look_at_alerts(alerts: &[Alert], holding: Holding, settings: &WatchSettings, clock: &mut Clock, actions: &mut Vec<Action>) {
    let mut holding = sort(holding, false, |(kind, subject)| (*kind as i64, subject.clone()));
    holding.dedup();
    let calm_millis = settings.alert_calm_seconds.saturating_mul(1_000);
    if holding.iter().any(|(kind, _)| matches!(kind, AlertKind::StalledAgent | AlertKind::RestartLoop)) {
        // These end without anybody's asking for a look, and they end soon; the others end with a change.
        clock.look_at(clock.now.plus_millis(calm_millis));
    }
    for Alert { kind, subject, over_at, is_open_bead, .. } in alerts {
        let place = holding.iter().position(|(holds, about)| holds == kind && about == subject);
        let is_named = place.map(|place| holding.remove(place)).is_some();
        // The review was stopped; whether that helped shows when it ends.
        let holds = is_named || (*kind == AlertKind::StuckReview && *is_open_bead);
        match over_at {
            None if !holds => actions.push(Action::Ease(*kind, subject.clone())),
            Some(_) if holds => actions.push(Action::Resume(*kind, subject.clone())),
            Some(at) if clock.is_over(*at, settings.alert_calm_seconds) => actions.push(Action::Resolve(*kind, subject.clone())),
            _ => {}
        }
    }
    actions.extend(holding.into_iter().map(|(kind, subject)| Action::Raise(kind, subject)));
}
