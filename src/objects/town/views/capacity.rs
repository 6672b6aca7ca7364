//! The capacity of a town: the polecats and queues of its rigs, asked at once.
//!
//! Owns `getPool`. Keeps nothing: a rig that does not answer is named, not shown as empty.

use crate::contract::ids::RigId;
use crate::contract::shapes::{Coverage, RigPool, RigRecord, TownPool};
use crate::objects::handler::{Answer, Caller, Cx, Gather, json};
use crate::objects::town::rigs::{pause, rig_config};
use crate::objects::town::{config, rigs, state};
use crate::rpc::call::{Call, Instance, decode};
use crate::rpc::table::POOL_STATE;
use base::error::Failure;

/// `getPool(rigId)`: of one rig, or with null of all.
pub(crate) fn get_pool(cx: &Cx<'_>, _caller: &Caller, (named,): (Option<RigId>,)) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let mut asked = rigs::list(cx)?;
    if let Some(named) = &named {
        rigs::require(cx, named)?;
        asked.retain(|rig| rig.id == *named);
    }
    let calls = asked.iter().map(|rig| Call::new(Instance::Rig(rig.id.clone()), &POOL_STATE, ())).collect::<Result<_, _>>()?;
    let then = Box::new(move |cx: &Cx<'_>, answers: Vec<Result<String, Failure>>| merge(cx, asked, answers));
    Ok(Answer::Gather(Gather { town: town.town_id.clone(), calls, then }))
}

fn merge(cx: &Cx<'_>, asked: Vec<RigRecord>, answers: Vec<Result<String, Failure>>) -> Result<Answer, Failure> {
    let town = state::require(cx)?;
    let parked = rigs::parked(cx)?;
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let mut coverage = Coverage { asked: count(asked.len()), answered: 0, missing: Vec::new(), as_of: cx.now };
    let mut told = Vec::new();
    for (rig, answer) in asked.into_iter().zip(answers) {
        match answer.and_then(|text| decode::<RigPool>(&POOL_STATE, &text)) {
            // Of the rig's record, the town's copy is the truth.
            Ok(pool) => told.push(RigPool {
                name: rig.name,
                capacity: rig_config::capacity(&town, &rig.config),
                parked: parked.contains(&rig.id),
                overrides: rig.config,
                ..pool
            }),
            Err(_) => coverage.missing.push(rig.id),
        }
    }
    coverage.answered = count(told.len());
    json(&TownPool {
        rigs: told,
        parked: town.parked,
        draining: pause::drain(&town, cx.now).is_some(),
        breaker_open: town.breaker_opened_at.is_some(),
        breaker_escalation: town.breaker_escalation.clone(),
        queue_depth_alert: config::watch(&town).queue_depth_alert,
        coverage,
    })
}
