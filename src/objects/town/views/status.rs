//! The status of the town, from the rigs' summaries, and of its convoys, asked of the rigs.
//!
//! Owns no table. A rig that could not be asked is named, never counted as zero.

use super::activity;
use crate::contract::ids::{ConvoyId, RigId};
use crate::contract::shapes::{
    AgentCounts, AlarmStatus, AlarmTimes, BeadCounts, ConvoyBead, ConvoyEntry, ConvoyMembers, Coverage, PatrolCounts,
};
use crate::objects::handler::{Answer, Caller, Cx, Gather, json};
use crate::objects::outbox;
use crate::objects::town::rigs::{breaker, pause};
use crate::objects::town::{convoys, mayor, rigs, state};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::CONVOY_BEADS;
use base::error::Failure;
use serde_json::{Value, json as value};

/// The alarm's pace while something is owed or under way (Gastown contract, section 10).
const ACTIVE_MILLIS: i64 = 5_000;
/// The alarm's pace otherwise.
const IDLE_MILLIS: i64 = 300_000;

/// Nothing is billed here.
const BILLING: &str = r#"{"enabled":false,"enforcing":false,"state":"idle","runPolicy":"automatic"}"#;

/// `getBillingStatus`.
pub(crate) fn get_billing(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    state::require(cx)?;
    Ok(Answer::Json(BILLING.to_owned()))
}

/// `healthCheck`: agents that hold work and unfinished beads, as the rigs last told; the alarm is set while something is
/// owed or under way.
pub(crate) fn health_check(cx: &Cx<'_>, _caller: &Caller, (): ()) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let (told, _) = rigs::summaries(cx)?;
    let pending: i64 = told.iter().map(|rig| rig.beads.open + rig.beads.in_progress + rig.beads.in_review).sum();
    json(&value!({
        "townId": town.town_id,
        "alarmSet": outbox::next_due(cx.sql)?.is_some() || pause::drain(&town, cx.now).is_some(),
        "activeAgents": told.iter().map(|rig| rig.agents.hooked).sum::<i64>(),
        "pendingBeads": pending,
    }))
}

/// `getAlarmStatus`, from the mirror: every number comes with the rigs it covers.
/// `getAlarmStatus`.
pub(crate) fn get_alarm_status(cx: &Cx<'_>, _caller: &Caller, (_cached,): (Value,)) -> Result<Answer, Failure> {
    json(&alarm_status(cx)?)
}

/// The status from the mirror: every number comes with the rigs it covers.
pub(in crate::objects::town) fn alarm_status(cx: &Cx<'_>) -> Result<AlarmStatus, Failure> {
    let town = state::require(cx)?;
    let (told, silent) = rigs::summaries(cx)?;
    let mut agents = AgentCounts::default();
    let mut beads = BeadCounts::default();
    for rig in &told {
        agents.working += rig.agents.working;
        agents.waiting += rig.agents.waiting;
        agents.idle += rig.agents.idle;
        agents.stalled += rig.agents.stalled;
        agents.dead += rig.agents.dead;
        agents.total += rig.agents.total;
        agents.hooked += rig.agents.hooked;
        beads.open += rig.beads.open;
        beads.in_progress += rig.beads.in_progress;
        beads.in_review += rig.beads.in_review;
        beads.failed += rig.beads.failed;
        beads.triage_requests += rig.beads.triage_requests;
    }
    let drain = pause::drain(&town, cx.now);
    let active = agents.working > 0 || agents.hooked > 0 || beads.open > 0;
    let answered = i64::try_from(told.len()).unwrap_or(i64::MAX);
    let asked = answered.saturating_add(i64::try_from(silent.len()).unwrap_or(i64::MAX));
    let as_of = told.iter().map(|rig| rig.as_of).min().unwrap_or(cx.now);
    Ok(AlarmStatus {
        alarm: AlarmTimes {
            next_fire_at: outbox::next_due(cx.sql)?,
            interval_ms: if active { ACTIVE_MILLIS } else { IDLE_MILLIS },
            interval_label: if active { "active (5s)" } else { "idle (5m)" }.to_owned(),
        },
        patrol: PatrolCounts {
            gupp_warnings: told.iter().map(|rig| rig.patrol.gupp_warnings).sum(),
            gupp_escalations: told.iter().map(|rig| rig.patrol.gupp_escalations).sum(),
            stalled_agents: agents.stalled,
            orphaned_hooks: 0,
        },
        breaker: breaker::status(&town, &told, cx.now),
        agents,
        beads,
        reconciler: None,
        billing: serde_json::from_str(BILLING).unwrap_or_default(),
        recent_events: activity::recent(cx)?,
        queue_depth: told.iter().map(|rig| rig.queue_depth).sum(),
        rigs: told,
        coverage: Some(Coverage { asked, answered, missing: silent, as_of }),
        town_name: town.name(),
        mayor: Some(mayor::status(cx, &town)?),
        draining: drain.map(|_| true),
        drain_started_at: drain.map(|(_, started)| started),
        parked: town.parked,
    })
}

/// `getConvoyStatus`: asks every rig that has beads of the convoy. A rig that does not answer is named, and its beads
/// are shown as it last told. By id or title.
pub(crate) fn get_convoy_status(cx: &Cx<'_>, _caller: &Caller, (named,): (String,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let Some(ConvoyEntry { id, .. }) = convoys::find_named(cx, &named)? else { return Ok(Answer::Json("null".to_owned())) };
    let rigs = convoys::rigs_of(cx, &id)?;
    let calls = rigs.iter().map(|rig| Call::new(Instance::Rig(rig.clone()), &CONVOY_BEADS, (&id,))).collect::<Result<_, _>>()?;
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then: Box::new(move |cx, answers| merge(cx, &id, &rigs, answers)) }))
}

fn merge(cx: &Cx<'_>, id: &ConvoyId, rigs: &[RigId], answers: Vec<Result<String, Failure>>) -> Result<Answer, Failure> {
    let Some(mut entry) = convoys::find(cx, id)? else { return Ok(Answer::Json("null".to_owned())) };
    let mut fresh: Vec<ConvoyBead> = Vec::new();
    let mut missing = Vec::new();
    for (rig, answer) in rigs.iter().zip(answers) {
        match answer.and_then(|text| decode::<ConvoyMembers>(&CONVOY_BEADS, &text)) {
            Ok(members) => fresh.extend(members.beads),
            Err(_) => missing.push(rig.clone()),
        }
    }
    let mut beads = convoys::mirrored_beads(cx, id)?;
    for bead in &mut beads {
        if let Some(at) = fresh.iter().position(|fresh| fresh.bead_id == bead.bead_id) {
            *bead = fresh.swap_remove(at);
        }
    }
    entry.recount(&beads);
    let asked = i64::try_from(rigs.len()).unwrap_or(i64::MAX);
    let answered = asked.saturating_sub(i64::try_from(missing.len()).unwrap_or(i64::MAX));
    let coverage = Coverage { asked, answered, missing, as_of: cx.now };
    let mut detail = convoys::detail(cx, entry, beads)?;
    detail.coverage = Some(coverage);
    json(&detail)
}
