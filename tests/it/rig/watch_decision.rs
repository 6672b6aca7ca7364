//! The decision of the watch, without a rig: each threshold, and what holds for every rig that there can be.

use base::time::Timestamp;
use gastown_mcp::contract::alerts::AlertKind;
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::watch::WatchSettings;
use gastown_mcp::objects::rig::watchdog::alerts::Alert;
use gastown_mcp::objects::rig::watchdog::decide::{Action, Exit, Left, Running, Unused, Watched, decide};
use proptest::prelude::*;
use std::collections::BTreeSet;

const START: i64 = 1_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START + seconds * 1_000)
}

fn agent(seed: u8) -> AgentId {
    AgentId::from_random([seed; 16])
}

fn bead(seed: u8) -> BeadId {
    BeadId::from_random([seed; 16])
}

/// An order that a runner took at second 0, and whose process began at once.
fn running(seed: u8) -> Running {
    Running {
        id: i64::from(seed),
        agent: agent(seed),
        bead: bead(seed),
        is_review: false,
        is_begun: true,
        created_at: at(0),
        handed_at: Some(at(0)),
        started_at: Some(at(0)),
        heartbeat_at: None,
        progress_at: at(0),
        nudged_at: None,
        escalated_at: None,
    }
}

fn of(order: Running) -> Watched {
    Watched { orders: vec![order], ..Watched::default() }
}

fn alert(kind: AlertKind, subject: &str, over_at: Option<i64>) -> Alert {
    Alert { kind, subject: subject.to_owned(), over_at: over_at.map(at), is_open_bead: false }
}

/// At its second something is done, and not a millisecond earlier; until then the watch sleeps.
#[track_caller]
fn due(seen: &Watched, second: i64, expected: &[Action]) {
    let settings = WatchSettings::default();
    let before = decide(seen, &settings, at(second).plus_millis(-1));
    assert_eq!(before.actions, [], "not before {second} s");
    assert_eq!(before.next, Some(at(second)));
    assert_eq!(decide(seen, &settings, at(second)).actions, expected);
}

/// S2-19, S2-21, S2-23, S2-25, S4-10.
#[test]
fn every_silence_has_its_second() {
    let beating = Running { heartbeat_at: Some(at(0)), ..running(1) };
    due(&of(beating.clone()), 90, &[Action::Lose(beating)]);
    let unheard = Running { started_at: None, is_begun: false, ..running(1) };
    due(&of(unheard.clone()), 90, &[Action::Lose(unheard)]);
    // One that never sent a heartbeat is held to its progress only.
    let quiet = running(1);
    due(&of(quiet.clone()), 1_800, &[Action::Nudge(quiet)]);
    let nudged = Running { nudged_at: Some(at(1_800)), ..running(1) };
    let raise = Action::Raise(AlertKind::StalledAgent, agent(1).to_string());
    due(&of(nudged.clone()), 3_600, &[Action::Stall(nudged.clone()), raise]);
    let stalled = Running { escalated_at: Some(at(3_600)), ..nudged };
    assert_eq!(decide(&of(stalled.clone()), &WatchSettings::default(), at(7_200)).actions, [Action::Stop(stalled)]);
    let review = Running { is_review: true, ..running(1) };
    due(&of(review.clone()), 1_800, &[Action::Stop(review), Action::Raise(AlertKind::StuckReview, bead(1).to_string())]);
    let untaken = Running { handed_at: None, started_at: None, is_begun: false, ..running(1) };
    due(&of(untaken), 600, &[Action::Raise(AlertKind::NoRunner, String::new())]);
    let left = vec![Left { bead: bead(9), since: at(0) }];
    due(&Watched { orphans: left.clone(), ..Watched::default() }, 300, &[Action::Reopen(bead(9))]);
    due(&Watched { abandoned: left, ..Watched::default() }, 120, &[Action::Reopen(bead(9))]);
    let unused = vec![Unused { agent: agent(9), since: at(0), has_mail: false }];
    due(&Watched { unused, ..Watched::default() }, 86_400, &[Action::Remove(agent(9))]);
}

