//! The tool that shows how many polecats a town has for how much work, and what a higher limit would change.
//!
//! Owns that reckoning, which gives out as dispatch does. It raises nothing: it names the call.

use super::NextCall;
use crate::contract::limits::rig::POLECATS_PER_RIG_MAX;
use crate::contract::shapes::{RigPool, TownPool};
use crate::rpc::table::GET_POOL;
use crate::tools::bead_view::some;
use crate::tools::paging;
use crate::tools::text::name;
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::{Code, Failure, Refusal};
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Rigs shown; those with the longest queues come first.
const RIGS_SHOWN_MAX: usize = 10;
/// A ready bead that nothing has happened to for so long is flagged, in minutes.
const AGE_MINUTES_DEFAULT: i64 = 60;
/// Longest age that may be asked for, in minutes: a week.
const AGE_MINUTES_MAX: i64 = 7 * 24 * 60;
/// Highest threshold of a queue.
const QUEUE_MAX: i64 = 100_000;

/// Shows each rig's polecats, its queue and what holds it up, and how many beads a higher limit would give out at once. Use it when
/// all polecats are busy.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolStatus {
    /// Rig id or name; all rigs when left out.
    rig: Option<String>,
    /// Polecats more; left out: as many as would be given something now.
    raise_by: Option<i64>,
    /// A longer queue is flagged; left out: the town's `queue_depth_alert`.
    queue_threshold: Option<i64>,
    /// So are ready beads unchanged for so long (default 60).
    age_minutes: Option<i64>,
}

/// The pool of a town.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Pool {
    town: String,
    summary: String,
    rigs: Vec<RigLine>,
    /// Rigs with shorter queues than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
    /// Rigs asked.
    coverage: Coverage,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RigLine {
    rig: String,
    name: String,
    /// Polecats that may live at once.
    limit: i64,
    working: i64,
    /// Have a bead and have not begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned: Option<i64>,
    idle: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stalled: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead: Option<i64>,
    queue: Queue,
    /// What keeps work from being given out.
    held_up_by: HeldUpBy,
    /// The queue is too long, or too old.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raise: Option<Raise>,
    /// What would end what holds it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<NextCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Each bead is counted once.
#[derive(Debug, Serialize, JsonSchema)]
struct Queue {
    ready: i64,
    /// At least so long one of them has waited.
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest_seconds: Option<i64>,
    /// Rest after an attempt that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    resting: Option<i64>,
    /// When the first of them has rested.
    #[serde(skip_serializing_if = "Option::is_none")]
    rested_at: Option<String>,
    /// Wait for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocked: Option<i64>,
    /// Held by a label.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<i64>,
    /// Of convoys that were not started.
    #[serde(skip_serializing_if = "Option::is_none")]
    staged: Option<i64>,
}

/// `limit`: more polecats would be given something; `soon`: it is given out within seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum HeldUpBy {
    Nothing,
    Soon,
    Limit,
    Parked,
    TownParked,
    Draining,
    Breaker,
    BackOff,
    Blockers,
    Hold,
}

/// What a higher limit would change now.
#[derive(Debug, Serialize, JsonSchema)]
struct Raise {
    by: i64,
    to: i64,
    /// Beads that would be given out at once, beside what is anyway.
    gives_out: i64,
}

impl Tool for PoolStatus {
    const NAME: &'static str = "pool_status";
    const TITLE: &'static str = "Polecats and queues";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = r#"{"rig":"api","raise_by":2}"#;
    type Output = Pool;

