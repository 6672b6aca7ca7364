//! The circuit breaker of a town: when too many orders end without a report, in any rigs, no rig gives out work until the
//! escalation is acknowledged or the failures have aged.
//!
//! Owns the `breaker_…` columns. The rigs' summaries tell the failures; running work goes on.

use crate::contract::alerts::{AUTHOR, DISPATCH_BREAKER};
use crate::contract::ids::BeadId;
use crate::contract::shapes::{BreakerStatus, FeedKind, RigSummary, Severity};
use crate::contract::watch::WatchSettings;
use crate::objects::handler::Cx;
use crate::objects::store::sql::execute;
use crate::objects::town::state;
use crate::objects::town::state::TownState;
use crate::objects::town::views::feed;
use crate::objects::town::{config, escalations, outbox_letters, rigs, topics};
use base::error::Failure;
use base::time::Timestamp;
use serde_json::json as value;

/// After it opened the alarm looks this soon, in milliseconds.
const AGAIN_MILLIS: i64 = 1_000;

/// The decision about the breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It stays as it is; while it is open the failures are fewer than half of what opens it from then on, if none is added.
    Stay(Option<Timestamp>),
    /// Nothing is given out any more.
    Open,
    /// Work is given out again.
    Close,
}

/// How many of these failures count.
fn counted(failed_at: &[Timestamp], counts_from: Timestamp, settings: &WatchSettings, now: Timestamp) -> Vec<Timestamp> {
    let window = settings.breaker_seconds.saturating_mul(1_000);
    failed_at.iter().copied().filter(|at| *at > counts_from && now.since(*at) < window).collect()
}

/// Decides from when orders failed, in any order. Earlier ones than `counts_from` do not count.
#[must_use]
pub fn judge(is_open: bool, failed_at: &[Timestamp], counts_from: Timestamp, settings: &WatchSettings, now: Timestamp) -> Verdict {
    let counted = counted(failed_at, counts_from, settings, now);
    let most = usize::try_from(settings.breaker_failures).unwrap_or(usize::MAX);
    match (is_open, counted.len()) {
        (false, failures) if failures >= most => Verdict::Open,
        (true, failures) if failures.saturating_mul(2) < most => Verdict::Close,
        (false, _) => Verdict::Stay(None),
        (true, _) => {
            // The newest first: when the last of them has aged that must, fewer than half are left.
            let mut counted: Vec<i64> = counted.iter().map(|at| at.millis()).collect();
            counted.sort_unstable();
            let last = counted.iter().rev().nth(most.div_ceil(2).saturating_sub(1));
            Verdict::Stay(last.map(|at| Timestamp::from_millis(*at).plus_millis(settings.breaker_seconds.saturating_mul(1_000))))
        }
    }
}

/// Looks at the rigs' summaries, and opens or closes the breaker.
pub(in crate::objects::town) fn look(cx: &Cx<'_>, town: &TownState) -> Result<(), Failure> {
    let settings = config::watch(town);
    let failed_at: Vec<Timestamp> = rigs::summaries(cx)?.0.into_iter().flat_map(|rig| rig.failed_at).collect();
    match judge(town.breaker_opened_at.is_some(), &failed_at, town.breaker_counts_from, &settings, cx.now) {
        Verdict::Stay(next) => {
            if let Some(next) = next {
                cx.wake_at(next);
            }
            Ok(())
        }
        Verdict::Open => open(cx, town, &settings),
        Verdict::Close => {
            close(cx, town, town.breaker_counts_from, None)?;
            town.breaker_escalation.as_ref().map_or(Ok(()), |id| escalations::resolve(cx, town, id, AUTHOR))
        }
    }
}

/// The alarm's part: failures age.
pub(in crate::objects::town) fn alarm(cx: &Cx<'_>) -> Result<(), Failure> {
    let town = state::require(cx)?;
    if town.breaker_opened_at.is_some() { look(cx, &town) } else { Ok(()) }
}

fn open(cx: &Cx<'_>, town: &TownState, settings: &WatchSettings) -> Result<(), Failure> {
    let message = format!(
        "{} orders ended without a report within {} seconds. No rig gives out work until fewer than half of them are that recent.\n\n\
         Find out what ends them. Acknowledging this escalation gives out work again at once, and counts from zero.",
        settings.breaker_failures, settings.breaker_seconds
    );
    let escalation = match cx.attempt(|| escalations::raise(cx, town, Severity::Critical, DISPATCH_BREAKER, message)) {
        Ok(id) => Some(id),
        // A full inbox does not keep it closed.
        Err(Failure::Refused(_)) => None,
        Err(fault) => return Err(fault),
    };
    execute(cx.sql, "-- breaker_open\nUPDATE town SET breaker_opened_at = ?, breaker_escalation = ?", (cx.now.millis(), &escalation))?;
    tell(cx, town, FeedKind::BreakerOpened, None)?;
    // The next look says when it may close.
    cx.wake_at(cx.now.plus_millis(AGAIN_MILLIS));
    Ok(())
}

fn close(cx: &Cx<'_>, town: &TownState, counts_from: Timestamp, actor: Option<&str>) -> Result<(), Failure> {
    execute(
        cx.sql,
        "-- breaker_close\nUPDATE town SET breaker_opened_at = NULL, breaker_escalation = NULL, breaker_counts_from = ?",
        (counts_from.millis(),),
    )?;
    tell(cx, town, FeedKind::BreakerClosed, actor)
}

fn tell(cx: &Cx<'_>, town: &TownState, kind: FeedKind, actor: Option<&str>) -> Result<(), Failure> {
    cx.forget();
    outbox_letters::rigs_changed_unawaited(cx)?;
    feed::write(cx, town, kind, town.town_id.as_str(), actor, &value!({}))?;
    topics::changed(cx, town, topics::TOWN)
}

/// An escalation was acknowledged: if the breaker raised it, it closes, and counting begins anew.
pub(in crate::objects::town) fn acknowledged(cx: &Cx<'_>, town: &TownState, escalation: &BeadId, by: &str) -> Result<(), Failure> {
    if town.breaker_escalation.as_ref() == Some(escalation) { close(cx, town, cx.now, Some(by)) } else { Ok(()) }
}

/// How it stands, while it is open.
pub(in crate::objects::town) fn status(town: &TownState, told: &[RigSummary], now: Timestamp) -> Option<BreakerStatus> {
    let opened_at = town.breaker_opened_at?;
    let failed_at: Vec<Timestamp> = told.iter().flat_map(|rig| rig.failed_at.iter().copied()).collect();
    let failures = counted(&failed_at, town.breaker_counts_from, &config::watch(town), now).len();
    Some(BreakerStatus { opened_at, failures: i64::try_from(failures).unwrap_or(i64::MAX), escalation_id: town.breaker_escalation.clone() })
}