/// S2-25: the nudge comes first, however late; whoever was nudged late has as long to answer.
#[test]
fn nobody_is_stopped_who_was_not_nudged_and_given_the_time_to_answer() {
    let settings = WatchSettings::default();
    let quiet = running(1);
    assert_eq!(decide(&of(quiet.clone()), &settings, at(80_000)).actions, [Action::Nudge(quiet.clone())]);
    let nudged = Running { nudged_at: Some(at(80_000)), ..quiet };
    assert_eq!(decide(&of(nudged.clone()), &settings, at(81_799)).actions, []);
    assert!(matches!(decide(&of(nudged.clone()), &settings, at(81_800)).actions[..], [Action::Stall(_), Action::Raise(..)]));
    assert!(matches!(decide(&of(nudged), &settings, at(85_400)).actions[..], [Action::Stop(_)]));
}

/// S2-21: whoever gets on after a nudge or an escalation is left alone, and asked anew after the next silence.
#[test]
fn progress_clears_what_was_held_against_an_agent() {
    let settings = WatchSettings::default();
    let nudged = Running { nudged_at: Some(at(1_800)), progress_at: at(1_801), ..running(1) };
    assert_eq!(decide(&of(nudged.clone()), &settings, at(3_600)).actions, []);
    due(&of(nudged.clone()), 3_601, &[Action::Nudge(nudged)]);
    let stalled = Running { nudged_at: Some(at(1_800)), escalated_at: Some(at(3_600)), progress_at: at(3_700), ..running(1) };
    let seen = Watched { alerts: vec![alert(AlertKind::StalledAgent, agent(1).as_str(), None)], ..of(stalled.clone()) };
    let expected = [Action::Revive(stalled), Action::Ease(AlertKind::StalledAgent, agent(1).to_string())];
    assert_eq!(decide(&seen, &settings, at(3_700)).actions, expected);
}

#[test]
fn a_pause_is_no_outage_and_silence_counts_from_its_end() {
    let settings = WatchSettings::default();
    let beating = Running { heartbeat_at: Some(at(0)), ..running(1) };
    let waiting = Watched { paused: true, waiting: 1_000, ..of(beating.clone()) };
    assert_eq!(decide(&waiting, &settings, at(1_000_000)), gastown_mcp::objects::rig::watchdog::decide::Decision::default());
    let resumed = Watched { resumed_at: at(1_000_000), ..of(beating.clone()) };
    due(&resumed, 1_000_090, &[Action::Lose(beating)]);
}

/// S2-42.
#[test]
fn the_queue_is_deep_above_the_threshold_and_not_any_more_at_four_fifths() {
    let settings = WatchSettings::default();
    let deep = |waiting: i64, alerts: &[Alert]| {
        decide(&Watched { waiting, alerts: alerts.to_vec(), ..Watched::default() }, &settings, at(1_000)).actions
    };
    let key = || (AlertKind::QueueDepth, String::new());
    assert_eq!(deep(20, &[]), []);
    assert_eq!(deep(21, &[]), [Action::Raise(key().0, key().1)]);
    let raised = [alert(AlertKind::QueueDepth, "", None)];
    for waiting in [17, 20, 21] {
        assert_eq!(deep(waiting, &raised), [], "{waiting}");
    }
    assert_eq!(deep(16, &raised), [Action::Ease(key().0, key().1)]);
    let over = [alert(AlertKind::QueueDepth, "", Some(701))];
    assert_eq!(deep(16, &over), []);
    assert_eq!(deep(17, &over), [Action::Resume(key().0, key().1)]);
    assert_eq!(deep(16, &[alert(AlertKind::QueueDepth, "", Some(700))]), [Action::Resolve(key().0, key().1)]);
}

#[test]
fn a_loop_is_of_a_bead_or_of_an_agent_with_several_beads() {
    let exit = |of: u8, about: u8, second: i64| Exit { agent: agent(of), bead: bead(about), at: at(second) };
    let raised = |exits: Vec<Exit>| decide(&Watched { exits, ..Watched::default() }, &WatchSettings::default(), at(1_800)).actions;
    let raise = |subject: &str| Action::Raise(AlertKind::RestartLoop, subject.to_owned());
    assert_eq!(raised(vec![exit(1, 5, 1), exit(2, 5, 900)]), []);
    assert_eq!(raised(vec![exit(1, 5, 1), exit(2, 5, 900), exit(1, 5, 1_800)]), [raise(bead(5).as_str())]);
    assert_eq!(raised(vec![exit(1, 5, 0), exit(2, 5, 900), exit(1, 5, 1_800)]), [], "the first was too long ago");
    assert_eq!(raised(vec![exit(1, 5, 1), exit(1, 6, 900), exit(1, 7, 1_800)]), [raise(agent(1).as_str())]);
}