    fn rig(&self) -> Option<&str> {
        self.rig.as_deref()
    }

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        let limits = [
            ("raise_by", self.raise_by, POLECATS_PER_RIG_MAX),
            ("queue_threshold", self.queue_threshold, QUEUE_MAX),
            ("age_minutes", self.age_minutes, AGE_MINUTES_MAX),
        ];
        for (argument, given, most) in limits {
            if given.is_some_and(|given| !(1..=most).contains(&given)) {
                return Err(Refusal::new(Code::InvalidArgument, format!("{argument} must be from 1 to {most}")).into());
            }
        }
        Ok(Plan::One(place.call_town(&GET_POOL, (&place.rig,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<Pool, Failure> {
        let pool: TownPool = answers.one(&GET_POOL)?;
        let depth = |rig: &RigPool| rig.queue.ready + rig.queue.resting;
        let summary = summary(&pool);
        let mut rigs = paging::sort(pool.rigs.clone(), false, |rig| (-depth(rig), rig.name.clone()));
        let left_out = rigs.len().checked_sub(RIGS_SHOWN_MAX).filter(|more| *more > 0);
        rigs.truncate(RIGS_SHOWN_MAX);
        let town = place.town()?.to_string();
        Ok(Pool {
            rigs: rigs.into_iter().map(|rig| self.line(&town, &pool, rig)).collect(),
            town,
            summary,
            left_out,
            coverage: Coverage::of_rigs(&pool.coverage, "did not answer in time"),
        })
    }
}

fn summary(pool: &TownPool) -> String {
    let sum = |of: fn(&RigPool) -> i64| pool.rigs.iter().map(of).sum::<i64>();
    let (hooked, limit) = (sum(|rig| rig.agents.hooked), sum(|rig| rig.capacity));
    let ready = sum(|rig| rig.queue.ready);
    let others = sum(|rig| rig.queue.resting + rig.queue.blocked + rig.queue.held + rig.queue.staged);
    format!("{hooked} of {limit} polecats have work; {ready} beads are ready, {others} wait for something else.")
}

impl PoolStatus {
    fn line(&self, town: &str, pool: &TownPool, rig: RigPool) -> RigLine {
        let held_up_by = held_up_by(pool, &rig);
        let is_open = matches!(held_up_by, HeldUpBy::Limit | HeldUpBy::Soon | HeldUpBy::Nothing);
        let most = POLECATS_PER_RIG_MAX - rig.capacity;
        let gain = |by: i64| if is_open { gives_out(&rig, by) - gives_out(&rig, 0) } else { 0 };
        // The fewest that give out as much as any number would.
        let by = self.raise_by.unwrap_or_else(|| (1..most).find(|by| gain(*by) == gain(most)).unwrap_or(most)).min(most);
        let raise = (by > 0).then(|| Raise { by, to: rig.capacity + by, gives_out: gain(by) });
        let (call, hint) = match held_up_by {
            HeldUpBy::Limit => raise.as_ref().map_or_else(
                || (None, Some(format!("{POLECATS_PER_RIG_MAX} polecats are the most that a rig may have."))),
                |raise| raising(town, &rig, raise),
            ),
            HeldUpBy::Parked => (Some(NextCall::new("set_parked", json!({"town": town, "rig": rig.rig_id, "parked": false}))), None),
            HeldUpBy::TownParked => (Some(NextCall::new("set_parked", json!({"town": town, "parked": false}))), None),
            HeldUpBy::Draining => (Some(NextCall::new("drain", json!({"town": town, "action": "end"}))), None),
            HeldUpBy::Breaker => (
                pool.breaker_escalation.as_ref().map(|id| NextCall::new("acknowledge_escalation", json!({"town": town, "escalation": id}))),
                Some("Too many orders ended without a report: first find out what ends them.".to_owned()),
            ),
            _ => (None, None),
        };
        RigLine {
            alert: self.alert(pool, &rig),
            rig: rig.rig_id.to_string(),
            name: name(&rig.name),
            limit: rig.capacity,
            working: rig.agents.working,
            assigned: some(rig.agents.assigned),
            idle: rig.agents.idle,
            stalled: some(rig.agents.stalled),
            dead: some(rig.agents.dead),
            queue: Queue {
                ready: rig.queue.ready,
                oldest_seconds: oldest_seconds(&rig),
                resting: some(rig.queue.resting),
                rested_at: rig.queue.rested_at.map(|at: Timestamp| at.to_string()),
                blocked: some(rig.queue.blocked),
                held: some(rig.queue.held),
                staged: some(rig.queue.staged),
            },
            held_up_by,
            raise,
            call,
            hint,
        }
    }

    fn alert(&self, pool: &TownPool, rig: &RigPool) -> Option<String> {
        let most = self.queue_threshold.unwrap_or(pool.queue_depth_alert);
        let minutes = self.age_minutes.unwrap_or(AGE_MINUTES_DEFAULT);
        let depth = rig.queue.ready + rig.queue.resting;
        let age = oldest_seconds(rig).unwrap_or_default() / 60;
        let long = (depth > most).then(|| format!("{depth} wait, more than {most}"));
        let old = (age >= minutes).then(|| format!("one has been ready for {age} min, not less than {minutes}"));
        let said: Vec<String> = [long, old].into_iter().flatten().collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

fn oldest_seconds(rig: &RigPool) -> Option<i64> {
    rig.queue.ready_since.map(|since| rig.as_of.since(since).max(0) / 1_000)
}

/// Beads that are given out at once, by a limit so much higher: one for each idle polecat and each new one, as long as fewer
/// than the limit have something on their hooks.
fn gives_out(rig: &RigPool, by: i64) -> i64 {
    let (limit, agents) = (rig.capacity + by, &rig.agents);
    let living = agents.working + agents.assigned + agents.idle + agents.stalled;
    let free = agents.idle + (limit - living).max(0);
    rig.queue.ready.min(free).min(limit - agents.hooked).max(0)
}

fn held_up_by(pool: &TownPool, rig: &RigPool) -> HeldUpBy {
    let queue = &rig.queue;
    match () {
        () if pool.parked => HeldUpBy::TownParked,
        () if rig.parked => HeldUpBy::Parked,
        () if pool.draining => HeldUpBy::Draining,
        () if pool.breaker_open => HeldUpBy::Breaker,
        () if queue.ready > gives_out(rig, 0) => HeldUpBy::Limit,
        () if queue.ready > 0 => HeldUpBy::Soon,
        () if queue.resting > 0 => HeldUpBy::BackOff,
        () if queue.blocked > 0 => HeldUpBy::Blockers,
        () if queue.held + queue.staged > 0 => HeldUpBy::Hold,
        () => HeldUpBy::Nothing,
    }
}

/// The call that raises the limit. It replaces all that the rig has otherwise than its town, so it must repeat it.
fn raising(town: &str, rig: &RigPool, raise: &Raise) -> (Option<NextCall>, Option<String>) {
    if rig.overrides.values().any(Value::is_object) {
        let hint = format!("Set max_concurrent_polecats to {} with update_rig, along with all that get_config shows of the rig.", raise.to);
        return (None, Some(hint));
    }
    let mut config = rig.overrides.clone();
    config.insert("max_concurrent_polecats".to_owned(), Value::from(raise.to));
    (Some(NextCall::new("update_rig", json!({"town": town, "rig": rig.rig_id, "config": config}))), None)
}
