//! What is said of a verdict: one short sentence, and the calls by which a person deals with it.
//!
//! Owns the words. Nothing in them was written by agents or users, but names of polecats.

use super::verdict::{Cause, Rung, Verdict};
use crate::contract::shapes::{ConvoyEntry, ConvoyStatus, LandingStatus};
use crate::contract::tool_keys::{CONVOY_PARTIAL, ESCALATIONS, SLING, START_BEAD, START_CONVOY, TOWN_CHECK, UPDATE_CONVOY};
use crate::tools::names::{Names, NextCall};
use crate::tools::text::name;
use base::time::Timestamp;
use serde_json::json;

/// So many seconds in words.
pub(super) fn span(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

/// Why, and what for.
pub(super) fn why(names: Names, verdict: &Verdict, as_of: Timestamp) -> String {
    let who = verdict.holder.as_ref().map_or_else(|| "Its holder".to_owned(), |(_, holder, _)| name(holder));
    let silent = verdict.since.map(|since| span(as_of.since(since) / 1_000)).unwrap_or_default();
    let left = verdict.again_seconds.map(span).unwrap_or_default();
    let number = verdict.number;
    match (verdict.cause, verdict.rung) {
        (Cause::Working, _) => format!("{who} gets on with it."),
        (Cause::Silent | Cause::NotTakenUp, Rung::Nudge) => format!("{who} has done nothing for {silent}: it is asked first."),
        (Cause::Silent | Cause::NotTakenUp, Rung::Wait) => format!("{who} was nudged, and has {left} left to answer."),
        (Cause::Silent, Rung::Reassign) => {
            format!("{who} did not answer its nudge: its order ends, and another polecat gets the same bead.")
        }
        (Cause::Silent, Rung::Escalate) => format!("{who} is holder number {} that fell silent on it: a person should look.", number + 1),
        (Cause::Silent | Cause::ReviewStuck, Rung::Human) => "Escalated: a person decides.".to_owned(),
        (Cause::NotTakenUp, Rung::Leave) => format!("It is on {who}'s hook, and nobody has begun yet."),
        (Cause::NotTakenUp, Rung::Escalate) => format!("Nobody takes up {who}'s hook: its agent or a runner must be started."),
        (Cause::NotTakenUp, _) => format!("Escalated: nobody takes up {who}'s hook."),
        (Cause::Silent, _) => format!("{who} has done nothing for {silent}."),
        (Cause::InReview, _) => "Its merge request is in review.".to_owned(),
        (Cause::PullRequest, _) => "Its pull request is open, and waits for whoever merges it.".to_owned(),
        (Cause::ReviewStuck, _) => format!("Its review has not moved for {silent}."),
        (Cause::NoRefinery, _) => format!("Its merge request has waited for {silent}, and its rig has no refinery."),
        (Cause::MergeConflict, _) => "Its branch does not merge. Nothing is done about a conflict here: a person decides.".to_owned(),
        (Cause::Blocked, _) => "What it waits for is under way.".to_owned(),
        (Cause::BlockerFailed, _) => "What it waits for has failed, and blocks it until that is taken out or done anew.".to_owned(),
        (Cause::BlockerDeleted, _) => "What it waits for was deleted, and blocks it until that is taken out.".to_owned(),
        (Cause::Failed, Rung::Human) => "It failed, which is escalated: a person decides whether it is tried anew.".to_owned(),
        (Cause::Failed, _) => "It failed: a person decides whether it is tried anew.".to_owned(),
        (Cause::FollowedUp, _) => "It failed, and is done anew in a follow-up.".to_owned(),
        (Cause::Deleted, _) => "It was deleted in its rig, and counts as failed until it is taken out.".to_owned(),
        (Cause::RestartLoop, _) => format!("{number} orders of it ended without a report within a short time: something in it ends them."),
        (Cause::Resting, _) => format!("Given back {number} times; it is given out again in {left}."),
        (Cause::AllBusy, _) => {
            format!("All polecats of its rig are busy, and {number} beads are queued. More may work with max_polecats_per_rig.")
        }
        (Cause::Queued, _) => "It is next in the queue.".to_owned(),
        (Cause::Held, _) => format!("A label holds it back: {} gives it out.", names.of(START_BEAD)),
        (Cause::WithMayor, _) => "It was left to the Mayor.".to_owned(),
        (Cause::LeftBehind, _) => "Nobody holds it any more; the watch opens it again.".to_owned(),
        (Cause::Staged, _) => "The convoy is staged.".to_owned(),
        (Cause::Parked, _) => "Its rig is parked, on purpose: nothing is done.".to_owned(),
        (Cause::Draining, _) => "The town drains: nothing is done until that is over.".to_owned(),
        (Cause::Breaker, _) => format!("Too much has failed in the town, so nothing is given out; `{}` says more.", names.of(ESCALATIONS)),
        (Cause::OnItsWay, _) => "Its rig has not heard of it yet.".to_owned(),
        (Cause::Missing, _) => format!("Its rig does not have it; {} says more, and mends it.", names.of(TOWN_CHECK)),
        (Cause::RigSilent, _) => "Its rig did not answer: nothing is known of it now.".to_owned(),
    }
}

/// The message of an escalation. Whoever reads it may be anybody, so that its tools have the names of coordinators.
pub(super) fn message(verdict: &Verdict, convoy: &ConvoyEntry, as_of: Timestamp) -> String {
    let root = verdict.root.as_ref().map(|root| format!(" (bead {root})")).unwrap_or_default();
    format!("Bead {} of convoy {} does not move. {}{root}", verdict.bead, convoy.id, why(Names::of_coordinators(false), verdict, as_of))
}

/// What a person can call about the convoy as a whole.
pub(super) fn calls(names: Names, town: &str, convoy: &ConvoyEntry, verdicts: &[Verdict]) -> Vec<NextCall> {
    let mut calls = Vec::new();
    let of = |cause: Cause| verdicts.iter().filter(move |verdict| verdict.cause == cause);
    if of(Cause::Staged).next().is_some() {
        calls.push(names.call(START_CONVOY, json!({"town": town, "convoy": convoy.id})));
    }
    if of(Cause::Failed).next().is_some() {
        calls.push(names.call(CONVOY_PARTIAL, json!({"town": town, "convoy": convoy.id})));
    }
    let out: Vec<&str> = of(Cause::Failed).chain(of(Cause::Deleted)).map(|verdict| verdict.bead.as_str()).collect();
    if !out.is_empty() {
        calls.push(names.call(UPDATE_CONVOY, json!({"town": town, "convoy": convoy.id, "remove_beads": out})));
    }
    for held in of(Cause::Held) {
        calls.push(names.call(START_BEAD, json!({"town": town, "bead": held.bead})));
    }
    if of(Cause::Missing).next().is_some() {
        calls.push(names.call(TOWN_CHECK, json!({"town": town})));
    }
    if convoy.landings.iter().any(|landing| landing.status == LandingStatus::Failed)
        && convoy.status == ConvoyStatus::Active
        && let Some(mode) = convoy.merge_mode
    {
        calls.push(names.call(UPDATE_CONVOY, json!({"town": town, "convoy": convoy.id, "merge_mode": mode})));
    }
    calls
}

/// How to read the calls.
pub(super) fn hint(names: Names, verdicts: &[Verdict]) -> Option<String> {
    let has = |cause: Cause| verdicts.iter().any(|verdict| verdict.cause == cause);
    if has(Cause::Failed) {
        let [partial, update, sling] = [CONVOY_PARTIAL, UPDATE_CONVOY, SLING].map(|tool| names.of(tool));
        return Some(format!(
            "Failed beads: {partial} tries them anew in a follow-up, {update} takes them out; to try one anew in this convoy call {sling} with convoy."
        ));
    }
    has(Cause::Staged).then(|| format!("Nothing is wrong: {} starts it.", names.of(START_CONVOY)))
}