prop_compose! {
    fn some_order()(
        seed in 1_u8..40, is_review: bool, is_begun: bool, times in prop::array::uniform4(prop::option::of(0_i64..400)), progress in 0_i64..400,
        nudged in prop::option::of(0_i64..400), escalated in prop::option::of(0_i64..400),
    ) -> Running {
        let [created, handed, started, beat] = times.map(|time| time.map(at));
        Running {
            is_review, is_begun, created_at: created.unwrap_or(at(0)), handed_at: handed, started_at: started, heartbeat_at: beat,
            progress_at: at(progress), nudged_at: nudged.map(at), escalated_at: escalated.map(at), ..running(seed)
        }
    }
}

prop_compose! {
    fn some_alert()(kind in 0_usize..5, subject in 1_u8..40, over in prop::option::of(0_i64..400), is_open_bead: bool) -> Alert {
        use AlertKind::{NoRunner, QueueDepth, RestartLoop, StalledAgent, StuckReview};
        let kind = [StalledAgent, RestartLoop, StuckReview, QueueDepth, NoRunner][kind];
        let subject = if matches!(kind, QueueDepth | NoRunner) { String::new() } else { agent(subject).to_string() };
        Alert { is_open_bead, ..alert(kind, &subject, over) }
    }
}

prop_compose! {
    fn some_rig()(
        orders in prop::collection::vec(some_order(), 0..6), alerts in prop::collection::vec(some_alert(), 0..6), waiting in 0_i64..8,
        lefts in prop::collection::btree_map(40_u8..60, 0_i64..400, 0..4), exits in prop::collection::vec((1_u8..6, 1_u8..6, 0_i64..400), 0..9),
        unused in prop::collection::btree_map(60_u8..80, 0_i64..400, 0..4), resumed in 0_i64..400,
    ) -> Watched {
        // As the schema has it: one order for each agent, one alert for each thing, and a bead is left in one way.
        let (mut agents, mut keys) = (BTreeSet::new(), BTreeSet::new());
        let held: BTreeSet<String> = orders.iter().map(|order| order.bead.to_string()).collect();
        let (orphans, abandoned) = lefts.into_iter().map(|(seed, since)| Left { bead: bead(seed), since: at(since) }).partition(|left| left.since < at(200));
        Watched {
            paused: false,
            is_broken: false,
            resumed_at: at(resumed),
            orders: orders.into_iter().filter(|order| agents.insert(order.id)).collect(),
            alerts: alerts
                .into_iter()
                .filter(|alert| keys.insert((alert.kind, alert.subject.clone())))
                .map(|alert| Alert { is_open_bead: alert.is_open_bead || held.contains(&alert.subject), ..alert })
                .collect(),
            exits: exits.into_iter().map(|(of, about, second)| Exit { agent: agent(of), bead: bead(about), at: at(second) }).collect(),
            unused: unused.into_iter().map(|(seed, since)| Unused { agent: agent(seed), since: at(since), has_mail: seed % 3 == 0 }).collect(),
            orphans, abandoned, waiting,
        }
    }
}

prop_compose! {
    fn some_settings()(times in prop::array::uniform10(1_i64..120), exits in 1_i64..5, depth in 1_i64..6) -> WatchSettings {
        let [heartbeat, start, nudge, escalate, stop, orphan, unclaimed, review, window, calm] = times;
        WatchSettings {
            heartbeat_seconds: heartbeat, start_seconds: start, nudge_after_seconds: nudge, escalate_after_seconds: nudge + escalate,
            stop_after_seconds: nudge + escalate + stop, orphan_bead_seconds: orphan, unclaimed_order_seconds: unclaimed,
            review_stuck_seconds: review, review_abandoned_seconds: orphan, restart_loop_exits: exits, restart_loop_seconds: window,
            queue_depth_alert: depth, agent_keep_seconds: orphan, alert_calm_seconds: calm, ..WatchSettings::default()
        }
    }
}

