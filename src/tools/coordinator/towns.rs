//! Tools that look at towns: which there are, and how one is doing.

use crate::contract::ids::TownId;
use crate::contract::shapes::{AgentCounts, AlarmStatus, QualityCounts, TownIdentityState, TownRecord};
use crate::rpc::table::{GET_ALARM_STATUS, GET_IDENTITY_STATE, LIST_TOWNS};
use crate::tools::paging;
use crate::tools::text::name;
use crate::tools::tool::{Answers, Coverage, Hints, Place, Plan, Reach, Tool};
use base::error::Failure;
use base::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Lists the towns you may use, newest first. Call it first: other tools take a town's id or name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListTowns {
    /// Towns per page, 1 to 200 (default 50).
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of towns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TownList {
    towns: Vec<TownLine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// Registries asked: yours and your organizations'.
    coverage: Coverage,
}

#[derive(Debug, Serialize, JsonSchema)]
struct TownLine {
    id: String,
    name: String,
    /// `user`, or the organization's id.
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<String>,
}

/// Where a page of towns ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct TownPosition(Timestamp, TownId);

impl Tool for ListTowns {
    const NAME: &'static str = "list_towns";
    const TITLE: &'static str = "List towns";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Fleet;
    const EXAMPLE: &'static str = "{}";
    type Output = TownList;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        paging::limit(self.limit)?;
        paging::position::<TownPosition>(self.cursor.as_deref())?;
        if place.town.is_some() {
            // A connection to one town shows that town, and only the town itself need be asked.
            return Ok(Plan::One(place.call_town(&GET_IDENTITY_STATE, ())?));
        }
        Ok(Plan::EachRegistry { method: &LIST_TOWNS, args: "[]".to_owned() })
    }

    fn render(self, answers: Answers, place: &Place) -> Result<TownList, Failure> {
        if let Some(town) = &place.town {
            let line = TownLine::of(town, answers.one(&GET_IDENTITY_STATE)?);
            return Ok(TownList { towns: vec![line], next_cursor: None, coverage: Coverage::whole(1) });
        }
        let limit = paging::limit(self.limit)?;
        let after: Option<TownPosition> = paging::position(self.cursor.as_deref())?;
        let gathered = answers.many::<Vec<TownRecord>>(&LIST_TOWNS);
        let position = |town: &TownRecord| TownPosition(town.created_at, town.id.clone());
        let mut towns: Vec<TownRecord> = gathered.answered.into_iter().flat_map(|(_, towns)| towns).collect();
        towns.retain(|town| after.as_ref().is_none_or(|after| position(town) < *after));
        let mut towns = paging::order(towns, true, |town| (town.created_at, town.id.to_string()));
        towns.dedup_by(|one, other| one.id == other.id);
        let next_cursor = paging::cut(&mut towns, limit, position);
        let towns = towns.into_iter().map(TownLine::from).collect();
        Ok(TownList { towns, next_cursor, coverage: gathered.coverage })
    }
}

impl TownLine {
    fn of(town: &TownId, state: TownIdentityState) -> Self {
        let identity = state.identity();
        Self {
            id: town.to_string(),
            name: name(identity.as_ref().and_then(|identity| identity.town_name.as_deref()).unwrap_or_default()),
            owner: identity.and_then(|identity| identity.organization_id).unwrap_or_else(|| "user".to_owned()),
            created_at: None,
        }
    }
}

impl From<TownRecord> for TownLine {
    fn from(town: TownRecord) -> Self {
        Self {
            id: town.id.to_string(),
            name: name(&town.name),
            owner: town.owner_org_id.unwrap_or_else(|| "user".to_owned()),
            created_at: Some(town.created_at.to_string()),
        }
    }
}

/// Shows how a town is doing: agents, beads, queue and Mayor, rig by rig, with the time each rig last reported. Use it
/// before giving out work, and to see whether anything is stuck.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetTownStatus {}