/// The rig as it stands when an action was carried out.
fn carry_out(seen: &mut Watched, action: &Action, now: Timestamp) {
    let order =
        |seen: &mut Watched, id: i64, change: &dyn Fn(&mut Running)| seen.orders.iter_mut().filter(|order| order.id == id).for_each(change);
    let keep_alert = |seen: &mut Watched, kind: AlertKind, subject: &str, over_at: Option<Timestamp>| {
        seen.alerts.iter_mut().filter(|alert| alert.kind == kind && alert.subject == subject).for_each(|alert| alert.over_at = over_at);
    };
    match action {
        Action::Lose(ended) | Action::Stop(ended) => {
            seen.orders.retain(|order| order.id != ended.id);
            if matches!(action, Action::Lose(_)) {
                seen.exits.push(Exit { agent: ended.agent.clone(), bead: ended.bead.clone(), at: now });
            }
        }
        Action::Nudge(of) => order(seen, of.id, &|order| order.nudged_at = Some(now)),
        Action::Stall(of) => order(seen, of.id, &|order| order.escalated_at = Some(now)),
        Action::Revive(of) => order(seen, of.id, &|order| (order.nudged_at, order.escalated_at) = (None, None)),
        Action::Reopen(bead) => {
            for left in [&mut seen.orphans, &mut seen.abandoned] {
                left.retain(|left| left.bead != *bead);
            }
        }
        Action::Remove(agent) => seen.unused.retain(|unused| unused.agent != *agent),
        Action::Raise(kind, subject) => {
            seen.alerts.push(Alert { is_open_bead: *kind == AlertKind::StuckReview, ..alert(*kind, subject, None) });
        }
        Action::Resume(kind, subject) => keep_alert(seen, *kind, subject, None),
        Action::Ease(kind, subject) => keep_alert(seen, *kind, subject, Some(now)),
        Action::Resolve(kind, subject) => seen.alerts.retain(|alert| (alert.kind, &alert.subject) != (*kind, subject)),
    }
}

/// What an action is about; two actions about one thing contradict each other.
fn subject(action: &Action) -> Option<String> {
    Some(match action {
        Action::Lose(order) | Action::Nudge(order) | Action::Stall(order) | Action::Stop(order) => format!("order {}", order.id),
        // It may go with a nudge.
        Action::Revive(_) => return None,
        Action::Reopen(bead) => format!("bead {bead}"),
        Action::Remove(agent) => format!("agent {agent}"),
        Action::Raise(kind, subject) | Action::Resume(kind, subject) | Action::Ease(kind, subject) | Action::Resolve(kind, subject) => {
            format!("{kind:?} {subject}")
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_watch_never_contradicts_itself_and_is_done_when_it_has_acted(
        rig in some_rig(), settings in some_settings(), now in 0_i64..1_000, later in 0_f64..1.0,
    ) {
        let mut seen = rig;
        let decision = decide(&seen, &settings, at(now));
        prop_assert!(decision.next.is_none_or(|next| next > at(now)));
        let mut subjects = BTreeSet::new();
        for action in &decision.actions {
            prop_assert!(subject(action).is_none_or(|subject| subjects.insert(subject)), "{:?}", decision.actions);
        }
        let paused = Watched { paused: true, ..seen.clone() };
        prop_assert!(decide(&paused, &settings, at(now)).actions.is_empty());
        for action in &decision.actions {
            carry_out(&mut seen, action, at(now));
        }
        let again = decide(&seen, &settings, at(now));
        prop_assert_eq!(&again.actions, &[]);
        // Until it looks next there is nothing to do, but that a loop may have ended.
        let wait = again.next.map_or(1_000_000, |next| next.since(at(now)) - 1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a moment in between")]
        let moment = at(now).plus_millis((wait as f64 * later) as i64);
        let between = decide(&seen, &settings, moment).actions;
        prop_assert!(between.iter().all(|action| matches!(action, Action::Ease(AlertKind::RestartLoop, _))), "{:?}", between);
    }
}