/// How a town is doing.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TownStatus {
    town: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    summary: String,
    agents: AgentCounts,
    beads: BeadCountsView,
    /// Ready beads that wait for a polecat.
    queue_depth: i64,
    /// Nothing new is given out in the whole town, on purpose.
    parked: bool,
    /// The same until what runs the agents is back.
    draining: bool,
    /// The same because too many orders ended without a report: see the escalation `dispatch_breaker`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    breaker_open: bool,
    /// Unfinished beads for which a quality was asked.
    quality: QualityCounts,
    alarm: AlarmView,
    mayor: MayorView,
    rigs: Vec<RigLine>,
    coverage: Coverage,
    /// The oldest report these numbers rest on.
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct BeadCountsView {
    open: i64,
    in_progress: i64,
    in_review: i64,
    failed: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AlarmView {
    interval: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_fire_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct MayorView {
    status: String,
    /// Messages that no Mayor has read yet.
    queued_messages: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RigLine {
    id: String,
    name: String,
    agents: i64,
    hooked: i64,
    open: i64,
    failed: i64,
    queue_depth: i64,
    /// Polecats it may have at once.
    capacity: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    parked: bool,
    quality: QualityCounts,
    as_of: String,
}

impl Tool for GetTownStatus {
    const NAME: &'static str = "get_town_status";
    const TITLE: &'static str = "Town status";
    const HINTS: Hints = Hints::READ;
    const REACH: Reach = Reach::Town;
    const EXAMPLE: &'static str = "{}";
    const META: Option<&'static str> = Some(crate::apps::TOWN_OVERVIEW_TOOL_META);
    type Output = TownStatus;

    fn plan(&self, place: &Place) -> Result<Plan, Failure> {
        Ok(Plan::One(place.call_town(&GET_ALARM_STATUS, (Value::Null,))?))
    }

    fn render(self, answers: Answers, place: &Place) -> Result<TownStatus, Failure> {
        let status: AlarmStatus = answers.one(&GET_ALARM_STATUS)?;
        let coverage = coverage(&status);
        Ok(TownStatus {
            town: place.town()?.to_string(),
            name: status.town_name.as_deref().map(name),
            summary: summarize(&status),
            agents: status.agents,
            beads: BeadCountsView {
                open: status.beads.open,
                in_progress: status.beads.in_progress,
                in_review: status.beads.in_review,
                failed: status.beads.failed,
            },
            queue_depth: status.queue_depth,
            parked: status.parked,
            draining: status.draining == Some(true),
            breaker_open: status.breaker.is_some(),
            quality: qualities(&status),
            alarm: AlarmView { interval: status.alarm.interval_label, next_fire_at: status.alarm.next_fire_at.map(|at| at.to_string()) },
            mayor: MayorView {
                status: status
                    .mayor
                    .as_ref()
                    .and_then(|mayor| mayor.session.as_ref())
                    .map_or_else(|| "unknown".to_owned(), |session| session.status.clone()),
                queued_messages: status.mayor.map_or(0, |mayor| mayor.queued_messages),
            },
            as_of: status.coverage.filter(|coverage| coverage.answered > 0).map(|coverage| coverage.as_of.to_string()),
            rigs: status
                .rigs
                .into_iter()
                .map(|rig| RigLine {
                    id: rig.rig_id.to_string(),
                    name: name(&rig.name),
                    agents: rig.agents.total,
                    hooked: rig.agents.hooked,
                    open: rig.beads.open,
                    failed: rig.beads.failed,
                    queue_depth: rig.queue_depth,
                    capacity: rig.capacity,
                    parked: rig.parked,
                    quality: rig.quality,
                    as_of: rig.as_of.to_string(),
                })
                .collect(),
            coverage,
        })
    }
}

fn coverage(status: &AlarmStatus) -> Coverage {
    let silent = "has not reported yet: its numbers are unknown, not zero";
    status.coverage.as_ref().map_or_else(|| Coverage::whole(status.rigs.len()), |known| Coverage::of_rigs(known, silent))
}

fn qualities(status: &AlarmStatus) -> QualityCounts {
    status.rigs.iter().fold(QualityCounts::default(), |sum, rig| QualityCounts {
        basic: sum.basic + rig.quality.basic,
        shiny: sum.shiny + rig.quality.shiny,
        chrome: sum.chrome + rig.quality.chrome,
    })
}

/// Why nothing new is given out, if nothing is.
fn pause(status: &AlarmStatus) -> String {
    let parked = status.rigs.iter().filter(|rig| rig.parked).count();
    match (status.parked, status.draining == Some(true)) {
        (true, _) => " The town is parked: nothing new is given out.".to_owned(),
        (false, true) => " The town is draining: nothing new is given out until that is over.".to_owned(),
        (false, false) if status.breaker.is_some() => {
            " Too much has failed: nothing new is given out until somebody acknowledges the escalation dispatch_breaker.".to_owned()
        }
        (false, false) if parked > 0 => format!(" {parked} rig(s) are parked."),
        (false, false) => String::new(),
    }
}

fn summarize(status: &AlarmStatus) -> String {
    let (agents, beads) = (&status.agents, &status.beads);
    let silent = status.coverage.as_ref().map_or(0, |coverage| coverage.missing.len());
    let bound = if silent > 0 { format!(" {silent} rig(s) have not reported: these are lower bounds.") } else { String::new() };
    format!(
        "{} of {} agents hold work, {} stalled; {} beads open, {} in progress, {} in review, {} failed; {} queued.{}{bound}",
        agents.hooked,
        agents.total,
        agents.stalled,
        beads.open,
        beads.in_progress,
        beads.in_review,
        beads.failed,
        status.queue_depth,
        pause(status)
    )
}
